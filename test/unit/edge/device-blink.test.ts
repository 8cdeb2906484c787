import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { parseProfile } from "../../../src/config/profile-file.js";
import type { Profile } from "../../../src/config/profile.js";
import { blinkDevice } from "../../../src/edge/device-blink.js";
import type { MidiSystem } from "../../../src/edge/midi-system.js";
import { hex } from "../input/midi-model.js";

const port = { name: "Port 20:0", own: "Port", place: "" };

function profileOf(id: string): Profile {
  const text = readFileSync(new URL(`../../../hardware-profiles/${id}.json`, import.meta.url), "utf8");
  const parsed = parseProfile(text, id);
  if (!("profile" in parsed)) throw new Error(id);
  return parsed.profile;
}

/** An output that keeps what it is sent. */
function system(refusal = ""): { readonly sent: string[]; readonly system: MidiSystem; isOpen: boolean } {
  const made = { sent: [] as string[], isOpen: false };
  const never = (): never => {
    throw new Error("not asked for here");
  };
  const openOutput = (): ReturnType<MidiSystem["openOutput"]> => {
    if (refusal !== "") throw new Error(refusal);
    made.isOpen = true;
    return { send: (message) => made.sent.push(hex(message)), close: () => (made.isOpen = false) };
  };
  return Object.assign(made, {
    system: { scan: never, openInput: never, makeInput: never, makeOutput: never, openOutput },
  });
}

it("blinks with its lights, on and off by turns, moves no motor, and closes its port", async () => {
  const profile = profileOf("behringer-bcf2000");
  const one = system();
  expect(await blinkDevice(one.system, port, profile)).toBe("");
  expect(one.isOpen).toBe(false);
  const half = one.sent.length / 8;
  expect(Number.isInteger(half)).toBe(true);
  expect(one.sent.slice(0, half)).not.toEqual(one.sent.slice(half, 2 * half));
  expect(one.sent.slice(0, half)).toEqual(one.sent.slice(2 * half, 3 * half));
  for (const { hasMotor, source } of profile.controls.values()) {
    if (!hasMotor || source === undefined || "address" in source) continue;
    const [status, number] = [(0xb0 | (source.channel - 1)).toString(16), source.number.toString(16).padStart(2, "0")];
    expect(
      one.sent.filter((text) =>
        text
          .toLowerCase()
          .replaceAll(" ", "")
          .startsWith(status + number),
      ),
    ).toEqual([]);
  }
});

it.each([
  ["generic-faders", port, "", "has no light that a profile knows"],
  ["behringer-bcf2000", undefined, "", "is not plugged in, or has no output"],
  ["behringer-bcf2000", port, "it is taken", "cannot be written to: it is taken"],
])("says why %s cannot", async (id, output, refusal, text) => {
  expect(await blinkDevice(system(refusal).system, output, profileOf(id))).toBe(text);
});
