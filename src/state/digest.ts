/**
 * Digest: an incremental 64-bit hash of each component's contents, over (path, value, version).
 *
 * Two nodes with the same sequence and no gap hold the same state exactly when these are equal, up to chance (2^-64).
 * A component's digest is the sum of one term per path, so a change costs one term out, one term in. A change only
 * marks its path; what is marked is counted when somebody looks, some ten times a second: a path that changed often in
 * between is counted once, and no change waits for it. It is no defence against an attacker: the seal is. It must
 * depend on nothing local: no ids, no indexes of terms.
 */
import type { TermTable } from "./tables.js";
import { COMPONENTS } from "./component.js";
import { isText, lanesOf, ValueType } from "./declaration.js";
import { LANES, type State } from "./state.js";

/** A component's paths fall into so many buckets by the hash of their names: where nodes differ is found by them. */
export const BUCKETS = 64;

/** The bucket of a path by the hash of its name. */
export function bucketOf(pathHash: number): number {
  return pathHash >>> 26;
}

const NAME_SEED = 0x811c9dc5;

export class Digests {
  /** Two 32-bit words per component: of what was counted. */
  private readonly sums = new Int32Array(COMPONENTS.length * 2);
  private readonly state: State;
  private readonly terms: TermTable;
  /** What each path adds now: two words per id, and the component it was added to plus one (0: not counted). */
  private readonly parts: Int32Array;
  private readonly countedIn: Uint8Array;
  private readonly pathWords: Int32Array;
  private readonly valueWords: Int32Array;
  private readonly sequenceRegister = new Float64Array(1);
  private readonly sequenceWords = new Int32Array(this.sequenceRegister.buffer);
  private readonly termWords: Int32Array = new Int32Array(65_536);
  /** Ids that changed since they were counted, each once. */
  private readonly marked: Int32Array;
  private readonly isMarked: Uint8Array;
  private markedCount = 0;
  /** What `hash` found: two words. */
  private readonly hashed = new Int32Array(2);
  /** The id that was scrubbed last. */
  private scrubbed = 0;

  constructor(state: State, terms: TermTable) {
    this.state = state;
    this.terms = terms;
    this.parts = new Int32Array(state.capacity * 2);
    this.countedIn = new Uint8Array(state.capacity);
    this.pathWords = new Int32Array(state.capacity * 2);
    this.valueWords = new Int32Array(state.numbers.buffer);
    this.marked = new Int32Array(state.capacity);
    this.isMarked = new Uint8Array(state.capacity);
  }

  /** Two 32-bit words per component, of the state as it is now. */
  get words(): Int32Array {
    this.settle();
    return this.sums;
  }

  /** A path has changed: it is counted anew when somebody looks. */
  touch(id: number): void {
    if (this.isMarked[id] !== 0) return;
    this.isMarked[id] = 1;
    this.marked[this.markedCount++] = id;
  }

  private settle(): void {
    for (let index = 0; index < this.markedCount; index++) {
      const id = this.marked[index] as number;
      this.isMarked[id] = 0;
      if (this.state.types[id] !== 0) this.count(id);
    }
    this.markedCount = 0;
  }

  /** Notes a path's name; call it when an id is declared or renamed. */
  name(id: number): void {
    const path = this.state.pathOf(id);
    let low = NAME_SEED;
    let high = 0x9e3779b9;
    for (let index = 0; index < path.length; index++) {
      low = Math.imul(low ^ path.charCodeAt(index), 0x01000193);
      high = Math.imul(high ^ low, 0x85ebca6b) ^ (high >>> 13);
    }
    this.pathWords[id * 2] = low;
    this.pathWords[id * 2 + 1] = high;
  }

  /** The hash of a path's name: FNV-1a over its characters. Signed, 32 bits. */
  hashOf(path: string): number {
    let low = NAME_SEED;
    for (let index = 0; index < path.length; index++) low = Math.imul(low ^ path.charCodeAt(index), 0x01000193);
    return low;
  }

  /** Puts what a path adds, as the state holds it now, into `hashed`. */
  private hash(id: number): void {
    const { state, hashed, pathWords, sequenceWords, valueWords } = this;
    const type = state.types[id] as ValueType;
    this.sequenceRegister[0] = state.sequences[id] as number;
    let low = mix(pathWords[id * 2] as number, sequenceWords[0] as number);
    const versionWord = (sequenceWords[1] as number) ^ this.termWord(state.terms[id] as number);
    let high = mix(pathWords[id * 2 + 1] as number, versionWord);
    const at = id * LANES * 2;
    if (type <= ValueType.bool) {
      // One number, which is what moves most: no loop over lanes.
      low = mix(low, valueWords[at] as number);
      high = mix(high, valueWords[at + 1] as number);
    } else if (isText(type)) low = mix(low, textWord(state.texts[id]));
    else {
      const end = at + lanesOf(type) * 2;
      for (let word = at; word < end; word += 2) {
        low = mix(low, valueWords[word] as number);
        high = mix(high, valueWords[word + 1] as number);
      }
    }
    low = finish(low ^ high);
    hashed[0] = low;
    hashed[1] = finish(high + Math.imul(low, 0x9e3779b1));
  }

