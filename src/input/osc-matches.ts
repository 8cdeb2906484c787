/**
 * OSC matches: the paths that a pattern in a message names, kept until the tree changes.
 *
 * A pattern is compared with every path, which is dear in a large tree, and whoever sends chooses it. So the answer is
 * kept, what is kept is bounded, a search costs its host steps of a budget and ends when they are spent, and no message
 * names more paths than a cap. Paths under /system are found and left out: OSC never writes there.
 */
import { LRUCache } from "lru-cache";
import { COMPONENTS } from "../state/component.js";
import type { State } from "../state/state.js";
import { compilePattern, type OscPattern } from "./osc-pattern.js";
import type { TokenBucket } from "./token-bucket.js";

/** Paths that one message reaches. */
export const MATCHES_MAX = 1_024;
const PATTERNS_MAX = 256;
/** Paths between two looks at the budget. */
const PATHS_PER_CHECK = 64;
/**
 * Steps for each character of a path that a pattern may take on average. `//name` takes 4 and
 * `/{one,other}//p*` 7 (measured); a pattern that takes more is made to be slow. Some more for small trees.
 */
const STEPS_PER_CHARACTER = 12;
const STEPS_SPARE = 65_536;
const SYSTEM = COMPONENTS.indexOf("system");

export const MatchOutcome = { found: 0, malformed: 1, tooDear: 2 } as const;
export type MatchOutcome = (typeof MatchOutcome)[keyof typeof MatchOutcome];

/** The answer to one pattern. */
export interface Matches {
  readonly outcome: MatchOutcome;
  /** In ascending order. */
  readonly ids: Int32Array;
  /** More paths match than `ids` holds. */
  readonly isCapped: boolean;
  /** Paths under /system match too. */
  readonly hasSystem: boolean;
}

const NO_IDS = new Int32Array(0);
const MALFORMED: Matches = { outcome: MatchOutcome.malformed, ids: NO_IDS, isCapped: false, hasSystem: false };
const TOO_DEAR: Matches = { outcome: MatchOutcome.tooDear, ids: NO_IDS, isCapped: false, hasSystem: false };

export class OscMatches {
  private readonly state: State;
  private readonly maxMatches: number;
  private readonly kept = new LRUCache<string, Matches>({ max: PATTERNS_MAX });
  private readonly found: Int32Array;
  private generation = -1;

  constructor(state: State, maxMatches = MATCHES_MAX) {
    this.state = state;
    this.maxMatches = maxMatches;
    this.found = new Int32Array(maxMatches);
  }

  /** The paths that a pattern names, by path or by alias. A search takes its steps from `budget`. */
  find(text: string, budget: TokenBucket): Matches {
    if (this.generation !== this.state.generation) {
      this.generation = this.state.generation;
      this.kept.clear();
    }
    const known = this.kept.get(text);
    if (known !== undefined) return known;
    const pattern = compilePattern(text);
    const matches = pattern === null ? MALFORMED : this.search(pattern, budget);
    if (matches !== TOO_DEAR) this.kept.set(text, matches);
    return matches;
  }

  private search(pattern: OscPattern, budget: TokenBucket): Matches {
    const { state, found, maxMatches } = this;
    const budgetSteps = budget.tokens;
    let count = 0;
    let hasSystem = false;
    let looked = 0;
    let characters = 0;
    let isTooDear = false;
    for (let id = 0; id < state.capacity && count <= maxMatches && !isTooDear; id++) {
      if (id === state.nextId) id = state.firstProvisional;
      const path = state.paths[id];
      if (path === undefined) continue;
      characters += path.length;
      if (looked++ % PATHS_PER_CHECK === 0) {
        const allowed = Math.min(budgetSteps, STEPS_PER_CHARACTER * characters + STEPS_SPARE);
        isTooDear = pattern.steps + looked > allowed;
      }
      if (!this.isNamed(id, path, pattern)) continue;
      if (state.components[id] === SYSTEM) hasSystem = true;
      else if (count++ < maxMatches) found[count - 1] = id;
    }
    budget.spend(pattern.steps + looked);
    if (isTooDear) return TOO_DEAR;
    const isCapped = count > maxMatches;
    return { outcome: MatchOutcome.found, ids: found.slice(0, Math.min(count, maxMatches)), isCapped, hasSystem };
  }

  private isNamed(id: number, path: string, pattern: OscPattern): boolean {
    if (pattern.matches(path)) return true;
    const alias = this.state.declarations[id]?.oscAlias ?? "";
    return alias !== "" && pattern.matches(alias);
  }
}
