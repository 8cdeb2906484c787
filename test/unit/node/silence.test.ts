/** A follower learns from the controller's list alone who is there, whenever in the second that list comes. */
import { expect, test } from "vitest";
import { healthOfPeer } from "../../../src/sync/peer-health.js";
import { HealthCode } from "../../../src/node/health.js";
import { Mesh } from "./mesh.js";

test.each([0, 100, 300, 500, 700, 900])(
  "a node whose reports come %i ms later than they did is not silent to anybody",
  (shiftMs) => {
    const mesh = new Mesh(1);
    for (let count = 0; count < 3; count++) mesh.add();
    mesh.until(() => mesh.isSettled);
    const [first, second, third] = mesh.nodes as [Mesh["nodes"][0], Mesh["nodes"][0], Mesh["nodes"][0]];
    mesh.run(5_000_000);
    third.pause();
    mesh.run(shiftMs * 1_000);
    third.resume();
    const seen = new Set<string>();
    // That it was held up is told for a minute.
    mesh.run(70_000_000);
    for (let step = 0; step < 600; step++) {
      mesh.run(20_000);
      for (const node of [first, second]) {
        const peer = node.hana.peers.get(third.id);
        if (peer === undefined) throw new Error("unknown");
        seen.add(healthOfPeer(peer, 0, node.hana.peers.asOfUs(node.hana.core.clock.nowUs)));
        seen.add(node.hana.health.list().find(({ code }) => code === HealthCode.peers)?.text ?? "");
      }
    }
    expect([...seen].sort()).toEqual(["", "green"]);
  },
);
