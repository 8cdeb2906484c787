import { describe, expect, it } from "vitest";
import {
  deriveFrameKey,
  deriveSnapshotKey,
  meetingGroup,
  meshTag,
  SnapshotDirection,
  streamGroup,
} from "../../../src/security/mesh-identity.js";

const key = new Uint8Array(32).fill(9);

describe("a mesh name", () => {
  const places = (name: string) => [meshTag(name), streamGroup(name), meetingGroup(name)];

  it("gives a tag and two groups that are pinned: nodes of two versions must meet", () => {
    expect(places("default")).toEqual([480332926, "239.77.2.124", "239.77.130.124"]);
    expect(places("Größe")).toEqual([1224745663, "239.77.144.38", "239.77.16.38"]);
  });

  it.each([
    ["the stream", streamGroup],
    ["the meeting", meetingGroup],
  ])("gives %s a group in 239.77.0.0/16 that never ends in 0 or 255, and uses all of it", (_, groupOf) => {
    const groups = Array.from({ length: 5_000 }, (_, number) => groupOf(`mesh ${number}`));
    const last = groups.map((group) => Number(group.split(".")[3]));
    expect(groups.every((group) => /^239\.77\.\d+\.\d+$/.test(group))).toBe(true);
    expect([Math.min(...last), Math.max(...last)]).toEqual([1, 254]);
    expect(new Set(groups).size).toBeGreaterThan(4_500);
  });

  it("never gives both the same group, nor two that a network card takes for one", () => {
    // RFC 1112, 6.4: a card filters by the lower 23 bits.
    const card = (group: string): string => group.split(".").slice(2).join(".");
    const names = Array.from({ length: 5_000 }, (_, number) => `mesh ${number}`);
    expect(names.filter((name) => card(streamGroup(name)) === card(meetingGroup(name)))).toEqual([]);
  });
});

describe("derived keys", () => {
  const frameKey = (identity: number[], meshKey = key) => {
    const output = new Uint8Array(32);
    deriveFrameKey(output, meshKey, Uint8Array.from(identity), 0);
    return Buffer.from(output).toString("hex");
  };
  const identity = [...Array(16).keys()];

  it("are pinned", () => {
    expect(frameKey(identity)).toMatchInlineSnapshot(
      `"472be1fcc03500fd5269d6e7fafa7cc37fc87151a4b0a76553274093331066b4"`,
    );
    const nonces = [new Uint8Array(16).fill(1), new Uint8Array(16).fill(2)] as const;
    const toClient = deriveSnapshotKey(key, ...nonces, SnapshotDirection.toClient);
    expect(Buffer.from(toClient).toString("hex")).toMatchInlineSnapshot(
      `"8e6b7ddcdd4246f0e55f19b5409b0bfea57a4e84a245c772f7bb32e52c5c75ae"`,
    );
  });

  it("differ for every byte of node, session and mesh key", () => {
    const keys = new Set([frameKey(identity), frameKey(identity, key.slice().fill(8, 31))]);
    for (let at = 0; at < 16; at++) keys.add(frameKey(identity.map((byte, index) => (index === at ? byte ^ 1 : byte))));
    expect(keys.size).toBe(18);
  });

  it("differ by direction and by either nonce", () => {
    const nonce = (byte: number) => new Uint8Array(16).fill(byte);
    const keys = [
      deriveSnapshotKey(key, nonce(1), nonce(2), SnapshotDirection.toClient),
      deriveSnapshotKey(key, nonce(1), nonce(2), SnapshotDirection.toServer),
      deriveSnapshotKey(key, nonce(2), nonce(1), SnapshotDirection.toClient),
      deriveSnapshotKey(key, nonce(1), nonce(3), SnapshotDirection.toClient),
    ];
    expect(new Set(keys.map((bytes) => Buffer.from(bytes).toString("hex"))).size).toBe(4);
  });
});
