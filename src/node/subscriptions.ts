/**
 * Subscriptions: the library's follower of the ring. Patterns to listeners, called after the change is in place.
 *
 * It has its own cursor; a lapped reader is given the present value of every path it listens to. A listener that
 * throws is reported and does not stop the others.
 */
import { compilePattern, type OscPattern } from "../input/osc-pattern.js";
import { ChangeFlag, EventKind, type Origin } from "../state/change.js";
import type { Value, ValueType } from "../state/declaration.js";
import { Found, RingReader } from "../state/ring.js";
import { valueOf } from "../state/state.js";
import type { Staging } from "../state/staging.js";
import type { NodeCore } from "./core.js";

/** The version of a change: its term, the node that was controller, and its sequence. */
export interface ChangeVersion {
  readonly term: number;
  readonly node: string;
  readonly sequence: number;
}

/** One change, as a subscriber sees it. */
export interface Change {
  readonly path: string;
  /** Null for an impulse. */
  readonly value: Value;
  /** Undefined while the change is pending. */
  readonly version: ChangeVersion | undefined;
  readonly origin: Origin;
  /** Session time in milliseconds since the Unix epoch, with a fraction. */
  readonly time: number;
}

export type ChangeListener = (change: Change) => void;

interface Subscription {
  readonly pattern: OscPattern;
  readonly listener: ChangeListener;
}

/** Puts the shown value of a path in hand. */
type LoadShown = (id: number, staging: Staging) => void;

export class Subscriptions {
  private readonly core: NodeCore;
  private readonly loadShown: LoadShown;
  private readonly onError: (error: unknown) => void;
  private readonly reader: RingReader;
  private subscriptions: readonly Subscription[] = [];
  /** The listeners of each id; undefined until asked for. */
  private matches: (readonly Subscription[] | undefined)[] = [];
  private generation = -1;

  constructor(core: NodeCore, loadShown: LoadShown, onError: (error: unknown) => void) {
    this.core = core;
    this.loadShown = loadShown;
    this.onError = onError;
    this.reader = new RingReader(core.memory);
  }

  /**
   * Calls `listener` for every change of a path that the OSC pattern matches, from now on.
   * @throws RangeError when the pattern is malformed.
   */
  subscribe(pattern: string, listener: ChangeListener): () => void {
    const compiled = compilePattern(pattern);
    if (compiled === null) throw new RangeError(`not an OSC address pattern: ${pattern}`);
    if (this.subscriptions.length === 0) this.reader.skip();
    const subscription = { pattern: compiled, listener };
    this.subscriptions = [...this.subscriptions, subscription];
    this.matches = [];
    return () => {
      this.subscriptions = this.subscriptions.filter((other) => other !== subscription);
      this.matches = [];
    };
  }

  /** Tells the listeners what changed since the last call. */
  pump(): void {
    if (this.subscriptions.length === 0) return;
    const { reader } = this;
    for (let found = reader.next(); found !== Found.nothing; found = reader.next()) {
      if (found === Found.lapped) this.tellAll();
      else if (found === Found.value && (reader.flags & ChangeFlag.confirmed) === 0) this.tell();
      else if (found === Found.event && reader.kind === EventKind.impulse) this.tell();
    }
  }

  private listenersOf(id: number): readonly Subscription[] {
    if (this.generation !== this.core.state.generation) {
      this.generation = this.core.state.generation;
      this.matches = [];
    }
    const known = this.matches[id];
    if (known !== undefined) return known;
    const path = this.core.state.pathOf(id);
    const found = path === "" ? [] : this.subscriptions.filter((one) => one.pattern.matches(path));
    this.matches[id] = found;
    return found;
  }

  private tell(): void {
    const { reader, core } = this;
    const listeners = this.listenersOf(reader.id);
    if (listeners.length === 0) return;
    const { state } = core;
    const isImpulse = reader.type === 0;
    const declaration = state.declarationOf(reader.id);
    const value = isImpulse
      ? null
      : valueOf(reader.type as ValueType, declaration, reader.numbers, 0, reader.text() ?? state.texts[reader.id]);
    const isPending = (reader.flags & ChangeFlag.pending) !== 0;
    this.call(listeners, {
      path: state.pathOf(reader.id),
      value,
      version: isPending ? undefined : this.version(reader.term, reader.doubles[0] as number),
      origin: core.origins.at(reader.origin),
      time: (reader.doubles[1] as number) / 1_000,
    });
  }

  private version(termIndex: number, sequence: number): ChangeVersion {
    const term = this.core.terms.at(termIndex);
    return { term: term.number, node: term.node, sequence };
  }

  private tellAll(): void {
    const { state, staging, origins } = this.core;
    for (const id of [...state.ids()]) {
      const listeners = this.listenersOf(id);
      const type = state.typeOf(id) as ValueType;
      if (listeners.length === 0) continue;
      this.loadShown(id, staging);
      this.call(listeners, {
        path: state.pathOf(id),
        value: valueOf(type, state.declarationOf(id), staging.numbers, 0, staging.text),
        version: this.version(state.terms[id] as number, state.sequences[id] as number),
        origin: origins.at(state.origins[id] as number),
        time: (state.timesUs[id] as number) / 1_000,
      });
    }
  }

  private call(listeners: readonly Subscription[], change: Change): void {
    for (const { listener } of listeners) {
      try {
        listener(change);
      } catch (error) {
        this.onError(error);
      }
    }
  }
}