  /** Counts a path as the state holds it now. */
  private count(id: number): void {
    const { state, parts, hashed } = this;
    this.hash(id);
    const component = state.components[id] as number;
    if (this.countedIn[id] !== component + 1) this.drop(id);
    const at = component * 2;
    const low = hashed[0] as number;
    const high = hashed[1] as number;
    this.sums[at] = (this.sums[at] as number) + low - (parts[id * 2] as number);
    this.sums[at + 1] = (this.sums[at + 1] as number) + high - (parts[id * 2 + 1] as number);
    parts[id * 2] = low;
    parts[id * 2 + 1] = high;
    this.countedIn[id] = component + 1;
  }

  /** The hash of a path's name, as `hashOf` answers it. */
  pathHash(id: number): number {
    return this.pathWords[id * 2] as number;
  }

  /** Whether a path counts, and in this component. */
  isCounted(id: number, component: number): boolean {
    return this.countedIn[id] === component + 1;
  }

  /** Adds up a component by buckets of its paths' hashes: two words each. */
  buckets(component: number, sums: Int32Array): void {
    this.settle();
    sums.fill(0);
    for (let id = 0; id < this.state.nextId; id++) {
      if (this.countedIn[id] !== component + 1) continue;
      const at = bucketOf(this.pathHash(id)) * 2;
      sums[at] = (sums[at] as number) + (this.parts[id * 2] as number);
      sums[at + 1] = (sums[at + 1] as number) + (this.parts[id * 2 + 1] as number);
    }
  }

  /**
   * Looks at some paths that nobody said had changed, each in its turn: memory may change behind everybody's back.
   * `paths`: about how many. Answers the last id whose contents are not those that it was counted with, or -1. With
   * `counts` such are counted anew; without, the digests go on saying what was there. Only while every change is marked.
   */
  scrub(paths: number, counts: boolean): number {
    const { state, parts, hashed } = this;
    const end = state.nextId;
    let found = -1;
    for (let left = Math.min(paths, end); left > 0; left--) {
      this.scrubbed = this.scrubbed + 1 < end ? this.scrubbed + 1 : 0;
      const id = this.scrubbed;
      if (this.countedIn[id] === 0 || this.isMarked[id] !== 0) continue;
      this.hash(id);
      // A long text costs as much as many numbers.
      left -= (state.texts[id]?.length ?? 0) >> 8;
      if (parts[id * 2] === hashed[0] && parts[id * 2 + 1] === hashed[1]) continue;
      if (counts) this.touch(id);
      found = id;
    }
    return found;
  }

  /** Takes a path out, before it is removed or moves to another component. */
  drop(id: number): void {
    const counted = this.countedIn[id] as number;
    if (counted === 0) return;
    const at = (counted - 1) * 2;
    this.sums[at] = (this.sums[at] as number) - (this.parts[id * 2] as number);
    this.sums[at + 1] = (this.sums[at + 1] as number) - (this.parts[id * 2 + 1] as number);
    this.parts[id * 2] = 0;
    this.parts[id * 2 + 1] = 0;
    this.countedIn[id] = 0;
  }

  clear(): void {
    this.isMarked.fill(0);
    this.markedCount = 0;
    this.sums.fill(0);
    this.parts.fill(0);
    this.countedIn.fill(0);
  }

  static equal(left: Int32Array, right: Int32Array): boolean {
    for (let word = 0; word < left.length; word++) if (left[word] !== right[word]) return false;
    return true;
  }

  /** A component's digest as 16 hex digits. */
  hex(component: number): string {
    const { words } = this;
    const high = (words[component * 2 + 1] as number) >>> 0;
    const low = (words[component * 2] as number) >>> 0;
    return high.toString(16).padStart(8, "0") + low.toString(16).padStart(8, "0");
  }

  private termWord(index: number): number {
    const known = this.termWords[index] as number;
    if (known !== 0 || index === 0) return known;
    const term = this.terms.at(index);
    this.termWords[index] = textWord(`${term.number}/${term.node}`) | 1;
    return this.termWords[index] as number;
  }
}

/** One round of a multiply-rotate hash (after MurmurHash3's body). */
function mix(hash: number, word: number): number {
  let block = Math.imul(word, 0xcc9e2d51);
  block = (block << 15) | (block >>> 17);
  const mixed = hash ^ Math.imul(block, 0x1b873593);
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}

/** MurmurHash3's 32-bit finalizer: every input bit reaches every output bit. */
function finish(hash: number): number {
  let word = hash ^ (hash >>> 16);
  word = Math.imul(word, 0x85ebca6b);
  word ^= word >>> 13;
  word = Math.imul(word, 0xc2b2ae35);
  return word ^ (word >>> 16);
}

function textWord(text: string | Uint8Array | undefined): number {
  let hash = 0x811c9dc5;
  if (typeof text === "string") {
    for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  } else if (text !== undefined) {
    for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ (text[index] as number), 0x01000193);
  }
  return hash;
}
