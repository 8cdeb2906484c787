/** The MIDI hub with ports that are played by hand: what it opens, hands over, sends and tells. */
import { beforeEach, describe, expect, it } from "vitest";
import { Clock } from "../../../src/base/clock.js";
import { MidiHub, type MidiTap, type MidiWanted } from "../../../src/edge/midi-hub.js";
import type { MidiBytesHandler, MidiInputPort, MidiOutputPort, MidiSystem } from "../../../src/edge/midi-system.js";
import { MIDI_OUTBOX_MESSAGES } from "../../../src/input/midi-outbox.js";
import type { MidiPort, MidiPortList } from "../../../src/input/midi-port.js";
import { SystemControl } from "../../../src/input/system-control.js";
import { bytesOf, eventText, hex } from "../input/midi-model.js";

/** A machine's ports. */
class HandSystem implements MidiSystem {
  ports: MidiPort[] = [];
  trouble = "";
  /** Only its inputs are listed. */
  isDumb = false;
  /** Why ports cannot be opened. */
  refusal = "";
  /** Why nothing can be sent. */
  sendRefusal = "";
  overruns = 0;
  scans = 0;
  readonly open = new Map<string, MidiBytesHandler>();
  /** Devices whose SysEx is heard. */
  readonly hearingSysex = new Set<string>();
  readonly sent: string[] = [];
  readonly closed: string[] = [];

  plug(name: string, client: number): void {
    this.ports.push({ name: `${name}:${name} ${client}:0`, own: name, place: "" });
  }

  unplug(): void {
    this.ports = [];
  }

  scan(): MidiPortList | string {
    this.scans++;
    return this.trouble === "" ? { inputs: this.ports, outputs: this.isDumb ? [] : this.ports } : this.trouble;
  }

  openInput(port: MidiPort, hearsSysex: boolean, onBytes: MidiBytesHandler): MidiInputPort {
    if (this.refusal !== "") throw new Error(this.refusal);
    this.open.set(port.own, onBytes);
    const hearSysex = (isHeard: boolean): void => {
      if (isHeard) this.hearingSysex.add(port.own);
      else this.hearingSysex.delete(port.own);
    };
    hearSysex(hearsSysex);
    return { overruns: () => this.overruns, hearSysex, close: () => this.closed.push(`in ${port.own}`) };
  }

  openOutput(port: MidiPort): MidiOutputPort {
    if (this.refusal !== "") throw new Error(this.refusal);
    return {
      send: (message) => {
        if (this.sendRefusal !== "") throw new Error(this.sendRefusal);
        this.sent.push(`${port.own} ${hex(message)}`);
      },
      close: () => this.closed.push(`out ${port.own}`),
    };
  }

  makeInput(): never {
    throw new Error("not asked for here");
  }

  makeOutput(): never {
    throw new Error("not asked for here");
  }
}

let system: HandSystem;
let clock: Clock;
let hub: MidiHub;
let told: string[];
let health: string[];
/** How many turns of the event loop are running inside each other. */
let depth: number;
/** Who records. */
let tap: MidiTap | undefined;

beforeEach(() => {
  system = new HandSystem();
  clock = new Clock();
  clock.set(1_000_000_000);
  told = [];
  health = [];
  depth = 0;
  tap = undefined;
  const tell = (text: string): void => {
    told.push(depth > 0 ? text : `${text} outside a turn`);
  };
  hub = new MidiHub({
    system,
    clock,
    turn: {
      begin: () => {
        depth++;
      },
      end: () => {
        depth--;
      },
      wakeBy: () => {},
      wakeFor: () => {},
    },
    listener: {
      control: (device, event) => tell(`${device} ${eventText(event)}`),
      sysex: (device, bytes, length) => tell(`${device} sysex ${hex(bytes, length)}`),
      opened: (device) => tell(`${device} opened`),
      closed: (device) => tell(`${device} closed`),
    },
    onHealth: (text) => health.push(text),
    tap: () => tap,
  });
});

/** Tells what is recorded beside what is made of it. */
const RECORDER: MidiTap = {
  midi: (alias, bytes, sentUs) => told.push(`${alias} sent ${hex(bytes)} at ${sentUs}`),
  port: (alias, isOpen) => told.push(`${alias} ${isOpen ? "open" : "closed"}`),
  due: (alias) => told.push(`${alias} due`),
};

function want(...devices: (Partial<MidiWanted> & { alias: string })[]): void {
  hub.want(devices.map((one) => ({ pairs: [], needsOutput: false, needsSysex: false, ...one })));
}

/** Lets time pass, as the event loop would. */
function run(ms: number): void {
  const endUs = clock.nowUs + ms * 1_000;
  while (hub.dueUs() <= endUs) {
    clock.set(Math.max(clock.nowUs, hub.dueUs()));
    depth++;
    hub.pump();
    depth--;
  }
  clock.set(endUs);
}

function hear(name: string, bytes: string): void {
  system.open.get(name)?.(bytesOf(bytes), 0);
}

function take(): string[] {
  return told.splice(0);
}

