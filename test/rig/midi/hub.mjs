/**
 * The MIDI hub of a node against the kernel's sequencer, alsa-utils and USB devices: runs in the MIDI machine.
 *
 * The hub stands at a loop of its own, without a node, so that what arrives and when can be looked at here.
 */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { Clock } from "../../../dist/base/clock.js";
import { LiveLoop } from "../../../dist/edge/live-loop.js";
import { MidiHub } from "../../../dist/edge/midi-hub.js";
import { midiSystem } from "../../../dist/edge/midi-system.js";
import { MidiKind } from "../../../dist/input/midi-event.js";
import { SystemControl } from "../../../dist/input/system-control.js";
import { check, listen, play, run, runChecks, runLater, until, usb } from "./inside.mjs";

const kinds = Object.fromEntries(Object.entries(MidiKind).map(([name, kind]) => [kind, name]));
/** What the listener was told, in words. */
let told = [];
const health = [];
/** Where faders count up, they are counted instead. */
let counted;

function count(number, value) {
  counted.events++;
  if (value !== (counted.last[number] + 1) % 128) counted.gaps++;
  counted.last[number] = value;
}

const clock = new Clock();
const loop = new LiveLoop(clock, { late() {}, settle() {}, tick: () => hub.pump(), dueUs: () => hub.dueUs() });
const hub = new MidiHub({
  system: midiSystem(),
  clock,
  turn: loop,
  listener: {
    control(device, { kind, channel, number, value, max }) {
      if (counted === undefined || kind !== MidiKind.cc)
        told.push(`${device} ${kinds[kind]} ${channel} ${number} ${value}/${max}`);
      else count(number, value);
    },
    sysex: (device, bytes, length) =>
      told.push(`${device} sysex ${Buffer.from(bytes.subarray(0, length)).toString("hex")}`),
    opened: (device) => told.push(`${device} opened`),
    closed: (device) => told.push(`${device} closed`),
  },
  onHealth: (text) => health.push(text),
});
loop.start();

/** What was told since the last call. */
function take() {
  const taken = told;
  told = [];
  return taken;
}

/** Waits until that is told, and takes all that was. */
async function hears(text) {
  await until(`"${text}" in ${JSON.stringify(told)}`, () => told.includes(text)).catch((error) => {
    throw new Error(`${error.message}; it heard ${JSON.stringify(told)}; ${JSON.stringify(hub.list())}`);
  });
  return take();
}

function want(...devices) {
  hub.want(devices.map((one) => ({ pairs: [], needsOutput: true, needsSysex: true, ...one })));
}

check("a virtual raw port is listed under its own name and opened when it is wanted", () => {
  const listed = hub.list();
  assert.deepEqual(
    listed.map(({ alias, state }) => `${alias} ${state}`),
    ["midi-through-port-0 unused", "virmidi-0-0 unused", "virmidi-0-1 unused"],
  );
  want({ alias: "virmidi-0-0", pairs: [{ channel: 1, msb: 1, lsb: 33 }] });
  assert.equal(hub.stateOf("virmidi-0-0").state, "open");
  assert.deepEqual(take(), ["0 opened"]);
});

check("amidi: notes, pressure, controllers, program, pitch bend", async () => {
  play("hw:0,0", "90 3C 64 80 3C 40 91 3C 64 91 3C 00 A0 3C 11 D0 22 B0 07 7F C2 05 E0 00 50 E0 7F 7F");
  assert.deepEqual(await hears("0 bend 1 0 16383/16383"), [
    "0 noteOn 1 60 100/127",
    "0 noteOff 1 60 64/127",
    "0 noteOn 2 60 100/127",
    "0 noteOff 2 60 0/127",
    "0 poly 1 60 17/127",
    "0 pressure 1 0 34/127",
    "0 cc 1 7 127/127",
    "0 program 3 0 5/127",
    "0 bend 1 0 10240/16383",
    "0 bend 1 0 16383/16383",
  ]);
});

