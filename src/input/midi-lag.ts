/**
 * MIDI lag: how far this process is behind a device that sends, and whether it will ever catch up.
 *
 * Between the system's thread that reads a port and the event loop lies a queue without a bound, in native code. Its
 * length cannot be asked for, but the messages carry the sender's time: when they come ever later although one after the
 * other is taken, more comes in than goes out. It only measures; what to drop is for whoever has the port.
 */

/** A loop that stood still for less is no overload. */
const LAG_US = 500_000;
/** Messages in a row that came that late: what waited when the loop stood still is worked off long before. */
const LATE_MESSAGES = 20_000;
/** By how much a device's clock may lose on ours, as a share. */
const DRIFT = 0.001;

const BASE = 0;
const BEFORE = 1;

export class MidiLag {
  /** The least that a message came after it was sent, by two clocks of which neither is right; when that was last seen. */
  private readonly times = new Float64Array(2);
  private late = 0;

  constructor() {
    this.reset();
  }

  /** The port was opened anew. */
  reset(): void {
    this.times[BASE] = Number.POSITIVE_INFINITY;
    this.late = 0;
  }

  /** A message was taken at `now[0]` that was sent at `sent[0]`. Answers whether it is hopeless to go on like this. */
  take(now: Float64Array, sent: Float64Array): boolean {
    const { times } = this;
    const offsetUs = now[0] - sent[0];
    if (offsetUs < times[BASE]) times[BASE] = offsetUs;
    else times[BASE] += Math.min(offsetUs - times[BASE], (now[0] - times[BEFORE]) * DRIFT);
    times[BEFORE] = now[0];
    this.late = offsetUs - times[BASE] > LAG_US ? this.late + 1 : 0;
    return this.late > LATE_MESSAGES;
  }
}
