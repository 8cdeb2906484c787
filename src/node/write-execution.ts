/**
 * WriteExecution: what a follower wrote becomes a change of the controller's stream, or is refused with a reason.
 *
 * It is handed each write once, in order; who goes before whom it asks `sync/precedence.ts`.
 */
import { coerce } from "../state/coerce.js";
import { componentOf } from "../state/component.js";
import { ValueType } from "../state/declaration.js";
import { decodeNamed } from "../state/declaration-bytes.js";
import { Reject } from "../state/reject.js";
import type { Precedence } from "../sync/precedence.js";
import type { Publisher } from "../sync/publisher.js";
import { Layout } from "../wire/content.js";
import { type WriteCopy, WriteKind } from "../wire/write-frame.js";
import type { Applier } from "./applier.js";
import type { NodeCore } from "./core.js";

export class WriteExecution {
  private readonly core: NodeCore;
  private readonly applier: Applier;
  private readonly publisher: Publisher;
  private readonly precedence: Precedence;
  private readonly decoder = new TextDecoder("utf-8", { ignoreBOM: true });

  constructor(core: NodeCore, applier: Applier, publisher: Publisher, precedence: Precedence) {
    this.core = core;
    this.applier = applier;
    this.publisher = publisher;
    this.precedence = precedence;
  }

  /** `origin`: the writer's. */
  carryOut(write: WriteCopy, origin: number): Reject {
    const { state } = this.core;
    if (write.kind === WriteKind.declare) return this.declare(write, origin);
    const id = this.idOf(write);
    if (!state.exists(id)) return Reject.unknownPath;
    switch (write.kind) {
      case WriteKind.value:
        return this.setValue(id, write, origin);
      case WriteKind.trigger:
        if (state.types[id] !== ValueType.impulse) return Reject.wrongType;
        if (!this.publisher.hasEventRoom) return Reject.queueFull;
        this.applier.commitImpulse(id, origin, write.gesture);
        return Reject.none;
      case WriteKind.release:
        this.precedence.release(id, origin);
        return Reject.none;
      case WriteKind.rename:
        return this.rename(id, write, origin);
      case WriteKind.remove:
        if (!this.publisher.hasEventRoom) return Reject.queueFull;
        this.applier.commitRemove(id, origin);
        return Reject.none;
      default:
        return Reject.wrongType;
    }
  }

  /** What would become of a node's writes that are to change together. */
  judge(writes: readonly WriteCopy[], writer: string): Reject {
    const { precedence } = this;
    for (const write of writes) {
      const id = this.idOf(write);
      if (write.kind !== WriteKind.value || !this.core.state.exists(id)) continue;
      precedence.setDated(write.doubles, 1);
      const reject = precedence.judge(id, this.applier.origin(writer, write.surfaceName));
      if (reject !== Reject.none) return reject;
    }
    return Reject.none;
  }

  private idOf(write: WriteCopy): number {
    return write.path === undefined ? write.id : this.core.state.idOf(write.path);
  }

  private setValue(id: number, write: WriteCopy, origin: number): Reject {
    const { state, staging } = this.core;
    if (write.layout === Layout.text) {
      if (state.types[id] === ValueType.blob) staging.bytes(write.bytes);
      else staging.string(this.decoder.decode(write.bytes));
    } else {
      staging.number(write.numbers[0] as number);
      staging.count = write.lanes;
      for (let lane = 1; lane < 4; lane++) staging.numbers[lane] = write.numbers[lane] as number;
    }
    const reject = coerce(state, id, staging);
    if (reject !== Reject.none) return reject;
    this.precedence.setDated(write.doubles, 1);
    return this.commit(id, origin, write.gesture);
  }

  /** Commits what is in hand, coerced and made when `precedence` was told, unless somebody else goes before. */
  commit(id: number, origin: number, gesture: number): Reject {
    const { precedence, applier } = this;
    const reject = precedence.judge(id, origin);
    if (reject !== Reject.none) return reject;
    precedence.touch(id, origin, gesture);
    applier.made[0] = precedence.made[0] as number;
    if (applier.commit(id, origin, gesture)) precedence.noteDoubt(id);
    applier.made[0] = 0;
    return Reject.none;
  }

  private declare(write: WriteCopy, origin: number): Reject {
    const named = decodeNamed(write.bytes);
    if (named?.declaration === undefined) return Reject.badDeclaration;
    if (!this.publisher.hasEventRoom) return Reject.queueFull;
    return this.applier.commitDeclare(named.path, named.declaration, origin);
  }

  private rename(id: number, write: WriteCopy, origin: number): Reject {
    const named = decodeNamed(write.bytes);
    if (named === undefined || componentOf(named.path) < 0) return Reject.badPath;
    if (!this.publisher.hasEventRoom) return Reject.queueFull;
    return this.applier.commitRename(id, named.path, origin);
  }
}
