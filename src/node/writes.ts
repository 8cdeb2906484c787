/**
 * Writes: what inputs, the library and the control API write to. On the controller a write is committed, elsewhere it
 * shows as pending and waits for the controller.
 *
 * It checks that a path may be written and that the value fits; it orders nothing.
 */
import type { WriteTarget } from "../input/write-target.js";
import {
  completeDeclaration,
  type Declaration,
  type Value,
  ValueType,
  type ValueTypeName,
} from "../state/declaration.js";
import { decodeNamed, encodeNamed } from "../state/declaration-bytes.js";
import { coerce } from "../state/coerce.js";
import { validatePath } from "../state/path.js";
import { Reject } from "../state/reject.js";
import { StagedKind, type Staging } from "../state/staging.js";
import { type State, valueOf } from "../state/state.js";
import type { PendingWrites } from "../sync/pending-writes.js";
import { WriteKind } from "../wire/write-frame.js";
import type { Applier } from "./applier.js";
import type { Controller } from "./controller.js";
import type { NodeCore } from "./core.js";
import type { Follower } from "./follower.js";
import { Gestures } from "./gestures.js";

const NO_PAYLOAD = new Uint8Array(0);
/** Characters kept of a surface's name. */
const SURFACE_LENGTH = 64;
const AUTO_SUBTREE = "/viz/";

/**
 * Told what became of a write. `isReplicated`, of one to a critical path: whether it is here to stay when the controller
 * dies, because another node has it too.
 */
export type WriteAnswered = (reject: Reject, sequence: number, isReplicated: boolean | undefined) => void;

export interface WritesParts {
  readonly core: NodeCore;
  readonly applier: Applier;
  readonly pending: PendingWrites;
  readonly controller: Controller;
  readonly follower: Follower;
  /** Asks for the end-of-turn flush. */
  readonly requestSettle: () => void;
  /** Whether unknown addresses under /viz declare themselves. */
  readonly declaresAuto: boolean;
}

export class Writes implements WriteTarget {
  private readonly parts: WritesParts;
  readonly state: State;
  readonly staging: Staging;
  private readonly gestures: Gestures;
  private autoCount = 0;
  /** Whether what was written last waits for the controller, and [0] when something was that does. */
  private isHeld = false;
  /** The path that a value or a trigger was written to last. */
  private lastId = -1;
  private readonly heldUs = new Float64Array(1);

  constructor(parts: WritesParts) {
    this.parts = parts;
    this.state = parts.core.state;
    this.staging = parts.core.staging;
    this.gestures = new Gestures(parts.core.clock, parts.core.state.capacity);
  }

  surface(name: string): number {
    return this.parts.applier.origin(this.parts.core.identity.id, name.slice(0, SURFACE_LENGTH));
  }

  write(id: number, surface: number): Reject {
    const { core, controller } = this.parts;
    this.lastId = id;
    const reject = coerce(this.state, id, this.staging);
    if (reject !== Reject.none) {
      core.counters.writesRefused++;
      return reject;
    }
    const gesture = this.gestures.of(id, surface);
    if (!controller.takesWrites) return this.pend(id, surface, gesture);
    const { precedence } = controller;
    if (precedence.isHeld(id, surface)) {
      precedence.count(Reject.held);
      core.counters.writesRefused++;
      return Reject.held;
    }
    precedence.touch(id, surface, gesture);
    if (this.parts.applier.commit(id, surface, gesture)) {
      controller.relieve();
      this.parts.requestSettle();
    }
    return Reject.none;
  }

  private pend(id: number, surface: number, gesture: number): Reject {
    const { pending, applier, core } = this.parts;
    this.isHeld = pending.isPending(id) || this.state.differs(id, this.staging);
    if (!this.isHeld) {
      core.counters.changesUnchanged++;
      return Reject.none;
    }
    this.heldUs[0] = core.clock.register[0] as number;
    if (!pending.addValue(id, this.staging, surface, gesture, applier.isGrouped)) return Reject.queueFull;
    applier.showPending(id, surface, gesture);
    this.parts.requestSettle();
    return Reject.none;
  }

  /** What the surface writes there next is another gesture: single writes, however close, move nothing. */
  endGesture(id: number, surface: number): void {
    this.gestures.end(id, surface);
  }

  /** The surface lets go of a path that it moved: others may write there at once. */
  release(id: number, surface: number): Reject {
    const { controller } = this.parts;
    if (!this.state.exists(id)) return Reject.unknownPath;
    this.gestures.end(id, surface);
    if (controller.isOpen) controller.precedence.release(id, surface);
    else if (!this.hold(WriteKind.release, id, NO_PAYLOAD, surface, false)) return Reject.queueFull;
    this.parts.requestSettle();
    return Reject.none;
  }

