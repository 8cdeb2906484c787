/**
 * Sameness: what this node proved to hold, and who holds the same. Keeps the digests honest; sends nothing.
 *
 * A follower compares its digests with the controller's whenever both are at the same place of the stream; what came of
 * it goes out with its report, and comes to everybody in the controller's list.
 */
import { COMPONENTS, type Component } from "../state/component.js";
import { Agreement } from "../sync/agreement.js";
import { lagOf } from "../sync/peer-health.js";
import type { Peer, Peers } from "../sync/peers.js";
import { Role, type Roles } from "../sync/roles.js";
import type { Term } from "../state/change.js";
import type { Controller } from "./controller.js";
import type { NodeCore } from "./core.js";
import { type Follower, FollowState } from "./follower.js";
import { HealthCode } from "./health.js";

const LOOK_US = 100_000;
/** Every path is counted again in so many ticks of 20 ms, so that a difference is seen within a second; a tick takes
 * no longer than some 0.3 ms for it. */
const SCRUB_TICKS = 30;
const SCRUB_MIN = 16;
const SCRUB_MAX = 2_048;
const HARMED_TEXT =
  "changed in this controller's memory by itself; the others hold what was published: write it again, or give control " +
  "to another node, and this one is repaired";

/** A node that is not known to hold the agreed version. */
export interface Difference {
  readonly node: string;
  readonly name: string;
  /** Whose digests differed when they were compared last. */
  readonly components: readonly Component[];
  /** How many versions it is behind. */
  readonly behind: number;
  readonly isInSync: boolean;
}

export interface SamenessReport {
  /** The sequence, in the present term, that all nodes had the time to prove; -1 while nothing was announced. */
  readonly sequence: number;
  /** All nodes that are heard, this one too, and how many of them hold exactly that. */
  readonly nodes: number;
  readonly holding: number;
  readonly different: readonly Difference[];
}

export interface SamenessParts {
  readonly core: NodeCore;
  readonly roles: Roles;
  readonly peers: Peers;
  readonly controller: Controller;
  readonly follower: Follower;
  setHealth(code: HealthCode, text: string): void;
}

export class Sameness {
  private readonly node: SamenessParts;
  private readonly agreement = new Agreement();
  /** [0] the newest sequence at which nothing differed, [1] when the agreement is noted again. */
  private readonly registers = new Float64Array(2);
  private term: Term | undefined;
  /** One bit per component whose digest differed when it was compared last. */
  differs = 0;
  /** Whether this controller's memory is known to be wrong, and how many paths were looked at since it was found so. */
  private isHarmed = false;
  private unharmed = 0;

  constructor(node: SamenessParts) {
    this.node = node;
  }

  get provenSequence(): number {
    const { controller } = this.node;
    return controller.isOpen ? controller.publisher.publishedSequence : (this.registers[0] as number);
  }

  /** The sequence that every node had the time to prove. */
  get agreedSequence(): number {
    return this.agreement.sequence(this.node.core.clock.nowUs);
  }

  /** This follower stands where the controller's digests are of. Answers whether it holds the same. */
  compare(digests: Int32Array, sequence: number): boolean {
    const { core } = this.node;
    this.observeTerm();
    const { words } = core.digests;
    let differs = 0;
    for (let component = 0; component < COMPONENTS.length; component++) {
      const isSame =
        words[component * 2] === digests[component * 2] && words[component * 2 + 1] === digests[component * 2 + 1];
      if (!isSame) differs |= 1 << component;
    }
    this.differs = differs;
    if (differs === 0) this.registers[0] = sequence;
    return differs === 0;
  }

  /** The controller announced that its digests are those of `sequence`. */
  announced(sequence: number): void {
    this.observeTerm();
    this.agreement.note(sequence, this.node.core.clock.nowUs);
  }

  tick(): void {
    this.observeTerm();
    this.scrub();
    const { controller, core } = this.node;
    const now = core.clock.nowUs;
    if (!controller.isOpen || now < (this.registers[1] as number) || !controller.publisher.isIdle) return;
    this.registers[1] = now + LOOK_US;
    this.agreement.note(controller.publisher.publishedSequence, now);
  }

  /** Looks at some paths: what changed by itself on a follower shows when the digests are compared next. */
  private scrub(): void {
    const { core, follower, controller } = this.node;
    const share = Math.min(Math.max(Math.ceil(core.state.nextId / SCRUB_TICKS), SCRUB_MIN), SCRUB_MAX);
    if (controller.isOpen) this.watchOwn(share);
    else if (follower.state === FollowState.inSync && core.digests.scrub(share, true) >= 0)
      core.counters.memoryChanged++;
  }

  /**
   * All others compare with a controller's digests, so these go on saying what it published: the others hold that. It
   * cannot tell what its memory held, so it says that it is wrong, until the path is written or another node controls.
   */
  private watchOwn(share: number): void {
    const { core, controller } = this.node;
    // What waits to be published is not marked yet.
    if (!controller.publisher.digestsAreSent) return;
    const id = core.digests.scrub(share, false);
    this.unharmed = id >= 0 ? 0 : this.unharmed + share;
    if (id >= 0 && !this.isHarmed) core.counters.memoryChanged++;
    if (id >= 0) this.isHarmed = true;
    // Every path was looked at and is as it was counted.
    else if (this.unharmed > core.state.nextId) this.isHarmed = false;
    if (id >= 0) this.node.setHealth(HealthCode.memory, `${core.state.pathOf(id)} ${HARMED_TEXT}`);
    else if (!this.isHarmed) this.node.setHealth(HealthCode.memory, "");
  }

  /** What was proven in another term says nothing about this one. */
  private observeTerm(): void {
    const { term } = this.node.roles;
    if (term === this.term) return;
    this.term = term;
    this.registers[0] = 0;
    this.differs = 0;
    this.agreement.clear();
    this.node.peers.forgetProofs();
    this.isHarmed = false;
    this.unharmed = 0;
    this.node.setHealth(HealthCode.memory, "");
  }

  report(): SamenessReport {
    const { peers, roles, core } = this.node;
    const sequence = this.agreedSequence;
    const different = [...peers.values()]
      .filter((peer) => !holds(peer, sequence))
      .map((peer) => difference(peer, sequence));
    const isInSync = roles.role === Role.controlling || roles.role === Role.following;
    const isHolding = isInSync && this.differs === 0 && this.provenSequence >= sequence;
    if (!isHolding) {
      const { id, name } = core.identity;
      const behind = Math.max(0, sequence - this.provenSequence);
      different.unshift({ node: id, name, components: componentsOf(this.differs), behind, isInSync });
    }
    const nodes = peers.size + 1;
    return { sequence, nodes, holding: nodes - different.length, different };
  }
}

function holds(peer: Peer, sequence: number): boolean {
  return peer.isInSync && peer.differs === 0 && sequence >= 0 && peer.provenSequence >= sequence;
}

function difference(peer: Peer, sequence: number): Difference {
  const { node, name, isInSync } = peer;
  return { node, name, components: componentsOf(peer.differs), behind: lagOf(peer, sequence), isInSync };
}

/** The components of a mask of one bit each. */
export function componentsOf(differs: number): Component[] {
  return COMPONENTS.filter((_, component) => (differs & (1 << component)) !== 0);
}
