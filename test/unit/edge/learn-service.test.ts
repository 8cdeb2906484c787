/** Learning on a node: what is opened and heard meanwhile, what is answered, and what is left when it ends. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type HeardDevice, InputMonitor } from "../../../src/edge/input-monitor.js";
import type { InputTracer } from "../../../src/edge/input-tracer.js";
import { LearnService } from "../../../src/edge/learn-service.js";
import type { MoveObserver } from "../../../src/input/bindings.js";
import type { InputRecorder } from "../../../src/input/input-recorder.js";
import type { OscTap } from "../../../src/input/osc-input.js";
import { MidiEvent, MidiKind } from "../../../src/input/midi-event.js";
import { NO_WISH } from "../../../src/manage/input-feed.js";
import type { LearnOutcome, LearnRequest } from "../../../src/manage/learn-reports.js";
import type { BindOutcome, BindRequest } from "../../../src/manage/surface-reports.js";
import { Reject } from "../../../src/state/reject.js";
import { SystemControl } from "../../../src/input/system-control.js";
import { OscRig } from "../input/osc-node.js";

const OPTIONS = { surface: "test", wait: true, timeoutMs: 1_000 };
const LIMIT_MS = 5_000;

function device(alias: string, more: Partial<HeardDevice> = {}): HeardDevice {
  return { alias, input: `${alias} 16:0`, reason: "", ...more };
}

class Rig {
  readonly osc = new OscRig();
  devices: HeardDevice[] = [device("nano"), device("pad"), device("gone", { input: "" })];
  /** What the hub was to open, each time. */
  readonly wanted: string[][] = [];
  /** Whose SysEx the hub was to hear, at last. */
  hearingSysex: readonly string[] = [];
  readonly bound: BindRequest[] = [];
  outcome: BindOutcome = { problem: "", outcome: { reject: Reject.none, confirmed: true } };
  readonly monitor: InputMonitor;
  readonly tracer = {} as InputTracer;
  readonly recorder = { packet: () => this.recorded++ } as never as InputRecorder;
  recorded = 0;
  packets: OscTap | undefined;
  observer: MoveObserver | undefined;
  readonly service: LearnService;

  constructor() {
    const { clock } = this.osc.node;
    const beganMs = Date.now();
    const beganUs = clock.nowUs;
    const nano = { alias: "nano", pairs: [], needsOutput: false, needsSysex: false };
    this.monitor = new InputMonitor({
      clock,
      enter: () => clock.set(beganUs + (Date.now() - beganMs) * 1_000),
      devices: () => this.devices,
      onWanted: () => {
        const wanted = this.monitor.complete([nano]);
        this.wanted.push(wanted.map(({ alias }) => alias));
        this.hearingSysex = wanted.filter(({ needsSysex }) => needsSysex).map(({ alias }) => alias);
      },
      observeOsc: (observer) => {
        this.osc.input.observer = observer;
      },
      profileOf: () => undefined,
      layoutOf: () => undefined,
      startTracer: () => this.tracer,
      startRecorder: () => this.recorder,
      observePackets: (observer) => {
        this.packets = observer;
      },
      observeMoves: (observer) => {
        this.observer = observer;
      },
    });
    this.service = new LearnService({
      state: this.osc.node.state,
      monitor: this.monitor,
      devices: () => this.devices,
      bind: (request) => {
        this.bound.push(request);
        return Promise.resolve(this.outcome);
      },
    });
  }

  learn(path: string, accept = false): Promise<LearnOutcome> {
    return this.service.learn({ path, accept, limitMs: LIMIT_MS }, OPTIONS);
  }

  async turn(device: number, number: number): Promise<void> {
    for (let value = 10; value < 40; value++) {
      const event = Object.assign(new MidiEvent(), { kind: MidiKind.cc, channel: 1, number, value, max: 127 });
      await vi.advanceTimersByTimeAsync(5);
      if (this.monitor.isOn) this.monitor.midi(device, event);
    }
  }
}

let rig: Rig;
beforeEach(() => {
  vi.useFakeTimers();
  rig = new Rig();
});
afterEach(() => {
  rig.monitor.close();
  vi.useRealTimers();
});

