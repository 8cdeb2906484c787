/** A snapshot may hold changes that the stream has not brought yet, and then it does not say whose writes those were. */
import { expect, test } from "vitest";
import { FollowState } from "../../../src/node/follower.js";
import { CLEAN, Mesh, type MeshNode } from "./mesh.js";

/** A node whose snapshot was made after a write, of which the stream has told it nothing; the snapshot may have. */
function joinedAhead(isTold = false): { mesh: Mesh; first: MeshNode; joiner: MeshNode } {
  const mesh = new Mesh(1, { ...CLEAN, minDelayUs: 5_000, maxDelayUs: 5_000 });
  const first = mesh.add();
  mesh.run(1_000_000);
  first.declare("/viz/x", { type: "int" });
  mesh.run(100_000);
  const joiner = mesh.add();
  mesh.until(() => joiner.hana.follower.state === FollowState.joining);
  mesh.drop = (from, to) => from === first && to === joiner;
  if (!isTold) first.tellStandings();
  first.write("/viz/x", 1);
  mesh.until(() => joiner.value("/viz/x") === 1);
  return { mesh, first, joiner };
}

function claims({ hana: { core, follower } }: MeshNode): { isWhole: boolean; isAllIncluded: boolean } {
  const { lineage, term, sequence } = core;
  return { isWhole: follower.isWhole, isAllIncluded: lineage.includes(term, sequence[0] as number) };
}

test("who joined claims in an election no more than the stream has brought", () => {
  const { mesh, joiner } = joinedAhead();
  mesh.run(50_000);
  expect(joiner.hana.follower.state).toBe(FollowState.inSync);
  expect(claims(joiner)).toEqual({ isWhole: false, isAllIncluded: false });
});

test.each([
  ["the next change", 0],
  ["the controller's word of where it stands", 1_000_000],
])("and all of it once %s has come", (_, quietUs) => {
  const { mesh, first, joiner } = joinedAhead();
  mesh.drop = () => false;
  if (quietUs === 0) first.write("/viz/x", 2);
  mesh.run(quietUs + 30_000);
  joiner.turn(() => joiner.hana.follower.noteWhole());
  expect(claims(joiner)).toEqual({ isWhole: true, isAllIncluded: true });
});

test("who joined claims all at once when its snapshot says where the writers stand in all of it", () => {
  const { mesh, joiner } = joinedAhead(true);
  mesh.run(50_000);
  expect(claims(joiner)).toEqual({ isWhole: true, isAllIncluded: true });
});
