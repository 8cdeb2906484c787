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
const ORIGINS = [
  ["one", "a"],
  ["two", "a"],
  ["one", "b"],
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
  precedence = new Precedence(state, clock, origins);
  precedence.open();
});

/** A write that was made some time ago; what counts stands in the state from then on. */
function write(origin: number, ageUs = 0, gesture = 1): Reject {
  precedence.setMade(new Float64Array([0, clock.nowUs - ageUs]), 1);
  const reject = precedence.judge(ID, origin);
  if (reject !== Reject.none) return reject;
  precedence.touch(ID, origin, gesture);
  state.origins[ID] = origin;
  state.timesUs[ID] = precedence.made[0] as number;
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
  return write(origin, clock.nowUs - (doubles[1] as number));
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
