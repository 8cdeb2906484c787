/** Bindings by the command line, on a machine that may have no MIDI at all: what is made, listed, saved and refused. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { folder, hana, type LiveNode, startHana, startNode } from "./harness.js";

const SOURCE = "no-such-device/ch1/cc7";
let node: LiveNode;
let other: LiveNode;

beforeAll(async () => {
  node = await startNode();
  other = await startNode();
});

async function bindings(of: LiveNode): Promise<Record<string, unknown>[]> {
  return JSON.parse((await of.hana("bindings", "--json")).stdout) as Record<string, unknown>[];
}

function send(...message: string[]): Promise<unknown> {
  return hana("osc", "send", `127.0.0.1:${node.port}`, ...message);
}

describe("bind", () => {
  it("binds a control whose device is not there, says so, and declares the path with the range", async () => {
    const { code, stdout, stderr } = await node.hana("bind", SOURCE, "/viz/a/zoom", "--range", "-1..3");
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^no-such-device-ch1-cc7: no-such-device\/ch1\/cc7 moves \/viz\/a\/zoom; /);
    const path = JSON.parse((await node.hana("get", "/viz/a/zoom", "--json")).stdout);
    expect(path).toMatchObject({ type: "float", value: 0 });
    await node.hana("set", "/viz/a/zoom", "9");
    expect((await node.hana("get", "/viz/a/zoom")).stdout).toBe("3\n");
  });

  it("binds the same control to the same path again in place of the first", async () => {
    await node.hana("bind", SOURCE, "/viz/a/zoom", "--curve", "smooth", "--takeover", "pickup", "--invert");
    const found = (await bindings(node)).filter(({ path }) => path === "/viz/a/zoom");
    expect(found).toMatchObject([
      {
        id: "no-such-device-ch1-cc7",
        range: null,
        curve: "smooth",
        takeover: "pickup",
        invert: true,
        standing: "active",
      },
    ]);
  });

  it("gives another path of the same control another name, and takes one that is given", async () => {
    await node.hana("bind", SOURCE, "/viz/a/glow");
    await node.hana("bind", SOURCE, "/viz/a/hue", "--id", "hue");
    const ids = (await bindings(node)).map(({ id }) => id);
    expect(ids).toEqual(["hue", "no-such-device-ch1-cc7", "no-such-device-ch1-cc7-2"]);
  });

  it("shows a binding on the other nodes, as they stand there", async () => {
    await expect.poll(async () => (await bindings(other)).map(({ id }) => id)).toContain("hue");
  });

  it("refuses a control that the device's profile does not have, names the nearest, and leaves nothing behind", async () => {
    const before = await bindings(node);
    const { code, stderr } = await node.hana("bind", "korg-nanokontrol2/knob99", "/viz/a/nothing");
    expect([code, stderr]).toEqual([
      1,
      "hana: korg-nanokontrol2/knob99: names knob99, and the profile korg-nanokontrol2 has no such control; did you mean knob1?\n",
    ]);
    expect(await bindings(node)).toEqual(before);
    expect((await node.hana("get", "/viz/a/nothing")).code).toBe(1);
  });

  it("keeps one whose path may not declare itself, as dormant", async () => {
    const { code, stdout } = await node.hana("bind", "nano/ch1/cc1", "/displays/left/gamma");
    expect([code, stdout]).toEqual([0, expect.stringContaining("dormant: /displays/left/gamma does not exist")]);
  });

  it("lets a button toggle once a press, and an endless knob turn, by OSC", async () => {
    await node.hana("set", "/global/blackout", "false");
    await node.hana("bind", "osc:/pad", "/global/blackout", "--mode", "momentary");
    // The same argument of the same messages: the same binding.
    await node.hana("bind", "osc:/pad#0", "/global/blackout", "--mode", "toggle");
    expect((await bindings(node)).filter(({ path }) => path === "/global/blackout")).toHaveLength(1);
    await send("/pad", "1");
    await expect.poll(async () => (await node.hana("get", "/global/blackout")).stdout).toBe("true\n");
    await send("/pad", "0");
    await send("/pad", "1");
    await expect.poll(async () => (await node.hana("get", "/global/blackout")).stdout).toBe("false\n");
    await node.hana("set", "/global/tempo", "100");
    await node.hana("bind", "osc:/knob#0", "/global/tempo", "--mode", "relative", "--step", "0.5");
    await send("/knob", "-3");
    await expect.poll(async () => (await node.hana("get", "/global/tempo")).stdout).toBe("98.5\n");
    await expect.poll(async () => (await other.hana("get", "/global/tempo")).stdout).toBe("98.5\n");
    for (const id of ["osc-pad-0", "osc-knob-0"]) await node.hana("unbind", id);
  });

  it("binds only while a layer is on, which it declares, and moves several paths by an expression", async () => {
    const shift = await node.hana("bind", "osc:/shift#0", "/global/layers/shift", "--mode", "momentary");
    expect(shift).toMatchObject({ code: 0, stderr: "" });
    const paths = ["/viz/m/a", "/viz/m/b"];
    const words = ["--when", "/global/layers/shift == 1", "--expression", "x * 2"];
    await node.hana("bind", "osc:/fader#0", ...paths, ...words, "--id", "both");
    const found = (await bindings(node)).filter(({ id }) => id === "both");
    const options = { when: "/global/layers/shift == 1", expression: "x * 2" };
    expect(found).toMatchObject(paths.map((path) => ({ path, options, standing: "active", reason: "" })));
    await send("/fader", "0.25");
    await send("/shift", "1");
    await send("/fader", "0.75");
    for (const path of paths) {
      await expect.poll(async () => (await node.hana("get", path)).stdout).toBe("1.5\n");
    }
    expect((await node.hana("show", "save", "-")).stdout).toContain('expression = "x * 2"');
    await node.hana("bind", "osc:/fader#0", ...paths, "--id", "both");
    expect((await bindings(node)).filter(({ id }) => id === "both")).toMatchObject([{ options: {} }, { options: {} }]);
    for (const id of ["both", "osc-shift-0"]) await node.hana("unbind", id);
    expect((await bindings(node)).filter(({ id }) => id === "both")).toEqual([]);
  });

  it("eases a value to where the control is, on every node, and saves that", async () => {
    await node.hana("bind", "osc:/slow#0", "/viz/s/slow", "--range", "0..1", "--smooth", "300");
    expect((await bindings(node)).filter(({ id }) => id === "osc-slow-0")).toMatchObject([
      { options: { smooth: 300 } },
    ]);
    expect((await node.hana("show", "save", "-")).stdout).toContain("smooth = 300");
    const watching = startHana("watch", "/viz/s/slow", "--initial", "--node", other.url);
    await expect.poll(() => watching.stdout, { timeout: 20_000 }).toContain("/viz/s/slow 0\n");
    await send("/slow", "1");
    await expect.poll(() => watching.stdout, { timeout: 20_000 }).toContain("/viz/s/slow 1\n");
    await watching.kill();
    const values = [...watching.stdout.matchAll(/slow (\S+)\n/g)].map(([, value]) => Number(value));
    expect(values.length).toBeGreaterThan(20);
    expect(values).toEqual([...values].sort((one, two) => one - two));
    await node.hana("unbind", "osc-slow-0");
  });

  it.each([
    [["nano/ch1/cc7", "/viz/a/b", "--mode", "spin"], 1, 'mode is none of "auto", "absolute"'],
    [["nano/ch1/cc7", "/viz/a/b", "--expression", "x +"], 1, "x + ends where a value is awaited (column 4)"],
    [["nano/ch1/cc7", "/viz/a/b", "--step", "much"], 2, "--step much: is not a number"],
    [["nano/ch1/cc7", "/viz/a/b", "--smooth", "-1"], 1, "smooth is outside"],
    [["nano/ch1/cc7", "/viz/a/b", "--dead-zone", "2"], 1, "deadZone is outside"],
    [["nano", "/viz/a"], 1, "names no control"],
    [["nano/ch1/cc200", "/viz/a/b"], 1, "names no MIDI message"],
    [["nano/ch1/cc7", "nowhere"], 1, "does not begin with /"],
    [["nano/ch1/cc7", "/viz/a/b", "--curve", "round"], 1, "is no curve: linear"],
    [["nano/ch1/cc7", "/viz/a/b", "--takeover", "grab"], 1, "is no takeover: jump"],
    [["nano/ch1/cc7", "/viz/a/b", "--id", "a/b"], 1, "is no name of a binding"],
    [["nano/ch1/cc7", "/viz/a/b", "--feedback", "often"], 1, "feedback"],
    [["nano/ch1/cc7", "/viz/a/b", "--colour", "reddish"], 1, "colour"],
    [["nano/ch1/cc7", "/viz/a/b", "--look", "twinkle"], 1, 'look is none of "solid", "blink"'],
    [["nano/ch1/cc7", "/viz/a/b", "--range", "5"], 2, "is not MIN..MAX"],
    [["nano/ch1/cc7", "/viz/a/b", "--range", "1..1"], 2, "is not MIN..MAX"],
  ])("refuses %j and says why", async (args, expected, text) => {
    const { code, stdout, stderr } = await node.hana("bind", ...args);
    expect([code, stdout, stderr]).toEqual([expected, "", expect.stringContaining(text)]);
  });
});

describe("a binding", () => {
  it("is part of the saved show", async () => {
    const { stdout } = await node.hana("show", "save", "-");
    expect(stdout).toContain("[mappings.hue]");
    expect(stdout).toContain(`source = "${SOURCE}"`);
  });

  it("is gone once it is unbound, here and elsewhere", async () => {
    expect(await node.hana("unbind", "hue")).toMatchObject({ code: 0, stdout: "", stderr: "" });
    expect((await bindings(node)).map(({ id }) => id)).not.toContain("hue");
    await expect.poll(async () => (await bindings(other)).map(({ id }) => id)).not.toContain("hue");
    const again = await node.hana("unbind", "hue");
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining("no such binding")]);
  });

  it("is read as a table", async () => {
    const { stdout } = await node.hana("bindings");
    expect(stdout).toMatch(/^id +source +path +range +curve +takeover +options +state\n/);
    expect(stdout).toContain("no-such-device-ch1-cc7-2");
  });
});

describe("what a device shows", () => {
  it("is painted again on command, where a binding shows something", async () => {
    const refused = await node.hana("surface", "repaint", "no-such-device");
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("no binding shows anything")]);
    await node.hana("bind", "korg-nanokontrol2/solo1", "/viz/show/lamp", "--range", "0..1", "--colour", "#ff8000");
    const colour = await node.hana("get", "/mappings/korg-nanokontrol2-solo1/colour");
    expect(colour.stdout.trim()).toBe("1 0.5019608 0 1");
    expect(await node.hana("surface", "repaint", "korg-nanokontrol2")).toMatchObject({ code: 0, stdout: "" });
    await node.hana("unbind", "korg-nanokontrol2-solo1");
  });
});

describe("midi adopt, forget and blink", () => {
  it.each([
    [["adopt", "deck", "no-such-device"], "no-such-device: no such device is plugged in"],
    [["adopt", "Deck"], "is no alias"],
    [["adopt", "deck", "--profile", "none"], "none: there is no such profile"],
    [["forget", "deck"], "deck: was not adopted on this machine"],
    [["blink", "deck"], "deck: is not plugged in, or has no output"],
  ])("refuses %j and says why", async (args, text) => {
    const { code, stdout, stderr } = await node.hana("midi", ...args);
    expect([code, stdout, stderr]).toEqual([1, "", expect.stringContaining(text)]);
  });
});

describe("a control by its name", () => {
  it("is known without the device", async () => {
    const bound = await node.hana("bind", "korg-nanokontrol2/knob1", "/viz/a/knob");
    expect([bound.code, bound.stdout]).toEqual([0, expect.stringContaining("korg-nanokontrol2 is absent")]);
  });

  it("moves nothing where its path cannot be moved, which ends the command with 1", async () => {
    await node.hana("set", "/viz/a/words", "some");
    const bound = await node.hana("bind", "korg-nanokontrol2/knob2", "/viz/a/words", "--id", "wordy");
    expect([bound.code, bound.stdout, bound.stderr]).toEqual([
      1,
      expect.stringContaining("refused: "),
      expect.stringContaining("wordy moves nothing: "),
    ]);
    expect((await node.hana("unbind", "wordy")).code).toBe(0);
  });

  it("is shown as refused where a show names one that its profile does not have", async () => {
    const show = join(folder, "wrong.toml");
    writeFileSync(show, '[mappings.wrong]\nsource = "korg-nanokontrol2/knb1"\npath = "/viz/a/knob"\n');
    await node.hana("declare", show);
    const [wrong] = (await bindings(node)).filter(({ id }) => id === "wrong");
    expect(wrong).toMatchObject({ standing: "refused", reason: expect.stringContaining("did you mean knob1?") });
  });
});

describe("midi list", () => {
  it("lists the devices that bindings name, though none is there", async () => {
    const { code, stdout } = await node.hana("midi", "list");
    expect([code, stdout]).toEqual([0, expect.stringContaining("no-such-device")]);
  });
});
