/** Recording and replay: what was heard once makes the same states when it is heard again. */
import { describe, expect, it } from "vitest";
import { Random } from "../../../src/base/random.js";
import { Bindings } from "../../../src/input/bindings.js";
import { InputRecorder } from "../../../src/input/input-recorder.js";
import { type InputRecord, parseHeader, parseRecord, type RecordHeader } from "../../../src/input/input-record.js";
import { InputReplay, REPLAY_WAITING_MAX } from "../../../src/input/input-replay.js";
import { MidiControls, type MidiPair } from "../../../src/input/midi-controls.js";
import { MidiCounters } from "../../../src/input/midi-counters.js";
import { MidiStream } from "../../../src/input/midi-stream.js";
import type { Value } from "../../../src/state/declaration.js";
import { entityKind, instantiate } from "../../../src/state/templates.js";
import { bundle, message, OscRig, TestNode } from "./osc-node.js";

const WALL_US = 1_763_829_000_000_000;
const PATHS = ["/viz/a", "/viz/b", "/viz/c", "/viz/d"];
const MS = 1_000;

/** A node whose controls are bound, and what its paths held after each change. */
class Rig {
  readonly node = new TestNode();
  readonly osc: OscRig;
  readonly bindings: Bindings;
  readonly states: string[] = [];
  /** What the target of a replay was told beside moves. */
  readonly told: string[] = [];

  constructor() {
    const { node } = this;
    const parts = {
      target: node,
      shown: node,
      memory: node.memory,
      clock: node.clock,
      origins: node.origins,
      onChanged: () => {},
      profileOf: () => undefined,
    };
    this.bindings = new Bindings(parts);
    this.osc = new OscRig(node, { controls: this.bindings });
    for (const path of PATHS) node.declare(path, { type: "float" });
    node.declare("/viz/go", { type: "impulse" });
    this.bind("a", "nano/ch1/cc7", "/viz/a", "pickup");
    this.bind("b", "nano/ch1/cc1-33", "/viz/b", "jump");
    this.bind("c", "osc:/1/fader1", "/viz/c", "scale");
    this.bind("d", "nano/ch1/note60", "/viz/go", "jump");
    const write = node.write.bind(node);
    node.write = (id, surface) => {
      const reject = write(id, surface);
      this.states.push(`${node.state.pathOf(id)} ${String(node.state.valueOf(id))}`);
      return reject;
    };
  }

  private bind(id: string, source: string, path: string, takeover: string): void {
    for (const entry of instantiate(entityKind("/mappings"), id)) this.node.declare(entry.path, entry.declaration);
    const values: Readonly<Record<string, Value>> = { source, path, takeover };
    for (const [name, value] of Object.entries(values)) this.node.set(`/mappings/${id}/${name}`, value);
    this.bindings.pump();
  }

  get pairs(): readonly MidiPair[] {
    const pairs = this.bindings.devices[0]?.pairs ?? [];
    return pairs.map(({ channel, number, low }) => ({ channel, msb: number, lsb: low }));
  }

  replay(header: RecordHeader, speed = 1, wallUs = header.wallUs): InputReplay {
    const { bindings, osc, node } = this;
    const target = {
      pairsOf: () => this.pairs,
      control: (_: string, event: never) => bindings.onMidi(0, event),
      opened: (alias: string) => {
        this.told.push(`${alias} came`);
        bindings.rearm(alias);
      },
      closed: (alias: string) => this.told.push(`${alias} went`),
      sysex: (alias: string, bytes: Uint8Array, length: number) =>
        this.told.push(`${alias} ${Buffer.from(bytes.subarray(0, length)).toString("hex")}`),
      packet: (bytes: Uint8Array, address: string, port: number) => {
        osc.input.wallOffsetUs = wallUs - START_US;
        osc.input.receive(bytes, 0, bytes.length, address, port);
      },
    };
    return new InputReplay({ clock: node.clock, target, speed, recordedWallUs: header.wallUs, wallUs });
  }
}

