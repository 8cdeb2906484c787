/** What a joiner gets of what the desk keeps: an image that holds all that its first frame presupposes, or none yet. */
import { beforeEach, expect, test } from "vitest";
import { type SnapshotContents, SnapshotSource } from "../../../src/edge/snapshot-source.js";
import { OriginTable, TermTable } from "../../../src/state/tables.js";
import { State } from "../../../src/state/state.js";
import type { SnapshotImage } from "../../../src/sync/snapshot-transfer.js";
import { decodeHeader, RecordKind } from "../../../src/wire/snapshot-records.js";

const NODE = "0000000000000001";

let contents: SnapshotContents;
let source: SnapshotSource;

beforeEach(() => {
  contents = at(54);
  source = new SnapshotSource(() => contents);
  source.setTerm({ number: 1, node: NODE }, []);
});

function at(sequence: number, origins = new OriginTable()): SnapshotContents {
  const standings = { bytes: new Uint8Array(0), sequence };
  return { state: new State(8_192), terms: new TermTable(), origins, sequence, standings };
}

function ask(minSequence: number, begun?: SnapshotImage): SnapshotImage | undefined {
  return source.image({ minSequence, image: begun?.image ?? 0, term: begun?.term ?? "", records: 0 });
}

function originsOf(image: SnapshotImage | undefined): unknown {
  const [header] = image?.records ?? [];
  expect(header?.[0]).toBe(RecordKind.header);
  return decodeHeader((header as Uint8Array).subarray(1))?.origins;
}

test("is the same for all who come soon after each other", () => {
  const first = ask(54);
  contents = at(60);
  expect(ask(54)).toBe(first);
  expect(ask(55)).not.toBe(first);
});

test("is not there before all that is asked for is", () => {
  expect(ask(55)).toBeUndefined();
});

test("is made anew when an origin was told since, which is no change: values of it would be nobody's", () => {
  const first = ask(54);
  contents.origins.intern(NODE, "pad");
  for (const image of [ask(54), ask(54, first)]) {
    expect(image).not.toBe(first);
    expect(originsOf(image)).toContainEqual({ node: NODE, surface: "pad" });
  }
});

test("goes on where it broke, also when a newer one was made", () => {
  const first = ask(54);
  contents = at(60);
  const second = ask(60);
  expect(ask(54, first)).toBe(first);
  expect(ask(60, first)).toBe(second);
});
