/** Values as long as they may be, which no datagram of the mesh holds, from any node to any other. */
import { beforeAll, describe, expect, it } from "vitest";
import { inSync, type LibraryPeer } from "../harness/library-peer.js";
import { sendTo } from "../harness/osc-bundles.js";
import { record, until } from "../harness/until.js";
import { startPeer } from "./harness.js";

const LIMIT = 60_000;
const TEXT = "☃abc".repeat(LIMIT / 6);
const BYTES = Uint8Array.from({ length: LIMIT }, (_, index) => (index * 31) & 0xff);

let peers: LibraryPeer[];

beforeAll(async () => {
  const controller = await startPeer({ name: "controls" });
  await until(
    () => controller.status(),
    ({ role }) => role === "controller",
    "a controller",
  );
  peers = [controller, await startPeer({ name: "follows" })];
  await inSync(peers);
});

async function arrives(peer: LibraryPeer, path: string, value: string | Uint8Array): Promise<void> {
  await until(
    () => peer.get(path),
    (found) => isSame(found, value),
    `${value.length} at ${path}`,
  ).catch((error: unknown) => {
    throw new Error(String(error).slice(0, 200));
  });
}

function isSame(found: unknown, value: string | Uint8Array): boolean {
  return found instanceof Uint8Array ? Buffer.compare(found, value as Uint8Array) === 0 : found === value;
}

describe.each([
  ["controller", 0],
  ["follower", 1],
] as const)("on the %s", (role, index) => {
  let here: LibraryPeer;
  let there: LibraryPeer;
  beforeAll(() => {
    here = peers[index] as LibraryPeer;
    there = peers[1 - index] as LibraryPeer;
  });

  it.each([
    ["string", TEXT],
    ["blob", BYTES],
  ] as const)("a %s of 60,000 bytes reaches the other", async (type, value) => {
    const path = `/viz/long/${role}-${type}`;
    await here.declare(path, { type });
    const beganMs = Date.now();
    await here.write(path, value);
    record(`a ${type} of 60,000 bytes on the ${role}`, { "confirmed after ms": Date.now() - beganMs });
    await arrives(there, path, value);
    await inSync(peers);
  });

  it("one byte more is refused", async () => {
    for (const [type, value] of [
      ["string", `${TEXT}.`],
      ["blob", new Uint8Array(LIMIT + 1)],
    ] as const) {
      const path = `/viz/long/${role}-${type}-too-long`;
      await here.declare(path, { type });
      await expect(here.write(path, value)).rejects.toMatchObject({ reason: "longer than 60,000 bytes" });
    }
  });

  it("long and short values that follow each other arrive in their order", async () => {
    const [long, short] = [`/viz/long/${role}-mixed`, `/viz/long/${role}-short`];
    const { changes, end } = await there.subscribe(short);
    for (let round = 1; round <= 10; round++) {
      await here.set(long, `${round}${TEXT}`.slice(0, 20_000));
      await here.set(short, round);
    }
    await here.write(short, 11);
    await arrives(there, long, `10${TEXT}`.slice(0, 20_000));
    const values = await until(
      () => changes().map(({ value }) => Number(value)),
      (seen) => seen.at(-1) === 11,
      "the last value",
    );
    expect(values).toEqual([...values].sort((left, right) => left - right));
    await end();
    await inSync(peers);
  });

  it("a blob that a surface sends is in the show of both", async () => {
    const path = `/viz/long/${role}-blob`;
    const bytes = BYTES.map((byte) => byte ^ 0xff);
    const head = Buffer.alloc(Math.ceil((path.length + 1) / 4) * 4 + 8);
    head.write(path);
    head.write(",b", head.length - 8);
    head.writeUInt32BE(LIMIT, head.length - 4);
    await sendTo(here.port, [Buffer.concat([head, bytes])]);
    for (const peer of peers) await arrives(peer, path, bytes);
  });
});

it("a node that joins later has them all", async () => {
  const late = await startPeer({ name: "late" });
  await inSync([...peers, late]);
  expect(isSame(await late.get("/viz/long/controller-string"), TEXT)).toBe(true);
  expect(isSame(await late.get("/viz/long/follower-string"), TEXT)).toBe(true);
  await late.close();
});
