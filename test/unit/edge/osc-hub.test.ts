/** The OSC hub as it is made at the edge: what it must not leave to whoever sends. */
import { expect, test } from "vitest";
import type { Settings } from "../../../src/config/settings.js";
import { OscHub } from "../../../src/edge/osc-hub.js";
import type { OscSocket } from "../../../src/edge/osc-socket.js";
import { AllowList } from "../../../src/input/allow-list.js";
import { Mesh } from "../node/mesh.js";

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