describe("a MIDI hub that is recorded", () => {
  it("tells bytes as they came, ports, and when a half was told alone, each before what is made of it", () => {
    tap = RECORDER;
    system.plug("Pad", 20);
    want({ alias: "pad", pairs: [{ channel: 1, msb: 1, lsb: 33 }] });
    system.open.get("Pad")?.(bytesOf("b0 01 40"), 0.25);
    run(25);
    system.unplug();
    run(3_000);
    const [open, , sent, due, ...rest] = take();
    expect([open, sent, due]).toEqual(["pad open", "pad sent b0 01 40 at 250000", "pad due"]);
    // Once more, for the event loop may only have been late.
    expect(rest[0]).toBe("pad due");
    expect(rest[1]).toMatch(/^0 cc14 /);
    expect(rest).toContain("pad closed");
    tap = undefined;
    system.plug("Pad", 21);
    run(3_000);
    expect(take().filter((text) => text.startsWith("pad"))).toEqual([]);
  });
});

describe("a MIDI hub", () => {
  it("asks nothing of the system before a device is wanted", () => {
    run(10_000);
    expect(system.scans).toBe(0);
  });

  it("has opened what is plugged in when it was asked for, and hands over what comes, in a turn", () => {
    system.plug("Pad", 20);
    system.plug("Keys", 24);
    want({ alias: "keys" }, { alias: "pad" });
    expect(hub.stateOf("pad")?.state).toBe("open");
    hear("Pad", "90 3c 64");
    hear("Keys", "b0 07 05 f8 f0 01 f7");
    expect(take()).toEqual([
      "0 opened",
      "1 opened",
      "1 noteOn 1 60 100/127",
      "0 cc 1 7 5/127",
      `0 command 1 ${SystemControl.beat} 1/1`,
      "0 sysex f0 01 f7",
    ]);
  });

  it("knows a device by its new index when the list changes, and leaves its port open", () => {
    system.plug("Pad", 20);
    want({ alias: "pad" });
    want({ alias: "other" }, { alias: "pad" });
    hear("Pad", "b0 07 05");
    expect(take()).toEqual(["0 opened", "1 cc 1 7 5/127"]);
    expect(system.closed).toEqual([]);
  });

  it("hears SysEx of an open port from when somebody needs it, and no longer", () => {
    system.plug("Pad", 20);
    want({ alias: "pad" });
    expect([...system.hearingSysex]).toEqual([]);
    want({ alias: "pad", needsSysex: true });
    expect([...system.hearingSysex]).toEqual(["Pad"]);
    want({ alias: "pad" });
    expect([...system.hearingSysex]).toEqual([]);
    expect(system.closed).toEqual([]);
  });

  it("tells halves that stay alone when the loop calls it", () => {
    system.plug("Pad", 20);
    want({ alias: "pad", pairs: [{ channel: 1, msb: 1, lsb: 33 }] });
    hear("Pad", "b0 01 10");
    expect(take()).toEqual(["0 opened"]);
    run(100);
    expect(take()).toEqual(["0 cc14 1 1 16/127"]);
  });

  it("lets go of held notes when the device vanishes, tells its health, and is back with it", () => {
    system.plug("Pad", 20);
    want({ alias: "pad" });
    hear("Pad", "90 3c 64");
    system.unplug();
    run(1_500);
    expect(take()).toEqual(["0 opened", "0 noteOn 1 60 100/127", "0 noteOff 1 60 0/127", "0 closed"]);
    expect(health).toEqual(["pad: it was unplugged"]);
    system.plug("Pad", 28);
    run(1_999);
    expect(take()).toEqual(["0 opened"]);
    expect(health).toEqual(["pad: it was unplugged", ""]);
  });

  it.each([false, true])(
    "speaks and hears again after each replug, its output later: %j (reconnect leaves one direction dead)",
    (isLater) => {
      system.plug("Pad", 20);
      want({ alias: "pad", needsOutput: true });
      for (let client = 21; client < 24; client++) {
        system.unplug();
        run(2_500);
        take();
        system.isDumb = isLater;
        system.plug("Pad", client);
        run(2_500);
        system.isDumb = false;
        run(5_000);
        hear("Pad", "b0 07 05");
        expect(take()).toEqual(["0 opened", "0 cc 1 7 5/127"]);
        system.sent.length = 0;
        expect(hub.send("pad", bytesOf("90 3c 7f"))).toBe(true);
        expect(system.sent).toEqual(["Pad 90 3c 7f"]);
      }
    },
  );

  it("tells why there is no MIDI, once, and goes on asking", () => {
    system.trouble = "no sequencer";
    want({ alias: "pad" }, { alias: "keys" });
    run(10_000);
    expect(health).toEqual(["no sequencer"]);
    expect(hub.stateOf("pad")).toMatchObject({ state: "absent", reason: "no sequencer" });
    system.trouble = "";
    system.plug("Pad", 20);
    run(2_000);
    expect(hub.stateOf("pad")?.state).toBe("open");
    expect(health).toEqual(["no sequencer", ""]);
  });

  it("tells why a port cannot be had, and has it once it can", () => {
    system.plug("Pad", 20);
    system.refusal = "taken";
    want({ alias: "pad", needsOutput: true });
    run(10_000);
    expect(health).toEqual(["pad: taken"]);
    expect(take()).toEqual([]);
    system.refusal = "";
    run(2_000);
    expect(take()).toEqual(["0 opened"]);
    expect(health.at(-1)).toBe("");
  });

  it("tells that messages were lost, for a minute", () => {
    system.plug("Pad", 20);
    want({ alias: "pad" });
    system.overruns = 5;
    run(1_500);
    expect(health).toEqual(["pad: it sends faster than this machine reads, and 5 messages or more were lost"]);
    expect(hub.counters.report().overruns).toBe(5);
    run(62_000);
    expect(health.at(-1)).toBe("");
  });

  it("opens a port anew that sends faster than it works, tells so, and is at its newest message then", () => {
    system.plug("Pad", 20);
    want({ alias: "pad" });
    const bytes = bytesOf("b0 07 05");
    for (let message = 0; message < 60_000; message++) {
      system.open.get("Pad")?.(bytes, 0.0001);
      clock.set(clock.nowUs + 200);
    }
    take();
    run(100);
    expect(take()).toEqual(["0 closed", "0 opened"]);
    expect(health).toEqual(["pad: it sends faster than this node works, and what waited was dropped"]);
    expect(hub.counters.report().fallenBehind).toBe(1);
    run(2_000);
    expect(take()).toEqual([]);
  });

  it("closes everything at the end, and answers nobody any more", () => {
    system.plug("Pad", 20);
    want({ alias: "pad", needsOutput: true });
    hub.close();
    expect(system.closed).toEqual(["in Pad", "out Pad"]);
    want({ alias: "pad" });
    expect(hub.send("pad", bytesOf("f8"))).toBe(false);
    expect(hub.dueUs()).toBe(Number.POSITIVE_INFINITY);
  });
});

