/**
 * Stray: a follower whose controller is gone and whom nobody elects, because the others have a controller. Its own term
 * may be the higher one, so it refuses theirs, and they do not leave theirs for a node that follows nobody.
 *
 * It starts over, says so, and that controller opens a term above both, which it joins. Told the time.
 */
import type { NodeCore } from "./core.js";
import type { Follower } from "./follower.js";
import { Role, type Roles } from "../sync/roles.js";

/** Longer than any election takes. */
const PATIENCE_US = 4_000_000;
/** A controller announces itself five times a second. */
const HEARD_US = 1_000_000;

export interface StrayParts {
  readonly core: NodeCore;
  readonly roles: Roles;
  readonly follower: Follower;
}

export class Stray {
  private readonly node: StrayParts;
  /** [0] how many frames of lower terms were heard, [1] when the last one was. */
  private readonly registers = new Float64Array(2);

  constructor(node: StrayParts) {
    this.node = node;
  }

  tick(): void {
    const { core, roles, follower } = this.node;
    const { registers } = this;
    const { nowUs } = core.clock;
    const heard = core.counters.framesOfLowerTerm;
    if (heard !== registers[0]) registers[1] = nowUs;
    registers[0] = heard;
    const isStray = roles.role === Role.following && roles.silenceUs > PATIENCE_US;
    if (!isStray || nowUs - (registers[1] as number) > HEARD_US) return;
    follower.stop();
    roles.start();
  }
}
