/**
 * Clock: the time as it was told. Own time and session time, in microseconds since the Unix epoch, in registers.
 *
 * Own time is this machine's: anchored once, at the start, and steady since. All timers run on it, so nothing that is
 * due is ever moved. Session time is the mesh's: own time and what `sync/clock-sync.ts` has learned it to be off by. It
 * stamps changes, and it is what nodes tell each other. It never goes back but by a step, which only a join may make.
 *
 * An edge (or the simulator) writes own time once per turn of its event loop; everything below reads it. It is a
 * typed array and not a number passed about, because a double handed from function to function is boxed on the heap.
 * Nothing below `edge/` may ever ask the system for the time.
 */
export class Clock {
  /**
   * [0] own time now; [1] newest hybrid time seen or given (HLC: follows what was heard); [2] the own time after which
   * `HanaNode.late` is to be called before anything else; [3] session time now; [4] by how much session time was ahead of
   * own time at own time [5]; [6] by how much it has gained a microsecond since.
   */
  readonly register = new Float64Array([0, 0, Number.POSITIVE_INFINITY, 0, 0, 0, 0]);
  /** How often a remote hybrid time was more than `HYBRID_AHEAD_LIMIT_US` ahead and was clamped. */
  clampedHybrids = 0;

  /** Own time. */
  get nowUs(): number {
    return this.register[NOW] as number;
  }

  get sessionUs(): number {
    return this.register[SESSION] as number;
  }

  set(nowUs: number): void {
    this.register[NOW] = nowUs;
    this.follow();
  }

  /** Own time was written: session time goes with it. */
  follow(): void {
    const { register } = this;
    const now = register[NOW] as number;
    register[SESSION] =
      now + (register[AHEAD] as number) + (now - (register[SINCE] as number)) * (register[GAIN] as number);
  }

  /** Session time as it stands at a moment of own time near now. */
  sessionAt(ownUs: number): number {
    return (
      (this.register[SESSION] as number) +
      (ownUs - (this.register[NOW] as number)) * (1 + (this.register[GAIN] as number))
    );
  }

  /** From now on session time gains this much on own time, as a share of it. It does not jump. */
  steer(gain: number): void {
    const { register } = this;
    register[AHEAD] = (register[SESSION] as number) - (register[NOW] as number);
    register[SINCE] = register[NOW] as number;
    register[GAIN] = gain;
  }

  /**
   * Moves session time at once. Hybrid times that were given in what was taken for session time before, and lie far
   * ahead of it now, would stand still until it has come to them: they are of no mesh, and are forgotten.
   */
  step(byUs: number): void {
    const { register } = this;
    this.steer(register[GAIN] as number);
    register[AHEAD] = (register[AHEAD] as number) + byUs;
    this.follow();
    const session = register[SESSION] as number;
    if ((register[HYBRID] as number) > session + HYBRID_AHEAD_LIMIT_US) register[HYBRID] = session;
  }

  get deadlineUs(): number {
    return this.register[DEADLINE] as number;
  }

  set deadlineUs(deadlineUs: number) {
    this.register[DEADLINE] = deadlineUs;
  }

  /** Whether more time has passed than there was. Whoever sets the clock asks, and calls `HanaNode.late` if so. */
  get isLate(): boolean {
    return (this.register[NOW] as number) > (this.register[DEADLINE] as number);
  }

  /** Advances the hybrid clock to session time; it is what the next change is stamped with. */
  tickHybrid(): void {
    const { register } = this;
    if ((register[SESSION] as number) > (register[HYBRID] as number)) register[HYBRID] = register[SESSION] as number;
  }

  /** Takes in the remote hybrid time at `times[index]`. One too far ahead counts as now, so a wrong clock cannot drag the mesh along. */
  observeHybrid(times: Float64Array, index: number): void {
    const { register } = this;
    const remoteUs = times[index] as number;
    if (remoteUs > (register[SESSION] as number) + HYBRID_AHEAD_LIMIT_US) {
      this.clampedHybrids++;
      return;
    }
    if (remoteUs > (register[HYBRID] as number)) register[HYBRID] = remoteUs;
  }
}

const NOW = 0;
const HYBRID = 1;
const DEADLINE = 2;
const SESSION = 3;
const AHEAD = 4;
const SINCE = 5;
const GAIN = 6;
/** protocol.md: a hybrid time more than 500 ms ahead is clamped and counted. */
export const HYBRID_AHEAD_LIMIT_US = 500_000;
