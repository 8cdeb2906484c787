/** Which right name a wrong one was meant to be. */
import { expect, it } from "vitest";
import { nearestName } from "../../../src/config/nearest-name.js";

const NAMES = ["channel", "note", "cc", "encoding", "selfEcho"];

it.each([
  ["chanel", "channel"],
  ["ntoe", "note"],
  ["Note", "note"],
  ["selfecho", "selfEcho"],
  ["encodign", "encoding"],
  ["c", "cc"],
  ["velocity", undefined],
  ["", undefined],
  ["x".repeat(10_000), undefined],
])("takes %s for %s", (wrong, right) => {
  expect(nearestName(wrong, NAMES)).toBe(right);
});
