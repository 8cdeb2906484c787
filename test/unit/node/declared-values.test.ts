/** A follower declares a path and sets it at once, over a network that loses and delays: the value must stand. */
import { expect, test } from "vitest";
import { Mesh, type MeshNode } from "./mesh.js";

const PATH = "/viz/x";
const SEEDS = 60;

test("what is set right behind a declaration stands, however late either frame comes", () => {
  const lost: number[] = [];
  for (let seed = 1; seed <= SEEDS; seed++) {
    const mesh = new Mesh(seed);
    mesh.add();
    mesh.run(1_000_000);
    mesh.add();
    mesh.until(() => mesh.isSettled);
    mesh.run(300_000);
    const [first, second] = mesh.nodes as [MeshNode, MeshNode];
    mesh.faults = { ...mesh.faults, loss: 0.3, maxDelayUs: seed % 2 === 0 ? 2_000 : 60_000 };
    second.declare(PATH, { type: "float", range: { min: 0, max: 8 } });
    mesh.run(200 * (seed % 50));
    second.write(PATH, 4, "fader");
    mesh.run(1_000_000);
    mesh.faults = { ...mesh.faults, loss: 0 };
    mesh.run(3_000_000);
    if (first.value(PATH) !== 4 || second.value(PATH) !== 4) lost.push(seed);
  }
  expect(lost).toEqual([]);
});
