/** The tables of terms and origins: bounded against whoever tells of them. */
import { expect, test } from "vitest";
import { completeDeclaration } from "../../../src/state/declaration.js";
import { ImageDecoder, ImageEncoder } from "../../../src/state/image.js";
import { State } from "../../../src/state/state.js";
import { ORIGINS_MAX, OriginTable, TERMS_MAX, TermTable } from "../../../src/state/tables.js";

const HOSTILE = "00000000000000aa";
const OWN = "0000000000000001";

/** An image whose paths have as many terms, or origins. */
function imageOf(count: number, what: "terms" | "origins"): Uint8Array[] {
  const state = new State(count + 4_200);
  const declaration = completeDeclaration({ type: "bool" });
  const terms = new TermTable();
  const origins = new OriginTable();
  terms.at = (index) => ({ number: index, node: HOSTILE });
  origins.at = (index) => ({ node: HOSTILE, surface: `${index}` });
  for (let id = 0; id < count; id++) {
    state.declare(id, `/viz/${id}`, declaration);
    state[what][id] = id + 1;
  }
  const encoder = new ImageEncoder({ state, terms, origins });
  const chunks: Uint8Array[] = [];
  for (let chunk = encoder.next(); chunk !== undefined; chunk = encoder.next()) chunks.push(chunk);
  return chunks;
}

function decodes(chunks: readonly Uint8Array[], terms: TermTable, origins = new OriginTable()): boolean {
  const decoder = new ImageDecoder({ state: new State(80_000), terms, origins });
  return chunks.every((chunk) => decoder.push(chunk));
}

test("an image of more terms than there is room for is refused, and this node's own still fit", () => {
  const terms = new TermTable();
  for (let number = 1; number <= 100; number++) terms.intern(number, OWN);
  expect(decodes(imageOf(TERMS_MAX, "terms"), terms)).toBe(false);
  expect(terms.hear(1, "00000000000000bb")).toBe(-1);
  expect(terms.hear(7, HOSTILE)).toBe(terms.hear(7, HOSTILE));
  for (let number = 101; number <= 1_000; number++) expect(terms.at(terms.intern(number, OWN)).number).toBe(number);
  expect(terms.size).toBeLessThanOrEqual(TERMS_MAX + 1);
});

test("an image of as many origins as a table holds is taken, one of more is not", () => {
  expect(decodes(imageOf(ORIGINS_MAX - 1, "origins"), new TermTable())).toBe(true);
  expect(decodes(imageOf(ORIGINS_MAX + 1, "origins"), new TermTable())).toBe(false);
});
