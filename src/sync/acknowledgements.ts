/**
 * Acknowledgements: which followers' writes have been taken, to be said in the next frame.
 *
 * An acknowledgement is cumulative: all writes of that boot up to it have been taken (refusals are told apart). It is
 * said in the frame that carries the writes themselves, so that a confirmation costs no packet of its own.
 */
import { ACKS_MAX } from "../wire/frame.js";

export interface Acknowledgement {
  readonly node: string;
  readonly session: number;
  readonly write: number;
}

export class Acknowledgements {
  private readonly waiting = new Map<string, Acknowledgement>();
  private iterator: Iterator<Acknowledgement> = [][Symbol.iterator]();

  /** Notes that the writes of a node's boot have been taken up to `write`. */
  add(node: string, session: number, write: number): void {
    this.waiting.set(node, { node, session, write });
  }

  get size(): number {
    return this.waiting.size;
  }

  /** Begins to hand out, at most so many; answers how many may be taken now. */
  begin(most: number): number {
    if (this.waiting.size === 0 || most === 0) return 0;
    this.iterator = this.waiting.values();
    return Math.min(this.waiting.size, ACKS_MAX, most);
  }

  /** Those that found no frame to be said in. */
  *rest(): Generator<Acknowledgement> {
    for (const ack of this.waiting.values()) {
      this.waiting.delete(ack.node);
      yield ack;
    }
  }

  /** The next one, which then no longer waits. */
  take(): Acknowledgement {
    const ack = this.iterator.next().value as Acknowledgement;
    this.waiting.delete(ack.node);
    return ack;
  }
}
