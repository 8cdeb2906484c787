import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseProfile } from "../../../src/config/profile-file.js";
import { askIdentity } from "../../../src/edge/identity-ask.js";
import type { MidiBytesHandler, MidiSystem } from "../../../src/edge/midi-system.js";
import { bytesOf, hex } from "../input/midi-model.js";

const REQUEST = "F0 7E 7F 06 01 F7";
const port = { name: "Port 20:0", own: "Port", place: "" };
const known = ["akai-apc-mini-mk1", "akai-apc-mini-mk2", "generic-faders"].map((id) => {
  const text = readFileSync(new URL(`../../../hardware-profiles/${id}.json`, import.meta.url), "utf8");
  const parsed = parseProfile(text, id);
  if (!("profile" in parsed)) throw new Error(id);
  return { id, profile: parsed.profile };
});

/** A device that answers what it is asked with these messages. */
class Answering implements MidiSystem {
  readonly asked: string[] = [];
  open = 0;
  private hear: MidiBytesHandler = () => {};
  private readonly answers: readonly string[];

  constructor(...answers: string[]) {
    this.answers = answers;
  }

  scan(): string {
    return "not asked for here";
  }

  openInput(_port: unknown, hearsSysex: boolean, onBytes: MidiBytesHandler): ReturnType<MidiSystem["openInput"]> {
    this.open++;
    if (hearsSysex) this.hear = onBytes;
    return { overruns: () => 0, hearSysex: () => {}, close: () => this.open-- };
  }

  openOutput(): ReturnType<MidiSystem["openOutput"]> {
    if (this.answers.includes("taken")) throw new Error("another program has it open");
    this.open++;
    const send = (message: Uint8Array): void => {
      this.asked.push(hex(message));
      for (const answer of this.answers) this.hear(bytesOf(answer), 0);
    };
    return { send, close: () => this.open-- };
  }

  makeInput(): never {
    throw new Error("not asked for here");
  }

  makeOutput(): never {
    throw new Error("not asked for here");
  }
}

describe("a device that is asked who it is", () => {
  it("is asked once for all profiles, and known by its answer between all else that it sends", async () => {
    const system = new Answering("B0 07 10", "F0 47 7F 4F 61 00 01 00 F7", "F0 7E 00 06 02 47 4F 00 19 01 00 F7");
    expect(await askIdentity(system, { input: port, output: port }, known)).toEqual({
      profile: "akai-apc-mini-mk2",
      problem: "",
    });
    expect([system.asked.length, system.open]).toEqual([1, 0]);
    expect(bytesOf(system.asked[0] ?? "")).toEqual(bytesOf(REQUEST));
  });

  it.each([
    [[], "did not answer who it is"],
    [["F0 7E 00 06 02 41 01 F7"], "says that it is F0 7E 00 06 02 41 01 F7, which no profile knows"],
    [["taken"], "cannot be asked who it is: another program has it open"],
  ])("answers %j: the problem is told, and its ports are closed", async (answers, text) => {
    const system = new Answering(...answers);
    const { problem } = await askIdentity(system, { input: port, output: port }, known);
    expect([problem, system.open]).toEqual([text, 0]);
  });

  it("needs both sides", async () => {
    const { problem } = await askIdentity(new Answering(), { input: port, output: undefined }, known);
    expect(problem).toBe("has not both an input and an output");
  });
});
