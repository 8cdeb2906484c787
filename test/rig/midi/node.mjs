/**
 * A whole node with controls bound to paths, against the kernel's sequencer and a USB device: runs in the MIDI machine.
 *
 * What a user types is typed, to a command that needs no start; values and lists are asked for by HTTP.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { get, request } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";
import { runCommand } from "../../../dist/cli/program.js";
import { check, listen, play, run, runChecks, until, usb } from "./inside.mjs";

/** The node's own start is the slowest thing in there. */
const READY_MS = 120_000;
const main = join(import.meta.dirname, "../../../dist/main.js");
const home = mkdtempSync("/tmp/hana-");
Object.assign(process.env, { HOME: home, XDG_CONFIG_HOME: home, XDG_DATA_HOME: home, XDG_STATE_HOME: home });
// Each command listens for a reader that goes.
process.stdout.setMaxListeners(0);
process.stderr.setMaxListeners(0);
// Memory is dear in there.
process.env.HANA_LIMITS_PATHS = "1000";
const profiles = join(home, "hana", "hardware-profiles");
mkdirSync(profiles, { recursive: true });
writeFileSync(
  join(profiles, "acme-knobs.json"),
  JSON.stringify({
    format: 1,
    name: "Knobs",
    vendor: "Acme",
    transport: "midi",
    verified: true,
    sources: ["this check"],
    ports: ["Acme Knobs"],
    controls: { "knob{1..8}": { kind: "knob", channel: 1, cc: "20..27" } },
  }),
);

let node;

