/**
 * Agreement: at which version the nodes of a mesh can be compared. Told the time and what the controller announced.
 *
 * What a node proved reaches the others late: the controller announces its digests up to five times a second, a node
 * reports once a second, the controller's list goes out once a second. So while the show moves, the version to ask for
 * is one that was announced long enough ago for everybody to have said that he holds it; at rest it is the newest.
 */

/** An announcement, a report and a list, each late by a datagram that was lost or a loop that was busy. */
export const AGREED_AFTER_US = 2_500_000;
/** Announcements closer than this tell nothing more. */
const NOTE_US = 50_000;
const NOTES = 64;

export class Agreement {
  private readonly sequences = new Float64Array(NOTES);
  /** When each sequence was announced first. */
  private readonly timesUs = new Float64Array(NOTES);
  private oldest = 0;
  private count = 0;

  private slot(place: number): number {
    return (this.oldest + place) % NOTES;
  }

  /** The controller announced that its digests are those of `sequence`. */
  note(sequence: number, nowUs: number): void {
    const last = this.slot(this.count - 1 + NOTES);
    const isKnown = this.count > 0 && (this.sequences[last] as number) >= sequence;
    if (isKnown || (this.count > 0 && nowUs - (this.timesUs[last] as number) < NOTE_US)) return;
    if (this.count === NOTES) this.oldest = this.slot(1);
    else this.count++;
    const slot = this.slot(this.count - 1);
    this.sequences[slot] = sequence;
    this.timesUs[slot] = nowUs;
  }

  /** Another term: its sequences are others. */
  clear(): void {
    this.count = 0;
  }

  /** The newest sequence that all had the time to prove; in a young term the first one; -1 for none. */
  sequence(nowUs: number): number {
    for (let place = this.count - 1; place >= 0; place--) {
      const slot = this.slot(place);
      if (nowUs - (this.timesUs[slot] as number) >= AGREED_AFTER_US) return this.sequences[slot] as number;
    }
    return this.count === 0 ? -1 : (this.sequences[this.oldest] as number);
  }
}
