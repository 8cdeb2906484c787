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
  /** Writes taken, and how many items the publisher had taken in by then: pairs. */
  readonly marks: number[] = [];

  constructor(node: string, session: number) {
    this.node = node;
    this.session = session;
  }
}

const NONE = { session: 0, write: 0 };

export class Acknowledgements {
  private readonly byNode = new Map<string, Acknowledgement>();
  private readonly fresh: Acknowledgement[] = [];
  private readonly alone = new Set<string>();
  private waiting = 0;

  /**
   * The writes of a node's boot are taken up to `write`; they are in the stream once `position` items are. With
   * `hasRefusals` no frame says so before the writer knows what was refused: it would take that for accepted.
   */
  add(node: string, session: number, write: number, position: number, hasRefusals = false): void {
    const known = this.byNode.get(node);
    const ack = known?.session === session ? known : this.open(node, session);
    if (this.byNode.size >= WRITERS_MAX / 2) this.renew(ack);
    ack.isAlone = hasRefusals;
    const { marks } = ack;
    if (marks.length === 0) this.waiting++;
    if (marks.length >= MARKS_MAX * 2) marks.length -= 2;
    marks.push(write, position);
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
    if (ack.marks.length > 0) this.waiting--;
    this.byNode.delete(node);
  }

  /** `published` items are in the stream. */
  promote(published: number): void {
    if (this.waiting === 0) return;
    for (const ack of this.byNode.values()) if (ack.marks.length > 0) this.promoteOne(ack, published);
  }

  private promoteOne(ack: Acknowledgement, published: number): void {
    const { marks } = ack;
    let reached = 0;
    while (reached < marks.length && (marks[reached + 1] as number) <= published) reached += 2;
    if (reached === 0) return;
    ack.write = marks[reached - 2] as number;
    marks.splice(0, reached);
    if (marks.length === 0) this.waiting--;
    if (ack.isAlone) this.alone.add(ack.node);
    else if (!ack.isNew) {
      this.fresh.push(ack);
      ack.isNew = true;
    }
  }

  /** How many are to be said. */
  get size(): number {
    return this.fresh.length;
  }

  /** Begins to hand out; answers how many may be taken now, at most `most`. */
  begin(most: number): number {
    return Math.min(this.fresh.length, ACKS_MAX, most);
  }

  /** The next one, which is then said. */
  take(): Acknowledgement {
    const ack = this.fresh.shift() as Acknowledgement;
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
    this.fresh.length = 0;
    this.alone.clear();
    this.waiting = 0;
  }
}