describe("what is sent", () => {
  it("goes out in order, at the device's pace", () => {
    system.plug("Pad", 20);
    want({ alias: "pad", needsOutput: true, pacing: { bytesPerSecond: 3_000, burstBytes: 6 } });
    for (let value = 0; value < 5; value++) expect(hub.send("pad", Uint8Array.of(0xb0, 7, value))).toBe(true);
    expect(system.sent).toEqual(["Pad b0 07 00", "Pad b0 07 01"]);
    run(10);
    expect(system.sent).toHaveLength(5);
    expect(hub.counters.report().messagesOut).toBe(5);
  });

  it("is refused while the device is away, when it is no message, and when the queue is full", () => {
    system.plug("Pad", 20);
    want(
      { alias: "pad", needsOutput: true, pacing: { bytesPerSecond: 1, burstBytes: 1 } },
      { alias: "away", needsOutput: true },
    );
    expect(hub.send("away", bytesOf("f8"))).toBe(false);
    expect(hub.send("pad", bytesOf("90 3c"))).toBe(false);
    let taken = 0;
    while (hub.send("pad", bytesOf("b0 07 05"))) taken++;
    expect(taken).toBe(MIDI_OUTBOX_MESSAGES + 1);
    expect(hub.counters.report().queueFull).toBe(1);
  });

  it("never throws when a port vanishes in the middle of it", () => {
    system.plug("Pad", 20);
    want({ alias: "pad", needsOutput: true });
    system.sendRefusal = "gone";
    expect(() => hub.send("pad", bytesOf("b0 07 05"))).not.toThrow();
    expect(hub.counters.report().sendsFailed).toBe(1);
  });

  it("begins with what the device has to be told when it opens, and ends with what it has to be told before it closes", () => {
    system.plug("Pad", 20);
    const pacing = { bytesPerSecond: 1, burstBytes: 3 };
    want({ alias: "pad", needsOutput: true, pacing, init: [bytesOf("c0 01")], exit: [bytesOf("c0 02")] });
    expect(system.sent).toEqual(["Pad c0 01"]);
    hub.send("pad", bytesOf("90 00 7f"));
    hub.send("pad", bytesOf("90 00 00"));
    hub.send("pad", bytesOf("90 01 00"));
    expect(hub.waiting("pad")).toBeGreaterThan(0);
    want();
    expect(system.sent).toEqual(["c0 01", "90 00 7f", "90 00 00", "90 01 00", "c0 02"].map((text) => `Pad ${text}`));
    expect(system.closed).toContain("out Pad");
    expect(hub.counters.report().unsent).toBe(0);
  });

  it("is forgotten with the device: what comes back is not played what it missed", () => {
    system.plug("Pad", 20);
    want({ alias: "pad", needsOutput: true, pacing: { bytesPerSecond: 1, burstBytes: 3 } });
    for (let value = 0; value < 5; value++) hub.send("pad", Uint8Array.of(0xb0, 7, value));
    system.unplug();
    run(1_500);
    system.plug("Pad", 28);
    const { length } = system.sent;
    run(20_000);
    expect(system.sent).toHaveLength(length);
    expect(hub.counters.report().unsent).toBeGreaterThan(0);
  });
});
