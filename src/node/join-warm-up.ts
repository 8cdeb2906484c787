/**
 * Join warm-up: takes in small snapshots on a scratch core, so that the engine has compiled the way of a joiner before
 * the real snapshot is here. Interpreted, 10,000 paths take 75 ms, half of that compiled (measured). It touches nothing of the
 * real node, and is done in steps, so that whoever has a moment to spare can stop after any.
 */
import { completeDeclaration, type DeclarationInput } from "../state/declaration.js";
import { ImageEncoder } from "../state/image.js";
import { PROVISIONAL_IDS, State } from "../state/state.js";
import { OriginTable, TermTable } from "../state/tables.js";
import { PendingWrites } from "../sync/pending-writes.js";
import { adopt, decodeSnapshot, type Snapshot } from "./adoption.js";
import { Applier } from "./applier.js";
import { NodeCore } from "./core.js";

/** Snapshots that are taken in; after these the engine has compiled what matters. */
const STEPS = 48;
const PATHS = 100;
const RINGS = { values: 1_024, events: 1_024, arenaBytes: 65_536 };
const NODE = "0".repeat(16);
/** What shows are made of: the engine compiles for the kinds of value that it has met. */
const INPUTS: readonly DeclarationInput[] = [
  { type: "float", range: { min: 0, max: 1 } },
  { type: "float" },
  { type: "bool" },
  { type: "color" },
  { type: "string" },
];

export class JoinWarmUp {
  private readonly core: NodeCore;
  private readonly applier: Applier;
  private readonly pending: PendingWrites;
  /** Of other paths each, so that all of one go and all of the next come. */
  private readonly snapshots = [snapshotOf("a"), snapshotOf("b")];
  private steps = 0;

  constructor() {
    const identity = { id: NODE, name: "", mesh: "", priority: 0, session: 0 };
    this.core = new NodeCore(identity, { paths: PATHS, autoPaths: 0, rings: RINGS });
    this.pending = new PendingWrites(this.core.state, this.core.clock);
    this.applier = new Applier(this.core, this.pending);
  }

  get isDone(): boolean {
    return this.steps >= STEPS;
  }

  /** Takes in one snapshot: some milliseconds at first. Answers how many paths are there then. */
  step(): number {
    const { core, applier, pending } = this;
    const snapshot = this.snapshots[this.steps++ % this.snapshots.length] as Snapshot;
    const incoming = decodeSnapshot(core, applier, snapshot);
    if (incoming === undefined) return 0;
    adopt(core, applier, pending, incoming);
    return core.state.pathCount;
  }
}

function snapshotOf(name: string): Snapshot {
  const [state, terms, origins] = [new State(PATHS + PROVISIONAL_IDS), new TermTable(), new OriginTable()];
  const term = terms.intern(1, NODE);
  const origin = origins.intern(NODE, "");
  for (let id = 0; id < PATHS; id++) {
    state.declare(
      id,
      `/viz/${name}/warm/up/${id}`,
      completeDeclaration(INPUTS[id % INPUTS.length] as DeclarationInput),
    );
    state.terms[id] = term;
    state.origins[id] = origin;
    state.sequences[id] = id;
    state.timesUs[id] = 1e15 + id;
  }
  const encoder = new ImageEncoder({ state, terms, origins });
  const chunks: Uint8Array[] = [];
  for (let chunk = encoder.next(); chunk !== undefined; chunk = encoder.next()) chunks.push(chunk);
  const at = { termNumber: 1, termNode: NODE, sequence: PATHS, told: PATHS };
  return { ...at, origins: [], lineage: [], standings: [], chunks };
}
