import { expect, test } from "vitest";
import { JoinWarmUp } from "../../../src/node/join-warm-up.js";

test("the join warm-up takes in whole snapshots until it is done", () => {
  const warmUp = new JoinWarmUp();
  while (!warmUp.isDone) expect(warmUp.step()).toBe(100);
});
