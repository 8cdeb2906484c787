import { describe, expect, it } from "vitest";
import { OscPacket } from "../../../src/input/osc-packet.js";
import { declaredTypeOf, Press, pressOf, stageArguments, writeValue } from "../../../src/input/osc-values.js";
import { OscWriter } from "../../../src/input/osc-writer.js";
import { coerce } from "../../../src/state/coerce.js";
import {
  completeDeclaration,
  type DeclarationInput,
  type Value,
  ValueType,
  type ValueTypeName,
} from "../../../src/state/declaration.js";
import { Reject } from "../../../src/state/reject.js";
import { Staging } from "../../../src/state/staging.js";
import { State } from "../../../src/state/state.js";
import { type Argument, decode, message } from "./osc-node.js";

const PATH = "/viz/x";

function parse(tags: string, values: readonly Argument[]): OscPacket {
  const bytes = message(PATH, tags, values);
  const packet = new OscPacket();
  expect(packet.parse(bytes, 0, bytes.length)).toBe(0);
  return packet;
}

/** What a path holds after a message, or the reject code. */
function written(input: DeclarationInput, tags: string, values: readonly Argument[] = []): Value | { reject: number } {
  const state = new State(8_192);
  const staging = new Staging();
  state.declare(0, PATH, completeDeclaration(input));
  const staged = stageArguments(parse(tags, values), 0, ValueType[input.type], staging);
  const reject = staged === Reject.none ? coerce(state, 0, staging) : staged;
  if (reject !== Reject.none) return { reject };
  state.store(0, staging);
  return state.valueOf(0);
}

const refused = (reject: Reject): { reject: number } => ({ reject });