  trigger(id: number, surface: number): Reject {
    const { applier, controller } = this.parts;
    this.lastId = id;
    if (this.state.types[id] !== ValueType.impulse) return Reject.wrongType;
    if (controller.takesWrites) {
      if (!controller.publisher.hasEventRoom) return Reject.queueFull;
      applier.commitImpulse(id, surface, this.gestures.of(id, surface));
      controller.relieve();
    } else if (!this.hold(WriteKind.trigger, id, NO_PAYLOAD, surface, applier.isGrouped)) return Reject.queueFull;
    this.parts.requestSettle();
    return Reject.none;
  }

  private hold(kind: WriteKind, id: number, payload: Uint8Array, surface: number, isGrouped: boolean): boolean {
    const { pending, core } = this.parts;
    this.isHeld = pending.addEvent(kind, id, payload, surface, isGrouped);
    this.heldUs[0] = core.clock.register[0] as number;
    return this.isHeld;
  }

  /** `range`: of the declaration that an unknown path gets. */
  declareAuto(path: string, type: ValueTypeName, surface: number, range?: Declaration["range"]): number {
    const { declaresAuto, core } = this.parts;
    if (!path.startsWith(AUTO_SUBTREE)) return -Reject.unknownPath;
    if (!declaresAuto) return this.refusePath(Reject.strict);
    if (this.autoCount >= core.limits.autoPaths) return this.refusePath(Reject.autoFull);
    const reject = this.declare(path, completeDeclaration({ type, range }), surface);
    if (reject !== Reject.none) return this.refusePath(reject);
    this.autoCount++;
    core.counters.autoDeclared++;
    return this.state.idOf(path);
  }

  private refusePath(reject: Reject): number {
    this.parts.core.counters.pathsRefused++;
    return -reject;
  }

  /** Declares a path with a checked, complete declaration. */
  declare(path: string, declaration: Declaration, surface: number): Reject {
    this.lastId = -1;
    const { applier, controller } = this.parts;
    if (validatePath(path) !== "") return Reject.badPath;
    if (controller.takesWrites || this.isBeforeAnyTerm) return this.commitNew(path, declaration, surface);
    if (this.state.isAliasTaken(path, declaration.oscAlias)) return Reject.aliasTaken;
    const payload = encodeNamed(path, declaration);
    if (payload === undefined) return Reject.badDeclaration;
    let id = this.state.idOf(path);
    if (id < 0) {
      id = this.state.freeProvisional();
      if (id < 0) return Reject.queueFull;
      applier.declareProvisional(id, path, declaration);
    }
    if (!this.hold(WriteKind.declare, id, payload, surface, false)) return Reject.queueFull;
    this.parts.requestSettle();
    return Reject.none;
  }

  /** Before any controller was heard, what is declared here is what this node would begin a term with. */
  private get isBeforeAnyTerm(): boolean {
    return this.parts.core.term === 0;
  }

  private commitNew(path: string, declaration: Declaration, surface: number): Reject {
    const { applier, controller } = this.parts;
    if (controller.takesWrites && !controller.publisher.hasEventRoom) return Reject.queueFull;
    const reject = applier.commitDeclare(path, declaration, surface);
    if (controller.takesWrites) controller.relieve();
    this.parts.requestSettle();
    return reject;
  }

  /** Sets a value that a show begins with; only while no term has begun. */
  begin(id: number): Reject {
    const reject = coerce(this.state, id, this.staging);
    if (reject === Reject.none) this.parts.applier.commit(id, 0, 0);
    return reject;
  }

  rename(id: number, path: string, surface: number): Reject {
    this.lastId = -1;
    const { applier, controller } = this.parts;
    if (validatePath(path) !== "") return Reject.badPath;
    if (!this.state.exists(id)) return Reject.unknownPath;
    this.parts.requestSettle();
    if (controller.takesWrites) {
      return controller.publisher.hasEventRoom ? applier.commitRename(id, path, surface) : Reject.queueFull;
    }
    const payload = encodeNamed(path, undefined);
    if (payload === undefined) return Reject.badPath;
    return this.hold(WriteKind.rename, id, payload, surface, false) ? Reject.none : Reject.queueFull;
  }

  remove(id: number, surface: number): Reject {
    this.lastId = -1;
    const { applier, controller } = this.parts;
    if (!this.state.exists(id)) return Reject.unknownPath;
    this.parts.requestSettle();
    if (controller.takesWrites) {
      if (!controller.publisher.hasEventRoom) return Reject.queueFull;
      applier.commitRemove(id, surface);
      return Reject.none;
    }
    return this.hold(WriteKind.remove, id, NO_PAYLOAD, surface, false) ? Reject.none : Reject.queueFull;
  }

