/**
 * PeerPaths: how the nodes of the mesh fare, as state: `/system/peers/{node}/...`, for surfaces and renderers. Written
 * by the controller alone, from what the nodes report; not saved, not undone, no part of a look.
 *
 * A hundred nodes must not make a stream of their own: what stands is written when it changes, at most once a second a
 * node; measures only when they changed by much, at most every five seconds; and all of it together within a budget.
 * What is there already is compared with the state itself, so whoever takes control goes on where the last one was.
 * A node that is gone keeps its paths, with the health `gone`, until there are too many.
 */
import { coerce } from "../state/coerce.js";
import { completeDeclaration, type Declaration, type DeclarationInput, type Value } from "../state/declaration.js";
import { Reject } from "../state/reject.js";
import { healthOfPeer, lagOf } from "../sync/peer-health.js";
import { FitnessLevel } from "../wire/fitness.js";
import type { Peer, Peers } from "../sync/peers.js";
import type { Applier } from "./applier.js";
import type { Controller } from "./controller.js";
import type { NodeCore } from "./core.js";
import type { Sameness } from "./sameness.js";

const PREFIX = "/system/peers/";
const LOOK_US = 250_000;
/** Changes at one look: 40 a second. */
const BUDGET = 10;
const STANDING_US = 1_000_000;
const MEASURES_US = 5_000_000;
/** A node whose paths found no room is tried again after this long. */
const REFUSED_US = 60_000_000;
/** Peers that may have paths. */
export const SHOWN_MAX = 128;
/** A measure is written again when it differs by this share, and by as much as its floor. */
const MUCH = 0.5;

function declare(
  type: DeclarationInput["type"],
  description: string,
  rest: Partial<DeclarationInput> = {},
): Declaration {
  return completeDeclaration({ ...rest, type, description, persist: false, undo: false, recall: false });
}

const DECLARATIONS = {
  name: declare("string", "What the node is called"),
  health: declare("enum", "How it fares", { values: ["gone", "green", "yellow", "red"] }),
  interface: declare("string", "The network interface it uses"),
  loss: declare("float", "Share of frames that did not reach it by themselves", { range: { min: 0, max: 1 } }),
  delay: declare("float", "To the controller and back", { unit: "ms" }),
  clock: declare("float", "How far its clock is ahead of the mesh's time", { unit: "ms" }),
  lag: declare("int", "Changes that it lacks of those it had the time to get"),
  naks: declare("int", "How often it asked for frames again since its start"),
} as const;
type Name = keyof typeof DECLARATIONS;
const FLOORS: Partial<Record<Name, number>> = { loss: 0.01, delay: 0.25, clock: 0.25 };

const STANDING: readonly Name[] = ["name", "health", "interface"];
const NAMES = Object.keys(DECLARATIONS) as readonly Name[];

/** What is to be shown of a node; undefined for what is not known. */
type Shown = Partial<Record<Name, Value>>;

/** A node that has paths. */
interface Entry {
  readonly node: string;
  readonly paths: Readonly<Record<Name, string>>;
  standingUs: number;
  measuresUs: number;
}

export interface PeerPathsParts {
  readonly core: NodeCore;
  readonly applier: Applier;
  readonly controller: Controller;
  readonly peers: Peers;
  readonly sameness: Sameness;
  readonly health: { readonly level: FitnessLevel };
}

export class PeerPaths {
  private readonly node: PeerPathsParts;
  private readonly interfaceName: string;
  private readonly entries = new Map<string, Entry>();
  /** Nodes in the order of their turns; the first is next. */
  private turns: Entry[] = [];
  /** [0] next look. */
  private readonly registers = new Float64Array(1);
  private term = 0;
  private left = 0;

  constructor(node: PeerPathsParts, interfaceName: string) {
    this.node = node;
    this.interfaceName = interfaceName;
  }

  /** Only the controller of a term may call this. */
  tick(): void {
    const { core } = this.node;
    const now = core.clock.nowUs;
    if (core.term !== this.term) this.begin(now);
    if (now < (this.registers[0] as number)) return;
    this.registers[0] = now + LOOK_US;
    this.left = BUDGET;
    this.admit();
    for (let count = this.turns.length; count > 0 && this.left > 0; count--) {
      const entry = this.turns.shift() as Entry;
      this.turns.push(entry);
      this.update(entry, now);
    }
  }

  /** A term begins: the paths that are there are those of the last one. Others have a moment to be heard. */
  private begin(now: number): void {
    const { core } = this.node;
    this.term = core.term;
    this.registers[0] = now + STANDING_US;
    this.entries.clear();
    for (const id of core.state.ids()) {
      const path = core.state.pathOf(id);
      if (path.startsWith(PREFIX)) this.open(path.slice(PREFIX.length, path.indexOf("/", PREFIX.length)));
    }
    this.turns = [...this.entries.values()];
  }