describe("OSC arguments in", () => {
  it("takes every numeric type, T and F for every number", () => {
    for (const [tags, value] of [
      ["i", 3],
      ["h", 3],
      ["f", 3],
      ["d", 3],
    ] as const) {
      expect(written({ type: "float" }, tags, [value])).toBe(3);
      expect(written({ type: "double" }, tags, [value])).toBe(3);
      expect(written({ type: "int" }, tags, [value])).toBe(3);
      expect(written({ type: "bool" }, tags, [value])).toBe(true);
      expect(written({ type: "enum", values: ["a", "b", "c", "d"] }, tags, [value])).toBe("d");
    }
    expect(written({ type: "float" }, "T")).toBe(1);
    expect(written({ type: "int" }, "F")).toBe(0);
    expect(written({ type: "bool" }, "T")).toBe(true);
    expect(written({ type: "bool" }, "F")).toBe(false);
    expect(written({ type: "bool" }, "f", [0.4])).toBe(false);
  });

  it("keeps a double's precision and rounds it for a float", () => {
    expect(written({ type: "double" }, "d", [0.1])).toBe(0.1);
    expect(written({ type: "float" }, "d", [0.1])).toBe(Math.fround(0.1));
  });

  it("refuses a 64-bit integer outside 32 bits for an int, even where a range would clip it", () => {
    expect(written({ type: "int" }, "h", [2 ** 31])).toEqual(refused(Reject.outOfRange));
    expect(written({ type: "int", range: { min: 0, max: 10 } }, "h", [2 ** 40])).toEqual(refused(Reject.outOfRange));
    expect(written({ type: "int" }, "h", [-(2 ** 31)])).toBe(-(2 ** 31));
    expect(written({ type: "int" }, "d", [2 ** 31])).toEqual(refused(Reject.outOfRange));
    expect(written({ type: "double" }, "h", [2 ** 40])).toBe(2 ** 40);
  });

  it("takes an enum by name, as a string or a symbol", () => {
    const choice: DeclarationInput = { type: "enum", values: ["off", "on"] };
    expect(written(choice, "s", ["on"])).toBe("on");
    expect(written(choice, "S", ["off"])).toBe("off");
    expect(written(choice, "s", ["maybe"])).toEqual(refused(Reject.unknownName));
    expect(written(choice, "i", [2])).toEqual(refused(Reject.unknownName));
  });

  it("takes a color as rgba, three or four numbers, or a text", () => {
    expect(written({ type: "color" }, "r", [0xff_80_00_ff])).toEqual([1, Math.fround(128 / 255), 0, 1]);
    expect(written({ type: "color" }, "fff", [1, 0.5, 0])).toEqual([1, 0.5, 0, 1]);
    expect(written({ type: "color" }, "ffff", [1, 0.5, 0, 0.25])).toEqual([1, 0.5, 0, 0.25]);
    expect(written({ type: "color" }, "iii", [1, 0, 1])).toEqual([1, 0, 1, 1]);
    expect(written({ type: "color" }, "s", ["#ff000000"])).toEqual([1, 0, 0, 0]);
    expect(written({ type: "color" }, "ff", [1, 1])).toEqual(refused(Reject.wrongCount));
    expect(written({ type: "vec4" }, "r", [1])).toEqual(refused(Reject.wrongType));
  });

  it("takes vectors as that many numbers or as one array", () => {
    expect(written({ type: "vec2" }, "fi", [0.5, 2])).toEqual([0.5, 2]);
    expect(written({ type: "vec3" }, "[fff]", [1, 2, 3])).toEqual([1, 2, 3]);
    expect(written({ type: "quaternion" }, "ffff", [0, 0, 1, 0])).toEqual([0, 0, 1, 0]);
    expect(written({ type: "float" }, "[f]", [0.5])).toBe(0.5);
    expect(written({ type: "vec2" }, "fff", [1, 2, 3])).toEqual(refused(Reject.wrongCount));
    expect(written({ type: "vec3" }, "fffff", [1, 2, 3, 4, 5])).toEqual(refused(Reject.wrongCount));
    expect(written({ type: "vec2" }, "[f][f]", [1, 2])).toEqual(refused(Reject.wrongType));
    expect(written({ type: "vec2" }, "[[ff]]", [1, 2])).toEqual(refused(Reject.wrongType));
    expect(written({ type: "vec2" }, "fs", [1, "2"])).toEqual(refused(Reject.wrongType));
    expect(written({ type: "vec2" }, "[]")).toEqual(refused(Reject.wrongCount));
  });

  it("takes a string from s, S and c, and a blob from b", () => {
    expect(written({ type: "string" }, "s", ["zwölf ☃"])).toBe("zwölf ☃");
    expect(written({ type: "string" }, "S", ["symbol"])).toBe("symbol");
    expect(written({ type: "string" }, "c", [0x41])).toBe("A");
    expect(written({ type: "string" }, "c", [0xffff_ffff])).toEqual(refused(Reject.wrongType));
    expect(written({ type: "blob" }, "b", [Uint8Array.of(1, 2, 3)])).toEqual(Uint8Array.of(1, 2, 3));
  });

  it("refuses what fits no type, and no argument at all", () => {
    expect(written({ type: "float" }, "s", ["0.5"])).toEqual(refused(Reject.wrongType));
    expect(written({ type: "float" }, "N")).toEqual(refused(Reject.wrongType));
    expect(written({ type: "float" }, "m", [1])).toEqual(refused(Reject.wrongType));
    expect(written({ type: "float" }, "t", [1])).toEqual(refused(Reject.wrongType));
    expect(written({ type: "float" }, "")).toEqual(refused(Reject.wrongCount));
    expect(written({ type: "float" }, "ff", [1, 2])).toEqual(refused(Reject.wrongCount));
    expect(written({ type: "float" }, "f", [Number.NaN])).toEqual(refused(Reject.notANumber));
    expect(written({ type: "double" }, "d", [Number.POSITIVE_INFINITY])).toEqual(refused(Reject.notANumber));
    expect(written({ type: "string" }, "f", [1])).toEqual(refused(Reject.wrongType));
    expect(written({ type: "string" }, "b", [Uint8Array.of(65)])).toEqual(refused(Reject.wrongType));
    expect(written({ type: "blob" }, "s", ["A"])).toEqual(refused(Reject.wrongType));
  });

  it("tells a press from a release, and both from nonsense", () => {
    const press = (tags: string, values: readonly Argument[] = []): Press => pressOf(parse(tags, values), 0);
    expect([press(""), press("I"), press("T"), press("f", [0.1]), press("i", [-1])]).toEqual(Array(5).fill(Press.fire));
    expect([press("F"), press("N"), press("i", [0]), press("f", [-0])]).toEqual(Array(4).fill(Press.release));
    expect([press("s", ["bang"]), press("ff", [1, 1]), press("f", [Number.NaN])]).toEqual(Array(3).fill(Press.refused));
  });
});

