/**
 * Core: what every part of a node shares. The state, its tables, its ring, the clock, the counters.
 *
 * It holds and does not act. One exists per node; nothing in it is global.
 */
import { Clock } from "../base/clock.js";
import { createRingMemory, RING_SIZES, type RingMemory, type RingSizes, RingWriter } from "../state/ring.js";
import { Digests } from "../state/digest.js";
import { Staging } from "../state/staging.js";
import { PROVISIONAL_IDS, State } from "../state/state.js";
import { OriginTable, TermTable } from "../state/tables.js";
import { Lineage } from "../sync/lineage.js";
import { NodeCounters } from "./counters.js";

export interface NodeIdentity {
  /** 16 hex digits. */
  readonly id: string;
  readonly name: string;
  readonly mesh: string;
  /** 0: never controller. 1..1000, the highest becomes controller. */
  readonly priority: number;
  /** Tells this boot of the node from its others: the random half of its session, 32 bits. */
  readonly session: number;
}

export interface NodeLimits {
  readonly paths: number;
  /** Paths that may declare themselves. */
  readonly autoPaths: number;
  /** Default RING_SIZES. */
  readonly rings?: RingSizes;
  /** Frames kept for repair. Default SENT_FRAMES. */
  readonly sentFrames?: number;
}

export class NodeCore {
  readonly identity: NodeIdentity;
  readonly limits: NodeLimits;
  readonly clock = new Clock();
  readonly state: State;
  readonly terms = new TermTable();
  readonly origins = new OriginTable();
  readonly lineage = new Lineage(this.terms);
  readonly digests: Digests;
  readonly memory: RingMemory;
  readonly ring: RingWriter;
  readonly staging = new Staging();
  readonly counters = new NodeCounters();
  /** [0] the newest change sequence: given here on the controller, seen on a follower. */
  readonly sequence = new Float64Array(1);
  /** [0] the sequence of the newest removal or rename in the present term. */
  readonly removedSequence = new Float64Array(1);
  /** The index of the term whose stream counts now; 0 for none. */
  term = 0;

  constructor(identity: NodeIdentity, limits: NodeLimits) {
    this.memory = createRingMemory(limits.rings ?? RING_SIZES);
    this.identity = identity;
    this.limits = limits;
    // Ids are never used again within a term, so removing and declaring needs room beyond the paths that may exist.
    this.state = new State(limits.paths * 2 + PROVISIONAL_IDS);
    this.digests = new Digests(this.state, this.terms);
    this.ring = new RingWriter(this.memory);
  }
}
