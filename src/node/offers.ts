/**
 * Offers: what a node that never was in a mesh brings along, and hands to the mesh that it joins: the paths of its show,
 * and what was written here before it found its controller.
 *
 * What the mesh has stays as the mesh has it. Nothing is confirmed to its writer before the mesh has it.
 */
import type { Declaration, Value } from "../state/declaration.js";
import { Reject } from "../state/reject.js";
import type { State } from "../state/state.js";
import type { WriteDone } from "../sync/pending-writes.js";
import { Role } from "../sync/roles.js";
import type { NodeParts } from "./parts.js";

const PER_TICK = 512;

/** A path that this node brought along, and who waits for its value to be confirmed. */
export interface Offer {
  readonly path: string;
  readonly declaration: Declaration;
  readonly value: Value;
  /** Somebody wrote it, so it is not what the show begins with. */
  readonly isWritten: boolean;
  readonly waiting: readonly WriteDone[];
}

export class Offers {
  private readonly node: NodeParts;
  /** No mesh's contents were ever here: what is declared is this node's own, up to the moment when they come. */
  private isNew = false;
  /** What the mesh lacked, the next one last. */
  private offers: Offer[] = [];
  /** The next one's path is declared, and there was no room for its value. */
  private isDeclared = false;

  constructor(node: NodeParts) {
    this.node = node;
  }

  /** The node found a controller. */
  onJoin(): void {
    const { core } = this.node;
    if (core.term === 0) this.isNew = true;
  }

  /** The node became controller: what it brought is the mesh's. */
  onRole(): void {
    this.isNew = false;
  }

  /** What the mesh lacks of it, as it is shown at last: just before the mesh's contents take the place of this node's. */
  take(incoming: State): Offer[] {
    const { core, writes, pending } = this.node;
    if (!this.isNew) return [];
    this.isNew = false;
    return [...core.state.ids()].flatMap((id) => {
      const path = core.state.pathOf(id);
      const declaration = core.state.declarationOf(id);
      if (declaration === undefined || core.state.isProvisional(id) || incoming.idOf(path) >= 0) return [];
      const value = writes.shownValue(id);
      return [{ path, declaration, value, isWritten: pending.isPending(id), waiting: pending.takeWaiting(id) }];
    });
  }

  /** The mesh's contents are here. In the order of their making: who waits for the last of several has them all. */
  offer(offers: readonly Offer[]): void {
    this.offers = [...offers].reverse();
    this.isDeclared = false;
    this.drain();
  }

  drain(): void {
    const { roles, controller } = this.node;
    const isTaken = roles.role === Role.following || controller.isOpen;
    if (this.offers.length === 0 || !isTaken) return;
    for (let count = 0; count < PER_TICK && this.offers.length > 0; count++) {
      if (!this.try(this.offers[this.offers.length - 1] as Offer)) return;
      this.offers.pop();
      this.isDeclared = false;
    }
  }

  /** False when there is no room for it yet. */
  private try(offer: Offer): boolean {
    const reject = this.put(offer);
    if (reject === Reject.queueFull) return false;
    for (const done of offer.waiting) {
      if (reject === Reject.none) this.node.writes.whenDone(done);
      else done(reject, 0);
    }
    return true;
  }

  /** What is written counts as any write does, also where another node brought the same path. */
  private put({ path, declaration, value, isWritten }: Offer): Reject {
    const { writes, core } = this.node;
    if (!this.isDeclared) {
      const isKnown = core.state.idOf(path) >= 0;
      const reject = isKnown ? Reject.none : this.declare(path, declaration);
      if (reject !== Reject.none || (isKnown && !isWritten)) return reject;
      this.isDeclared = true;
    }
    const id = core.state.idOf(path);
    if (id < 0 || value === null) return Reject.none;
    core.staging.value(value);
    return writes.write(id, 0);
  }

  /** The mesh's alias stays where it is; the path comes along without. */
  private declare(path: string, declaration: Declaration): Reject {
    const { writes } = this.node;
    const reject = writes.declare(path, declaration, 0);
    return reject === Reject.aliasTaken ? writes.declare(path, { ...declaration, oscAlias: "" }, 0) : reject;
  }
}