  /**
   * Calls back when what was written last in this turn is confirmed or refused; at once on the controller, and when
   * nothing that was written in this turn changes anything. What was written to a critical path is confirmed when
   * another node has it too, or it is clear that none has.
   */
  whenDone(done: WriteAnswered): void {
    const { controller, pending, core } = this.parts;
    const isHeld = (this.isHeld || this.heldUs[0] === core.clock.register[0]) && pending.size > 0;
    const isCritical = this.state.declarationOf(this.lastId)?.critical === true;
    const confirmed = (sequence: number): void => {
      if (isCritical) this.whenReplicated(sequence, done);
      else done(Reject.none, sequence, undefined);
    };
    if (controller.takesWrites || !isHeld) confirmed(core.sequence[0] as number);
    else {
      pending.whenDone((reject, sequence) => {
        if (reject === Reject.none) confirmed(sequence);
        else done(reject, sequence, undefined);
      });
    }
  }

  /** The controller has it: so far alone, or with this node, which it came back to. */
  private whenReplicated(sequence: number, done: WriteAnswered): void {
    const { controller, follower } = this.parts;
    const told = (isReplicated: boolean): void => done(Reject.none, sequence, isReplicated);
    if (controller.isOpen) controller.whenReplicated(sequence, told);
    else follower.whenReplicated(sequence, told);
  }

  beginGroup(): void {
    this.parts.applier.isGrouped = true;
  }

  endGroup(): void {
    const { applier, controller } = this.parts;
    applier.isGrouped = false;
    if (controller.takesWrites) controller.publisher.pump();
    else this.parts.pending.endGroup();
  }

  /** Puts the value that is shown in hand: the pending one, or the confirmed. */
  load(id: number, staging: Staging): void {
    const { pending } = this.parts;
    if (pending.isPending(id)) pending.load(id, staging);
    else this.state.load(id, staging);
  }

  /** The value that is shown, as the rim has it. */
  shownValue(id: number): Value {
    const { state, staging } = this;
    if (!this.parts.pending.isPending(id)) return state.valueOf(id);
    this.load(id, staging);
    const text = staging.kind === StagedKind.numbers ? undefined : staging.text;
    return valueOf(state.typeOf(id) as ValueType, state.declarationOf(id), staging.numbers, 0, text);
  }

  /** Commits everything that is pending, in order: this node has become controller. */
  commitPending(): void {
    const { pending, applier, core, controller } = this.parts;
    pending.forEach((slot) => {
      controller.relieve();
      applier.isGrouped = pending.isGroupedAt(slot);
      this.commitSlot(slot, pending.kindOf(slot));
      return true;
    });
    applier.isGrouped = false;
    core.clock.tickHybrid();
    pending.clear(Reject.none, core.sequence[0] as number);
  }

  private commitSlot(slot: number, kind: WriteKind): void {
    const { pending, applier } = this.parts;
    const isMark = kind === WriteKind.release || kind === WriteKind.groupEnd || kind === WriteKind.void;
    if (isMark) return;
    const id = pending.idOf(slot);
    const surface = pending.surfaceAt(slot);
    if (kind === WriteKind.declare) this.commitDeclared(slot, id, surface);
    else if (!this.state.exists(id)) pending.refuse(pending.writeOf(slot), Reject.unknownPath);
    else if (kind === WriteKind.value) this.commitValue(slot, id, surface);
    else if (kind === WriteKind.trigger) applier.commitImpulse(id, surface, 0);
    else if (kind === WriteKind.rename) this.commitRenamed(slot, id, surface);
    else applier.commitRemove(id, surface);
  }

  /** What another origin wrote since stays. */
  private commitValue(slot: number, id: number, surface: number): void {
    const { pending, controller, applier, core } = this.parts;
    pending.stage(slot, this.staging);
    if (coerce(this.state, id, this.staging) !== Reject.none) return;
    controller.precedence.setMade(pending.madeUs, slot);
    const before = core.sequence[0] as number;
    const reject = controller.execution.commit(id, surface, pending.gestureAt(slot));
    if (reject === Reject.none) {
      // What is there already changes nothing, but it is no more pending.
      if (core.sequence[0] === before) applier.showConfirmed(id);
      return;
    }
    controller.precedence.count(reject);
    pending.refuse(pending.writeOf(slot), reject);
    applier.showRolledBack(id);
  }

  /** A path of this node's own gets its id, or goes: what is still to come for it is refused then. */
  private commitDeclared(slot: number, id: number, surface: number): void {
    const { applier, pending } = this.parts;
    const named = decodeNamed(pending.payload(slot));
    if (named?.declaration === undefined) return;
    const reject = applier.commitDeclare(named.path, named.declaration, surface);
    if (reject === Reject.none) return;
    pending.refuse(pending.writeOf(slot), reject);
    if (!this.state.isProvisional(id) || !this.state.exists(id)) return;
    pending.forget(id, reject);
    applier.dropProvisional(id);
  }

  private commitRenamed(slot: number, id: number, surface: number): void {
    const { applier, pending } = this.parts;
    const named = decodeNamed(pending.payload(slot));
    if (named === undefined) return;
    const reject = applier.commitRename(id, named.path, surface);
    if (reject !== Reject.none) pending.refuse(pending.writeOf(slot), reject);
  }
}
