/**
 * Twins: a copy of a running machine's disk is started on another computer. Exactly one of the two goes on, the one that
 * was there, and the others hear it again within a second.
 *
 * The copy's links lose what the fault says, so that it may have spoken before it is refused. The oracle does not watch
 * it: nobody writes there, and it never takes control. Where its machine dies it is taken away: what is started then is
 * another story.
 */
import type { Episode } from "./faults.js";
import type { Machine, MachineWatch } from "./machine.js";
import type { Network, Packet } from "./network.js";
import type { Timeline } from "./timeline.js";

/** Who holds the id says so again within ten seconds. */
const END_US = 12_000_000;
const HEARD_US = 1_000_000;
/** Boots of copies are none of any machine. */
const COPY_BOOTS = 0x4000_0000;

export class Twins {
  /** The copy that runs, or ran last. */
  machine: Machine | undefined;
  make: (owner: number) => Machine = () => {
    throw new Error("nobody makes copies");
  };
  /** Copies that were started. */
  private started = 0;
  private hasSpoken = false;
  private readonly timeline: Timeline;
  private readonly network: Network;
  private readonly fail: (machine: Machine, text: string) => void;
  private readonly onSpoke: () => void;
  private owner: Machine | undefined;
  /** Whether a machine, by its index, took the last frame of this id from the copy. */
  private readonly hearsCopy = new Set<number>();
  /** Since when nothing keeps the two from hearing each other. */
  private wellUs = 0;
  private endedUs = 0;

  /** `onSpoke`: hears of each copy that was not refused in time. */
  constructor(
    timeline: Timeline,
    network: Network,
    fail: (machine: Machine, text: string) => void,
    onSpoke: () => void,
  ) {
    this.timeline = timeline;
    this.network = network;
    this.fail = fail;
    this.onSpoke = onSpoke;
  }

  /** What the copy tells. */
  get watch(): MachineWatch {
    const nothing = (): void => {};
    return {
      ...{ booted: nothing, dies: nothing, opens: nothing, opened: nothing, health: nothing, late: nothing },
      ...{ turned: nothing, fooled: nothing, overflowed: nothing },
      sends: (machine, datagram, body) => this.network.sends(machine.index, datagram, body),
      failed: (machine, error) => this.fail(machine, `a copy threw ${String(error)}`),
      refused: (machine) => {
        this.endedUs = this.timeline.nowUs;
        this.timeline.after(0, () => machine.kill());
      },
    };
  }

  begin(owner: Machine, { lastsUs }: Episode): void {
    if (!owner.isUp || this.owner !== undefined) return;
    const copy = this.make(owner.index);
    copy.boot = COPY_BOOTS + this.started++;
    copy.session = owner.session;
    copy.disk.copy(owner.disk);
    this.machine = copy;
    this.owner = owner;
    this.endedUs = 0;
    this.hasSpoken = false;
    this.hearsCopy.clear();
    this.wellUs = this.timeline.nowUs + lastsUs;
    copy.start();
  }

  at(address: string): Machine | undefined {
    return this.machine?.address === address ? this.machine : undefined;
  }

  /** A machine took a frame. */
  taken(to: Machine, packet: Packet): void {
    const { owner, machine } = this;
    if (owner === undefined) return;
    if (packet.from === owner.index) this.hearsCopy.delete(to.index);
    if (packet.from !== machine?.index) return;
    if (!this.hasSpoken) this.onSpoke();
    this.hasSpoken = true;
    this.hearsCopy.add(to.index);
  }

  /** A machine is about to be gone. */
  dies(machine: Machine): void {
    if (machine === this.owner) this.end();
  }

  /** No copy runs any more. */
  end(): void {
    this.machine?.kill();
    this.owner = undefined;
  }

  look(machines: readonly Machine[]): void {
    const { owner, machine, timeline } = this;
    if (owner === undefined || machine === undefined) return;
    if (owner.isPaused) this.wellUs = Math.max(this.wellUs, timeline.nowUs);
    const sinceUs = Math.max(this.wellUs, this.endedUs, this.network.reshapedUs);
    if (machine.isUp) {
      if (timeline.nowUs - this.wellUs > END_US) this.fail(owner, "its copy goes on beside it");
    } else if (timeline.nowUs - sinceUs > HEARD_US) {
      for (const other of machines) this.judge(owner, other);
      this.owner = undefined;
    }
  }

  private judge(owner: Machine, other: Machine): void {
    const isReached = other.isUp && !other.isPaused && this.network.areWell(owner.index, other.index);
    if (isReached && this.hearsCopy.has(other.index))
      this.fail(other, `hears ${owner.id.slice(-3)}'s copy, which has ended`);
  }
}
