import { describe, expect, it } from "vitest";
import { NO_REQUEST } from "../../../src/input/osc-requests.js";
import { type Argument, bundle, HOST, message, OscRig, type Sent } from "./osc-node.js";

const SECOND = 1_000_000;
const CLIENT = 40_000;

function rigWith(...paths: string[]): OscRig {
  const rig = new OscRig();
  for (const path of paths) rig.node.declare(path, { type: "float" });
  return rig;
}

/** Sends a request from the client and takes what comes back to a port in that turn. */
function ask(rig: OscRig, address: string, tags = "", values: readonly Argument[] = [], port = CLIENT): Sent[] {
  rig.message(address, tags, values, CLIENT);
  rig.turn();
  return rig.sender.take(port);
}

describe("/hana/subscribe", () => {
  it("is answered with pattern and lease, then the state, then changes, at the sender's own port", () => {
    const rig = rigWith("/viz/a/x", "/viz/b/x");
    expect(ask(rig, "/hana/subscribe", "si", ["/viz/a/*", 10])).toEqual([
      ["/hana/subscribed", "sf", "/viz/a/*", 10],
      ["/viz/a/x", "f", 0],
    ]);
    rig.node.set("/viz/a/x", 1);
    rig.node.set("/viz/b/x", 1);
    rig.turn();
    expect(rig.sender.take()).toEqual([["/viz/a/x", "f", 1]]);
    expect(rig.count("requests")).toBe(1);
  });

  it("means every path for 30 seconds when it says nothing", () => {
    const rig = rigWith("/viz/x", "/global/tempo");
    expect(ask(rig, "/hana/subscribe")).toEqual([
      ["/hana/subscribed", "sf", "//*", 30],
      ["/viz/x", "f", 0],
      ["/global/tempo", "f", 0],
    ]);
    rig.node.advance(30 * SECOND - 1);
    rig.turn();
    expect(rig.subscribers.count).toBe(1);
    expect(rig.subscribers.nextDueUs).toBe(rig.node.clock.nowUs + 1);
    rig.node.advance(1);
    rig.turn();
    expect([rig.subscribers.count, rig.count("leasesExpired")]).toEqual([0, 1]);
    rig.node.set("/viz/x", 1);
    rig.turn();
    expect(rig.sender.take()).toEqual([]);
  });

  it("keeps its lease between one second and one hour", () => {
    const rig = rigWith();
    expect(ask(rig, "/hana/subscribe", "f", [0.1])).toEqual([["/hana/subscribed", "sf", "//*", 1]]);
    expect(ask(rig, "/hana/subscribe", "i", [100_000])).toEqual([["/hana/subscribed", "sf", "//*", 3_600]]);
    expect(rig.subscribers.count).toBe(1);
  });

  it("ties its sender to the subscription: what it sets is not sent back to it", () => {
    const rig = rigWith("/viz/x");
    ask(rig, "/hana/subscribe");
    rig.message("/viz/x", "f", [1], CLIENT);
    rig.turn();
    expect(rig.sender.take()).toEqual([]);
    rig.message("/viz/x", "f", [2], CLIENT + 1);
    rig.turn();
    expect(rig.sender.take(CLIENT)).toEqual([["/viz/x", "f", 2]]);
  });

  it("ties its sender to each of its subscriptions, however late it comes", () => {
    const rig = new OscRig();
    rig.node.declare("/viz/x", { type: "float", range: { min: 0, max: 1 } });
    ask(rig, "/hana/subscribe");
    rig.message("/viz/x", "f", [0.5], CLIENT);
    ask(rig, "/hana/subscribe", "sii", ["//*", 10, 9_000]);
    rig.sender.take();
    rig.message("/viz/x", "f", [2], CLIENT);
    rig.turn();
    expect([rig.sender.take(CLIENT), rig.sender.take(9_000)]).toEqual([[["/viz/x", "f", 1]], [["/viz/x", "f", 1]]]);
  });

  it("may name another port of the same host, which is tied to it too", () => {
    const rig = rigWith("/viz/x");
    expect(ask(rig, "/hana/subscribe", "sii", ["//*", 10, 9_000], 9_000)).toHaveLength(2);
    for (const port of [CLIENT, 9_000]) {
      rig.message("/viz/x", "i", [port], port);
      rig.turn();
      expect(rig.sender.take()).toEqual([]);
    }
    rig.message("/viz/x", "f", [3], 9_001);
    rig.turn();
    expect(rig.sender.take(9_000)).toEqual([["/viz/x", "f", 3]]);
  });

  it("may name a throttle", () => {
    const rig = rigWith("/viz/x");
    ask(rig, "/hana/subscribe", "siii", ["//*", 10, 0, 2]);
    rig.node.set("/viz/x", 1);
    rig.turn();
    expect(rig.sender.take()).toEqual([]);
    rig.node.advance(SECOND / 2);
    rig.turn();
    expect(rig.sender.take()).toEqual([["/viz/x", "f", 1]]);
  });

  it("sent again renews the lease, and sends the state again to who may have restarted", () => {
    const rig = rigWith("/viz/x");
    ask(rig, "/hana/subscribe", "i", [10]);
    rig.node.advance(9 * SECOND);
    expect(ask(rig, "/hana/subscribe", "i", [10])).toEqual([
      ["/hana/subscribed", "sf", "//*", 10],
      ["/viz/x", "f", 0],
    ]);
    expect(rig.subscribers.count).toBe(1);
    rig.node.advance(9 * SECOND);
    rig.turn();
    expect(rig.subscribers.count).toBe(1);
  });

  it("sent again from another port of the host ties that port", () => {
    const rig = rigWith("/viz/x");
    ask(rig, "/hana/subscribe", "sii", ["//*", 10, 9_000]);
    rig.message("/hana/subscribe", "sii", ["//*", 10, 9_000], CLIENT + 1);
    rig.turn();
    rig.sender.take();
    rig.message("/viz/x", "f", [1], CLIENT + 1);
    rig.turn();
    expect(rig.sender.take()).toEqual([]);
    rig.message("/viz/x", "f", [2], CLIENT);
    rig.turn();
    expect(rig.sender.take()).toHaveLength(1);
  });

  it("sends the whole state, with what the sender itself has just set", () => {
    const rig = rigWith("/viz/x");
    ask(rig, "/hana/subscribe", "s", ["/viz/y"]);
    rig.message("/viz/x", "f", [1], CLIENT);
    expect(ask(rig, "/hana/subscribe")).toContainEqual(["/viz/x", "f", 1]);
  });

  it("is refused for a while when its host has subscribed and unsubscribed too much", () => {
    const rig = rigWith(...Array.from({ length: 4_000 }, (_, index) => `/viz/${"ab".repeat(60)}${index}`));
    let problem = "";
    for (let round = 0; round < 50 && problem === ""; round++) {
      rig.message("/hana/subscribe", "s", [`//none${round}`], CLIENT);
      rig.message("/hana/unsubscribe", "", [], CLIENT);
      const error = rig.sender.take().find(([address]) => address === "/hana/error");
      if (error !== undefined) problem = error[2] as string;
    }
    expect(problem).toBe("too many requests, try again");
    rig.node.advance(SECOND);
    expect(ask(rig, "/hana/subscribe", "s", ["/nothing"])).toHaveLength(1);
  });

  it("is refused with a reason", () => {
    const rig = rigWith();
    const cases: [string, readonly Argument[]][] = [
      ["s", ["/viz/["]],
      ["s", ["viz"]],
      ["b", [Uint8Array.of(1)]],
      ["f", [Number.NaN]],
      ["sii", ["//*", 10, 70_000]],
      ["sif", ["//*", 10, 1.5]],
      ["siif", ["//*", 10, 0, -1]],
      ["iiii", [1, 2, 3, 4]],
    ];
    for (const [tags, values] of cases) {
      const [[address, answerTags] = ["", ""], ...others] = ask(rig, "/hana/subscribe", tags, values);
      expect([tags, address, answerTags, others]).toEqual([tags, "/hana/error", "s", []]);
    }
    expect([rig.subscribers.count, rig.count("requestsRefused")]).toEqual([0, cases.length]);
  });

  it("has 64 places for one host", () => {
    const rig = rigWith();
    for (let port = 1; port <= 64; port++) ask(rig, "/hana/subscribe", "sii", ["//*", 10, port], port);
    expect(rig.subscribers.count).toBe(64);
    expect(ask(rig, "/hana/subscribe", "sii", ["//*", 10, 65])[0][0]).toBe("/hana/error");
    rig.receive(message("/hana/subscribe"), CLIENT, "127.0.0.9");
    expect(rig.subscribers.count).toBe(65);
  });

  it("over TCP goes to that connection, and ends with it", () => {
    const rig = rigWith("/viz/x");
    const bytes = message("/hana/subscribe");
    rig.input.receive(bytes, 0, bytes.length, HOST, CLIENT, 7);
    rig.turn();
    expect(rig.sender.packets.map(({ target }) => target.connection)).toEqual([7, 7]);
    rig.sender.take();
    const write = message("/viz/x", "f", [1]);
    rig.input.receive(write, 0, write.length, HOST, CLIENT, 7);
    rig.turn();
    expect(rig.sender.take()).toEqual([]);
    rig.subscribers.closeConnection(7);
    expect(rig.subscribers.count).toBe(0);
  });
});

