/**
 * Surfaces: the devices of this machine, what they are bound to, and what they are shown, around one node.
 *
 * It only ties together: bindings and feedback decide what a move does and what is shown, the MIDI hub has the ports, the
 * catalog knows profiles and aliases, the monitor lets others listen in. It moves no path by itself and opens no socket;
 * what is due is done when the loop says so. No port is opened before something is bound to it.
 */
import { Bindings } from "../input/bindings.js";
import type { BoundDevice } from "../input/control-tables.js";
import { Feedback } from "../input/feedback.js";
import { InputRecorder } from "../input/input-recorder.js";
import type { MidiPair } from "../input/midi-controls.js";
import type { MidiEvent } from "../input/midi-event.js";
import type { FeedNews } from "../manage/input-feed.js";
import { HealthCode } from "../node/health.js";
import type { HanaNode } from "../node/node.js";
import { Reject } from "../state/reject.js";
import { InputFeeder } from "./input-feeder.js";
import { InputMonitor } from "./input-monitor.js";
import { InputTracer } from "./input-tracer.js";
import type { LiveLoop } from "./live-loop.js";
import { MidiHub, type MidiWanted } from "./midi-hub.js";
import { midiSystem } from "./midi-system.js";
import type { OscHub } from "./osc-hub.js";
import { ReplayService } from "./replay-service.js";
import { SurfaceCatalog } from "./surface-catalog.js";
import { VirtualPorts } from "./virtual-ports.js";

export interface SurfacesParts {
  readonly node: HanaNode;
  readonly loop: LiveLoop;
  /** It hears for these bindings, so it is made after them. */
  readonly osc: () => OscHub;
  /** Names of MIDI ports that other programs of this machine are to find. */
  readonly virtualPorts: readonly string[];
  /** Lines for those who trace or record. */
  readonly onNews: (news: FeedNews) => void;
  /** What is known about surfaces on this machine is not right: sentences. */
  readonly onProblem: (sentences: readonly string[]) => void;
}

export class Surfaces {
  readonly bindings: Bindings;
  readonly feedback: Feedback;
  readonly catalog: SurfaceCatalog;
  readonly midi: MidiHub;
  readonly monitor: InputMonitor;
  readonly replays: ReplayService;
  private readonly parts: SurfacesParts;
  private readonly feeder: InputFeeder;

  constructor(parts: SurfacesParts) {
    this.parts = parts;
    this.feeder = new InputFeeder(parts.onNews);
    this.catalog = new SurfaceCatalog({
      onLoaded: (adoptions) => {
        this.midi.adopt(adoptions);
        this.bindings.refresh();
        parts.loop.requestSettle();
      },
      onProblem: parts.onProblem,
    });
    this.bindings = this.makeBindings();
    this.feedback = this.makeFeedback();
    this.midi = this.makeMidi();
    this.monitor = this.makeMonitor();
    this.replays = this.makeReplays();
  }

  private makeBindings(): Bindings {
    const { writes, core } = this.parts.node;
    return new Bindings({
      target: writes,
      shown: writes,
      memory: core.memory,
      clock: core.clock,
      origins: core.origins,
      profileOf: (alias) => this.catalog.profiles.of(alias),
      onChanged: () => this.wantDevices(),
    });
  }

  private makeFeedback(): Feedback {
    const { node, osc } = this.parts;
    return new Feedback({
      clock: node.core.clock,
      state: node.core.state,
      shown: this.bindings.shown,
      memory: node.core.memory,
      sink: {
        send: (alias, message) => this.midi.send(alias, message),
        waiting: (alias) => this.midi.waiting(alias),
      },
      sender: { send: (target, bytes, length) => osc().send(target, bytes, length) },
      profileOf: (alias) => this.catalog.profiles.of(alias)?.profile,
      onRearm: (alias) => this.bindings.rearm(alias),
      onPosition: (alias, event) => this.bindings.onPosition(alias, event),
      gapOf: (record) => this.bindings.gapOf(record),
    });
  }

  private makeMidi(): MidiHub {
    const { node, loop, virtualPorts } = this.parts;
    const { bindings, feedback } = this;
    return new MidiHub({
      system: new VirtualPorts(midiSystem(), virtualPorts),
      clock: node.core.clock,
      turn: loop,
      listener: {
        control: (device, event) => this.hear(device, event),
        opened: (device) => {
          bindings.rearmDevice(device);
          feedback.opened(device);
          loop.requestSettle();
        },
        closed: (device) => {
          bindings.forgetDevice(device);
          feedback.closed(device);
        },
        sysex: (device, bytes, length) => {
          feedback.hearSysex(device, bytes, length);
          loop.requestSettle();
        },
      },
      onHealth: (text) => node.setHealth(HealthCode.midi, text),
      nameOf: (own, isInput) => this.catalog.profiles.aliasOfPort(own, isInput),
      tap: () => this.monitor.recorder,
    });
  }

