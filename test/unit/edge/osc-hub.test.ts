/** The OSC hub as it is made at the edge: what it must not leave to whoever sends. */
import { describe, expect, test } from "vitest";
import { type AddressBlock, parseBlock } from "../../../src/config/addresses.js";
import type { Settings } from "../../../src/config/settings.js";
import { OscHub } from "../../../src/edge/osc-hub.js";
import type { OscSocket } from "../../../src/edge/osc-socket.js";
import { AllowList } from "../../../src/input/allow-list.js";
import { type Argument, message } from "../input/osc-node.js";
import { Mesh, type MeshNode } from "../node/mesh.js";

const SETTINGS = { osc: { rateLimit: 50_000, timetags: "honour", throttleHz: 0 } } as unknown as Settings;

/** The slot that an address has in a hub's table. */
function slotOf(address: string): number {
  const node = new Mesh(1).add();
  node.declare(address, { type: "float" });
  const hub = new OscHub(node.hana, {} as OscSocket, SETTINGS, new AllowList([]), () => {});
  const table = hub.input["addresses"];
  const bytes = new TextEncoder().encode(address);
  expect(table.lookup(bytes, 0, bytes.length)).toBeGreaterThanOrEqual(0);
  return table["slots"].findIndex((entry) => entry !== 0);
}

test("two nodes keep an address at places that nobody can foresee", () => {
  const slots = Array.from({ length: 8 }, () => slotOf("/viz/x"));
  expect(new Set(slots).size).toBeGreaterThan(1);
});

/** A surface at a node of a mesh, and the port that it sends from. */
class Hand {
  readonly node: MeshNode;
  readonly hub: OscHub;
  private readonly mesh: Mesh;

  constructor(mesh: Mesh, node: MeshNode) {
    this.mesh = mesh;
    this.node = node;
    const socket = { sendTo: () => {} } as unknown as OscSocket;
    const allow = new AllowList([parseBlock("10.0.0.0/8") as AddressBlock]);
    this.hub = new OscHub(node.hana, socket, SETTINGS, allow, () => {});
  }

  send(address: string, tags: string, values: readonly Argument[], port = 9_000, host = "10.9.9.9"): void {
    const bytes = message(address, tags, values);
    this.node.turn(() => this.hub.input.receive(bytes, 0, bytes.length, host, port));
    this.mesh.run(20_000);
  }

  move(value: number, port?: number): unknown {
    this.send("/viz/x", "f", [value], port);
    return this.mesh.nodes[0]?.value("/viz/x");
  }
}

describe.each(["the controller", "a follower"])("a surface at %s that moves a path", (who) => {
  function handOf(): Hand {
    const mesh = new Mesh(1);
    const [first, second] = [mesh.add(), mesh.add()];
    mesh.until(() => mesh.isSettled);
    first.declare("/viz/x", { type: "float" });
    mesh.run(100_000);
    return new Hand(mesh, who === "a follower" ? second : first);
  }

  test("goes on while it subscribes, and while its subscription ends", () => {
    const hand = handOf();
    expect([hand.move(1), hand.move(2)]).toEqual([1, 2]);
    // Of others nothing changes.
    hand.send("/hana/subscribe", "si", ["/viz/y", 10], 9_000, "10.9.9.8");
    hand.send("/hana/subscribe", "si", ["/viz/y", 10]);
    expect([hand.move(3), hand.move(4)]).toEqual([3, 4]);
    hand.send("/hana/unsubscribe", "", []);
    expect([hand.move(5), hand.move(6)]).toEqual([5, 6]);
  });

  test("holds it still against another port that subscribes", () => {
    const hand = handOf();
    hand.send("/hana/subscribe", "si", ["/viz/y", 10]);
    expect([hand.move(1), hand.move(2)]).toEqual([1, 2]);
    hand.send("/hana/subscribe", "si", ["/viz/y", 10], 9_001);
    expect(hand.move(3, 9_001)).toBe(2);
  });
});