describe("/hana/renew", () => {
  it("prolongs leases without sending the state, all of them or one", () => {
    const rig = rigWith("/viz/x");
    ask(rig, "/hana/subscribe", "si", ["/viz/*", 10]);
    ask(rig, "/hana/subscribe", "si", ["/global/*", 10]);
    expect(ask(rig, "/hana/renew", "i", [60])).toEqual([
      ["/hana/subscribed", "sf", "/viz/*", 60],
      ["/hana/subscribed", "sf", "/global/*", 60],
    ]);
    expect(ask(rig, "/hana/renew", "si", ["/global/*", 5])).toEqual([["/hana/subscribed", "sf", "/global/*", 5]]);
    rig.node.advance(30 * SECOND);
    rig.turn();
    expect(rig.subscribers.count).toBe(1);
  });

  it("is refused when there is nothing to renew, so that the client subscribes again", () => {
    expect(ask(rigWith(), "/hana/renew")).toEqual([["/hana/error", "s", "no such subscription"]]);
  });
});

describe("/hana/unsubscribe", () => {
  it("ends a subscription, or all of the sender's, and no others", () => {
    const rig = rigWith("/viz/x");
    for (const pattern of ["/viz/*", "/viz//*", "//*"]) ask(rig, "/hana/subscribe", "s", [pattern]);
    rig.subscribers.addOutput({ address: HOST, port: CLIENT, pattern: "/nothing", throttleHz: 0 });
    expect(ask(rig, "/hana/unsubscribe", "s", ["//*"])).toEqual([["/hana/unsubscribed", "i", 1]]);
    expect(ask(rig, "/hana/unsubscribe")).toEqual([["/hana/unsubscribed", "i", 2]]);
    expect(rig.subscribers.count).toBe(1);
    expect(ask(rig, "/hana/unsubscribe")).toEqual([["/hana/error", "s", "no such subscription"]]);
  });
});

