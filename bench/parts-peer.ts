/**
 * Parts peer: a process of its own for what is measured inside one, so that one measurement's garbage and compiled
 * code are not another's.
 */
import { measureAllocation, type AllocationReport } from "./hana/allocation.js";
import { type FollowerCost, measureFollowers } from "./hana/followers.js";
import { measureParts, type PartTimes } from "./hana/parts.js";
import { serve } from "./harness/remote.js";

export class PartsPeer {
  allocation(): Promise<AllocationReport> {
    return measureAllocation();
  }

  followers(rounds: number): Promise<FollowerCost> {
    return measureFollowers(rounds);
  }

  parts(rounds: number): Promise<PartTimes[]> {
    return measureParts(rounds);
  }
}

serve(new PartsPeer());