check("amidi: a 14-bit controller is one value, never torn, in either order", async () => {
  play("hw:0,0", "B0 01 12 B0 21 34");
  assert.deepEqual(await hears(`0 cc14 1 1 ${0x12 * 128 + 0x34}/16383`), [`0 cc14 1 1 ${0x12 * 128 + 0x34}/16383`]);
  play("hw:0,0", "B0 01 13 B0 21 00 B0 01 13 B0 21 01 B0 01 14 B0 21 00");
  assert.deepEqual(
    await hears(`0 cc14 1 1 ${0x14 * 128}/16383`),
    [0x13 * 128, 0x13 * 128 + 1, 0x14 * 128].map((value) => `0 cc14 1 1 ${value}/16383`),
  );
  play("hw:0,0", "B0 01 15");
  assert.deepEqual(await hears(`0 cc14 1 1 ${0x15 * 128}/16383`), [`0 cc14 1 1 ${0x15 * 128}/16383`]);
});

check("amidi: NRPN and RPN with data entry, closed by null", async () => {
  play("hw:0,0", "B0 63 09 B0 62 52 B0 06 12 B0 26 34 B0 65 7F B0 64 7F B0 65 00 B0 64 00 B0 06 0C B0 26 00 B0 50 01");
  const heard = await hears("0 cc 1 80 1/127");
  assert.deepEqual(heard.slice(1), [
    `0 nrpn 1 ${9 * 128 + 0x52} ${0x12 * 128 + 0x34}/16383`,
    "0 cc 1 101 0/127",
    `0 rpn 1 0 ${0x0c * 128}/16383`,
    "0 cc 1 80 1/127",
  ]);
});

check(
  "amidi: SysEx, also longer than the sequencer's pieces and with clock inside; clock, start, stop, song position",
  async () => {
    const long = "01".repeat(600);
    // The song position is that of a beat, and nothing but it makes one of the pulse behind.
    play("hw:0,0", `F0 7E 7F 06 01 F7 F0 ${long} F7 FA F8 F8 FC F2 04 00 FB F8 B0 50 01`);
    const [start, resume, stop, beat] = ["start", "continue", "stop", "beat"].map(
      (word) => `0 command 1 ${SystemControl[word]} 1/1`,
    );
    const wanted = ["0 sysex f07e7f0601f7", `0 sysex f0${long}f7`, start, beat, stop, resume, beat];
    assert.deepEqual(await hears("0 cc 1 80 1/127"), [...wanted, "0 cc 1 80 1/127"]);
  },
);

check("amidi: garbage is counted, and what comes next is understood", async () => {
  play("hw:0,0", "90 3C F4 12 F7 B0 07 F0 01 02 90 3E 64 B0 07 05");
  assert.equal((await hears("0 cc 1 7 5/127")).at(-1), "0 cc 1 7 5/127");
});

/** A standard MIDI file of format 0 at 500 ticks a quarter of 500 ms: a tick is a millisecond. */
function midiFile(path, events) {
  const header = Buffer.from("4d546864000000060000000101f4", "hex");
  const track = Buffer.concat([...events, Buffer.from([1, 0xff, 0x2f, 0])]);
  const size = Buffer.alloc(4);
  size.writeUInt32BE(track.length);
  writeFileSync(path, Buffer.concat([header, Buffer.from("MTrk"), size, track]));
}

check("aplaymidi: from another program, through a port of the sequencer", async () => {
  want({ alias: "midi-through-port-0" });
  assert.deepEqual(take(), ["0 opened"]);
  midiFile("/tmp/notes.mid", [Buffer.from([5, 0x90, 0x3c, 0x64]), Buffer.from([5, 0x80, 0x3c, 0x40])]);
  run("aplaymidi", "-d", "0", "-p", "14:0", "/tmp/notes.mid");
  assert.deepEqual(await hears("0 noteOff 1 60 64/127"), ["0 noteOn 1 60 100/127", "0 noteOff 1 60 64/127"]);
});

