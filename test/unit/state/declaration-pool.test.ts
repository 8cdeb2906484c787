import { describe, expect, it } from "vitest";
import { completeDeclaration, type Declaration, type DeclarationInput } from "../../../src/state/declaration.js";
import {
  decodeDeclaration,
  decodeNamed,
  encodeDeclaration,
  encodeNamed,
  sameDeclaration,
  sharedDeclaration,
} from "../../../src/state/declaration-bytes.js";
import { DeclarationPool } from "../../../src/state/declaration-pool.js";
import { State } from "../../../src/state/state.js";

const FLOAT: DeclarationInput = { type: "float", range: { min: 0, max: 2 }, unit: "m", description: "of the pool" };

function bytesOf(input: DeclarationInput): Uint8Array {
  return encodeDeclaration(completeDeclaration(input)) as Uint8Array;
}

describe("equal declarations", () => {
  it("are one object, wherever they come from", () => {
    const shared = sharedDeclaration(completeDeclaration(FLOAT));
    expect(shared).toEqual(completeDeclaration(FLOAT));
    expect(sharedDeclaration(completeDeclaration(FLOAT))).toBe(shared);
    expect(decodeDeclaration(bytesOf(FLOAT))).toBe(shared);
    const named = encodeNamed("/viz/a", completeDeclaration(FLOAT)) as Uint8Array;
    expect(decodeNamed(named)?.declaration).toBe(shared);
    const state = new State(5_000);
    state.declare(1, "/viz/a", completeDeclaration(FLOAT));
    expect(state.declarationOf(1)).toBe(shared);
  });

  it("are frozen, the lists in them too", () => {
    const inputs: DeclarationInput[] = [FLOAT, { type: "enum", values: ["a", "b"] }, { type: "vec2", default: [1, 2] }];
    for (const input of inputs) {
      const { range, values, default: value, ...rest } = sharedDeclaration(completeDeclaration(input));
      for (const part of [range, values, value]) expect(Object.isFrozen(part)).toBe(true);
      expect(rest.type).toBe(input.type);
    }
  });

  it("are the same however long, and differ in any field", () => {
    const long: DeclarationInput = { type: "string", default: "x".repeat(2_000) };
    expect(sameDeclaration(completeDeclaration(long), completeDeclaration(long))).toBe(true);
    expect(sameDeclaration(completeDeclaration(FLOAT), completeDeclaration({ ...FLOAT, undo: false }))).toBe(false);
    expect(sameDeclaration(completeDeclaration(FLOAT), undefined)).toBe(false);
  });

  it("said by other bytes are still one, and are sent on as this node says them", () => {
    const sound = bytesOf({ type: "bool", default: false, description: "said otherwise" });
    const odd = sound.slice();
    odd[odd.length - 8] = 0x40;
    const shared = decodeDeclaration(sound) as Declaration;
    expect(decodeDeclaration(odd)).toBe(shared);
    expect(encodeDeclaration(decodeDeclaration(odd) as Declaration)).toEqual(sound);
  });

  it("of blobs keep their own bytes", () => {
    const blob = (): Declaration =>
      decodeDeclaration(bytesOf({ type: "blob", default: Uint8Array.of(1) })) as Declaration;
    (blob().default as Uint8Array)[0] = 9;
    expect(blob().default).toEqual(Uint8Array.of(1));
  });
});

describe("the pool", () => {
  const make = (number: number): { declaration: Declaration; bytes: Uint8Array } => {
    const declaration = completeDeclaration({ type: "int", default: number });
    return { declaration, bytes: encodeDeclaration(declaration) as Uint8Array };
  };

  it("keeps what is used and forgets the rest", () => {
    const pool = new DeclarationPool();
    const [used, unused] = [make(-1), make(-2)];
    pool.add(used.declaration, used.bytes);
    pool.add(unused.declaration, unused.bytes);
    for (let number = 0; number < 20_000; number++) {
      const { declaration, bytes } = make(number);
      pool.add(declaration, bytes);
      if (number % 1_000 === 0) expect(pool.find(used.bytes, 0, used.bytes.length)).toBe(used.declaration);
    }
    expect(pool.bytesOf(used.declaration)).toBe(used.bytes);
    expect(pool.bytesOf(unused.declaration)).toBeUndefined();
    expect(pool.find(unused.bytes, 0, unused.bytes.length)).toBeUndefined();
  });

  it("finds nothing for bytes that are cut or go on", () => {
    const pool = new DeclarationPool();
    const { declaration, bytes } = make(3);
    pool.add(declaration, bytes);
    for (let end = 0; end < bytes.length; end++) expect(pool.find(bytes, 0, end)).toBeUndefined();
    expect(pool.find(Uint8Array.of(...bytes, 0), 0, bytes.length + 1)).toBeUndefined();
    expect(pool.find(Uint8Array.of(7, ...bytes), 1, bytes.length + 1)).toBe(declaration);
  });
});
