/** `hana doctor` on this machine's loopback: with a node and without, with a port that is taken. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:http";
import { describe, expect, it } from "vitest";
import type { Check } from "../../src/manage/doctor.js";
import { freePort, hana, mesh, startNode } from "./harness.js";

interface Answer {
  readonly healthy: boolean;
  readonly checks: readonly Check[];
}

/** Off the network: what is judged is this machine's loopback. */
async function doctor(...args: string[]): Promise<{ code: number | null; answer: Answer; wrong: string[] }> {
  const place = ["--interface", "127.0.0.1", "--mesh", mesh];
  const { code, stdout } = await hana("doctor", ...place, "--json", ...args);
  const answer = JSON.parse(stdout) as Answer;
  return { code, answer, wrong: answer.checks.filter(({ result }) => result === "wrong").map(({ name }) => name) };
}

function of(answer: Answer, name: string): Check | undefined {
  return answer.checks.find((check) => check.name === name);
}

describe("without a node", () => {
  it("looks for itself, and finds nothing wrong", async () => {
    const [port, meshPort] = [await freePort(), await freePort()];
    const { code, answer, wrong } = await doctor("--port", String(port), "--mesh-port", String(meshPort));
    expect([code, wrong, answer.healthy]).toEqual([0, [], true]);
    expect(of(answer, "multicast")?.result).toBe("ok");
    expect(of(answer, "ports")?.text).toContain(`OSC UDP ${port}`);
    expect(of(answer, "node")?.result).toBe("unknown");
  });

  it("names the port that another program has, and only that", async () => {
    const [port, meshPort] = [await freePort(), await freePort()];
    const stranger = createSocket("udp4").bind(port);
    await once(stranger, "listening");
    const { code, answer, wrong } = await doctor("--port", String(port), "--mesh-port", String(meshPort));
    stranger.close();
    expect([code, wrong, answer.healthy]).toEqual([1, ["ports"], false]);
    expect(of(answer, "ports")?.text).toContain(String(port));
    expect(of(answer, "ports")?.fix).toContain("--port");
  });

  it("knows what answers from a node", async () => {
    const server = createServer((_, response) => response.end("{}")).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    const { code, answer, wrong } = await doctor("--port", String(port), "--mesh-port", String(await freePort()));
    server.close();
    expect([code, wrong]).toEqual([1, ["ports"]]);
    expect(of(answer, "ports")?.text).toContain("is no hana node");
  });
});

describe("with a node", () => {
  it("asks it, and prints for a person: a line each, and what to do", async () => {
    const node = await startNode();
    const { code, answer, wrong } = await doctor("--node", node.url);
    expect([code, wrong]).toEqual([0, []]);
    expect(of(answer, "node")?.text).toContain("finds nothing wrong");
    expect(of(answer, "membership")?.result).toBe(process.platform === "linux" ? "ok" : "unknown");
    const { stdout } = await node.hana("doctor", "--interface", "127.0.0.1");
    expect(stdout).toMatch(/^note {2}interface .*loopback/m);
    expect(stdout).toMatch(/^ +-> name the network's interface/m);
    expect(stdout).toMatch(/^ok +node +the node .* finds nothing wrong/m);
  });

  it("refuses settings that are none, before it does anything", async () => {
    expect((await hana("doctor", "--mesh-port", "0")).code).toBe(78);
  });
});
