/** Which write counts when several origins write to one path. */
import { OriginTable } from "../../../src/state/tables.js";
import { beforeEach, describe, expect, test } from "vitest";
import { Clock } from "../../../src/base/clock.js";
import { completeDeclaration } from "../../../src/state/declaration.js";
import { Reject } from "../../../src/state/reject.js";
import { PROVISIONAL_IDS, State } from "../../../src/state/state.js";
import { BOUND_UNKNOWN_US } from "../../../src/wire/write-frame.js";
import { HOLD_IDLE_US, Precedence } from "../../../src/sync/precedence.js";

const START_US = 1_719_964_800_000_000;
const [ID, ONE, TWO, OTHER_SURFACE_OF_ONE] = [0, 1, 2, 3];
/** One OSC surface, as it is heard by three nodes; `one` is the controller. */
const [HEARD_BY_ONE, HEARD_BY_TWO, HEARD_BY_THREE, ANOTHER] = [4, 5, 6, 7];
/** A program of each of two machines, by the address that every machine has. */
const [OWN_OF_ONE, OWN_OF_TWO] = [8, 9];
/** The first surface again, where it has subscribed: by the port, too. */
const [SUBSCRIBED_AT_ONE, SUBSCRIBED_AT_TWO, SUBSCRIBED_AT_THREE] = [10, 11, 12];
/** No such surface: another port, a longer address, a program of every machine without its port, an address of colons. */
const [OTHER_PORT_OF_ONE, LONGER_OF_ONE, OWN_HOST_OF_ONE, COLONS_OF_ONE, COLONS_OF_TWO] = [13, 14, 15, 16, 17];
const ORIGINS = [
  ["one", "a"],
  ["two", "a"],
  ["one", "b"],
  ["one", "osc:10.0.0.7"],
  ["two", "osc:10.0.0.7"],
  ["three", "osc:10.0.0.7"],
  ["two", "osc:10.0.0.8"],
  ["one", "osc:127.0.0.1:9000"],
  ["two", "osc:127.0.0.1:9000"],
  ["one", "osc:10.0.0.7:9000"],
  ["two", "osc:10.0.0.7:9000"],
  ["three", "osc:10.0.0.7:9000"],
  ["one", "osc:10.0.0.7:9001"],
  ["one", "osc:10.0.0.70:9000"],
  ["one", "osc:127.0.0.1"],
  ["one", "osc:fe80::1"],
  ["two", "osc:fe80::1:9000"],
] as const;

let clock: Clock;
let state: State;
let precedence: Precedence;

beforeEach(() => {
  clock = new Clock();
  clock.set(START_US);
  state = new State(PROVISIONAL_IDS + 10);
  state.declare(ID, "/viz/x", completeDeclaration({ type: "float" }));
  const origins = new OriginTable();
  for (const [node, surface] of ORIGINS) origins.intern(node, surface);
  precedence = new Precedence(state, clock, origins, "one");
  precedence.open();
});

/** A write that was made some time ago; what counts stands in the state from then on. */
function write(origin: number, ageUs = 0, gesture = 1): Reject {
  precedence.setMade(new Float64Array([0, clock.nowUs - ageUs]), 1);
  return commit(origin, gesture);
}

function commit(origin: number, gesture: number): Reject {
  const reject = precedence.judge(ID, origin);
  if (reject !== Reject.none) return reject;
  precedence.touch(ID, origin, gesture);
  state.origins[ID] = origin;
  state.timesUs[ID] = precedence.made[0] as number;
  precedence.noteDoubt(ID);
  return reject;
}

function pass(us: number): void {
  clock.set(clock.nowUs + us);
}

test("what a node writes by one surface is not older than what it wrote by another", () => {
  expect(write(ONE)).toBe(Reject.none);
  pass(1_000);
  expect([write(OTHER_SURFACE_OF_ONE, 50_000), write(TWO, 500_000)]).toEqual([Reject.none, Reject.superseded]);
});

describe("a path that is moved", () => {
  test("is held against others from the second write of a gesture until 400 ms pass without one", () => {
    expect([write(ONE), write(TWO), write(TWO), write(ONE)]).toEqual([0, 0, 0, Reject.held]);
    pass(HOLD_IDLE_US - 1);
    expect([write(ONE), write(TWO)]).toEqual([Reject.held, 0]);
    pass(HOLD_IDLE_US);
    expect(write(ONE)).toBe(Reject.none);
  });

  test("is free at once when it is let go, by nobody but who moves it", () => {
    write(ONE);
    write(ONE);
    precedence.release(ID, TWO);
    expect(write(TWO)).toBe(Reject.held);
    precedence.release(ID, ONE);
    expect(write(TWO)).toBe(Reject.none);
  });

  test("is not held by two writes that are two gestures", () => {
    expect([write(ONE, 0, 1), write(ONE, 0, 2), write(TWO)]).toEqual([0, 0, 0]);
  });

  test("is free when a term begins", () => {
    write(ONE);
    write(ONE);
    precedence.open();
    expect(write(TWO)).toBe(Reject.none);
  });
});

describe("a write that was made earlier than what another origin wrote", () => {
  test("is superseded; that of the same origin is not", () => {
    write(ONE);
    pass(1_000);
    expect([write(TWO, 1_001), write(TWO, 1_000)]).toEqual([Reject.superseded, Reject.none]);
    write(ONE);
    expect(write(ONE, 500)).toBe(Reject.none);
  });

  test("counts when nobody has written there yet", () => {
    state.timesUs[ID] = clock.nowUs;
    expect(write(TWO, 1_000)).toBe(Reject.none);
  });

  test("is not one when it claims to come from the future, which counts as now", () => {
    write(ONE, -3_600_000_000);
    expect(state.timesUs[ID]).toBe(clock.nowUs);
    expect(write(TWO, -1_000)).toBe(Reject.none);
    expect(state.timesUs[ID]).toBe(clock.nowUs);
  });

  test("is one however long it waited", () => {
    write(ONE);
    expect(write(TWO, 3_600_000_000)).toBe(Reject.superseded);
  });
});

