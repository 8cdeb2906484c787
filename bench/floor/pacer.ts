/**
 * Pacer: sends messages at some 1,000 a second, one kind after another in blocks.
 *
 * One message per tick of a 1 ms timer, and none to make up for a tick that came late: that gives 900 to 950 a second
 * on Linux. A busy loop on setImmediate would keep 1,000 exactly, and would hold a core that the receiver needs when
 * there are two; making up for late ticks would send pairs, which hana puts into one datagram and the floor does not.
 * Floor and hana are paced by the same code, so what the timer does to one it does to the other.
 */

export interface PacePlan {
  /** Sent in blocks by turns, in this order. */
  readonly links: readonly string[];
  /** Blocks of each link. */
  readonly blocks: number;
  readonly messagesPerBlock: number;
  /** Messages per tick, each in a turn of the event loop of its own; more than one only to warm up. */
  readonly perTick: number;
  /** Between two ticks. Default 1. */
  readonly pauseMs?: number;
}

/** 100 messages at one a millisecond: the blocks of 100 ms that floor and hana take turns by. */
export const MESSAGES_PER_BLOCK = 100;

export function pace(plan: PacePlan, sourceOf: (link: string) => () => void): Promise<void> {
  const sources = plan.links.map(sourceOf);
  const pauseMs = plan.pauseMs ?? 1;
  const total = plan.blocks * plan.links.length * plan.messagesPerBlock;
  return new Promise((resolve) => {
    let sent = 0;
    let leftInTick = 0;
    const send = (): void => {
      const block = Math.floor(sent / plan.messagesPerBlock);
      sources[block % sources.length]?.();
      sent++;
      leftInTick--;
      if (sent === total) resolve();
      else if (leftInTick > 0) setImmediate(send);
      else setTimeout(tick, pauseMs);
    };
    const tick = (): void => {
      leftInTick = plan.perTick;
      send();
    };
    tick();
  });
}