  private makeMonitor(): InputMonitor {
    const { node, loop, osc } = this.parts;
    const { clock } = node.core;
    return new InputMonitor({
      clock,
      enter: () => loop.enter(),
      devices: () => this.midi.list(),
      onWanted: () => this.wantDevices(),
      observeOsc: (observer) => {
        osc().input.observer = observer;
      },
      profileOf: (alias) => this.catalog.profiles.of(alias)?.profile,
      layoutOf: (address, argument) => this.catalog.profiles.ofOsc(address, argument),
      startTracer: () => this.newTracer(),
      startRecorder: () => new InputRecorder(clock, Date.now() * 1_000, (line, atUs) => this.feeder.record(line, atUs)),
      observePackets: (tap) => {
        osc().input.tap = tap;
      },
      observeMoves: (observer) => {
        this.bindings.observer = observer;
      },
    });
  }

  /** Where a recording is heard again: where it was heard first. */
  private makeReplays(): ReplayService {
    const { node, loop, osc } = this.parts;
    const { bindings, feedback } = this;
    const placeOf = (alias: string): number => bindings.devices.findIndex((device) => device.alias === alias);
    return new ReplayService({
      clock: node.core.clock,
      enter: () => loop.enter(),
      wakeBy: (dueUs) => loop.wakeBy(dueUs),
      target: {
        pairsOf: (alias) => pairsOf(bindings.devices[placeOf(alias)]),
        control: (alias, event) => this.hear(placeOf(alias), event),
        sysex: (alias, bytes, length) => feedback.hearSysex(placeOf(alias), bytes, length),
        opened: (alias) => bindings.rearm(alias),
        closed: (alias) => bindings.forgetDevice(placeOf(alias)),
        packet: (bytes, address, port) => {
          osc().input.receive(bytes, 0, bytes.length, address, port);
          loop.requestSettle();
        },
      },
    });
  }

  private newTracer(): InputTracer {
    const { node, osc } = this.parts;
    const { writes, controller, core } = node;
    return new InputTracer({
      clock: core.clock,
      bindings: this.bindings,
      counters: osc().counters,
      writes: {
        state: core.state,
        shownValue: (id) => writes.shownValue(id),
        whenDecided: (done) => (controller.takesWrites ? done(Reject.none) : writes.whenDone(done)),
      },
      tell: (line) => this.feeder.trace(line),
    });
  }

  /** `device`: its place among those that are wanted; -1 for one that nothing is bound to. */
  private hear(device: number, event: MidiEvent): void {
    const { monitor, bindings, feedback } = this;
    if (monitor.isOn) monitor.midi(device, event);
    const isMove = feedback.hear(device, event);
    if (isMove) bindings.onMidi(device, event);
    if (monitor.isOn) monitor.midiDone(device, event, isMove);
    this.parts.loop.requestSettle();
  }

  /** What this machine knows about devices is read when the first is bound. */
  private wantDevices(): void {
    const { bindings, catalog, feedback, midi, monitor } = this;
    feedback.compile(
      bindings.list(),
      bindings.devices.map(({ alias }) => alias),
    );
    // What is bound comes first: the bindings know their devices by their places.
    if (catalog.isLoaded) midi.want(monitor.complete(this.wanted()));
    else if (bindings.list().some(({ alias }) => alias !== "")) void catalog.load();
  }

  private wanted(): MidiWanted[] {
    return this.bindings.devices.map((device) => {
      const { alias } = device;
      const wish = this.feedback.wishOf(alias);
      return { alias, pairs: pairsOf(device), ...wish, needsSysex: wish.needsSysex || device.needsSysex };
    });
  }

  /** Does what is due by the clock. */
  tick(): void {
    this.midi.pump();
    this.replays.pump();
    this.bindings.ease();
  }

  /** Ends a turn: bindings and what is shown follow the state. */
  pump(): void {
    this.bindings.pump();
    this.feedback.pump();
  }

  /** What came from others may bind devices and is shown on them: now, not when the timer comes round. */
  followStream(): void {
    const { bindings, feedback } = this;
    bindings.pump();
    if (bindings.list().length === 0) return;
    feedback.pump();
    this.parts.loop.wakeBy(feedback.dueUs);
  }

  /** When `tick` or `pump` is wanted, in microseconds of own time. */
  dueUs(): number {
    return Math.min(this.midi.dueUs(), this.bindings.dueUs, this.feedback.dueUs, this.replays.dueUs());
  }

  /** Another controller, another stream: controls have to find their values again, and devices are painted anew. */
  roleChanged(): void {
    this.bindings.rearm();
    this.feedback.repaint();
  }

  /** Devices go dark and their ports are given back. */
  close(): void {
    this.monitor.close();
    this.feeder.close();
    this.feedback.darken();
    this.midi.close();
  }
}

function pairsOf(device: BoundDevice | undefined): MidiPair[] {
  return (device?.pairs ?? []).map(({ channel, number, low }) => ({ channel, msb: number, lsb: low }));
}
