/**
 * Replay service: plays a recording into a node, on the live thread, as the desk hands it over.
 *
 * What a device said goes to what is bound to that device's alias here, whether or not it is plugged in; packets go where
 * a socket's go.
 */
import type { Clock } from "../base/clock.js";
import { InputReplay, type ReplayTarget } from "../input/input-replay.js";
import type { ReplayPart, ReplayReport } from "../manage/replay-reports.js";

export interface ReplayServiceParts {
  readonly clock: Clock;
  readonly target: ReplayTarget;
  /** Tells the clock the time. */
  readonly enter: () => void;
  /** Makes sure that `pump` is called by then, in own time. */
  readonly wakeBy: (dueUs: number) => void;
}

const FULL = "too much of the recording waits: hand over less at a time";
const BUSY = "another recording is being played";
const NONE = "no recording was begun";

export class ReplayService {
  private readonly parts: ReplayServiceParts;
  private replay: InputReplay | undefined;

  constructor(parts: ReplayServiceParts) {
    this.parts = parts;
  }

  take({ begin, records }: ReplayPart): ReplayReport {
    const { clock, target, enter, wakeBy } = this.parts;
    enter();
    if (begin !== undefined) {
      if (this.replay !== undefined && this.replay.waitingCount > 0) return this.report(BUSY);
      const { wallUs: recordedWallUs, speed } = begin;
      this.replay = new InputReplay({ clock, target, speed, recordedWallUs, wallUs: Date.now() * 1_000 });
    }
    if (this.replay === undefined) return this.report(NONE);
    if (!this.replay.add(records)) return this.report(FULL);
    wakeBy(this.replay.dueUs);
    return this.report("");
  }

  /** When `pump` has something to do, in own time. */
  dueUs(): number {
    return this.replay?.dueUs ?? Number.POSITIVE_INFINITY;
  }

  /** Plays what is due: inside a turn. */
  pump(): void {
    this.replay?.pump();
  }

  private report(problem: string): ReplayReport {
    const { waitingCount = 0, played = 0, lost = 0 } = this.replay ?? {};
    return { problem, waiting: waitingCount, played, lost };
  }
}
