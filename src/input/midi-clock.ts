/**
 * MIDI clock: the tempo and the beats of a device's clock, of 24 pulses a quarter note (MIDI 1.0).
 *
 * The pulses come with the jitter of whoever sends and carries them, so the tempo is the slope of a line through the last
 * 48 of them (two beats): with 1 ms of jitter it is right to 0.05 beats a minute. It is told when it has changed by more
 * than that, so a steady clock moves nothing; another tempo is seen within a beat, to a hundredth. Told the sender's
 * time; knows no other. Allocates nothing.
 */
export const PULSES_PER_BEAT = 24;
const PULSES_KEPT = 2 * PULSES_PER_BEAT;
/** So many say whether the tempo is another one: half a beat. */
const PULSES_RECENT = PULSES_PER_BEAT / 2;
/** The tempo is looked at every so many pulses. */
const PULSES_BETWEEN = 6;
/** A share that jitter alone does not part the last half beat's tempo from that of the last two by. */
const CHANGED_SHARE = 0.01;
/** What is told differs by more than this from what was told. */
const TOLD_SHARE = 0.0005;
/** 10 beats a minute; a longer pause ends the measurement. */
const PAUSE_MAX_US = 250_000;
const US_PER_MINUTE = 60e6;
/** As often as two beats are looked at. */
const LOOKS_STEADY = PULSES_KEPT / PULSES_BETWEEN;
/** More is what no clock means. */
const TEMPO_MAX = 300;

export class MidiClock {
  /** Beats per minute that were told last; 0 for none. */
  tempo = 0;
  private readonly times = new Float64Array(PULSES_KEPT);
  /** Of `times`: where the next goes, how many are held. */
  private next = 0;
  private count = 0;
  private sinceLook = 0;
  /** What came out the last time, and how often before that. */
  private looked = 0;
  private same = 0;
  /** Pulses since the start, the next one included; whether they count. */
  private pulses = 0;
  private isRunning = true;

  /** A pulse that was sent at `nowUs[0]`. Answers whether `tempo` is another one. */
  pulse(nowUs: Float64Array): boolean {
    this.keep(nowUs);
    this.sinceLook++;
    if (this.count < PULSES_PER_BEAT || this.sinceLook < PULSES_BETWEEN) return false;
    this.sinceLook = 0;
    return this.look();
  }

  /** Whether the pulse that was just taken in begins a beat. */
  takeBeat(): boolean {
    if (!this.isRunning) return false;
    const isBeat = this.pulses % PULSES_PER_BEAT === 0;
    this.pulses++;
    return isBeat;
  }

  /** The next pulse is the first one. */
  start(): void {
    this.pulses = 0;
    this.isRunning = true;
  }

  /** The next pulse goes on from where it stopped. */
  resume(): void {
    this.isRunning = true;
  }

  stop(): void {
    this.isRunning = false;
  }

  /** The song stands at so many sixteenth notes: six pulses each. */
  locate(sixteenths: number): void {
    this.pulses = sixteenths * (PULSES_PER_BEAT / 4);
  }

  /** The device is gone: its next pulse is its first. */
  forget(): void {
    this.count = 0;
    this.tempo = 0;
    this.start();
  }

  private keep(nowUs: Float64Array): void {
    const now = nowUs[0] as number;
    const last = this.times[(this.next + PULSES_KEPT - 1) % PULSES_KEPT] as number;
    if (this.count > 0 && !(now > last && now - last < PAUSE_MAX_US)) this.count = 0;
    this.times[this.next] = now;
    this.next = (this.next + 1) % PULSES_KEPT;
    this.count = Math.min(PULSES_KEPT, this.count + 1);
  }

  private look(): boolean {
    const recent = this.tempoOf(PULSES_RECENT);
    let tempo = this.tempoOf(this.count);
    if (Math.abs(recent - tempo) > CHANGED_SHARE * tempo) {
      // What was before is of another tempo.
      this.count = PULSES_RECENT;
      tempo = recent;
    }
    tempo = Math.round(tempo * 100) / 100;
    this.same = tempo === this.looked ? this.same + 1 : 0;
    this.looked = tempo;
    // What a clock without jitter has come to is told exactly.
    const least = this.same >= LOOKS_STEADY ? 0 : TOLD_SHARE * tempo;
    if (!(tempo <= TEMPO_MAX) || Math.abs(tempo - this.tempo) <= least) return false;
    this.tempo = tempo;
    return true;
  }

  /** Beats a minute by a straight line through the last `count` pulses. */
  private tempoOf(count: number): number {
    const first = this.next - count + PULSES_KEPT;
    const origin = this.times[first % PULSES_KEPT] as number;
    const middle = (count - 1) / 2;
    let products = 0;
    let squares = 0;
    for (let index = 0; index < count; index++) {
      const from = index - middle;
      products += from * ((this.times[(first + index) % PULSES_KEPT] as number) - origin);
      squares += from * from;
    }
    return US_PER_MINUTE / PULSES_PER_BEAT / (products / squares);
  }
}