/** What a command prints. It runs in this process: in one of its own it takes three seconds to start in there. */
async function hana(...args) {
  let printed = "";
  process.stdout.write = (text) => {
    printed += text;
    return true;
  };
  try {
    const code = await runCommand(args, () => assert.fail("a node that runs in here"));
    assert.equal(code, 0, `hana ${args.join(" ")}: ${printed}`);
  } finally {
    delete process.stdout.write;
  }
  return printed;
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

/** A request of the node's control interface that changes something. */
function tell(route, body) {
  const bytes = JSON.stringify(body);
  const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(bytes) };
  return new Promise((resolve, reject) => {
    const sending = request(`http://127.0.0.1:7700${route}`, { method: "POST", headers, agent: false }, (response) => {
      const isWell = response.statusCode === 200;
      resolve(text(response).then((answer) => (isWell ? answer : Promise.reject(new Error(answer)))));
    });
    sending.on("error", reject).end(bytes);
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

/** A gadget drops what comes before its host is ready. */
async function playUntil(card, hex, path, value) {
  for (let attempt = 0; attempt < 10; attempt++) {
    play(card, hex);
    const isThere = await becomes(path, value, 1_000).then(
      () => true,
      () => false,
    );
    if (isThere) return;
  }
  await becomes(path, value, 1_000);
}

/** The names of the findings in the node's health, with what they say. */
async function findings() {
  const { health } = await ask("/-/status");
  return health.map(({ code, text: sentence }) => `${code}: ${sentence}`);
}

check("a node lists the MIDI devices that are there, and opens none", async () => {
  const options = ["--interface", "127.0.0.1", "--data-dir", join(home, "data"), "--midi-virtual", "Stage"];
  node = listen(process.execPath, main, "run", ...options);
  node.outlives = true;
  await until("ready", () => node.text.includes('"ready"'), READY_MS).catch(() => assert.fail(node.text));
  const listed = await ask("/-/midi");
  assert.deepEqual(
    listed.map(({ alias, state }) => `${alias} ${state}`),
    ["stage unused", "midi-through-port-0 unused", "virmidi-0-0 unused", "virmidi-0-1 unused"],
  );
  assert.doesNotMatch(run("cat", "/proc/asound/seq/clients"), /RtMidi/);
});

check("a knob is bound to a path that declares itself, and moves it; unbound, its port is closed", async () => {
  const printed = await hana(
    "bind",
    "virmidi-0-0/ch1/cc7",
    "/viz/tunnel/camera/zoom",
    "--range",
    "0..127",
    "--id",
    "zoom",
  );
  assert.match(printed, /port open: Virtual Raw MIDI 0-0:VirMIDI 0-0 16:0/);
  play("hw:0,0", "B0 07 7F B0 07 05");
  await becomes("/viz/tunnel/camera/zoom", 5);
  const { counters } = await ask("/-/status");
  assert.deepEqual([counters["midi.opens"], counters["midi.messagesIn"], counters["bindings.writes"]], [1, 2, 2]);
  await hana("unbind", "zoom");
  await until("the port to be closed", () => !run("cat", "/proc/asound/seq/clients").includes("RtMidi"));
});

check("an endless encoder turns by every detent, and a pad toggles at each press", async () => {
  const turn = "/viz/tunnel/camera/turn";
  const flags = ["--range", "0..127", "--encoding", "twos-complement", "--step", "1"];
  assert.match(await hana("bind", "virmidi-0-0/ch1/cc9", turn, ...flags, "--id", "turn"), /port open/);
  play("hw:0,0", "B0 09 01 B0 09 14 B0 09 7D");
  await becomes(turn, 1 + 20 - 3);
  await hana("bind", "virmidi-0-0/ch1/note60", turn, "--mode", "toggle", "--id", "pad");
  play("hw:0,0", "90 3C 40 80 3C 00");
  await becomes(turn, 127);
  play("hw:0,0", "90 3C 40 90 3C 00");
  await becomes(turn, 0);
  await hana("unbind", "turn");
  await hana("unbind", "pad");
  await until("the port to be closed", () => !run("cat", "/proc/asound/seq/clients").includes("RtMidi"));
});

check(
  "a device is bound before it is plugged in, moves its path, is missed when it is pulled, and comes back",
  async () => {
    const printed = await hana("bind", "acme-pad-midi-1/ch1/cc1-33", "/viz/tunnel/camera/pan", "--range", "0..16383");
    assert.match(printed, /acme-pad-midi-1 is absent: it works as soon as it is plugged in/);
    for (const turn of [1, 2]) {
      usb("plug", "Acme Pad");
      const card = `hw:${usb("card", "Acme Pad")}`;
      await until("the port to be open", async () => (await ask("/-/midi")).some(({ state }) => state === "open"));
      await playUntil(card, `B0 01 10 B0 21 0${turn}`, "/viz/tunnel/camera/pan", 0x10 * 128 + turn);
      assert.deepEqual(
        (await findings()).filter((text) => text.startsWith("midi")),
        [],
      );
      usb("unplug", "Acme Pad");
      await until("the finding", async () => (await findings()).includes("midi: acme-pad-midi-1: it was unplugged"));
    }
  },
);

check(
  "another program connects to a virtual port of the node, and the node does not take it for a device",
  async () => {
    assert.match(
      await hana("bind", "stage/ch1/cc9", "/viz/tunnel/camera/dolly", "--range", "0..127"),
      /port open: virtual Stage/,
    );
    const clients = run("cat", "/proc/asound/seq/clients");
    const [, client] = /Client +(\d+) : "RtMidi Input Client"[^\n]*\n +Port +0 : "Stage"/.exec(clients) ?? [];
    assert.ok(client, clients);
    run("aconnect", "16:0", `${client}:0`);
    await playUntil("hw:0,0", "B0 09 21", "/viz/tunnel/camera/dolly", 33);
    const named = (await ask("/-/midi")).filter(({ alias }) => alias.startsWith("stage"));
    assert.deepEqual(
      named.map(({ alias, state }) => `${alias} ${state}`),
      ["stage open"],
    );
  },
);

check("a control by its name in a profile, and a device that is adopted, swapped and forgotten", async () => {
  usb("plug", "Acme Knobs", "1");
  const card = `hw:${usb("card", "Acme Knobs")}`;
  const listed = await until("the device", async () => {
    const devices = await ask("/-/midi");
    return devices.find(({ alias }) => alias === "acme-knobs");
  });
  assert.deepEqual([listed.profile, listed.adopted, listed.state], ["acme-knobs", false, "unused"]);
  assert.match(
    await hana("bind", "acme-knobs/knob2", "/viz/tunnel/camera/roll", "--range", "0..127"),
    /port open: Acme Knobs/,
  );
  await playUntil(card, "B0 15 2A", "/viz/tunnel/camera/roll", 42);
  assert.match(await hana("midi", "adopt", "deck", "acme-knobs"), /deck \(adopted\) +acme-knobs +unused/);
  const absent = (await ask("/-/bindings")).find(({ source }) => source === "acme-knobs/knob2");
  assert.equal(absent.device.state, "absent");
  await hana("bind", "deck/knob1", "/viz/tunnel/camera/tilt", "--range", "0..127");
  await playUntil(card, "B0 14 07", "/viz/tunnel/camera/tilt", 7);
  await hana("midi", "forget", "deck");
  await playUntil(card, "B0 15 03", "/viz/tunnel/camera/roll", 3);
});

/** Plays a move now and then until the command has said what it learned: what moved before it asked is not meant. */
async function teach(port, bytes, ...args) {
  const learning = listen(process.execPath, main, "learn", ...args);
  await until("the control to be learned", async () => {
    play(port, bytes);
    await pause(1_200);
    return learning.text.includes("\n");
  });
  return learning.text;
}

check("a control is learned that nothing was bound to, by its name in the profile, and bound", async () => {
  const card = `hw:${usb("card", "Acme Knobs")}`;
  const sweep = Array.from({ length: 24 }, (_, step) => `B0 16 ${hex(step * 4)}`).join(" ");
  const printed = await teach(card, `F8 FE ${sweep}`, "/viz/tunnel/camera/yaw", "--accept");
  assert.match(printed, /^acme-knobs\/knob3: fader or knob\npick-up: .*\nacme-knobs-knob3: .* port open: Acme Knobs/);
  await playUntil(card, "B0 16 00 B0 16 7F", "/viz/tunnel/camera/yaw", 1);
});

check("a button of machine control is learned, though nothing heard SysEx before, and proposed to press", async () => {
  const printed = await teach("hw:0,1", "F0 7F 7F 06 02 F7", "/viz/system/plays");
  assert.equal(
    printed,
    "virmidi-0-1/system/mmc-play: button that only says that it was pressed\n" +
      "hana bind virmidi-0-1/system/mmc-play /viz/system/plays\n",
  );
});

check("a trace tells message, binding, path and value of what is played, and why nothing happens", async () => {
  await hana("bind", "virmidi-0-0/ch1/cc7", "/viz/trace/zoom", "--range", "0..127", "--id", "traced");
  const trace = listen(process.execPath, main, "trace", "--source", "virmidi-0-0", "--json");
  // It looks on once it has told something; that takes the command's start.
  await until("the trace", async () => {
    play("hw:0,0", "B0 07 01");
    await pause(500);
    return trace.text.includes("\n");
  });
  const traced = () =>
    trace.text
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line));
  const before = traced().length;
  play("hw:0,0", "B0 07 2A B0 08 05");
  await until("both lines", () => traced().length >= before + 2).catch(() => assert.fail(trace.text));
  const moved = traced().find(({ value }) => value === 42) ?? assert.fail(trace.text);
  assert.deepEqual(
    [moved.source, moved.binding, moved.path, moved.value, moved.outcome],
    ["virmidi-0-0/ch1/cc7", "traced", "/viz/trace/zoom", 42, "written"],
  );
  assert.match(moved.message, /42/);
  const unbound = traced().find(({ source }) => source === "virmidi-0-0/ch1/cc8") ?? assert.fail(trace.text);
  assert.deepEqual([unbound.outcome, unbound.binding, unbound.path], ["unbound", "", ""]);
  await trace.stop();
  await hana("unbind", "traced");
});

check("a sequencer's start and machine control press what they are bound to", async () => {
  const options = ["--mode", "increment", "--step", "1", "--range", "0..9"];
  const source = (word) => `virmidi-0-0/system/${word}`;
  assert.match(await hana("bind", source("start"), "/viz/system/starts", ...options), /port open/);
  assert.match(await hana("bind", source("mmc-play"), "/viz/system/plays", ...options), /port open/);
  play("hw:0,0", "FA F0 7F 7F 06 02 F7 FC FA");
  await becomes("/viz/system/starts", 2);
  await becomes("/viz/system/plays", 1);
});

check("what amidi and aplaymidi play is recorded, and a replay of it makes the same states", async () => {
  const file = join(home, "played.jsonl");
  const sources = ["virmidi-0-0/ch1/cc7", "virmidi-0-0/ch1/cc1-33"];
  sources.push("midi-through-port-0/ch1/bend", "midi-through-port-0/ch1/pressure");
  const paths = sources.map((_, index) => `/viz/record/${index}`);
  for (const [index, source] of sources.entries()) {
    await tell("/-/bindings", { source, path: paths[index], range: [0, 16_383] });
  }
  await until("the ports to be open", async () => {
    const open = (await ask("/-/midi")).filter(({ state }) => state === "open").map(({ alias }) => alias);
    return sources.every((source) => open.includes(source.slice(0, source.indexOf("/"))));
  });
  const recording = spawn(process.execPath, [main, "record", file], { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  recording.stderr.on("data", (data) => (said += data));
  await until("the recording", () => said.includes("recording into"), READY_MS).catch(() => assert.fail(said));
  // Running status, halves, and several values of each.
  play("hw:0,0", "B0 07 10 07 5A B0 01 20 21 05 B0 01 41 21 11");
  run("aplaymidi", "-p", "14:0", "-d", "0", tune("E00050", "D064", "E00160", "D033"));
  const ways = [0x5a / 127, (0x41 * 128 + 0x11) / 16_383, (0x60 * 128 + 1) / 16_383, 0x33 / 127];
  const made = ways.map((way) => Math.fround(way * 16_383));
  const becomeAll = async () => {
    for (const [index, path] of paths.entries()) await becomes(path, made[index]);
  };
  await becomeAll();
  const isWritten = () => /"hex":"d033"/i.test(readFileSync(file, "utf8"));
  await until("its last line", isWritten).catch(() => assert.fail(readFileSync(file, "utf8")));
  const ended = once(recording, "exit");
  recording.kill("SIGINT");
  assert.deepEqual(await ended, [0, null], said);
  // The controls that have just moved them hold them for a moment.
  await pause(500);
  for (const path of paths) await tell("/-/set", { path, value: 7 });
  for (const path of paths) await becomes(path, 7);
  assert.match(await hana("replay", file), /messages played/);
  await becomeAll();
});

/** A file of one track that plays these messages one after the other, a few milliseconds apart. */
function tune(...messages) {
  const events = messages.map((message) => `05${message}`).join("");
  const track = Buffer.from(`${events}05FF2F00`, "hex");
  const file = join(home, "tune.mid");
  const length = Buffer.alloc(4);
  length.writeUInt32BE(track.length);
  writeFileSync(file, Buffer.concat([Buffer.from("MThd\0\0\0\x06\0\0\0\x01\0\x60MTrk", "latin1"), length, track]));
  return file;
}

check("a control of two halves is learned from a port that is opened for it, and closed again", async () => {
  const halves = Array.from({ length: 12 }, (_, step) => {
    return `B0 01 ${hex((step * 300) >> 7)} B0 21 ${hex((step * 300) & 127)}`;
  }).join(" ");
  let printed = "";
  // Whoever begins to listen amid a move hears its end only.
  for (let attempt = 0; attempt < 3 && !printed.includes("cc1-33"); attempt++) {
    printed = await teach("hw:0,1", halves, "/viz/tunnel/camera/far");
  }
  assert.match(
    printed,
    /^virmidi-0-1\/ch1\/cc1-33: fader or knob\n14 bits, the (high|low) half first\nhana bind virmidi-/,
  );
  await until("the port to be closed", async () => {
    const devices = await ask("/-/midi");
    return devices.find(({ alias }) => alias === "virmidi-0-1").state === "unused";
  });
});

function hex(byte) {
  return byte.toString(16).padStart(2, "0");
}

check("lights, rings and motors of a USB device show the state, and are painted anew when it comes back", async () => {
  usb("plug", "BCF2000", "1");
  let device = listen("amidi", "-p", `hw:${usb("card", "BCF2000")}`, "-d");
  const shows = (...messages) =>
    until(`the device to be sent ${messages.join(" and ")}; it was sent ${device.text}`, () =>
      messages.every((message) => device.bytes.includes(message)),
    ).catch((error) => assert.fail(`${error.message}; at last ${device.text}`));
  const range = ["--range", "0..1", "--takeover", "jump"];
  assert.match(await hana("bind", "behringer-bcf2000/button1", "/viz/show/lamp", ...range), /port open: BCF2000/);
  await tell("/-/bindings", { source: "behringer-bcf2000/fader1", path: "/viz/show/level", range: [0, 127] });
  await tell("/-/bindings", { source: "behringer-bcf2000/encoder1", path: "/viz/show/place", range: [0, 1] });
  await shows("B04100", "B05100", "B00100");
  for (const [name, value] of Object.entries({ lamp: 1, level: 127, place: 1 })) {
    await tell("/-/set", { path: `/viz/show/${name}`, value });
  }
  await shows("B0417F", "B0517F", "B0017F");
  // It is painted once more when it must have started.
  await pause(2_000);
  // The hand moves a fader: the value follows, and the motor gets that place, and no other, once the hand rests.
  const before = device.bytes.length;
  await playUntil(`hw:${usb("card", "BCF2000")}`, "B0 51 20", "/viz/show/level", 0x20);
  await until("the fader's own place", () => device.bytes.slice(before).includes("B05120"));
  assert.deepEqual(device.bytes.slice(before), "B05120");
  await device.stop();
  usb("unplug", "BCF2000");
  // Another device is missed too.
  await until("the finding", async () => (await findings()).join().includes("behringer-bcf2000: it was unplugged"));
  await tell("/-/set", { path: "/viz/show/lamp", value: 0 });
  for (let attempt = 1; attempt <= REPLUGS; attempt++) {
    usb("plug", "BCF2000", "1");
    device = listen("amidi", "-p", `hw:${usb("card", "BCF2000")}`, "-d");
    const isShown = await shows("B04100", "B05120", "B0017F").then(
      () => true,
      (error) => assert.ok(attempt < REPLUGS, error.message),
    );
    if (isShown) break;
    await device.stop();
    usb("unplug", "BCF2000");
    await until("the finding", async () => (await findings()).join().includes("behringer-bcf2000: it was unplugged"));
  }
});

/** On a busy host the listener may begin after the node has painted; what nobody hears is lost. */
const REPLUGS = 3;

/** Plays a device, for as long as `play` takes; `shown` is what it is shown. */
async function simulate(profile, play) {
  const twin = spawn(process.execPath, [main, "surface", "simulate", profile], { stdio: ["pipe", "pipe", "pipe"] });
  let shown = "";
  let said = "";
  twin.stdout.on("data", (data) => (shown += data));
  twin.stderr.on("data", (data) => (said += data));
  try {
    await until("the twin", () => said.includes(`is there as ${profile}`), READY_MS).catch(() => assert.fail(said));
    await play(
      (line) => twin.stdin.write(`${line}\n`),
      () => shown,
    );
  } finally {
    twin.stdin.end();
  }
  await until("its end", () => twin.exitCode !== null);
  assert.equal(twin.exitCode, 0, said);
}

check("a virtual twin of a device is found, moves what it is bound to, and shows what the node makes of that", () =>
  simulate("korg-nanokontrol2", async (say, shown) => {
    const printed = await hana("bind", "korg-nanokontrol2/solo1", "/viz/twin/solo");
    assert.match(printed, /port open: RtMidi Output Client:korg-nanokontrol2/);
    say("solo1 down");
    await becomes("/viz/twin/solo", 1);
    await until("the light", () => shown().includes("solo1 light 127")).catch(() => assert.fail(shown()));
    say("solo1 up");
    await becomes("/viz/twin/solo", 0);
    await until("the dark", () => shown().endsWith("solo1 light 0\n")).catch(() => assert.fail(shown()));
  }),
);

check("a device that says where its faders stand is believed, and moves nothing by that", async () => {
  const fader = "akai-apc40-mk2/fader1";
  await hana("bind", fader, "/viz/places/level", "--range", "0..1", "--takeover", "pickup");
  await hana("set", "/viz/places/level", "0.5");
  const gap = async () => (await ask("/-/bindings")).find(({ source }) => source === fader).gap;
  assert.equal(await gap(), 0);
  await simulate("akai-apc40-mk2", async (say) => {
    await until("the gap", async () => (await gap()) === 0.5, READY_MS);
    say("fader1 0.2");
    await until("the gap that is left", async () => Math.abs((await gap()) - 0.3) < 0.01);
    assert.equal(await hana("get", "/viz/places/level"), "0.5\n");
    say("fader1 0.7");
    await until("the value", async () => Number(await hana("get", "/viz/places/level")) > 0.6);
  });
});

await runChecks();
