/**
 * Range adoption: makes a part of this node's state equal to what its controller holds there. The part is a range of the
 * hashes of a component's path names; what differs is replaced, what the range lacks is removed.
 *
 * What the stream brought since the range was made stays: the range is older. It says what was different, so that the
 * cause can be told. Bytes come from outside: a range that is no image, or has paths that lie elsewhere, changes nothing.
 */
import { sameDeclaration } from "../state/declaration-bytes.js";
import { ImageDecoder } from "../state/image.js";
import { Reject } from "../state/reject.js";
import { State } from "../state/state.js";
import type { PendingWrites } from "../sync/pending-writes.js";
import type { WholeRange } from "../sync/range-assembly.js";
import { adoptPath } from "./adoption.js";
import type { Applier } from "./applier.js";
import type { NodeCore } from "./core.js";

/** How a path differed. */
export const Difference = {
  /** Another value at the same version: nothing in the stream did that. */
  value: "value",
  version: "version",
  missing: "missing",
  extra: "extra",
  declaration: "declaration",
} as const;
export type Difference = (typeof Difference)[keyof typeof Difference];

export class RangeAdoption {
  private readonly core: NodeCore;
  private readonly applier: Applier;
  private readonly pending: PendingWrites;
  private readonly onDifference: (path: string, difference: Difference) => void;
  /** Where ranges are decoded, kept from the first one on. */
  private scratch: State | undefined;

  constructor(
    core: NodeCore,
    applier: Applier,
    pending: PendingWrites,
    onDifference: (path: string, difference: Difference) => void,
  ) {
    this.core = core;
    this.applier = applier;
    this.pending = pending;
    this.onDifference = onDifference;
  }

  /** False when its bytes are no such range: nothing has changed. */
  adopt(range: WholeRange): boolean {
    const incoming = this.decode(range);
    if (incoming === undefined) return false;
    this.removeStrangers(range, incoming);
    for (const id of incoming.ids()) this.adoptOne(range, incoming, id);
    return true;
  }

  private decode({ bytes, component, firstHash, lastHash }: WholeRange): State | undefined {
    const { core, applier } = this;
    this.scratch ??= new State(core.state.capacity);
    const state = this.scratch;
    state.clear();
    const { size: termsBefore } = core.terms;
    const { size: originsBefore } = core.origins;
    const isImage = new ImageDecoder({ state, terms: core.terms, origins: core.origins }).push(bytes);
    for (let index = termsBefore; index < core.terms.size; index++) applier.tellTerm(index);
    for (let index = originsBefore; index < core.origins.size; index++) applier.tellOrigin(index);
    if (!isImage) return undefined;
    for (const id of state.ids()) {
      const hash = core.digests.hashOf(state.pathOf(id)) >>> 0;
      const isWithin = state.components[id] === component && hash >= firstHash && hash <= lastHash;
      if (!isWithin || core.state.isProvisional(id)) return undefined;
    }
    return state;
  }

  private removeStrangers({ component, firstHash, lastHash, sequence }: WholeRange, incoming: State): void {
    const { core, applier, pending } = this;
    const { state, digests } = core;
    for (let id = 0; id < state.nextId; id++) {
      if (!digests.isCounted(id, component)) continue;
      const hash = digests.pathHash(id) >>> 0;
      if (hash < firstHash || hash > lastHash || this.isNewer(id, sequence)) continue;
      const path = state.pathOf(id);
      // One that lies under another id there moves when that is declared.
      if (incoming.idOf(path) >= 0) continue;
      this.onDifference(path, Difference.extra);
      pending.forget(id, Reject.unknownPath);
      applier.adoptRemoval(id);
    }
  }

  /** Whether the stream changed a path after the range was made. A version that nothing gave is not newer. */
  private isNewer(id: number, sequence: number): boolean {
    const { state, term, sequence: newest } = this.core;
    const own = state.sequences[id] as number;
    return state.terms[id] === term && own > sequence && own <= (newest[0] as number);
  }

  private adoptOne({ sequence }: WholeRange, incoming: State, id: number): void {
    const { state } = this.core;
    const path = incoming.pathOf(id);
    const own = state.idOf(path);
    if (own >= 0 && this.isNewer(own, sequence)) return;
    const difference = this.differenceOf(incoming, id);
    if (difference === undefined) return;
    this.onDifference(path, difference);
    adoptPath(this.core, this.applier, incoming, id);
  }

  private differenceOf(incoming: State, id: number): Difference | undefined {
    const { state, staging } = this.core;
    if (state.idOf(incoming.pathOf(id)) !== id) return Difference.missing;
    const declaration = incoming.declarationOf(id);
    if (declaration === undefined || !sameDeclaration(declaration, state.declarationOf(id))) {
      return Difference.declaration;
    }
    if (state.terms[id] !== incoming.terms[id] || state.sequences[id] !== incoming.sequences[id]) {
      return Difference.version;
    }
    incoming.load(id, staging);
    return state.differs(id, staging) ? Difference.value : undefined;
  }
}
