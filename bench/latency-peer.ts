/**
 * Latency peer: a process on the way of a message. It can be sender, relay and receiver of bare datagrams and of
 * hana's changes, so that both kinds are measured in the same processes. Told what to be by the runner.
 */
import type { Socket } from "node:dgram";
import { setTimeout as delay } from "node:timers/promises";
import type { StatusReport } from "hana-sync";
import { loseDatagrams } from "./floor/loss.js";
import { type Inlet, openInlet, openOutlet, type Outlet, putTime, timeIn } from "./floor/links.js";
import { pace, type PacePlan } from "./floor/pacer.js";
import type { MidiNode } from "./hana/midi-node.js";
import { NodeHost, type NodePlan } from "./hana/node-host.js";
import { monotonicUs } from "./harness/clock.js";
import { serve } from "./harness/remote.js";
import { type Arrivals, TimeLog } from "./harness/samples.js";

const MESSAGES_MAX = 200_000;
/** The numbers that a pitch bend can be. */
const BEND_NUMBERS = 16_384;
/** A binding is at work by then. */
const BOUND_MS = 200;

/** What a link has sent, or what came over it. */
interface LinkLog {
  readonly sent: TimeLog;
  readonly came: TimeLog;
}

export class LatencyPeer {
  private readonly host = new NodeHost();
  private midi: MidiNode | undefined;
  private readonly sources = new Map<string, () => void>();
  private readonly sentLogs = new Map<string, TimeLog>();
  private readonly arrivalLogs = new Map<string, LinkLog>();

  startNode(plan: NodePlan): Promise<number> {
    return this.host.start(plan);
  }

  /** A node that takes MIDI; resolves once it is the controller. */
  async startMidiNode(plan: NodePlan): Promise<void> {
    const { MidiNode } = await import("./hana/midi-node.js");
    this.midi = await MidiNode.start(plan);
    await this.midi.settled();
  }

  /** From now on this process loses a share of the datagrams that it receives. */
  lose(share: number, seed: number): void {
    loseDatagrams(share, seed);
  }

  settled(role: "controller" | "follower"): Promise<void> {
    return this.host.settled(role);
  }

  knows(paths: number): Promise<void> {
    return this.host.knows(paths);
  }

  /** Declares the path that carries send times: microseconds need a double. */
  declareTime(path: string): void {
    this.host.declare(path, { type: "double" });
  }

  /** A sender of bare datagrams: `template` with the time in its last eight bytes. */
  async sendBare(link: string, outlet: Outlet, template: Uint8Array): Promise<void> {
    const socket = await openOutlet(outlet);
    const bytes = Buffer.from(template);
    const log = this.sentLogOf(link);
    this.sources.set(link, () => sendBytes(socket, bytes, log));
  }

  /** A sender that sets a path to the time. */
  sendBySet(link: string, path: string): void {
    const { node } = this.host;
    const log = this.sentLogOf(link);
    this.sources.set(link, () => {
      const nowUs = monotonicUs();
      log.add(nowUs);
      node.set(path, nowUs);
    });
  }

  /** A sender that bends: the path holds the bend's number, and the number tells the time. */
  async sendByMidi(link: string, path: string): Promise<void> {
    const midi = this.midi as MidiNode;
    const log = this.sentLogOf(link);
    const numbers = this.sentLogOf(`${link} numbers`);
    let number = 0;
    midi.bind(path);
    await delay(BOUND_MS);
    this.sources.set(link, () => {
      number = (number + 1) % BEND_NUMBERS;
      log.add(monotonicUs());
      numbers.add(number);
      midi.bend(number);
    });
  }

  async relayBare(inlet: Inlet, outlet: Outlet): Promise<void> {
    const socket = await openOutlet(outlet);
    await openInlet(inlet, (bytes) => socket.send(bytes));
  }

  async receiveBare(link: string, inlet: Inlet): Promise<void> {
    const log = this.arrivalLogOf(link);
    await openInlet(inlet, (bytes) => arrived(log, timeIn(bytes)));
  }

  receiveBySubscription(link: string, path: string): void {
    const log = this.arrivalLogOf(link);
    this.host.node.subscribe(path, (change) => arrived(log, change.value as number));
  }

  pace(plan: PacePlan): Promise<void> {
    return pace(plan, (link) => {
      const source = this.sources.get(link);
      if (source === undefined) throw new Error(`no sender for ${link}`);
      return source;
    });
  }

  /** When this process sent over a link, since the last call. */
  takeSent(link: string): Float64Array {
    return this.sentLogOf(link).take();
  }

  /** The same of a sender that bends, with the numbers. */
  takeBends(link: string): { readonly sentUs: Float64Array; readonly numbers: Float64Array } {
    return { sentUs: this.takeSent(link), numbers: this.takeSent(`${link} numbers`) };
  }

  /** What came over a link since the last call. */
  takeArrivals(link: string): Arrivals {
    const { sent, came } = this.arrivalLogOf(link);
    return { sentUs: sent.take(), cameUs: came.take() };
  }

  status(): StatusReport {
    return this.host.status();
  }

  async close(): Promise<void> {
    await this.midi?.close();
    await this.host.close();
  }

  private sentLogOf(link: string): TimeLog {
    const log = this.sentLogs.get(link) ?? new TimeLog(MESSAGES_MAX);
    this.sentLogs.set(link, log);
    return log;
  }

  private arrivalLogOf(link: string): LinkLog {
    const log = this.arrivalLogs.get(link) ?? { sent: new TimeLog(MESSAGES_MAX), came: new TimeLog(MESSAGES_MAX) };
    this.arrivalLogs.set(link, log);
    return log;
  }
}

function arrived({ sent, came }: LinkLog, sentUs: number): void {
  came.add(monotonicUs());
  sent.add(sentUs);
}

function sendBytes(socket: Socket, bytes: Buffer, log: TimeLog): void {
  const nowUs = monotonicUs();
  log.add(nowUs);
  putTime(bytes, nowUs);
  socket.send(bytes);
}

serve(new LatencyPeer());