check("what is sent reaches amidi and aseqdump, in order", async () => {
  want({ alias: "virmidi-0-1" }, { alias: "midi-through-port-0" });
  const raw = listen("amidi", "-p", "hw:0,1", "-c", "-d");
  const dump = listen("aseqdump", "-p", "14:0");
  await until("aseqdump", () => dump.text.includes("Source"));
  const messages = [
    "903C64",
    "803C40",
    "B0077F",
    "C005",
    "D022",
    "E00050",
    "F07E7F0601F7",
    `F0${"02".repeat(300)}F7`,
    "F8",
  ];
  // amidi says nothing when it has opened its port.
  await until("amidi", () => {
    hub.send("virmidi-0-1", Buffer.from("B00101", "hex"));
    return raw.bytes.includes("B00101");
  });
  for (const message of messages) {
    for (const alias of ["virmidi-0-1", "midi-through-port-0"]) assert.ok(hub.send(alias, Buffer.from(message, "hex")));
  }
  await until("the last byte at amidi", () => raw.bytes.endsWith("F8")).catch(() => assert.fail(raw.bytes));
  assert.ok(raw.bytes.replace(/^(B00101)+/, "").endsWith(messages.join("")), raw.bytes);
  await until("clock at aseqdump", () => dump.text.includes("Clock"));
  for (const part of ["Note on", "Note off", "controller 7, value 127", "program 5", "value 2048"]) {
    assert.ok(dump.text.includes(part), `${part} in ${dump.text}`);
  }
  assert.equal(hub.send("virmidi-0-1", Buffer.from("90", "hex")), false);
  assert.equal(hub.send("nobody", Buffer.from("F8", "hex")), false);
  take();
});

/** Plays a device until it is heard: a gadget drops what comes before its host is ready. */
async function playUntilHeard(serial, device, value) {
  const card = `hw:${usb("card", serial)}`;
  const heard = `${device} cc 1 7 ${value}/127`;
  for (let turn = 0; turn < 10 && !told.includes(heard); turn++) {
    play(card, `B0 07 ${value.toString(16).padStart(2, "0")}`);
    await until(heard, () => told.includes(heard), 1_000).catch(() => undefined);
  }
  assert.ok(told.includes(heard), JSON.stringify(told));
  take();
}

check("a USB device: wanted before it is there, plugged, played, pulled while open, and back again", async () => {
  want({ alias: "acme-pad-midi-1" });
  assert.equal(hub.stateOf("acme-pad-midi-1").state, "absent");
  usb("plug", "Acme Pad");
  await hears("0 opened");
  await playUntilHeard("Acme Pad", 0, 1);
  const card = `hw:${usb("card", "Acme Pad")}`;
  play(card, "90 3C 64 B0 07 7F");
  assert.deepEqual(await hears("0 cc 1 7 127/127"), ["0 noteOn 1 60 100/127", "0 cc 1 7 127/127"]);
  const device = listen("amidi", "-p", card, "-d");
  await until("the device", () => {
    hub.send("acme-pad-midi-1", Buffer.from("B00763", "hex"));
    return device.bytes.includes("B00763");
  });
  await device.stop();
  usb("unplug", "Acme Pad");
  hub.send("acme-pad-midi-1", Buffer.from("B00764", "hex"));
  // The note that it held is let go.
  assert.deepEqual(await hears("0 closed"), ["0 noteOff 1 60 0/127", "0 closed"]);
  assert.equal(hub.stateOf("acme-pad-midi-1").reason, "it was unplugged");
  assert.equal(health.at(-1), "acme-pad-midi-1: it was unplugged");
  usb("plug", "Acme Pad");
  await hears("0 opened");
  assert.equal(health.at(-1), "");
  await playUntilHeard("Acme Pad", 0, 2);
});

check("a USB device that is pulled and plugged between two looks is opened anew", async () => {
  usb("unplug", "Acme Pad");
  usb("plug", "Acme Pad");
  assert.deepEqual(await hears("0 opened"), ["0 closed", "0 opened"]);
  await playUntilHeard("Acme Pad", 0, 3);
  want();
  take();
  usb("unplug", "Acme Pad");
});

check("two equal USB devices stay apart, and keep their aliases when they come back in the other order", async () => {
  usb("plug", "Twin", "1", "One");
  usb("plug", "Twin", "1", "Two");
  want({ alias: "twin-midi-1" }, { alias: "twin-midi-1-2" });
  assert.deepEqual(take(), ["0 opened", "1 opened"]);
  await playUntilHeard("One", 0, 1);
  await playUntilHeard("Two", 1, 2);
  usb("unplug", "One");
  usb("unplug", "Two");
  await until("both gone", () => told.length === 2);
  take();
  usb("plug", "Twin", "1", "Two");
  assert.deepEqual(await hears("1 opened"), ["1 opened"]);
  usb("plug", "Twin", "1", "One");
  assert.deepEqual(await hears("0 opened"), ["0 opened"]);
  await playUntilHeard("One", 0, 3);
  await playUntilHeard("Two", 1, 4);
});

