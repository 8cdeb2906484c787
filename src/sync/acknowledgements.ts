/**
 * Acknowledgements: which followers' writes are in the stream, to be said in the next frame.
 *
 * An acknowledgement is cumulative: all writes of that boot up to it have been taken (refusals are told apart). It is
 * said no earlier than in the frame by which all of them are published, so that a writer who sees it can show the
 * stream's values; and in a frame that goes out anyway, so that a confirmation costs no packet of its own.
 */
import { ACKS_MAX } from "../wire/frame.js";
import { WRITERS_MAX } from "./write-intake.js";

/** Marks kept per writer while its writes wait to be published; past them the newest mark moves. */
const MARKS_MAX = 64;

export class Acknowledgement {
  readonly node: string;
  readonly session: number;
  /** All writes up to this one are in the stream. */
  write = 0;
  isNew = false;
  /** Only an answer to the writer may say it, since only that says what was refused. */
  isAlone = false;
  /** Writes taken, and how many items the publisher had taken in by then: pairs, `marksCount` of them. */
  readonly marks = new Float64Array(MARKS_MAX * 2);
  marksCount = 0;

  constructor(node: string, session: number) {
    this.node = node;
    this.session = session;
  }
}

const NONE = { session: 0, write: 0 };

export class Acknowledgements {
  private readonly byNode = new Map<string, Acknowledgement>();
  private readonly alone = new Set<string>();
  /** To be said, from `freshHead` on. The lists are never shortened: that would allocate at the next use. */
  private readonly fresh: (Acknowledgement | undefined)[] = [];
  private freshHead = 0;
  private freshTail = 0;
  /** Those with marks. */
  private readonly waiting: (Acknowledgement | undefined)[] = [];
  private waitingCount = 0;
  /** The one that was added to last: most often the next one too. */
  private last: Acknowledgement | undefined;

  /**
   * The writes of a node's boot are taken up to `write`; they are in the stream once `position` items are. With
   * `hasRefusals` no frame says so before the writer knows what was refused: it would take that for accepted.
   */
  add(node: string, session: number, write: number, position: number, hasRefusals = false): void {
    const known = this.last?.node === node ? this.last : this.byNode.get(node);
    const ack = known?.session === session ? known : this.open(node, session);
    this.last = ack;
    if (this.byNode.size >= WRITERS_MAX / 2) this.renew(ack);
    ack.isAlone = hasRefusals;
    if (ack.marksCount === 0) this.waiting[this.waitingCount++] = ack;
    if (ack.marksCount === MARKS_MAX) ack.marksCount--;
    ack.marks[ack.marksCount * 2] = write;
    ack.marks[ack.marksCount * 2 + 1] = position;
    ack.marksCount++;
  }

  /** Moves a node to the end of those that are forgotten. */
  private renew(ack: Acknowledgement): void {
    this.byNode.delete(ack.node);
    this.byNode.set(ack.node, ack);
  }

  private open(node: string, session: number): Acknowledgement {
    this.forget(node);
    if (this.byNode.size >= WRITERS_MAX) this.forget(this.byNode.keys().next().value as string);
    const ack = new Acknowledgement(node, session);
    this.byNode.set(node, ack);
    return ack;
  }

  /** A node that is gone, or booted anew. One that is not gone asks again. */
  private forget(node: string): void {
    const ack = this.byNode.get(node);
    if (ack === undefined) return;
    if (this.last === ack) this.last = undefined;
    for (let place = 0; place < this.waitingCount; place++) if (this.waiting[place] === ack) this.endWait(place--);
    this.byNode.delete(node);
  }

  private endWait(place: number): void {
    this.waiting[place] = this.waiting[--this.waitingCount];
    this.waiting[this.waitingCount] = undefined;
  }

  /** `published` items are in the stream. */
  promote(published: number): void {
    for (let place = 0; place < this.waitingCount; place++) {
      const ack = this.waiting[place] as Acknowledgement;
      this.promoteOne(ack, published);
      if (ack.marksCount === 0) this.endWait(place--);
    }
  }

  private promoteOne(ack: Acknowledgement, published: number): void {
    const { marks } = ack;
    let reached = 0;
    while (reached < ack.marksCount && (marks[reached * 2 + 1] as number) <= published) reached++;
    if (reached === 0) return;
    ack.write = marks[reached * 2 - 2] as number;
    for (let from = reached * 2; from < ack.marksCount * 2; from++) marks[from - reached * 2] = marks[from] as number;
    ack.marksCount -= reached;
    if (ack.isAlone) this.alone.add(ack.node);
    else if (!ack.isNew) {
      this.fresh[this.freshTail++] = ack;
      ack.isNew = true;
    }
  }

  /** How many are to be said. */
  get size(): number {
    return this.freshTail - this.freshHead;
  }

  /** Begins to hand out; answers how many may be taken now, at most `most`. */
  begin(most: number): number {
    return Math.min(this.size, ACKS_MAX, most);
  }

  /** The next one, which is then said. */
  take(): Acknowledgement {
    const ack = this.fresh[this.freshHead] as Acknowledgement;
    this.fresh[this.freshHead++] = undefined;
    if (this.freshHead === this.freshTail) {
      this.freshHead = 0;
      this.freshTail = 0;
    }
    ack.isNew = false;
    return ack;
  }

  /** The next writer that is to be answered alone. */
  takeAlone(): string | undefined {
    if (this.alone.size === 0) return undefined;
    const node = this.alone.values().next().value as string;
    this.alone.delete(node);
    return node;
  }

  /** What of a node's writes is in the stream. */
  of(node: string): { readonly session: number; readonly write: number } {
    return this.byNode.get(node) ?? NONE;
  }

  clear(): void {
    this.byNode.clear();
    this.alone.clear();
    this.fresh.length = 0;
    this.freshHead = 0;
    this.freshTail = 0;
    this.waiting.length = 0;
    this.waitingCount = 0;
    this.last = undefined;
  }
}
