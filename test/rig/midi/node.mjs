/**
 * A whole node with controls bound to paths, against the kernel's sequencer and a USB device: runs in the MIDI machine.
 *
 * What a user types is typed; values and lists are asked for by HTTP, since a command takes seconds to start in there.
 */
import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { get } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { check, listen, play, run, runChecks, until, usb } from "./inside.mjs";

/** The node's own start is the slowest thing in there. */
const READY_MS = 120_000;
const main = join(import.meta.dirname, "../../../dist/main.js");
const home = mkdtempSync("/tmp/hana-");
Object.assign(process.env, { HOME: home, XDG_CONFIG_HOME: home, XDG_DATA_HOME: home, XDG_STATE_HOME: home });
// Memory is dear in there.
process.env.HANA_LIMITS_PATHS = "1000";

let node;

function hana(...args) {
  return run(process.execPath, main, ...args);
}

/** An answer of the node's control interface. */
function ask(route) {
  return new Promise((resolve, reject) => {
    // No connection is kept: the node ends those that are idle while this program runs a command.
    get(`http://127.0.0.1:7700${route}`, { agent: false }, (response) => {
      resolve(text(response).then(JSON.parse));
    }).on("error", reject);
  });
}

async function becomes(path, value, timeoutMs) {
  let last;
  const isThere = async () => {
    last = (await ask(`/-/get?path=${path}`)).value;
    return last === value;
  };
  await until(`${path} to be ${value}`, isThere, timeoutMs).catch((error) => assert.fail(`${error.message}, ${last}`));
}

/** The names of the findings in the node's health, with what they say. */
async function findings() {
  const { health } = await ask("/-/status");
  return health.map(({ code, text: sentence }) => `${code}: ${sentence}`);
}

check("a node lists the MIDI devices that are there, and opens none", async () => {
  node = listen(process.execPath, main, "run", "--interface", "127.0.0.1", "--data-dir", join(home, "data"));
  node.outlives = true;
  await until("ready", () => node.text.includes('"ready"'), READY_MS).catch(() => assert.fail(node.text));
  const listed = await ask("/-/midi");
  assert.deepEqual(
    listed.map(({ alias, state }) => `${alias} ${state}`),
    ["midi-through-port-0 unused", "virmidi-0-0 unused", "virmidi-0-1 unused"],
  );
  assert.doesNotMatch(run("cat", "/proc/asound/seq/clients"), /RtMidi/);
});

check("a knob is bound to a path that declares itself, and moves it; unbound, its port is closed", async () => {
  const printed = hana("bind", "virmidi-0-0/ch1/cc7", "/viz/tunnel/camera/zoom", "--range", "0..127", "--id", "zoom");
  assert.match(printed, /port open: Virtual Raw MIDI 0-0:VirMIDI 0-0 16:0/);
  play("hw:0,0", "B0 07 7F B0 07 05");
  await becomes("/viz/tunnel/camera/zoom", 5);
  hana("unbind", "zoom");
  await until("the port to be closed", () => !run("cat", "/proc/asound/seq/clients").includes("RtMidi"));
});

check(
  "a device is bound before it is plugged in, moves its path, is missed when it is pulled, and comes back",
  async () => {
    const printed = hana("bind", "acme-pad-midi-1/ch1/cc1-33", "/viz/tunnel/camera/pan", "--range", "0..16383");
    assert.match(printed, /acme-pad-midi-1 is absent: it works as soon as it is plugged in/);
    for (const turn of [1, 2]) {
      usb("plug", "Acme Pad");
      const card = `hw:${usb("card", "Acme Pad")}`;
      await until("the port to be open", async () => (await ask("/-/midi")).some(({ state }) => state === "open"));
      // A gadget drops what comes before its host is ready.
      for (let attempt = 0; attempt < 10; attempt++) {
        play(card, `B0 01 10 B0 21 0${turn}`);
        const isThere = await becomes("/viz/tunnel/camera/pan", 0x10 * 128 + turn, 1_000).then(
          () => true,
          () => false,
        );
        if (isThere) break;
      }
      await becomes("/viz/tunnel/camera/pan", 0x10 * 128 + turn, 1_000);
      assert.deepEqual(
        (await findings()).filter((text) => text.startsWith("midi")),
        [],
      );
      usb("unplug", "Acme Pad");
      await until("the finding", async () => (await findings()).includes("midi: acme-pad-midi-1: it was unplugged"));
    }
  },
);

await runChecks();
