/**
 * Side: what another side of a divided mesh holds, and by which place in its changes that is named. Only shapes and
 * what compares them.
 */
import type { Term } from "../state/change.js";
import type { State } from "../state/state.js";
import type { Lineage } from "../sync/lineage.js";
import type { Standing } from "../wire/standing.js";
import type { NodeCore } from "./core.js";

/** What a side holds: a term, and the newest change of it. */
export interface Head extends Term {
  readonly sequence: number;
}

/** The contents of another side. */
export interface Side {
  readonly head: Head;
  readonly state: State;
  readonly lineage: Lineage;
  /** Where the writers stand in it. */
  readonly standings: readonly Standing[];
}

/** What this node's contents are: the newest change of the term that they are of. */
export function headOf({ terms, lineage, sequence }: NodeCore): Head {
  return { ...terms.at(lineage.present), sequence: sequence[0] as number };
}

export function sameHead(one: Head | undefined, other: Head): boolean {
  return one?.number === other.number && one.node === other.node && one.sequence === other.sequence;
}
