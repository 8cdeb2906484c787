/**
 * Cleanup: forgets what is kept only for nodes that are behind, once none is: removals and renames that all have passed,
 * and the terms of ended forks that no path was written in last. Who is known and silent may come back with what it had, so as long as one is, nothing is forgotten.
 */
import type { PeerWatch } from "../sync/peer-watch.js";
import type { Peers } from "../sync/peers.js";
import { Role, type Roles } from "../sync/roles.js";
import type { NodeCore } from "./core.js";
import type { Sameness } from "./sameness.js";

const EVERY_US = 10_000_000;
/** No multiple of the second in which reports come: else it could meet the same late one each time. */
const AGAIN_US = 1_300_000;

export interface CleanupParts {
  readonly core: NodeCore;
  readonly roles: Roles;
  readonly peers: Peers;
  readonly sameness: Sameness;
}

export class Cleanup {
  private readonly node: CleanupParts;
  private readonly watch: PeerWatch;
  /** [0] when it looks next. */
  private readonly registers = new Float64Array(1);

  constructor(node: CleanupParts, watch: PeerWatch) {
    this.node = node;
    this.watch = watch;
  }

  tick(): void {
    const { core } = this.node;
    const now = core.clock.nowUs;
    if (now < (this.registers[0] as number)) return;
    const passed = this.passedSequence;
    // A report that is a little late looks like a missing node: it is asked again soon.
    this.registers[0] = now + (passed < 0 ? AGAIN_US : EVERY_US);
    if (passed < 0) return;
    const { state } = core;
    const used = new Set<number>();
    for (const stone of [...state.tombstones.values()]) {
      // Whoever holds the present term holds all of those before it.
      if (stone.term !== core.term || stone.sequence <= passed) state.tombstones.drop(stone.path);
      else used.add(stone.term).add(stone.wasTerm);
    }
    for (const id of state.ids()) used.add(state.terms[id] as number);
    core.lineage.forget((term) => used.has(term));
  }

  /** The sequence of the present term that every known node proved to have passed; -1 while one has not. */
  get passedSequence(): number {
    const { roles, peers, sameness } = this.node;
    const isInSync = roles.role === Role.following || roles.role === Role.controlling;
    if (!isInSync || this.watch.isAnyMissing || sameness.differs !== 0) return -1;
    let passed = sameness.provenSequence;
    for (const peer of peers.values()) {
      if (!peer.isInSync || peer.differs !== 0 || peer.provenSequence === 0) return -1;
      passed = Math.min(passed, peer.provenSequence);
    }
    return passed > 0 ? passed : -1;
  }
}
