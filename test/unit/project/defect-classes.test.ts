/** Kinds of defects that come back in programs of this field: each has a test, and the table that says which is true. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

const folder = join(import.meta.dirname, "../..");

const KINDS = [
  "reconnect resurrects deletes",
  "reconnect leaves one direction dead",
  "half-connected for ever after one bad record",
  "first snapshot stale when changed with nobody connected",
  "echo with rounding (7-bit) drifts the value",
  "repetition filter before clip",
  "pick-up skipped by a fast move",
  "MSB/LSB tear",
  "LED burst dropped by device",
  "duplicate datagrams from two cards",
  "group silently pruned",
  "port list changes twice within a second",
  "device order swapped after replug",
  "toggle executed on both main and backup",
  "failed writer returns and writes old epoch",
  "undo after foreign overwrite",
  "nested bundle",
  "timetag in the past",
  "int for float",
  "string for number",
  "empty argument",
  "path pattern that matches everything",
];
/** What they need does not exist yet. */
const LATER = ["undo after foreign overwrite"];

interface Row {
  readonly kind: string;
  readonly file: string;
  readonly title: string;
}

/** The rows of the table of kinds. */
function readRows(text: string): Row[] {
  const [, table = ""] = text.split("| kind | file | test |");
  return [...table.matchAll(/^\| (.+?) \| (?:`(.+?)`|-) \| (.+?) \|$/gm)].map(
    ([, kind = "", file = "", title = ""]) => {
      return { kind, file, title };
    },
  );
}

/** What is wrong with a row; "" when its test is there. */
function wrongWith({ file, title }: Row): string {
  if (!existsSync(join(folder, file))) return `${file} is not there`;
  const source = readFileSync(join(folder, file), "utf8");
  const escaped = title.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  // The first argument of a call, of `it` or of what `it.each` gives.
  const isTest = new RegExp(`\\(\\s*"${escaped}",`).test(source);
  return isTest ? "" : `${file} has no test "${title}"`;
}

const rows = readRows(readFileSync(join(folder, "README.md"), "utf8"));

it("has a row for every kind, and none for any other", () => {
  expect([...new Set(rows.map(({ kind }) => kind))]).toEqual(KINDS);
});

it("names tests that are there", () => {
  const named = rows.filter(({ file }) => file !== "");
  expect(named.map(wrongWith).filter((text) => text !== "")).toEqual([]);
  const without = KINDS.filter((kind) => !named.some((row) => row.kind === kind));
  expect(without).toEqual(LATER);
});

it("would tell a test that is gone, and a file", () => {
  const [row] = rows as [Row];
  expect(wrongWith({ ...row, title: `${row.title}?` })).toContain("has no test");
  expect(wrongWith({ ...row, file: "unit/none.test.ts" })).toContain("is not there");
});
