/**
 * IncomingSide: the contents of another side on their way to the one that stays. One at a time; fetched as a joiner
 * fetches a snapshot, and decoded beside what is here, so that bytes that are none change nothing.
 */
import { Lineage } from "../sync/lineage.js";
import type { FrameTarget } from "../sync/stream-frames.js";
import { decodeSnapshot, type Snapshot } from "./adoption.js";
import type { NodeParts } from "./parts.js";
import type { NodePorts } from "./ports.js";
import type { Head, Side } from "./side.js";

/** What is on its way, or here. */
interface Coming {
  /** Who is told when it is merged. */
  readonly target: FrameTarget;
  readonly head: Head;
  readonly begunUs: number;
}

const FETCH_MAX_US = 1_500_000;

export class IncomingSide {
  private readonly node: NodeParts;
  private readonly ports: NodePorts;
  private coming: Coming | undefined;
  /** What came, once it is here. */
  side: Side | undefined;

  constructor(node: NodeParts, ports: NodePorts) {
    this.node = node;
    this.ports = ports;
  }

  get isNone(): boolean {
    return this.coming === undefined;
  }

  get isFetching(): boolean {
    return this.coming !== undefined && this.side === undefined;
  }

  /** Who is told when it is merged. */
  get target(): FrameTarget | undefined {
    return this.coming?.target;
  }

  fetch(head: Head, target: FrameTarget, port: number): void {
    this.coming = { target, head, begunUs: this.node.core.clock.nowUs };
    this.ports.fetchSnapshot({ address: target.address, port, minSequence: head.sequence });
  }

  drop(): void {
    this.coming = undefined;
    this.side = undefined;
  }

  /** Gives up what does not come. */
  tick(): void {
    const { coming, node } = this;
    if (coming !== undefined && node.core.clock.nowUs - coming.begunUs > FETCH_MAX_US) this.drop();
  }

  /** A snapshot is here. False when it is not what was asked for, and nothing comes any more. */
  arrived(snapshot: Snapshot): boolean {
    const { coming } = this;
    this.side = coming === undefined ? undefined : this.decode(snapshot, coming.head);
    if (this.side === undefined) this.coming = undefined;
    return this.side !== undefined;
  }

  private decode(snapshot: Snapshot, head: Head): Side | undefined {
    const { core, applier, controller } = this.node;
    const isTheirs = snapshot.termNumber === head.number && snapshot.termNode === head.node;
    const state = isTheirs && controller.takesWrites ? decodeSnapshot(core, applier, snapshot) : undefined;
    const term = applier.termIndex(head.number, head.node);
    if (state === undefined || term < 0) return undefined;
    const { sequence, standings } = snapshot;
    const whole = snapshot.lineage.find((entry) => entry.number === head.number && entry.node === head.node);
    const lineage = new Lineage(core.terms);
    lineage.replace(snapshot.lineage, term, whole?.sequence ?? sequence);
    return { head: { ...head, sequence }, state, lineage, standings };
  }
}