/** A write that comes from another node: its clock is off by `offUs`, it waited `ageUs` there and was `wayUs` on its way. */
function come(origin: number, { offUs = 0, boundUs = BOUND_UNKNOWN_US, ageUs = 0, wayUs = 300 }): Reject {
  const sentUs = clock.nowUs - wayUs + offUs;
  const doubles = new Float64Array([0, sentUs - ageUs, 0, sentUs, boundUs]);
  precedence.hear(doubles);
  precedence.date(doubles);
  precedence.setDated(doubles, 1);
  return commit(origin, 1);
}

describe("a writer whose clock is not this session's", () => {
  test.each([-3_600e6, -9e6, -2e6, -500_000, 500_000, 3_600e6])("loses nothing by it: off by %d us", (offUs) => {
    write(ONE);
    pass(1_000);
    expect(come(TWO, { offUs })).toBe(Reject.none);
    expect(state.timesUs[ID]).toBe(clock.nowUs);
    pass(1_000);
    write(ONE);
    pass(100_000);
    // A late retry, made 50 ms before what is there.
    expect(come(TWO, { offUs, ageUs: 150_000 })).toBe(Reject.superseded);
  });

  test("is believed as far as it may be off: what was long on its way is no newer for that", () => {
    write(ONE);
    pass(10_000);
    const late = { offUs: 200, wayUs: 15_000 };
    expect(come(TWO, { ...late, boundUs: 300 })).toBe(Reject.superseded);
    expect(come(TWO, { ...late, boundUs: 6_000 })).toBe(Reject.none);
  });
});

describe("what is there of a writer whose time is doubtful", () => {
  const doubtful = { boundUs: 80_000, wayUs: 54_000 };

  test("supersedes nothing that may have been made later", () => {
    expect(come(TWO, doubtful)).toBe(Reject.none);
    // Made 20 ms ago by an exact clock; what is there left 54 ms ago.
    expect(write(ONE, 20_000)).toBe(Reject.none);
  });

  test("supersedes what was certainly made before it", () => {
    expect(come(TWO, doubtful)).toBe(Reject.none);
    expect(write(ONE, 134_001)).toBe(Reject.superseded);
  });

  test("is doubtful no more when somebody else's takes its place", () => {
    come(TWO, doubtful);
    write(ONE);
    expect(write(TWO, 1)).toBe(Reject.superseded);
  });
});

describe("an OSC surface that sends to two nodes", () => {
  const moves = (origin: number): void => {
    pass(HOLD_IDLE_US);
    for (let step = 0; step < 2; step++) expect(write(origin)).toBe(Reject.none);
  };

  test("is one hand: what the controller hears of it is not held against it, and holds the path then", () => {
    moves(HEARD_BY_TWO);
    expect([write(HEARD_BY_ONE), write(HEARD_BY_ONE), write(HEARD_BY_TWO)]).toEqual([
      Reject.none,
      Reject.none,
      Reject.held,
    ]);
  });

  test("is heard by the lower id where the controller does not hear it, so that no two hold a part each", () => {
    moves(HEARD_BY_TWO);
    expect([write(HEARD_BY_THREE), write(HEARD_BY_THREE), write(HEARD_BY_TWO)]).toEqual([
      Reject.none,
      Reject.none,
      Reject.held,
    ]);
  });

  test.each([
    ["the controller", SUBSCRIBED_AT_ONE, HEARD_BY_TWO],
    ["the other", HEARD_BY_ONE, SUBSCRIBED_AT_TWO],
    ["neither of which has control, the lower id", SUBSCRIBED_AT_THREE, HEARD_BY_TWO],
    ["neither of which has control, the higher id", HEARD_BY_THREE, SUBSCRIBED_AT_TWO],
  ])("is one hand also when it subscribes at one of them: %s", (_, hand, other) => {
    moves(other);
    expect([write(hand), write(hand), write(other)]).toEqual([Reject.none, Reject.none, Reject.held]);
  });

  test("is another one at another port, at a longer address, and at two ports of one node", () => {
    for (const [one, other] of [
      [OTHER_PORT_OF_ONE, SUBSCRIBED_AT_TWO],
      [LONGER_OF_ONE, HEARD_BY_TWO],
      [OWN_HOST_OF_ONE, OWN_OF_TWO],
      [COLONS_OF_ONE, COLONS_OF_TWO],
      [HEARD_BY_ONE, SUBSCRIBED_AT_ONE],
      [HEARD_BY_TWO, SUBSCRIBED_AT_TWO],
      [SUBSCRIBED_AT_TWO, HEARD_BY_TWO],
    ] as const) {
      moves(other);
      expect(write(one)).toBe(Reject.held);
    }
  });

  test("is held like all others against another surface, and against one that no address names", () => {
    moves(ANOTHER);
    expect([write(HEARD_BY_ONE), write(HEARD_BY_TWO)]).toEqual([Reject.held, Reject.held]);
    moves(OWN_OF_TWO);
    expect(write(OWN_OF_ONE)).toBe(Reject.held);
    moves(TWO);
    expect(write(ONE)).toBe(Reject.held);
  });
});
