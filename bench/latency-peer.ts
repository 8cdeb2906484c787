/**
 * Latency peer: a process on the way of a message. It can be sender, relay and receiver of bare datagrams and of
 * hana's changes, so that both kinds are measured in the same processes. Told what to be by the runner.
 */
import type { Socket } from "node:dgram";
import { loseDatagrams } from "./floor/loss.js";
import { type Inlet, openInlet, openOutlet, type Outlet, putTime, timeIn } from "./floor/links.js";
import { pace, type PacePlan } from "./floor/pacer.js";
import { NodeHost, type NodePlan } from "./hana/node-host.js";
import { monotonicUs } from "./harness/clock.js";
import { serve } from "./harness/remote.js";
import { SampleLog } from "./harness/samples.js";

const SAMPLES_MAX = 200_000;

export class LatencyPeer {
  private readonly host = new NodeHost();
  private readonly sources = new Map<string, () => void>();
  private readonly logs = new Map<string, SampleLog>();

  startNode(plan: NodePlan): Promise<number> {
    return this.host.start(plan);
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
    this.sources.set(link, () => sendBytes(socket, bytes));
  }

  /** A sender that sets a path to the time. */
  sendBySet(link: string, path: string): void {
    const { node } = this.host;
    this.sources.set(link, () => node.set(path, monotonicUs()));
  }

  async relayBare(inlet: Inlet, outlet: Outlet): Promise<void> {
    const socket = await openOutlet(outlet);
    await openInlet(inlet, (bytes) => socket.send(bytes));
  }

  async receiveBare(link: string, inlet: Inlet): Promise<void> {
    const log = this.logOf(link);
    await openInlet(inlet, (bytes) => log.add(monotonicUs() - timeIn(bytes)));
  }

  receiveBySubscription(link: string, path: string): void {
    const log = this.logOf(link);
    this.host.node.subscribe(path, (change) => log.add(monotonicUs() - (change.value as number)));
  }

  pace(plan: PacePlan): Promise<void> {
    return pace(plan, (link) => {
      const source = this.sources.get(link);
      if (source === undefined) throw new Error(`no sender for ${link}`);
      return source;
    });
  }

  /** What came over a link since the last call: latencies in microseconds. */
  takeSamples(link: string): Float64Array {
    return this.logOf(link).take();
  }

  async close(): Promise<void> {
    await this.host.close();
  }

  private logOf(link: string): SampleLog {
    const known = this.logs.get(link);
    if (known !== undefined) return known;
    const log = new SampleLog(SAMPLES_MAX);
    this.logs.set(link, log);
    return log;
  }
}

function sendBytes(socket: Socket, bytes: Buffer): void {
  putTime(bytes, monotonicUs());
  socket.send(bytes);
}

serve(new LatencyPeer());
