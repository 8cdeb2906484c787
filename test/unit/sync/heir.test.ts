/** Who gets the term of a controller that goes. */
import { expect, test } from "vitest";
import { heirOf } from "../../../src/sync/heir.js";
import { Peer } from "../../../src/sync/peers.js";
import { FitnessLevel } from "../../../src/wire/fitness.js";

function peer(node: string, fields: Partial<Peer> = {}): Peer {
  return Object.assign(new Peer(node), { isInSync: true, priority: 100 }, fields);
}

test.each([
  ["nobody", [], undefined],
  [
    "nobody who is not in sync, or never is controller",
    [peer("a", { isInSync: false }), peer("b", { priority: 0 })],
    undefined,
  ],
  ["the highest priority, whatever the rest", [peer("a"), peer("b", { priority: 101, level: FitnessLevel.red })], "b"],
  ["of equals not one that gets the newest values only", [peer("a", { isConflated: true }), peer("b")], "b"],
  ["of equals the one that fares better", [peer("a", { level: FitnessLevel.yellow }), peer("b")], "b"],
  ["of equals the lowest id", [peer("c"), peer("a"), peer("b")], "a"],
])("is %s", (_, peers, heir) => {
  expect(heirOf(peers)).toBe(heir);
});
