/** `hana profile`: the hardware profiles on this machine, without any node. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { rootFolder } from "../harness/process.js";
import { folder, hana, hanaAs } from "./harness.js";

const GOOD = `{"format": 1, "name": "My box", "transport": "midi", "verified": true,
 "leds": {"key": {"colours": "values", "values": {"off": 0, "on": 127}}},
 "controls": {"fader{1..4}": {"kind": "fader", "cc": "1..4"}, "play": {"kind": "button", "note": 1, "led": "key"}}}`;
const BAD = `{"format": 1, "name": "My box", "transport": "midi", "verified": true,
 "controls": {
  "fader{1..4}": {"kind": "fader", "cc": "1..3"},
  "play": {"kind": "buton", "note": 1}}}`;

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

it("lists the shipped profiles", async () => {
  const { code, stdout, stderr } = await hana("profile", "list");
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toMatch(/^profile +name +transport +controls +verified +file\n/);
  expect(stdout).toMatch(/^korg-nanokontrol2 +Korg nanoKONTROL2 +midi +51 +in part +\S.*korg-nanokontrol2\.json$/m);
});

it("lists them as JSON, with the user's own, which win", async () => {
  const XDG_CONFIG_HOME = join(folder, "own");
  const own = join(XDG_CONFIG_HOME, "hana", "hardware-profiles");
  mkdirSync(own, { recursive: true });
  writeFileSync(join(own, "my-box.json"), GOOD);
  writeFileSync(join(own, "korg-nanokontrol2.json"), GOOD);
  const { code, stdout } = await hanaAs({ XDG_CONFIG_HOME }, "profile", "list", "--json");
  const rows = JSON.parse(stdout) as { id: string }[];
  expect(code).toBe(0);
  expect(rows.find(({ id }) => id === "my-box")).toEqual({
    id: "my-box",
    name: "My box",
    vendor: "",
    transport: "midi",
    controls: 5,
    leds: 1,
    verified: true,
    file: join(own, "my-box.json"),
  });
  expect(rows.filter(({ id }) => id === "korg-nanokontrol2")).toEqual([expect.objectContaining({ name: "My box" })]);

  writeFileSync(join(own, "broken.json"), BAD);
  const broken = await hanaAs({ XDG_CONFIG_HOME }, "profile", "list");
  expect([broken.code, broken.stdout]).toEqual([78, expect.stringContaining("My box")]);
  expect(broken.stderr).toContain("broken.json:4: controls.play.kind: ");
});

it("says what a profile holds", async () => {
  const good = file("good.json", GOOD);
  const shipped = join(rootFolder, "hardware-profiles", "akai-midimix.json");
  expect(await hana("profile", "check", good, shipped)).toEqual({
    code: 0,
    signal: null,
    stdout:
      `${good}: My box: 5 controls, 1 with LEDs\n` +
      `${shipped}: Akai MIDImix: 52 controls, 16 with LEDs; not all of it verified\n`,
    stderr: "",
  });
});

it("says everything that is wrong with all of them, one a line, and exits 78", async () => {
  const bad = file("bad.json", BAD);
  const { code, stdout, stderr } = await hana(
    "profile",
    "check",
    file("good.json", GOOD),
    bad,
    join(folder, "none.json"),
  );
  expect([code, stdout]).toEqual([78, expect.stringContaining("5 controls")]);
  expect(stderr.trimEnd().split("\n")).toEqual([
    `hana: ${bad}:3: controls.fader{1..4}.cc: gives 3 numbers for 4 names`,
    expect.stringContaining(`hana: ${bad}:4: controls.play.kind: must be one of `),
    expect.stringContaining(`hana: ${join(folder, "none.json")}: cannot be read: `),
  ]);
});

it("wants a file, and asks no node", async () => {
  expect((await hana("profile", "check")).code).toBe(2);
  expect((await hana("--node", "http://127.0.0.1:1", "profile", "list")).code).toBe(2);
});