describe("/hana", () => {
  it("answers a ping, and counts what is no request, and says so", () => {
    const rig = rigWith();
    expect(ask(rig, "/hana/ping")).toEqual([["/hana/pong", "s", "here"]]);
    expect(ask(rig, "/hana/subscrib", "s", ["/viz/x"])).toEqual([["/hana/error", "s", NO_REQUEST]]);
    expect(rig.count("unknownAddresses")).toBe(1);
  });

  it.each(["subscribed", "unsubscribed", "error", "pong"])(
    "does not answer a node's %s, which would never end",
    (name) => {
      const rig = rigWith();
      expect(ask(rig, `/hana/${name}`, "s", ["x"])).toEqual([]);
      expect(rig.count("unknownAddresses")).toBe(1);
    },
  );

  it("works inside a bundle, which stays one group", () => {
    const rig = rigWith("/viz/x", "/viz/y");
    rig.receive(
      bundle([
        ["/viz/x", "f", [1]],
        ["/hana/subscribe", "s", ["/viz/x"]],
        ["/viz/y", "f", [1]],
      ]),
      CLIENT,
    );
    rig.turn();
    expect(rig.node.steps.map((step) => step.kind)).toEqual(["begin", "write", "write", "end"]);
    expect(rig.sender.take(CLIENT)).toEqual([
      ["/hana/subscribed", "sf", "/viz/x", 30],
      ["/viz/x", "f", 1],
    ]);
  });
});

describe("/hana/release", () => {
  it("lets go of a path for the surface that asks, and says when there is no such path", () => {
    const rig = rigWith("/viz/x");
    expect(ask(rig, "/hana/release", "s", ["/viz/x"])).toEqual([]);
    expect(rig.node.released).toEqual([["/viz/x", rig.node.surface(`osc:${HOST}`)]]);
    expect(ask(rig, "/hana/release", "s", ["/viz/y"])).toEqual([["/hana/error", "s", "/viz/y: no such path"]]);
    expect(rig.count("requestsRefused")).toBe(1);
  });
});