  private open(node: string): void {
    if (this.entries.has(node)) return;
    const paths = Object.fromEntries(NAMES.map((name) => [name, `${PREFIX}${node}/${name}`])) as Entry["paths"];
    const entry = { node, paths, standingUs: 0, measuresUs: 0 };
    this.entries.set(node, entry);
    this.turns.push(entry);
  }

  /** Gives new nodes their place, if need be that of one that is gone. */
  private admit(): void {
    const { peers, core } = this.node;
    if (this.entries.size < SHOWN_MAX) this.open(core.identity.id);
    for (const peer of peers.values()) {
      if (this.entries.has(peer.node)) continue;
      if (this.entries.size >= SHOWN_MAX && !this.dropGone()) return;
      this.open(peer.node);
    }
  }

  private dropGone(): boolean {
    const { peers, core, applier, controller } = this.node;
    for (const entry of this.entries.values()) {
      if (peers.get(entry.node) !== undefined || entry.node === core.identity.id) continue;
      for (const path of Object.values(entry.paths)) {
        const id = core.state.idOf(path);
        if (id >= 0 && controller.publisher.hasEventRoom) applier.commitRemove(id, this.origin);
      }
      this.entries.delete(entry.node);
      this.turns = this.turns.filter((other) => other !== entry);
      return true;
    }
    return false;
  }

  private update(entry: Entry, now: number): void {
    const isStandingDue = now >= entry.standingUs;
    const isMeasuresDue = now >= entry.measuresUs;
    if (!isStandingDue && !isMeasuresDue) return;
    const shown = this.shown(entry.node, now);
    const before = this.left;
    for (const name of STANDING) if (isStandingDue) this.show(entry, name, shown[name], now);
    if (this.left !== before) entry.standingUs = Math.max(entry.standingUs, now + STANDING_US);
    if (!isMeasuresDue || this.left <= 0) return;
    for (const name of NAMES) if (!STANDING.includes(name)) this.show(entry, name, shown[name], now);
    entry.measuresUs = Math.max(entry.measuresUs, now + MEASURES_US);
  }

  private shown(node: string, now: number): Shown {
    const { core, peers, sameness, health } = this.node;
    if (node === core.identity.id) {
      return { name: core.identity.name, health: HEALTH_OF_LEVEL[health.level], interface: this.interfaceName };
    }
    const peer = peers.get(node);
    return peer === undefined ? { health: "gone" } : shownOf(peer, sameness.agreedSequence, now);
  }

  private get origin(): number {
    return this.node.applier.origin(this.node.core.identity.id, "");
  }

  /** Writes one value, if it is another one and there is room for it. */
  private show(entry: Entry, name: Name, value: Value | undefined, now: number): void {
    if (value === undefined || this.left <= 0) return;
    const { core, applier } = this.node;
    const { state, staging } = core;
    const path = entry.paths[name];
    if (state.idOf(path) < 0 && !this.declare(entry, name, now)) return;
    const id = state.idOf(path);
    if (this.left <= 0 || !isOther(value, state.valueOf(id), FLOORS[name] ?? 1)) return;
    staging.value(value);
    if (coerce(state, id, staging) === Reject.none && applier.commit(id, this.origin, 0)) this.left--;
  }

  private declare(entry: Entry, name: Name, now: number): boolean {
    const { applier, controller } = this.node;
    this.left--;
    if (!controller.publisher.hasEventRoom) return false;
    if (applier.commitDeclare(entry.paths[name], DECLARATIONS[name], this.origin) === Reject.none) return true;
    entry.standingUs = now + REFUSED_US;
    entry.measuresUs = now + REFUSED_US;
    return false;
  }
}

const HEALTH_OF_LEVEL: Readonly<Record<FitnessLevel, string>> = {
  [FitnessLevel.green]: "green",
  [FitnessLevel.yellow]: "yellow",
  [FitnessLevel.red]: "red",
};

function shownOf(peer: Peer, agreed: number, now: number): Shown {
  return {
    name: peer.name,
    health: healthOfPeer(peer, agreed, now),
    interface: peer.interfaceName,
    loss: Math.round(peer.lossPermille / 10) / 100,
    lag: Math.min(lagOf(peer, agreed), INT_MAX),
    naks: Math.min(peer.naks, INT_MAX),
    ...(peer.roundTripUs < 0 ? {} : { delay: Math.round(peer.roundTripUs / 10) / 100 }),
    ...(peer.clockBoundUs < 0 ? {} : { clock: Math.round(peer.clockOffsetUs / 10) / 100 }),
  };
}

const INT_MAX = 0x7fff_ffff;

/** Whether a value is worth a change. */
function isOther(value: Value, shown: Value, floor: number): boolean {
  if (typeof value !== "number" || typeof shown !== "number") return value !== shown;
  // What the state holds is rounded to 32 bits.
  return Math.abs(value - shown) >= Math.max(floor, Math.abs(shown) * MUCH) * (1 - 1e-6);
}