describe("while somebody learns", () => {
  it("everything that is plugged in is wanted, after what is bound; and nothing more when that is over", async () => {
    const asked = rig.learn("/viz/a");
    await vi.advanceTimersByTimeAsync(600);
    expect(rig.wanted).toEqual([["nano", "pad"]]);
    rig.devices.push(device("late"));
    await vi.advanceTimersByTimeAsync(600);
    expect(rig.wanted.at(-1)).toEqual(["nano", "pad", "late"]);
    await rig.turn(2, 7);
    await vi.advanceTimersByTimeAsync(400);
    expect((await asked).report).toMatchObject({ proposal: { source: "late/ch1/cc7", path: "/viz/a" }, kind: "fader" });
    expect([rig.wanted.at(-1), rig.monitor.isOn, rig.osc.input.observer]).toEqual([["nano"], false, undefined]);
    expect(rig.bound).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("SysEx is heard, also from a device that is bound and traced; and no longer when that is over", async () => {
    rig.devices = [device("nano")];
    rig.monitor.feed({ ...NO_WISH, isTraced: true, aliases: ["nano"] });
    expect(rig.hearingSysex).toEqual([]);
    const asked = rig.learn("/viz/a");
    expect(rig.hearingSysex).toEqual(["nano"]);
    await vi.advanceTimersByTimeAsync(LIMIT_MS);
    await asked;
    expect([rig.wanted.at(-1), rig.hearingSysex]).toEqual([["nano"], []]);
  });

  it("an OSC message to no path may be a control, one to a path is not, nor is a pattern", async () => {
    rig.osc.node.declare("/viz/level", { type: "float" });
    const asked = rig.learn("/viz/a");
    await vi.advanceTimersByTimeAsync(600);
    for (let step = 0; step < 20; step++) {
      rig.osc.message("/viz/level", "f", [step / 20]);
      rig.osc.message("/viz/lev*", "f", [step / 20]);
      rig.osc.message("/1/xy", "fsf", [0.5, "up", step / 40]);
      await vi.advanceTimersByTimeAsync(5);
    }
    await vi.advanceTimersByTimeAsync(400);
    expect((await asked).report).toMatchObject({ proposal: { source: "osc:/1/xy#2" }, others: ["osc:/1/xy#0"] });
    expect(rig.osc.node.value("/viz/level")).toBeCloseTo(19 / 20, 5);
  });

  it("whoever asks again takes the place of the first", async () => {
    const first = rig.learn("/viz/a");
    const second = rig.learn("/viz/b");
    expect((await first).silence).toBe("somebody else began to learn");
    await vi.advanceTimersByTimeAsync(600);
    await rig.turn(0, 9);
    await vi.advanceTimersByTimeAsync(400);
    expect((await second).report?.proposal).toEqual({ source: "nano/ch1/cc9", path: "/viz/b" });
  });
});

describe("while somebody traces", () => {
  it("the device that he named is wanted, though nothing is bound to it, and everybody looks on", () => {
    rig.monitor.feed({ ...NO_WISH, isTraced: true, aliases: ["pad", "127.0.0.1"] });
    expect([rig.wanted.at(-1), rig.monitor.isOn, rig.observer]).toEqual([["nano", "pad"], true, rig.tracer]);
    expect(rig.osc.input.observer).toBe(rig.monitor);
    rig.monitor.feed(NO_WISH);
    expect([rig.wanted.at(-1), rig.monitor.isOn, rig.observer]).toEqual([["nano"], false, undefined]);
    expect(rig.osc.input.observer).toBeUndefined();
  });
});

describe("while somebody records", () => {
  it("every packet is told, and nobody listens to controls for it", () => {
    rig.monitor.feed({ ...NO_WISH, isRecorded: true });
    rig.packets?.(new Uint8Array(4), "127.0.0.1", 7);
    expect([rig.recorded, rig.monitor.isOn, rig.monitor.recorder]).toEqual([1, false, rig.recorder]);
    rig.monitor.feed(NO_WISH);
    expect([rig.packets, rig.monitor.recorder]).toEqual([undefined, undefined]);
  });
});

describe("what learning answers", () => {
  it("is the binding that was made, when that was asked for, or why it was not", async () => {
    const learnt = async (): Promise<LearnOutcome> => {
      const asked = rig.learn("/viz/a", true);
      await vi.advanceTimersByTimeAsync(600);
      await rig.turn(0, 9);
      await vi.advanceTimersByTimeAsync(400);
      return asked;
    };
    expect((await learnt()).problem).toBe("");
    expect(rig.bound).toEqual([{ source: "nano/ch1/cc9", path: "/viz/a" }]);
    rig.outcome = { problem: "", outcome: { reject: Reject.pathsFull, confirmed: false } };
    const { outcome, report } = await learnt();
    expect([outcome.reject, report]).toEqual([Reject.pathsFull, undefined]);
  });

  it("is what fits, or what was asked for instead, without a word about what fits", async () => {
    rig.osc.node.declare("/viz/lamp", { type: "bool" });
    const learnt = async (more: Partial<LearnRequest> = {}): Promise<LearnOutcome> => {
      const asked = rig.service.learn({ path: "/viz/lamp", accept: true, limitMs: LIMIT_MS, ...more }, OPTIONS);
      await vi.advanceTimersByTimeAsync(600);
      for (const kind of [MidiKind.noteOn, MidiKind.noteOff]) {
        rig.monitor.midi(0, Object.assign(new MidiEvent(), { kind, channel: 1, number: 60, value: 90 }));
      }
      await vi.advanceTimersByTimeAsync(400);
      return asked;
    };
    const [lamp, remark] = ["nano/ch1/note60", expect.stringContaining("with --mode momentary it is on")];
    expect((await learnt()).report).toMatchObject({ kind: "momentary", remarks: [remark] });
    await vi.advanceTimersByTimeAsync(1_200);
    expect((await learnt({ options: { mode: "momentary" } })).report?.remarks).toEqual([]);
    const bound = (mode: string) => ({ source: lamp, path: "/viz/lamp", options: { mode } });
    expect(rig.bound).toEqual([bound("toggle"), bound("momentary")]);
  });

  it("is nothing of what fits when another mode was asked for: its value is that mode's own", async () => {
    rig.osc.node.declare("/viz/runs", { type: "bool" });
    const learnt = async (options: Record<string, string>): Promise<LearnOutcome> => {
      const asked = rig.service.learn({ path: "/viz/runs", accept: true, limitMs: LIMIT_MS, options }, OPTIONS);
      await vi.advanceTimersByTimeAsync(600);
      const stop = { kind: MidiKind.command, channel: 1, number: SystemControl.stop, value: 1, max: 1 };
      rig.monitor.midi(0, Object.assign(new MidiEvent(), stop));
      await vi.advanceTimersByTimeAsync(1_200);
      return asked;
    };
    for (const options of [{}, { mode: "toggle" }, { when: "1" }]) await learnt(options);
    expect(rig.bound.map(({ options }) => options)).toEqual([
      { mode: "radio", value: "false" },
      { mode: "toggle" },
      { mode: "radio", value: "false", when: "1" },
    ]);
  });

  it("is that nothing was moved, and what could not be heard", async () => {
    const silence = async (): Promise<string> => {
      const asked = rig.learn("/viz/a");
      await vi.advanceTimersByTimeAsync(LIMIT_MS);
      return (await asked).silence;
    };
    expect(await silence()).toBe("nothing was moved in 5 s");
    rig.devices = [device("nano", { reason: "another program has it open" })];
    expect(await silence()).toBe("nothing was moved in 5 s; nano: another program has it open");
    rig.devices = [];
    expect(await silence()).toBe("nothing was moved in 5 s, and no MIDI device is there");
  });

  it("is at once that no control can move such a path", async () => {
    rig.osc.node.declare("/viz/title", { type: "string" });
    const { problem } = await rig.learn("/viz/title");
    expect(problem).toContain("/viz/title: it holds a text");
    expect(rig.wanted).toEqual([]);
  });
});
