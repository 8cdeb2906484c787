/** What comes in becomes exactly the declared type, or is refused with a reason. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { coerce } from "../../../src/state/coerce.js";
import {
  completeDeclaration,
  type DeclarationInput,
  type Value,
  type ValueTypeName,
} from "../../../src/state/declaration.js";
import { Reject } from "../../../src/state/reject.js";
import { StagedKind, Staging } from "../../../src/state/staging.js";
import { State } from "../../../src/state/state.js";

const state = new State(5_000);
const staging = new Staging();

/** What a value becomes at a path of this declaration: the value as the rim shows it, or the reject code. */
function become(input: DeclarationInput, value: Value): Value | { reject: Reject } {
  state.clear();
  state.declare(0, "/viz/x", completeDeclaration(input));
  staging.value(value);
  const reject = coerce(state, 0, staging);
  if (reject !== Reject.none) return { reject };
  state.store(0, staging);
  return state.valueOf(0);
}

const wrongType = { reject: Reject.wrongType };
const wrongCount = { reject: Reject.wrongCount };
const notANumber = { reject: Reject.notANumber };
const outOfRange = { reject: Reject.outOfRange };
const bytes = Uint8Array.of(1, 2);

/** What each type makes of: a number, two, three and four numbers, a text, bytes, nothing. */
const TABLE: Readonly<Record<ValueTypeName, readonly (Value | { reject: Reject })[]>> = {
  float: [1, wrongCount, wrongCount, wrongCount, wrongType, wrongType, wrongType],
  double: [1, wrongCount, wrongCount, wrongCount, wrongType, wrongType, wrongType],
  int: [1, wrongCount, wrongCount, wrongCount, wrongType, wrongType, wrongType],
  bool: [true, wrongCount, wrongCount, wrongCount, wrongType, wrongType, wrongType],
  string: [wrongType, wrongType, wrongType, wrongType, "left", wrongType, wrongType],
  enum: ["right", wrongCount, wrongCount, wrongCount, "left", wrongType, wrongType],
  color: [wrongCount, wrongCount, [1, 0.5, 0.25, 1], [1, 0.5, 0.25, 0.125], wrongType, wrongType, wrongType],
  vec2: [wrongCount, [1, 0.5], wrongCount, wrongCount, wrongType, wrongType, wrongType],
  vec3: [wrongCount, wrongCount, [1, 0.5, 0.25], wrongCount, wrongType, wrongType, wrongType],
  vec4: [wrongCount, wrongCount, wrongCount, [1, 0.5, 0.25, 0.125], wrongType, wrongType, wrongType],
  quaternion: [wrongCount, wrongCount, wrongCount, [1, 0.5, 0.25, 0.125], wrongType, wrongType, wrongType],
  impulse: [wrongType, wrongType, wrongType, wrongType, wrongType, wrongType, wrongType],
  blob: [wrongType, wrongType, wrongType, wrongType, wrongType, bytes, wrongType],
};
const GIVEN: readonly Value[] = [1, [1, 0.5], [1, 0.5, 0.25], [1, 0.5, 0.25, 0.125], "left", bytes, null];

describe("every type and every kind of value", () => {
  test.each(Object.entries(TABLE))("%s", (type, row) => {
    const input = { type: type as ValueTypeName, ...(type === "enum" ? { values: ["left", "right"] } : {}) };
    expect(GIVEN.map((value) => become(input, value))).toEqual(row);
  });

  test("more than four numbers are no vector", () => {
    for (const type of ["vec4", "quaternion", "color", "float"] as const) {
      expect(become({ type }, [1, 1, 1, 1, 1])).toEqual(wrongCount);
      expect(become({ type }, [])).toEqual(wrongCount);
    }
  });
});

