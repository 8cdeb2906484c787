/** Declarations and images as bytes: what goes in comes out; what no encoder makes is refused, whole. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  ClipMode,
  type ClipModeName,
  completeDeclaration,
  type Declaration,
  Easing,
  type EasingName,
  type Value,
  type ValueTypeName,
} from "../../../src/state/declaration.js";
import {
  decodeDeclaration,
  decodeNamed,
  encodeDeclaration,
  encodeNamed,
} from "../../../src/state/declaration-bytes.js";
import { CHUNK_LIMIT_BYTES, ImageDecoder, ImageEncoder } from "../../../src/state/image.js";
import { Staging } from "../../../src/state/staging.js";
import { State } from "../../../src/state/state.js";
import { OriginTable, TermTable } from "../../../src/state/tables.js";

const lane = fc.float({ noNaN: true, noDefaultInfinity: true });
const lanes = (count: number): fc.Arbitrary<number[]> => fc.array(lane, { minLength: count, maxLength: count });
const text = fc.string({ unit: "grapheme", maxLength: 30 });
const VALUES: Readonly<Record<Exclude<ValueTypeName, "enum">, fc.Arbitrary<Value>>> = {
  float: lane,
  double: fc.double({ noNaN: true, noDefaultInfinity: true }),
  int: fc.integer(),
  bool: fc.boolean(),
  string: text,
  color: lanes(4),
  vec2: lanes(2),
  vec3: lanes(3),
  vec4: lanes(4),
  quaternion: lanes(4),
  impulse: fc.constant(null),
  blob: fc.uint8Array({ maxLength: 50 }),
};

const shared = {
  clip: fc.constantFrom(...(Object.keys(ClipMode) as ClipModeName[])),
  unit: text,
  description: text,
  group: text,
  smoothMs: fc.float({ min: 0, max: 60_000, noNaN: true }),
  easing: fc.constantFrom(...(Object.keys(Easing) as EasingName[])),
  oscAlias: fc.constantFrom("", "/x"),
  persist: fc.boolean(),
  undo: fc.boolean(),
  recall: fc.boolean(),
  critical: fc.boolean(),
};
const range = fc.tuple(lane, lane).map(([a, b]) => ({ min: Math.min(a, b), max: Math.max(a, b) }));
const plain = fc
  .constantFrom(...(Object.keys(VALUES) as (keyof typeof VALUES)[]))
  .chain((type) =>
    fc.record(
      { ...shared, type: fc.constant(type), default: VALUES[type], values: fc.constant([] as string[]), range },
      { requiredKeys: [...(Object.keys(shared) as (keyof typeof shared)[]), "type", "default", "values"] },
    ),
  );
const named = fc.uniqueArray(text, { minLength: 1, maxLength: 6 }).chain((values) =>
  fc.record({
    ...shared,
    type: fc.constant("enum" as const),
    values: fc.constant(values),
    default: fc.constantFrom(...values),
  }),
);
const declaration = fc.oneof(plain, named) as fc.Arbitrary<Declaration>;

describe("a declaration's bytes", () => {
  test("are the declaration", () => {
    const property = fc.property(declaration, (value) => {
      const bytes = encodeDeclaration(value) as Uint8Array;
      expect(decodeDeclaration(bytes)).toEqual(value);
      expect(decodeNamed(encodeNamed("/viz/x", value) as Uint8Array)).toEqual({ path: "/viz/x", declaration: value });
    });
    fc.assert(property, { numRuns: 300 });
  });

  test("cut anywhere, or followed by anything, are none", () => {
    const property = fc.property(declaration, (value) => {
      const bytes = encodeDeclaration(value) as Uint8Array;
      for (let end = 0; end < bytes.length; end++) expect(decodeDeclaration(bytes.subarray(0, end))).toBeUndefined();
      expect(decodeDeclaration(Uint8Array.of(...bytes, 0))).toBeUndefined();
    });
    fc.assert(property, { numRuns: 30 });
  });

  test("hold an enum of a thousand names, and no declaration beyond the limit", () => {
    const values = Array.from({ length: 1_000 }, (_, index) => `a longer name ${index}`);
    const large = completeDeclaration({ type: "enum", values });
    expect(decodeDeclaration(encodeDeclaration(large) as Uint8Array)).toEqual(large);
    expect(encodeDeclaration(completeDeclaration({ type: "blob", default: new Uint8Array(40_000) }))).toBeUndefined();
    expect(
      encodeNamed("/viz/x", completeDeclaration({ type: "blob", default: new Uint8Array(32_768) })),
    ).toBeUndefined();
  });

  test("of what no declaration says are refused", () => {
    const sound = encodeDeclaration(completeDeclaration({ type: "float", range: { min: 0, max: 1 } })) as Uint8Array;
    const offsets: readonly (readonly [number, readonly number[]])[] = [
      [0, [0]],
      [0, [14]],
      [2, [4]],
      [3, [5]],
      [4, [0x7f, 0xc0, 0, 0]],
      [4, [0xbf, 0x80, 0, 0]],
      [8, [0x7f, 0xf0, 0, 0, 0, 0, 0, 0]],
      [8, [0x40, 0, 0, 0, 0, 0, 0, 0]],
      [24, [0xff]],
    ];
    for (const [offset, bytes] of offsets) {
      const odd = sound.slice();
      odd.set(bytes, offset);
      expect(decodeDeclaration(odd), `${offset}: ${bytes.join()}`).toBeUndefined();
    }
    const beyond = completeDeclaration({
      type: "enum",
      values: Array.from({ length: 1_025 }, (_, index) => `${index}`),
    });
    expect(decodeDeclaration(encodeDeclaration(beyond) as Uint8Array)).toBeUndefined();
    expect(decodeNamed(encodeNamed("/viz/a path", undefined) as Uint8Array)).toBeUndefined();
    expect(decodeNamed(encodeNamed("/viz/x", undefined) as Uint8Array)?.path).toBe("/viz/x");
  });

  test.each([
    ["float", 1e39],
    ["vec2", [0, 1e39]],
    ["int", 0.5],
    ["int", 2 ** 31],
  ] as const)("with a default that a %s cannot hold are refused: %s", (type, value) => {
    const bytes = encodeDeclaration(completeDeclaration({ type, default: value as Value })) as Uint8Array;
    expect(decodeDeclaration(bytes)).toBeUndefined();
  });
});

interface Row {
  readonly declaration: Declaration;
  readonly value: Value | undefined;
  readonly sequence: number;
  readonly timeUs: number;
  readonly term: number;
  readonly surface: string;
}
const row: fc.Arbitrary<Row> = declaration.chain((one) =>
  fc.record({
    declaration: fc.constant(one),
    value: one.type === "enum" ? fc.constant(undefined) : VALUES[one.type],
    sequence: fc.maxSafeNat(),
    timeUs: fc.double({ noNaN: true, noDefaultInfinity: true }),
    term: fc.nat(3),
    surface: fc.constantFrom("", "fader", "page"),
  }),
);

function tables() {
  return { state: new State(4_400), terms: new TermTable(), origins: new OriginTable() };
}
type Tables = ReturnType<typeof tables>;

function treeOf(rows: readonly Row[], gap = 3, first = 0): Tables {
  const all = tables();
  const { state, terms, origins } = all;
  const staging = new Staging();
  rows.forEach((one, index) => {
    const id = first + index * gap;
    state.declare(id, `/viz/part${index % 5}/x${index}`, one.declaration);
    if (one.value !== undefined && one.value !== null) {
      staging.value(one.value);
      state.store(id, staging);
    }
    state.sequences[id] = one.sequence;
    state.timesUs[id] = one.timeUs;
    state.terms[id] = one.term === 0 ? 0 : terms.intern(one.term, "0000000000000001");
    state.origins[id] = one.surface === "" ? 0 : origins.intern("0000000000000001", one.surface);
  });
  return all;
}

function chunksOf(all: Tables): Uint8Array[] {
  const encoder = new ImageEncoder(all);
  const chunks: Uint8Array[] = [];
  for (let chunk = encoder.next(); chunk !== undefined; chunk = encoder.next()) chunks.push(chunk);
  return chunks;
}

function contents({ state, terms, origins }: Tables): unknown[] {
  return [...state.ids()].map((id) => ({
    ...{ id, path: state.pathOf(id), declaration: state.declarationOf(id), value: state.valueOf(id) },
    ...{ term: terms.at(state.terms[id] as number), origin: origins.at(state.origins[id] as number) },
    ...{ sequence: state.sequences[id], timeUs: state.timesUs[id] },
  }));
}

describe("an image", () => {
  test("is the state: ids, names, declarations, values, versions, origins", () => {
    const property = fc.property(fc.array(row, { maxLength: 12 }), (rows) => {
      const from = treeOf(rows);
      const into = tables();
      // Another node's tables begin otherwise.
      into.terms.intern(9, "0000000000000009");
      into.origins.intern("0000000000000009", "x");
      const decoder = new ImageDecoder(into);
      expect(chunksOf(from).every((chunk) => decoder.push(chunk))).toBe(true);
      expect(contents(into)).toEqual(contents(from));
      expect([decoder.paths, into.state.nextId, into.state.pathCount]).toEqual([
        rows.length,
        from.state.nextId,
        rows.length,
      ]);
    });
    fc.assert(property, { numRuns: 100 });
  });

  test("comes in chunks that are bounded, and each continues the one before", () => {
    const declared = completeDeclaration({ type: "string" });
    const rows = Array.from({ length: 20 }, (_, index) => ({
      ...{
        declaration: declared,
        value: `${index}`.repeat(29_000),
        sequence: index,
        timeUs: 5,
        term: 1,
        surface: "page",
      },
    }));
    const from = treeOf(rows);
    const chunks = chunksOf(from);
    expect(chunks.length).toBeGreaterThan(5);
    expect(Math.max(...chunks.map((chunk) => chunk.length))).toBeLessThan(CHUNK_LIMIT_BYTES);
    const into = tables();
    const decoder = new ImageDecoder(into);
    expect(chunks.every((chunk) => decoder.push(chunk))).toBe(true);
    expect(contents(into)).toEqual(contents(from));
    expect(new ImageDecoder(tables()).push(chunks[1] as Uint8Array)).toBe(false);
  });

  test("writes equal declarations once", () => {
    const one = completeDeclaration({ type: "float", description: "a long description ".repeat(10) });
    const rows = Array.from({ length: 100 }, () => ({
      declaration: one,
      value: 1,
      sequence: 1,
      timeUs: 5,
      term: 1,
      surface: "",
    }));
    expect(chunksOf(treeOf(rows)).reduce((sum, chunk) => sum + chunk.length, 0)).toBeLessThan(100 * 25 + 300);
  });

  test.each([
    ["bool", 0.5],
    ["bool", 2],
    ["int", 0.5],
    ["int", 2 ** 31],
    ["enum", 2],
    ["enum", -1],
    ["enum", 0.5],
    ["float", Number.NaN],
    ["float", Number.POSITIVE_INFINITY],
    ["double", Number.NEGATIVE_INFINITY],
  ] as const)("with a value that no %s holds is refused: %d", (type, value) => {
    const declared = completeDeclaration({ type, ...(type === "enum" ? { values: ["left", "right"] } : {}) });
    const from = treeOf([{ declaration: declared, value: undefined, sequence: 1, timeUs: 5, term: 1, surface: "" }]);
    expect(chunksOf(from).every((chunk) => new ImageDecoder(tables()).push(chunk))).toBe(true);
    from.state.numbers[0] = value;
    expect(chunksOf(from).every((chunk) => new ImageDecoder(tables()).push(chunk))).toBe(false);
  });

  test("that names a path, an id or a place twice, or none, is refused", () => {
    const declared = completeDeclaration({ type: "float" });
    const one = { declaration: declared, value: 1, sequence: 1, timeUs: 5, term: 1, surface: "" };
    const [chunk] = chunksOf(treeOf([one])) as [Uint8Array];
    const twice = new ImageDecoder(tables());
    expect([twice.push(chunk), twice.push(chunk)]).toEqual([true, false]);
    const [same] = chunksOf(treeOf([one], 3, 7)) as [Uint8Array];
    const elsewhere = new ImageDecoder(tables());
    expect([elsewhere.push(chunk), elsewhere.push(same)]).toEqual([true, false]);
    for (let end = 1; end < chunk.length; end++) {
      expect(new ImageDecoder(small).push(chunk.subarray(0, end)), `cut at ${end}`).toBe(false);
      small.state.clear();
    }
  });
});

const small = tables();