const START_US = new TestNode().clock.nowUs;

/** Plays by hand on a node that is recorded: faders of two kinds, a key, an OSC fader, a device that goes and comes. */
function perform(rig: Rig, seed: number): string[] {
  const lines: string[] = [];
  const { node, bindings, osc } = rig;
  const random = new Random(seed);
  const recorder = new InputRecorder(node.clock, WALL_US, (line) => lines.push(line));
  const counters = new MidiCounters();
  const sink = { control: (event: never) => bindings.onMidi(0, event), sysex: () => {} };
  const controls = new MidiControls(sink, node.clock, counters);
  const stream = new MidiStream(controls, counters);
  controls.setPairs(rig.pairs);
  osc.input.wallOffsetUs = WALL_US - START_US;
  const say = (...bytes: number[]): void => {
    const sentUs = node.clock.nowUs - 300;
    controls.heard[0] = sentUs;
    recorder.midi("nano", Uint8Array.from(bytes), sentUs);
    stream.push(Uint8Array.from(bytes));
  };
  for (let step = 0; step < 400; step++) {
    node.advance(200.25 + Math.floor(random.next() * 9 * MS));
    if (node.clock.nowUs >= controls.nextDueUs) {
      recorder.due("nano");
      controls.pump();
    }
    const value = Math.floor(random.next() * 128);
    const act = Math.floor(random.next() * 12);
    if (act < 4) say(0xb0, 7, value);
    else if (act < 6) say(0xb0, 1, value);
    else if (act < 8) say(0xb0, 33, value);
    else if (act < 9) say(0x90, 60, value);
    else if (act < 11) {
      const packet = message(act === 9 ? "/1/fader1" : "/viz/d", "f", [value / 127]);
      recorder.packet(packet, "127.0.0.1", 50_000);
      osc.input.receive(packet, 0, packet.length, "127.0.0.1", 50_000);
    } else {
      recorder.port("nano", false);
      controls.release();
      stream.reset();
      recorder.port("nano", true);
      bindings.rearm("nano");
    }
  }
  return lines;
}

function parse(lines: readonly string[]): { header: RecordHeader; records: InputRecord[] } {
  let afterUs = 0;
  const records = lines.slice(1).map((line) => {
    const record = parseRecord(line, afterUs);
    if ("problem" in record) throw new Error(`${line}: ${record.problem}`);
    afterUs = record.atUs;
    return record;
  });
  return { header: parseHeader(lines[0] ?? "") as RecordHeader, records };
}

/** Lets time pass as a loop would, to whatever is due next; which then is heard so much too late. */
function run(rig: Rig, replay: InputReplay, lateUs = 0): void {
  for (let turn = 0; replay.dueUs < Number.POSITIVE_INFINITY && turn < 10_000; turn++) {
    rig.node.clock.set(Math.max(rig.node.clock.nowUs, replay.dueUs + lateUs));
    replay.pump();
  }
}

