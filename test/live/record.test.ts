/** Recording and replay by the command line: what one node heard, another one hears again, when it came. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { toBuffer } from "osc-min";
import { beforeAll, describe, expect, it } from "vitest";
import { sendTo } from "../harness/osc-bundles.js";
import { folder, type LiveNode, startHana, startNode } from "./harness.js";

const FILE = join(folder, "input.jsonl");
let node: LiveNode;
let other: LiveNode;

beforeAll(async () => {
  node = await startNode();
  other = await startNode({ mesh: "another" });
  for (const one of [node, other]) {
    await one.hana("bind", "osc:/1/fader1", "/viz/zoom", "--range", "0..10");
    await one.hana("bind", "nano/ch1/cc7", "/viz/pan", "--range", "0..127");
  }
});

async function send(address: string, value: number): Promise<void> {
  const view = toBuffer({ address, args: [{ type: "float", value }] });
  await sendTo(node.port, [Buffer.from(view.buffer, view.byteOffset, view.byteLength)]);
}

describe("record and replay", () => {
  it("write down what comes, and make the same of it on another node", async () => {
    const recording = startHana("record", FILE, "--node", node.url);
    await expect.poll(() => recording.stderr).toContain("recording into");
    const began = performance.now();
    for (let step = 1; step <= 20; step++) {
      await send("/1/fader1", step / 40);
      await pause(20);
    }
    const tookMs = performance.now() - began;
    await expect.poll(() => readFileSync(FILE, "utf8").split("\n").length).toBe(22);
    expect(await recording.stop("SIGINT")).toMatchObject({ code: 0 });
    expect(recording.stderr).toContain("20 messages recorded");
    const replayed = performance.now();
    const { code, stdout } = await other.hana("replay", FILE);
    expect([code, stdout]).toEqual([0, "20 messages played\n"]);
    expect(performance.now() - replayed).toBeGreaterThan(tookMs / 2);
    expect((await other.hana("get", "/viz/zoom")).stdout).toBe("5\n");
  });

  it("play what a device said that is not there, to what is bound to it", async () => {
    const file = join(folder, "midi.jsonl");
    const lines = [
      '{"hana":"input","version":1,"wallUs":1763829000000000}',
      '{"us":0,"midi":"nano","port":"open"}',
      '{"us":1000,"midi":"nano","sent":0,"hex":"b00740"}',
      '{"us":2000,"midi":"nano","sent":1000,"hex":"b0072a"}',
    ];
    writeFileSync(file, `${lines.join("\n")}\n`);
    const { code, stdout } = await other.hana("replay", file, "--speed", "2", "--json");
    expect([code, JSON.parse(stdout)]).toEqual([0, { waiting: 0, played: 3, lost: 0 }]);
    expect((await other.hana("get", "/viz/pan")).stdout).toBe("42\n");
  });

  it("play where a device said that its faders stand, from which the next move may cross a value", async () => {
    await other.hana("bind", "akai-apc40-mk2/fader1", "/viz/height", "--range", "0..127", "--takeover", "pickup");
    await other.hana("set", "/viz/height", "50");
    const file = join(folder, "stands.jsonl");
    const lines = [
      '{"hana":"input","version":1,"wallUs":1763829000000000}',
      '{"us":0,"midi":"akai-apc40-mk2","port":"open"}',
      '{"us":1000,"midi":"akai-apc40-mk2","sent":0,"hex":"f0477f29610009000000000000000000f7"}',
      '{"us":600000,"midi":"akai-apc40-mk2","sent":599000,"hex":"b00764"}',
    ];
    writeFileSync(file, `${lines.join("\n")}\n`);
    expect((await other.hana("replay", file)).code).toBe(0);
    expect((await other.hana("get", "/viz/height")).stdout).toBe("100\n");
  });

  it("say everything that is wrong with a file, with its line, and play nothing of it", async () => {
    const file = join(folder, "bad.jsonl");
    const lines = [
      '{"hana":"input","version":1,"wallUs":0}',
      '{"us":5,"midi":"nano","sent":0,"hex":"b00701"}',
      "nonsense",
      '{"us":4,"lost":1}',
      '{"us":6,"osc":"nowhere","base64":""}',
    ];
    writeFileSync(file, lines.join("\n"));
    const { code, stdout, stderr } = await other.hana("replay", file);
    expect([code, stdout]).toEqual([78, ""]);
    expect(stderr).toContain("bad.jsonl:3: is no JSON object");
    expect(stderr).toContain("bad.jsonl:4: has a time before that of the line above, 5");
    expect(stderr).toContain("bad.jsonl:5: has an osc that is no ADDRESS:PORT");
    expect((await other.hana("get", "/viz/pan")).stdout).toBe("42\n");
  });

  it.each([
    ["", "is empty"],
    ["[tempo]\nbpm = 3\n", ":1: is not the beginning of a recording"],
    ["x".repeat(300_000), "has a line of more than"],
  ])("refuse what is no recording", async (text, reason) => {
    const file = join(folder, "none.jsonl");
    writeFileSync(file, text);
    const { code, stderr } = await other.hana("replay", file);
    expect([code, stderr]).toEqual([78, expect.stringContaining(reason)]);
  });

  it("say that a file cannot be had", async () => {
    const missing = await other.hana("replay", join(folder, "missing.jsonl"));
    expect([missing.code, missing.stderr]).toEqual([78, expect.stringContaining("ENOENT")]);
    const nowhere = await node.hana("record", join(folder, "no/such/folder.jsonl"));
    expect([nowhere.code, nowhere.stderr]).toEqual([1, expect.stringContaining("ENOENT")]);
  });

  it("go to stdout where a file is called -", async () => {
    const { code, stdout } = await node.hana("record", "-", "--seconds", "0.1");
    expect([code, stdout.split("\n").length]).toEqual([0, 2]);
    expect(JSON.parse(stdout)).toMatchObject({ hana: "input" });
  });

  it("are made by one at a time", async () => {
    const first = startHana("record", join(folder, "first.jsonl"), "--node", node.url);
    await expect.poll(() => first.stderr).toContain("recording into");
    const second = await node.hana("record", join(folder, "second.jsonl"));
    expect([second.code, second.stderr]).toEqual([1, expect.stringContaining("somebody records already")]);
    await first.stop("SIGINT");
    const third = await node.hana("record", join(folder, "third.jsonl"), "--seconds", "0.1");
    expect([third.code, third.stderr]).toEqual([0, expect.stringContaining("0 messages recorded")]);
  });

  it.each(["SIGTERM", "SIGKILL"] as const)("end with a failure when the node ends by %s", async (signal) => {
    const third = await startNode({ mesh: "third" });
    const recording = startHana("record", join(folder, "ended.jsonl"), "--node", third.url);
    await expect.poll(() => recording.stderr).toContain("recording into");
    await third.process.stop(signal);
    expect(await recording.ended).toMatchObject({ code: 1 });
    expect(recording.stderr).toContain("0 messages recorded");
    expect(recording.stderr).toContain("the node has ended the recording");
  });
});