check(
  "a port that another program has taken is told with that program's name, and opened once it is free",
  async () => {
    want();
    take();
    const [, client] = / (\d+):0$/.exec(hub.list().find(({ alias }) => alias === "twin-midi-1").input);
    const thief = listen("amidi", "-p", `hw:${(client - 16) / 4}`, "-d");
    await until("the thief", () => run("sh", "-c", "cat /proc/asound/card*/midi0").includes("Owner PID"));
    want({ alias: "twin-midi-1", needsOutput: false });
    const { state, reason } = hub.stateOf("twin-midi-1");
    assert.equal(state, "failed");
    assert.match(reason, /another program has it open \(amidi, process \d+\)/);
    assert.match(health.at(-1), /twin-midi-1: another program has it open/);
    await thief.stop();
    await hears("0 opened");
    assert.equal(health.at(-1), "");
    for (const serial of ["One", "Two"]) usb("unplug", serial);
  },
);

/** So many faders' moves at so many a second: fader f counts 0, 1, 2 … on controller f. */
function faderFile(path, { faders, hz, seconds }) {
  const moves = [];
  for (let move = 0; move < hz * seconds; move++) {
    for (let fader = 0; fader < faders; fader++) {
      moves.push(Buffer.from([fader === 0 ? 1_000 / hz : 0, 0xb0, fader, move % 128]));
    }
  }
  midiFile(path, moves);
}

check("16 faders at 250 Hz for 30 s: nothing is lost, and nothing comes twice", async () => {
  want({ alias: "midi-through-port-0" });
  const [faders, hz, seconds] = [16, 250, 5];
  faderFile("/tmp/faders.mid", { faders, hz, seconds });
  take();
  // The kernel's queue holds 50 ms of it. A host that is busy lets the whole machine stand still for longer now and then:
  // a part in which the queue ran over is played again, but what is lost without that is lost here.
  let repeats = 3;
  for (let part = 0; part < 6; part++) {
    hub.list();
    const before = hub.counters.report().overruns;
    counted = { events: 0, gaps: 0, last: new Array(faders).fill(127) };
    await runLater("aplaymidi", "-d", "0", "-p", "14:0", "/tmp/faders.mid");
    await until("the last move", () => counted.events >= faders * hz * seconds, 2_000).catch(() => undefined);
    hub.list();
    const { events, gaps } = counted;
    const hasRunOver = hub.counters.report().overruns > before;
    if (hasRunOver && repeats-- > 0) part--;
    else assert.deepEqual({ events, gaps, hasRunOver }, { events: faders * hz * seconds, gaps: 0, hasRunOver: false });
  }
  counted = undefined;
  take();
});

check(
  "a flood that overruns the sequencer's queue is told in the node's health, and what comes next is understood",
  async () => {
    faderFile("/tmp/flood.mid", { faders: 90, hz: 1_000, seconds: 2 });
    take();
    counted = { events: 0, gaps: 0, last: new Array(128).fill(127) };
    await runLater("aplaymidi", "-d", "0", "-p", "14:0", "/tmp/flood.mid");
    await until("the overrun in the node's health", () =>
      /midi-through-port-0: it sends faster than/.test(health.at(-1)),
    );
    assert.ok(counted.events > 0 && counted.gaps > 0);
    assert.ok(hub.counters.report().overruns > 0);
    take();
    midiFile("/tmp/notes.mid", [Buffer.from([5, 0x90, 0x3c, 0x64])]);
    // The port may be opened anew just now, to drop what waited: what is played meanwhile is lost.
    await until("a note after the flood", () => {
      run("aplaymidi", "-d", "0", "-p", "14:0", "/tmp/notes.mid");
      return take().includes("0 noteOn 1 60 100/127");
    });
    counted = undefined;
  },
);

check("nothing stays open that is not wanted", async () => {
  want();
  assert.doesNotMatch(run("cat", "/proc/asound/seq/clients"), /RtMidi/);
  assert.ok(hub.list().every(({ state }) => state === "unused"));
});

await runChecks();
