/**
 * WriteIntake: the controller's memory of each follower's writes, so that every write is taken exactly once.
 *
 * Writes of one boot of a node are taken in order; a frame that begins after what is missing is dropped and comes
 * again. Refusals are remembered until their writer knows of them, because the answer that told them may be lost; a
 * writer with too many of those is not heard on. Where writers stand goes with the state (`Standing`), so a new
 * controller knows it.
 */
import type { Reject } from "../state/reject.js";
import { type Refusal, REFUSALS_MAX, type Standing, WRITERS_MAX } from "../wire/standing.js";

const NONE: readonly Refusal[] = [];

interface Writer {
  session: number;
  floor: number;
  readonly refusals: Refusal[];
}

export class WriteIntake {
  private readonly writers = new Map<string, Writer>();
  /** The one that was asked for last: every write of a frame asks for the same one. */
  private lastNode = "";
  private last: Writer | undefined;
  /** Writes that came again, and frames that came too early. */
  duplicates = 0;
  early = 0;

  /**
   * Whether a frame that is complete from `first` on may be taken from this boot of a node, which knows its writes to
   * be taken up to `acknowledged`: that is where a writer stands who is new here.
   */
  accepts(node: string, session: number, first: number, acknowledged: number): boolean {
    const known = this.find(node);
    const writer = known?.session === session ? known : this.open(node, session, acknowledged);
    if (this.writers.size >= WRITERS_MAX / 2) this.renew(node, writer);
    // Another controller may have served it meanwhile.
    if (acknowledged > writer.floor) writer.floor = acknowledged;
    while (writer.refusals.length > 0 && (writer.refusals[0] as Refusal).write <= acknowledged) writer.refusals.shift();
    if (first <= writer.floor + 1) return true;
    this.early++;
    return false;
  }

  private find(node: string): Writer | undefined {
    if (node === this.lastNode) return this.last;
    this.last = this.writers.get(node);
    this.lastNode = node;
    return this.last;
  }

  /** Moves a writer to the end of those that are forgotten. */
  private renew(node: string, writer: Writer): void {
    this.writers.delete(node);
    this.writers.set(node, writer);
  }

  private open(node: string, session: number, floor: number): Writer {
    const writer: Writer = { session, floor, refusals: [] };
    this.writers.delete(node);
    if (this.writers.size >= WRITERS_MAX) this.writers.delete(this.writers.keys().next().value as string);
    this.writers.set(node, writer);
    this.lastNode = "";
    return writer;
  }

  /** Takes one write; false when it has been taken before, or is to come again. */
  take(node: string, write: number): boolean {
    const writer = this.find(node);
    if (writer !== undefined && writer.refusals.length >= REFUSALS_MAX && write > writer.floor) return false;
    if (writer === undefined || write <= writer.floor) {
      this.duplicates++;
      return false;
    }
    writer.floor = write;
    return true;
  }

  /** A write and what came after it had no effect yet: they will be taken when they come again. */
  untake(node: string, session: number, write: number): void {
    const writer = this.find(node);
    if (writer?.session === session && write <= writer.floor) writer.floor = write - 1;
  }

  floorOf(node: string): number {
    return this.find(node)?.floor ?? 0;
  }

  refuse(node: string, write: number, reject: Reject): void {
    const refusals = this.find(node)?.refusals;
    if (refusals === undefined) return;
    // A group is refused as a whole, which may be more: what the writer cannot be told it takes for accepted.
    if (refusals.length >= REFUSALS_MAX) refusals.shift();
    refusals.push({ write, reject });
  }

  refusalsOf(node: string): readonly Refusal[] {
    return this.find(node)?.refusals ?? NONE;
  }

  /** Forgets where writers stand: what was taken here may be in nobody's state any more. */
  clear(): void {
    this.writers.clear();
    this.lastNode = "";
  }

  /** Learns where a writer stands in the state that this node begins its term with. */
  learn({ node, session, write, refusals }: Standing): void {
    const known = this.find(node);
    const writer = known?.session === session ? known : this.open(node, session, write);
    if (write < writer.floor) return;
    writer.floor = write;
    writer.refusals.splice(0, writer.refusals.length, ...refusals);
  }

  /**
   * Takes in where a writer stands on another side, whose changes are this one's now. False when that is nothing new: of
   * two boots the later one, of one boot the later write.
   */
  meet(standing: Standing): boolean {
    const { node, session, write } = standing;
    const known = this.find(node);
    const isNew = known === undefined || known.session < session || (known.session === session && known.floor < write);
    if (isNew) this.learn(standing);
    return isNew;
  }

  /** Where all writers stand. */
  standings(): Standing[] {
    return Array.from(this.writers, ([node, { session, floor, refusals }]) => {
      return { node, session, write: floor, refusals: [...refusals] };
    });
  }
}