describe("numbers", () => {
  test("that are not finite are refused in every lane of every type", () => {
    const lanes = { float: 1, double: 1, int: 1, bool: 1, enum: 1, vec2: 2, vec3: 3, vec4: 4, quaternion: 4, color: 4 };
    for (const [type, count] of Object.entries(lanes)) {
      for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
        for (let lane = 0; lane < count; lane++) {
          const value = Array.from({ length: count }, (_, index) => (index === lane ? bad : 0.5));
          const input = { type: type as ValueTypeName, range: { min: 0, max: 1 }, values: ["a"] };
          expect(become(input, count === 1 ? bad : value), `${type} ${lane}`).toEqual(notANumber);
        }
      }
    }
  });

  test("beyond what the type holds are refused, unless a range clips them first", () => {
    expect(become({ type: "float" }, 1e39)).toEqual(outOfRange);
    expect(become({ type: "double" }, 1e300)).toBe(1e300);
    expect(become({ type: "int" }, 2 ** 31)).toEqual(outOfRange);
    expect(become({ type: "int" }, -(2 ** 31) - 1)).toEqual(outOfRange);
    expect(become({ type: "int" }, 2 ** 31 - 1)).toBe(2 ** 31 - 1);
    expect(become({ type: "int" }, -(2 ** 31))).toBe(-(2 ** 31));
    expect(become({ type: "vec2" }, [1e39, 0])).toEqual(outOfRange);
    expect(become({ type: "float", range: { min: 0, max: 2 } }, 1e39)).toBe(2);
    expect(become({ type: "int", range: { min: -3, max: 2 } }, -1e12)).toBe(-3);
  });

  test("a float is a float's nearest", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, min: -3e38, max: 3e38 }), (value) => {
        expect(become({ type: "float" }, value)).toBe(Math.fround(value));
        expect(become({ type: "double" }, value)).toBe(value);
      }),
    );
  });

  test("an int is rounded, halves up, and never minus zero", () => {
    const rounded = [0.5, 1.5, -0.5, -0.4, -0, 2.4999, -1.5].map((value) => become({ type: "int" }, value));
    expect(rounded).toEqual([1, 2, 0, 0, 0, 2, -1]);
  });

  test("a bool is true from a half on, whatever the sign", () => {
    const given = [0, -0, 0.4999, 0.5, 1, 127, -0.5, -1, true, false];
    expect(given.map((value) => become({ type: "bool" }, value))).toEqual([
      false,
      false,
      false,
      true,
      true,
      true,
      true,
      true,
      true,
      false,
    ]);
  });

  test.each([
    ["none", [-5, 5]],
    ["low", [0, 5]],
    ["high", [-5, 1]],
    ["both", [0, 1]],
  ] as const)("clip %s moves a number onto the bound it names", (clip, clipped) => {
    const range = { min: 0, max: 1 };
    expect([-5, 5].map((value) => become({ type: "float", range, clip }, value))).toEqual(clipped);
    expect(become({ type: "vec2", range, clip }, [-5, 5])).toEqual(clipped);
  });

  test("are clipped before it is judged whether they change anything", () => {
    state.clear();
    state.declare(0, "/viz/x", completeDeclaration({ type: "float", range: { min: 0, max: 1 } }));
    staging.number(1);
    coerce(state, 0, staging);
    state.store(0, staging);
    staging.number(7);
    expect(coerce(state, 0, staging)).toBe(Reject.none);
    expect(state.differs(0, staging)).toBe(false);
  });

  test("minus zero changes nothing where zero is", () => {
    state.clear();
    state.declare(0, "/viz/x", completeDeclaration({ type: "float" }));
    staging.number(-0);
    expect([coerce(state, 0, staging), state.differs(0, staging)]).toEqual([Reject.none, false]);
  });

  test("coerced once stay as they are when coerced again", () => {
    const types = ["float", "double", "int", "bool", "vec2", "vec3", "vec4", "quaternion", "color"] as const;
    const lane = fc.double({ noNaN: true, min: -1e6, max: 1e6 });
    fc.assert(
      fc.property(fc.constantFrom(...types), fc.array(lane, { minLength: 1, maxLength: 4 }), (type, lanes) => {
        const input = { type, range: { min: -100.1, max: 100.7 } };
        const once = become(input, lanes);
        if (once !== null && typeof once === "object" && "reject" in once) return;
        expect(become(input, once)).toEqual(once);
      }),
    );
  });
});

describe("enums, colours, rotations, texts", () => {
  const side = { type: "enum", values: ["left", "right", "2"] } as const;
  const unknownName = { reject: Reject.unknownName };

  test("an enum is set by name, or by index rounded", () => {
    expect(["left", "2", 2, 0.6, -0.3].map((value) => become(side, value))).toEqual([
      "left",
      "2",
      "2",
      "right",
      "left",
    ]);
    for (const value of ["middle", "", 3, -1, 2.5]) expect(become(side, value)).toEqual(unknownName);
    expect(become({ type: "enum" }, 0)).toEqual(unknownName);
  });

  test("a colour is three or four numbers clipped to 0..1, or hexadecimal digits", () => {
    expect(become({ type: "color" }, [-1, 2, 0.5])).toEqual([0, 1, 0.5, 1]);
    expect(become({ type: "color" }, "#ff000080")).toEqual([1, 0, 0, Math.fround(128 / 255)]);
    expect(become({ type: "color" }, "#00fF33")).toEqual([0, 1, Math.fround(0.2), 1]);
    for (const value of ["", "#", "#fff", "ff0000", "#ff00000", "#gg0000", "#ff0000800", " #ff0000", "#ff0000\n"]) {
      expect(become({ type: "color" }, value), value).toEqual(wrongType);
    }
  });

  test("a rotation of no length is refused, any other kept as it came", () => {
    expect(become({ type: "quaternion" }, [0, -0, 0, 0])).toEqual(outOfRange);
    expect(become({ type: "quaternion" }, [1e-50, 0, 0, 0])).toEqual(outOfRange);
    expect(become({ type: "quaternion" }, [0, 0, 0, 2])).toEqual([0, 0, 0, 2]);
  });

  test("texts and bytes are at most 60,000 bytes of UTF-8", () => {
    const tooLong = { reject: Reject.tooLong };
    for (const [unit, size] of [
      ["x", 1],
      ["\u00e9", 2],
      ["\u20ac", 3],
      ["\u{1f600}", 4],
    ] as const) {
      const most = unit.repeat(60_000 / size);
      expect(become({ type: "string" }, most)).toBe(most);
      expect(become({ type: "string" }, `${most}x`)).toEqual(tooLong);
    }
    expect(become({ type: "blob" }, new Uint8Array(60_000))).toHaveLength(60_000);
    expect(become({ type: "blob" }, new Uint8Array(60_001))).toEqual(tooLong);
  });

  test("a text survives UTF-8, whatever its code units", () => {
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    fc.assert(
      fc.property(fc.array(fc.nat(0xffff), { maxLength: 20 }), (units) => {
        const text = become({ type: "string" }, String.fromCharCode(...units)) as string;
        expect(decoder.decode(new TextEncoder().encode(text))).toBe(text);
        expect(text).toHaveLength(units.length);
      }),
    );
  });
});

test("a value in hand is of one kind", () => {
  staging.string("x");
  staging.number(1);
  expect([staging.kind, staging.text]).toEqual([StagedKind.numbers, undefined]);
  staging.bytes(bytes);
  expect([staging.kind, staging.count]).toEqual([StagedKind.bytes, 0]);
});
