/**
 * Group rejoins: joins the mesh's groups anew while something says that their multicast does not arrive. At once, and then
 * again and again, ever less often: a card that is replaced may not be back at the first time, and a switch that prunes
 * groups nobody asks for hears each time that somebody wants them. Where that is not the cause it does no harm.
 *
 * It only calls back, and never after `close`.
 */
const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 10_000;

export class GroupRejoins {
  private readonly rejoin: () => void;
  private readonly causes = new Set<string>();
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;

  constructor(rejoin: () => void) {
    this.rejoin = rejoin;
  }

  /** What `cause` stands for has begun, or is over. */
  note(cause: string, isOn: boolean): void {
    if (!isOn) {
      this.causes.delete(cause);
      if (this.causes.size === 0) this.stop();
      return;
    }
    if (this.isClosed || this.causes.has(cause)) return;
    this.causes.add(cause);
    this.stop();
    this.again(FIRST_PAUSE_MS);
  }

  private again(pauseMs: number): void {
    this.rejoin();
    this.timer = setTimeout(() => this.again(Math.min(pauseMs * 2, LONGEST_PAUSE_MS)), pauseMs);
    this.timer.unref();
  }

  private stop(): void {
    clearTimeout(this.timer);
  }

  close(): void {
    this.isClosed = true;
    this.stop();
  }
}