describe("the type that a first message declares", () => {
  it("is float for every number but d, and follows the other tags", () => {
    const declared = (tags: string, values: readonly Argument[] = []): ValueTypeName | null =>
      declaredTypeOf(parse(tags, values), 0);
    const expected: [string, readonly Argument[], ValueTypeName | null][] = [
      ["i", [1], "float"],
      ["h", [1], "float"],
      ["f", [1], "float"],
      ["d", [1], "double"],
      ["T", [], "bool"],
      ["F", [], "bool"],
      ["s", ["a"], "string"],
      ["S", ["a"], "string"],
      ["c", [65], "string"],
      ["r", [1], "color"],
      ["b", [Uint8Array.of(1)], "blob"],
      ["", [], "impulse"],
      ["I", [], "impulse"],
      ["ff", [1, 2], "vec2"],
      ["fid", [1, 2, 3], "vec3"],
      ["[ffff]", [1, 2, 3, 4], "vec4"],
      ["[f]", [1], "float"],
      ["fffff", [1, 2, 3, 4, 5], null],
      ["fs", [1, "a"], null],
      ["TT", [], null],
      ["N", [], null],
      ["m", [1], null],
      ["t", [1], null],
      ["[]", [], null],
      ["f", [Number.NaN], null],
      ["ff", [1, Number.POSITIVE_INFINITY], null],
    ];
    for (const [tags, values, type] of expected) expect([tags, declared(tags, values)]).toEqual([tags, type]);
  });
});

describe("OSC values out", () => {
  /** The message for a value of a declared type. */
  function sent(input: DeclarationInput, value: Value): unknown {
    const state = new State(8_192);
    const staging = new Staging();
    const declaration = completeDeclaration(input);
    state.declare(0, PATH, declaration);
    staging.value(value);
    if (input.type !== "impulse") expect(coerce(state, 0, staging)).toBe(Reject.none);
    const writer = new OscWriter(new Uint8Array(1_000));
    writer.reset();
    writeValue(writer, PATH, ValueType[input.type], declaration, staging);
    return decode(writer.packet())[0].slice(1);
  }

  it("are exactly of the declared type", () => {
    expect(sent({ type: "float" }, 1)).toEqual(["f", 1]);
    expect(sent({ type: "double" }, 0.1)).toEqual(["d", 0.1]);
    expect(sent({ type: "int" }, -7)).toEqual(["i", -7]);
    expect(sent({ type: "bool" }, true)).toEqual(["T"]);
    expect(sent({ type: "bool" }, false)).toEqual(["F"]);
    expect(sent({ type: "string" }, "hé")).toEqual(["s", "hé"]);
    expect(sent({ type: "enum", values: ["a", "b"] }, 1)).toEqual(["s", "b"]);
    expect(sent({ type: "color" }, [1, 0.5, 0, 1])).toEqual(["r", 0xff_80_00_ff]);
    expect(sent({ type: "vec2" }, [1, 2])).toEqual(["ff", 1, 2]);
    expect(sent({ type: "vec3" }, [1, 2, 3])).toEqual(["fff", 1, 2, 3]);
    expect(sent({ type: "vec4" }, [1, 2, 3, 4])).toEqual(["ffff", 1, 2, 3, 4]);
    expect(sent({ type: "quaternion" }, [0, 0, 0, 1])).toEqual(["ffff", 0, 0, 0, 1]);
    expect(sent({ type: "impulse" }, null)).toEqual(["I"]);
    expect(sent({ type: "blob" }, Uint8Array.of(1, 2, 3))).toEqual(["b", [1, 2, 3]]);
  });
});