describe("a recording that is played", () => {
  it.each([1, 2, 3, 4, 5])("makes the same states in the same order (seed %i)", (seed) => {
    const first = new Rig();
    const { header, records } = parse(perform(first, seed));
    expect(first.states.length).toBeGreaterThan(100);
    expect(records.filter(({ kind }) => kind === "due").length).toBeGreaterThan(10);
    const late = new Rig();
    const lateReplay = late.replay(header, 3);
    lateReplay.add(records);
    run(late, lateReplay, 2 * MS);
    expect(late.states).toEqual(first.states);
    const second = new Rig();
    const replay = second.replay(header);
    expect(replay.add(records)).toBe(true);
    run(second, replay);
    expect(second.states).toEqual(first.states);
    expect([...second.node.fired]).toEqual([...first.node.fired]);
    expect([replay.played, replay.waitingCount, replay.lost]).toEqual([records.length, 0, 0]);
  });

  it("tells SysEx, by which devices say where their controls stand, and that they went away, in its place", () => {
    const rig = new Rig();
    const recorded: InputRecord[] = [
      { kind: "port", atUs: 0, alias: "nano", isOpen: true },
      { kind: "midi", atUs: 1, alias: "nano", sentUs: 0, bytes: Uint8Array.of(0xf0, 0x47, 1) },
      { kind: "midi", atUs: 2, alias: "nano", sentUs: 1, bytes: Uint8Array.of(2, 0xf7) },
      { kind: "port", atUs: 3, alias: "nano", isOpen: false },
    ];
    const replay = rig.replay({ wallUs: WALL_US });
    replay.add(recorded);
    run(rig, replay);
    expect(rig.told).toEqual(["nano came", "nano f0470102f7", "nano went"]);
  });

  it("is heard at its times, twice as fast when that is asked for, and not before", () => {
    const rig = new Rig();
    const replay = rig.replay({ wallUs: WALL_US }, 2);
    const bytes = Uint8Array.of(0xb0, 7, 127);
    replay.add([{ kind: "midi", atUs: 10 * MS, alias: "nano", sentUs: 0, bytes }]);
    expect(replay.dueUs).toBe(START_US + 5 * MS);
    rig.node.advance(5 * MS - 1);
    replay.pump();
    expect(replay.played).toBe(0);
    rig.node.advance(1);
    replay.pump();
    expect(replay.played).toBe(1);
  });

  it("keeps the time tags of bundles where they were, by the clock of today (timetag in the past)", () => {
    const rig = new Rig();
    const laterUs = WALL_US + 86_400_000_000;
    const replay = rig.replay({ wallUs: WALL_US }, 1, laterUs);
    // 50 ms after the recording began.
    const seconds = Math.floor((WALL_US + 50 * MS) / 1_000_000) + 2_208_988_800;
    const fraction = Math.round((((WALL_US + 50 * MS) % 1_000_000) / 1_000_000) * 0x1_0000_0000);
    const bytes = bundle(
      [["/viz/d", "f", [0.5]], { time: [0, 1], content: [["/viz/c", "f", [0.25]]] }],
      [seconds, fraction],
    );
    replay.add([{ kind: "osc", atUs: 0, address: "127.0.0.1", port: 9, bytes }]);
    replay.pump();
    expect(rig.node.value("/viz/d")).toBe(0);
    rig.node.advance(49 * MS);
    rig.osc.turn();
    expect(rig.node.value("/viz/d")).toBe(0);
    rig.node.advance(1 * MS + 10);
    rig.osc.turn();
    expect([rig.node.value("/viz/d"), rig.node.value("/viz/c")]).toEqual([0.5, 0.25]);
  });

  it("hears what is no OSC as what it is, and devices that are bound to nothing", () => {
    const rig = new Rig();
    const replay = rig.replay({ wallUs: WALL_US });
    replay.add([
      { kind: "osc", atUs: 0, address: "127.0.0.1", port: 9, bytes: Uint8Array.of(0x23, 0x62, 0, 0, 255) },
      { kind: "midi", atUs: 0, alias: "other", sentUs: 0, bytes: new Uint8Array(1_000).fill(0xf0) },
      { kind: "lost", atUs: 0, count: 7 },
    ]);
    run(rig, replay);
    expect([replay.played, replay.lost, rig.osc.count("packetsMalformed")]).toEqual([3, 7, 1]);
  });

  it("takes no more at a time than it has room for", () => {
    const replay = new Rig().replay({ wallUs: WALL_US });
    const record: InputRecord = { kind: "lost", atUs: MS, count: 1 };
    expect(replay.add(new Array<InputRecord>(REPLAY_WAITING_MAX).fill(record))).toBe(true);
    expect(replay.add([record])).toBe(false);
    expect(replay.waitingCount).toBe(REPLAY_WAITING_MAX);
  });
});
