/**
 * UnicastCopies: who gets the controller's frames by unicast too, because its group does not reach them. Told the time.
 *
 * A place is a lease that its holder renews while it needs it, so nobody has to say that multicast is back. There are
 * few places: each costs a datagram for each frame, and where a whole network has no multicast, sending everything a
 * hundred times would take it from everybody. It sends nothing itself.
 */
import type { Clock } from "../base/clock.js";
import type { FrameTarget } from "./stream-frames.js";

/** protocol.md: at most 8 at once. */
export const COPIES_MAX = 8;
/** Three questions of a follower may be lost. */
export const LEASE_US = 1_300_000;

interface Place {
  readonly node: string;
  target: FrameTarget;
  untilUs: number;
}

export class UnicastCopies {
  private readonly clock: Clock;
  private places: Place[] = [];
  /** Where copies go now; the same array while nothing changes. */
  targets: readonly FrameTarget[] = [];
  /** Who asked when there was no place left. */
  refused = 0;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** A follower asks, again or for the first time. False when there is no place. */
  lease(node: string, target: FrameTarget): boolean {
    const untilUs = this.clock.nowUs + LEASE_US;
    const place = this.places.find((one) => one.node === node);
    if (place === undefined && this.places.length >= COPIES_MAX) {
      this.refused++;
      return false;
    }
    if (place === undefined) this.places.push({ node, target, untilUs });
    else {
      place.untilUs = untilUs;
      if (place.target.address === target.address && place.target.port === target.port) return true;
      place.target = target;
    }
    this.targets = this.places.map((one) => one.target);
    return true;
  }

  /** Ends what was not renewed. */
  tick(): void {
    if (this.places.length === 0) return;
    const { nowUs } = this.clock;
    const kept = this.places.filter(({ untilUs }) => untilUs > nowUs);
    if (kept.length === this.places.length) return;
    this.places = kept;
    this.targets = kept.map((one) => one.target);
  }

  /** Nobody gets copies of what this node sends: it does not control. */
  clear(): void {
    this.places = [];
    this.targets = [];
  }
}
