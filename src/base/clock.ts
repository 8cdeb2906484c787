/**
 * Clock: the time as it was told. Session time in microseconds since the Unix epoch, held in a register.
 *
 * An edge (or the simulator) writes the register once per turn of its event loop; everything below reads it. It is a
 * typed array and not a number passed about, because a double handed from function to function is boxed on the heap.
 * Nothing below `edge/` may ever ask the system for the time.
 */
export class Clock {
  /**
   * [0] session time now; [1] newest hybrid time seen or given (HLC: never goes back, follows what was heard); [2] the
   * time after which `HanaNode.late` is to be called before anything else.
   */
  readonly register = new Float64Array([0, 0, Number.POSITIVE_INFINITY]);
  /** How often a remote hybrid time was more than `HYBRID_AHEAD_LIMIT_US` ahead and was clamped. */
  clampedHybrids = 0;

  get nowUs(): number {
    return this.register[NOW] as number;
  }

  set(nowUs: number): void {
    this.register[NOW] = nowUs;
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
    if ((register[NOW] as number) > (register[HYBRID] as number)) register[HYBRID] = register[NOW] as number;
  }

  /** Takes in the remote hybrid time at `times[index]`. One too far ahead counts as now, so a wrong clock cannot drag the mesh along. */
  observeHybrid(times: Float64Array, index: number): void {
    const { register } = this;
    const remoteUs = times[index] as number;
    if (remoteUs > (register[NOW] as number) + HYBRID_AHEAD_LIMIT_US) {
      this.clampedHybrids++;
      return;
    }
    if (remoteUs > (register[HYBRID] as number)) register[HYBRID] = remoteUs;
  }
}

const NOW = 0;
const HYBRID = 1;
const DEADLINE = 2;
/** protocol.md: a hybrid time more than 500 ms ahead is clamped and counted. */
export const HYBRID_AHEAD_LIMIT_US = 500_000;
