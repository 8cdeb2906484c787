/**
 * MIDI time code: where a device's time line stands, of quarter frames and of whole messages (MIDI 1.0, MTC).
 *
 * Eight quarter frames say one time, which was two frames ago when the last of them comes; a piece out of order begins
 * anew, so time that runs backwards is told by whole messages only. Times of drop-frame code are those of the clock on the
 * wall, not of the counter. Allocates nothing; what cannot be a time is none.
 */
const PIECES = 8;
/** How late the last of eight pieces is, in frames. */
const LATE_FRAMES = 2;
/** Frames a second by the two bits of the rate; the third is 30 drop frame. */
const RATES: readonly number[] = [24, 25, 30_000 / 1_001, 30];
const DROP_RATE = 2;
/** F0 7F device 01 01 hours minutes seconds frames F7. */
export const FULL_FRAME_BYTES = 10;

export class MidiTimeCode {
  /** [0] seconds of the last whole time. */
  readonly seconds = new Float64Array(1);
  private readonly pieces = new Uint8Array(PIECES);
  private expected = 0;

  /** A quarter frame: its data byte. Answers whether `seconds` is new. */
  quarterFrame(data: number): boolean {
    const piece = data >> 4;
    if (piece !== this.expected && piece !== 0) {
      this.expected = 0;
      return false;
    }
    this.pieces[piece] = data & 0x0f;
    this.expected = (piece + 1) % PIECES;
    return piece === PIECES - 1 && this.take(this.pair(6), this.pair(4), this.pair(2), this.pair(0), LATE_FRAMES);
  }

  /** A whole message, `F0` at `bytes[0]`. Answers whether `seconds` is new. */
  fullFrame(bytes: Uint8Array): boolean {
    this.expected = 0;
    const [, , , , , hours = 0, minutes = 0, seconds = 0, frames = 0] = bytes;
    return this.take(hours, minutes, seconds, frames, 0);
  }

  forget(): void {
    this.expected = 0;
  }

  private pair(low: number): number {
    return (this.pieces[low] as number) | ((this.pieces[low + 1] as number) << 4);
  }

  private take(hoursAndRate: number, minutes: number, seconds: number, frames: number, late: number): boolean {
    const kind = (hoursAndRate >> 5) & 0x03;
    const hours = hoursAndRate & 0x1f;
    const rate = RATES[kind] as number;
    const perSecond = Math.round(rate);
    if (hours > 23 || minutes > 59 || seconds > 59 || frames >= perSecond) return false;
    const inMinutes = hours * 60 + minutes;
    // Drop frame leaves out the first two numbers of each minute, but of every tenth.
    const dropped = kind === DROP_RATE ? 2 * (inMinutes - Math.floor(inMinutes / 10)) : 0;
    this.seconds[0] = ((inMinutes * 60 + seconds) * perSecond + frames - dropped + late) / rate;
    return true;
  }
}
