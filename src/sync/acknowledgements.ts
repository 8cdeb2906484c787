/**
 * Acknowledgements: which followers' writes are in the stream, to be said in the very frame that holds the last of them.
 *
 * An acknowledgement is cumulative: all writes of that boot up to it have been taken, but for the refusals that it
 * tells. It is part of the frame's content, so whoever has the changes, by journal, repair or snapshot too, knows the
 * writes they came from, and takes none again when it becomes controller. What no frame carries (a write that changed
 * nothing) is answered to its writer alone.
 *
 * Marks stand in the order of the publisher's queue: the mark of a write says how many items were taken in by then.
 * Bounded; allocates nothing per write.
 */
import { type Refusal, type Standing, WRITERS_MAX } from "../wire/standing.js";

/** Marks that wait to be published. */
const MARKS_MAX = 4_096;
const MASK = MARKS_MAX - 1;
/** No more frames are taken in when fewer are free: a frame of writes needs at most one each. */
const MARKS_RESERVED = 512;
const NO_REFUSALS: readonly Refusal[] = [];

export class Acknowledgement {
  readonly node: string;
  readonly session: number;
  /** An index of an origin of that node, which the stream has told; 0 for none. */
  origin = 0;
  /** All writes up to this one are in the stream. */
  write: number;
  refusals: readonly Refusal[] = NO_REFUSALS;
  /** Its newest mark. */
  mark = 0;

  constructor(node: string, session: number, write: number) {
    this.node = node;
    this.session = session;
    this.write = write;
  }
}

export class Acknowledgements {
  private readonly byNode = new Map<string, Acknowledgement>();
  /** Marks in a ring, their numbers 32 bits that wrap: how many items are to be published, the write that is taken then, and whose it is. */
  private readonly positions = new Float64Array(MARKS_MAX);
  private readonly writes = new Float64Array(MARKS_MAX);
  private readonly writers = new Array<Acknowledgement | undefined>(MARKS_MAX).fill(undefined);
  private head = 0;
  private tail = 0;
  /** Marks before this one are in a frame. Beside it the one that the frame being made has come to. */
  private said = 0;
  private reached = 0;
  /** The one that was added to last: most often the next one too. */
  private last: Acknowledgement | undefined;

  /** Whether another frame of writes may be taken in. */
  get hasRoom(): boolean {
    return this.waiting <= MARKS_MAX - MARKS_RESERVED;
  }

  /** What is known of a writer's boot from before this term: up to where its writes are in the state. */
  begin(standing: Standing): void {
    this.open(standing.node, standing.session, standing.write).refusals = standing.refusals;
  }

  /**
   * The writes of a node's boot are taken up to `write`; they are in the stream once `position` items are. `origin` is
   * one of that node's, 0 if nothing of it came with these writes.
   */
  add(
    node: string,
    session: number,
    write: number,
    position: number,
    origin: number,
    refusals: readonly Refusal[] = NO_REFUSALS,
  ): void {
    const known = this.last?.node === node ? this.last : this.byNode.get(node);
    const ack = known?.session === session ? known : this.open(node, session, 0);
    this.last = ack;
    if (this.byNode.size >= WRITERS_MAX / 2) this.renew(ack);
    if (origin !== 0) ack.origin = origin;
    ack.refusals = refusals;
    const at = ack.mark & MASK;
    const isUnsaid = this.writers[at] === ack && ((ack.mark - this.said) | 0) >= 0;
    if (isUnsaid && this.positions[at] === position) this.writes[at] = write;
    else this.push(ack, write, position);
  }

  private push(ack: Acknowledgement, write: number, position: number): void {
    if (this.waiting >= MARKS_MAX) return;
    const at = this.tail & MASK;
    this.positions[at] = position;
    this.writes[at] = write;
    this.writers[at] = ack;
    ack.mark = this.tail;
    this.tail = (this.tail + 1) | 0;
  }

  private get waiting(): number {
    return (this.tail - this.head) | 0;
  }

  /** Moves a node to the end of those that are forgotten. */
  private renew(ack: Acknowledgement): void {
    this.byNode.delete(ack.node);
    this.byNode.set(ack.node, ack);
  }

  private open(node: string, session: number, write: number): Acknowledgement {
    this.byNode.delete(node);
    if (this.byNode.size >= WRITERS_MAX) this.byNode.delete(this.byNode.keys().next().value as string);
    const ack = new Acknowledgement(node, session, write);
    this.byNode.set(node, ack);
    return ack;
  }

  /** A frame is being made, or made again: nothing is in it yet. */
  beginFrame(): void {
    this.reached = this.said;
  }

  /** The mark that the frame being made is to tell once `position` items are in it; undefined for none. */
  due(position: number): Acknowledgement | undefined {
    const { reached } = this;
    const isDue = reached !== this.tail && (this.positions[reached & MASK] as number) <= position;
    return isDue ? this.writers[reached & MASK] : undefined;
  }

  /** The write that the due mark tells. */
  get dueWrite(): number {
    return this.writes[this.reached & MASK] as number;
  }

  /** The due mark is in the frame being made. */
  pass(): void {
    this.reached = (this.reached + 1) | 0;
  }

  /** Which mark is next; `goBack` takes back what was passed since. */
  get next(): number {
    return this.reached;
  }

  goBack(next: number): void {
    this.reached = next;
  }

  /** What the frame tells is told. */
  endFrame(): void {
    this.said = this.reached;
  }

  /** `published` items are in the stream; `unsaid` is told the nodes whom no frame told so. */
  promote(published: number, unsaid: (node: string) => void): void {
    while (this.head !== this.tail && (this.positions[this.head & MASK] as number) <= published) {
      const at = this.head & MASK;
      const ack = this.writers[at] as Acknowledgement;
      this.writers[at] = undefined;
      ack.write = this.writes[at] as number;
      const isSaid = ((this.head - this.said) | 0) < 0;
      if (!isSaid || ack.origin === 0) unsaid(ack.node);
      this.head = (this.head + 1) | 0;
      if (!isSaid) this.said = this.head;
    }
  }

  /** What of a node's writes is in the stream. */
  of(node: string): { readonly session: number; readonly write: number } {
    return this.byNode.get(node) ?? NONE;
  }

  /** Where all writers stand, by what is in the stream. */
  standings(): Standing[] {
    return Array.from(this.byNode.values(), ({ node, session, write, refusals }) => {
      return { node, session, write, refusals: refusals.filter((refusal) => refusal.write <= write) };
    });
  }

  clear(): void {
    this.byNode.clear();
    this.writers.fill(undefined);
    this.head = this.tail;
    this.said = this.tail;
    this.reached = this.tail;
    this.last = undefined;
  }
}

const NONE = { session: 0, write: 0 };
