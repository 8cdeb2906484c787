/** A snapshot takes the place of what a node holds: what is pending stays with its path, and the ring tells all of it. */
import { beforeEach, describe, expect, test } from "vitest";
import { Replica } from "../../../src/manage/replica.js";
import { adopt } from "../../../src/node/adoption.js";
import { Applier } from "../../../src/node/applier.js";
import { NodeCore } from "../../../src/node/core.js";
import { completeDeclaration, type ValueTypeName } from "../../../src/state/declaration.js";
import { Reject } from "../../../src/state/reject.js";
import { State } from "../../../src/state/state.js";
import { PendingWrites } from "../../../src/sync/pending-writes.js";

const NODE = "00000000000000aa";
const OTHER = "00000000000000bb";
const PATHS = 16;

let core: NodeCore;
let pending: PendingWrites;
let applier: Applier;
let replica: Replica;

beforeEach(() => {
  const identity = { id: NODE, name: "", mesh: "", priority: 0, session: 0 };
  core = new NodeCore(identity, { paths: PATHS, autoPaths: 0, rings: { values: 64, events: 64, arenaBytes: 8_192 } });
  pending = new PendingWrites(core.state, core.clock);
  applier = new Applier(core, pending);
  replica = new Replica(core.memory, core.state.capacity);
  replica.prepareForImage();
  replica.beginImage([], [], 0);
  replica.endImage([]);
  core.term = applier.termIndex(2, NODE);
});

function declare(path: string, type: ValueTypeName = "float"): number {
  expect(applier.commitDeclare(path, completeDeclaration({ type }), 0)).toBe(Reject.none);
  return core.state.idOf(path);
}

function write(id: number, value: number): void {
  core.staging.number(value);
  applier.commit(id, 0, 0);
}

/** Writes as a follower does; answers what became of it. */
function hold(id: number, value: number): { reject: Reject | undefined } {
  core.staging.number(value);
  pending.addValue(id, core.staging, 0, 0, false);
  applier.showPending(id, 0, 0);
  const outcome: { reject: Reject | undefined } = { reject: undefined };
  pending.whenDone((reject) => (outcome.reject = reject));
  return outcome;
}

interface Row {
  readonly id: number;
  readonly path: string;
  readonly value: number;
  readonly type?: ValueTypeName;
}

/** A state of another node's term. */
function other(rows: readonly Row[], sequence = 5): State {
  const state = new State(core.state.capacity);
  const term = applier.termIndex(1, OTHER);
  for (const { id, path, value, type = "float" } of rows) {
    state.declare(id, path, completeDeclaration({ type }));
    state.numbers[id * 4] = value;
    state.terms[id] = term;
    state.sequences[id] = sequence;
  }
  return state;
}

/** What is shown, as the ring's follower knows it: value, and whether it waits for its confirmation. */
function shown(): Record<string, unknown> {
  while (replica.pump());
  expect(replica.phase).toBe("current");
  const { state } = replica;
  return Object.fromEntries(
    [...state.ids()].map((id) => [state.pathOf(id), [state.valueOf(id), replica.pending[id] === 1]]),
  );
}

/** The writes that wait, by path. */
function held(): Record<string, number> {
  const values: Record<string, number> = {};
  pending.forEach((slot) => {
    pending.stage(slot, core.staging);
    values[core.state.pathOf(pending.idOf(slot))] = core.staging.numbers[0] as number;
    return true;
  });
  return values;
}

describe("a snapshot in which paths have other ids", () => {
  test("shows what it holds under an id that something of another path waits on", () => {
    const a = declare("/viz/a");
    hold(a, 0.5);
    const rows = [
      { id: a, path: "/viz/b", value: 7 },
      { id: a + 1, path: "/viz/a", value: 1 },
    ];
    adopt(core, applier, pending, other(rows));
    expect(shown()).toEqual({ "/viz/b": [7, false], "/viz/a": [0.5, true] });
    expect(held()).toEqual({ "/viz/a": 0.5 });
  });

  test("gives a path of this node's own the id of one that something waits on, and mixes neither", () => {
    const a = declare("/viz/a");
    hold(a, 0.5);
    const own = core.state.freeProvisional();
    applier.declareProvisional(own, "/viz/own", completeDeclaration({ type: "float" }));
    hold(own, 9);
    const rows = [
      { id: a, path: "/viz/own", value: 2 },
      { id: a + 3, path: "/viz/a", value: 1 },
    ];
    adopt(core, applier, pending, other(rows));
    expect(held()).toEqual({ "/viz/a": 0.5, "/viz/own": 9 });
    expect(shown()).toEqual({ "/viz/own": [9, true], "/viz/a": [0.5, true] });
  });

  test("refuses what waits on a path that it has as another type, or not at all", () => {
    const [a, b] = [declare("/viz/a"), declare("/viz/b")];
    const [turned, gone] = [hold(a, 0.5), hold(b, 0.5)];
    adopt(core, applier, pending, other([{ id: b, path: "/viz/a", value: 3, type: "int" }]));
    expect(shown()).toEqual({ "/viz/a": [3, false] });
    pending.acknowledge(pending.lastWrite, 1);
    pending.settle(1, 9, () => {});
    expect([turned.reject, gone.reject]).toEqual([Reject.wrongType, Reject.unknownPath]);
  });
});

test("a snapshot's version holds though it is the older one and the value is the same", () => {
  const a = declare("/viz/a");
  write(a, 1);
  expect(shown()).toEqual({ "/viz/a": [1, false] });
  adopt(core, applier, pending, other([{ id: a, path: "/viz/a", value: 1 }]));
  expect(shown()).toEqual({ "/viz/a": [1, false] });
  expect([replica.terms.at(replica.state.terms[a] as number), replica.state.sequences[a]]).toEqual([
    { number: 1, node: OTHER },
    5,
  ]);
});

test("a term begins at its own sequence, though more was seen before", () => {
  write(declare("/viz/a"), 1);
  shown();
  expect(replica.sequence).toBe(2);
  core.sequence[0] = 1;
  applier.termIndex(3, NODE);
  shown();
  expect(replica.sequence).toBe(1);
  applier.commitLineage(core.term, 1);
  shown();
  expect(replica.sequence).toBe(2);
});
