/**
 * OSC hub: the OSC side of a node at its sockets. Datagrams and TCP packets in, subscribers' packets out.
 */
import { randomInt } from "node:crypto";
import { lookup } from "node:dns/promises";
import type { Clock } from "../base/clock.js";
import type { OscOut } from "../config/osc-out.js";
import type { Settings } from "../config/settings.js";
import type { AllowList } from "../input/allow-list.js";
import { OscCounters } from "../input/osc-counters.js";
import { LatePolicy, type OscControls, OscInput, TimetagPolicy } from "../input/osc-input.js";
import type { OscSurfaces } from "../input/osc-requests.js";
import { OscSubscribers } from "../input/osc-subscribers.js";
import { NO_CONNECTION, type OscSender, type OscTarget } from "../input/osc-target.js";
import type { HanaNode } from "../node/node.js";
import { OSC_DATAGRAM_MAX_BYTES, type OscSocket } from "./osc-socket.js";
import { ResourceUnavailable } from "./trouble.js";

/** Sends a packet to a TCP client; the bytes are copied. */
export type SendToConnection = (connection: number, packet: Uint8Array) => void;

export class OscHub implements OscSender {
  readonly counters = new OscCounters();
  readonly subscribers: OscSubscribers;
  readonly input: OscInput;
  private readonly socket: OscSocket;
  private readonly clock: Clock;
  private readonly sendToConnection: SendToConnection;
  private readonly connections = new Map<number, { readonly address: string; readonly port: number }>();
  private readonly viewsOf = new WeakMap<ArrayBufferLike, (Uint8Array | undefined)[]>();

  constructor(
    node: HanaNode,
    socket: OscSocket,
    settings: Settings,
    allow: AllowList,
    sendToConnection: SendToConnection,
    controls?: OscControls,
    surfaces?: OscSurfaces,
  ) {
    this.socket = socket;
    this.sendToConnection = sendToConnection;
    const { core, writes } = node;
    this.clock = core.clock;
    this.subscribers = new OscSubscribers({
      clock: core.clock,
      memory: core.memory,
      state: core.state,
      origins: core.origins,
      ownNode: core.identity.id,
      shown: writes,
      outputTerm: () => node.outputTerm,
      sender: this,
      counters: this.counters,
    });
    const { osc } = settings;
    this.input = new OscInput({
      clock: core.clock,
      target: writes,
      controls,
      surfaces,
      subscribers: this.subscribers,
      sender: this,
      counters: this.counters,
      allow,
      nodeName: core.identity.name,
      rateLimit: osc.rateLimit,
      timetags: osc.timetags === "ignore" ? TimetagPolicy.ignore : TimetagPolicy.honour,
      late: osc.timetags === "dropLate" ? LatePolicy.drop : LatePolicy.apply,
      throttleHz: osc.throttleHz,
      seed: randomInt(SEED_END),
    });
  }

  /** Adds the `--osc-out` targets. Rejects with `ResourceUnavailable` for a host that has no address. */
  async addOutputs(outputs: readonly OscOut[], throttleHz: number): Promise<void> {
    for (const output of outputs) {
      const address = await addressOf(output.host);
      const from =
        output.from === undefined ? undefined : { address: await addressOf(output.from.host), port: output.from.port };
      const { port, pattern = "//*" } = output;
      const problem = this.subscribers.addOutput({
        address,
        port,
        pattern,
        throttleHz,
        ...(from === undefined ? {} : { from }),
      });
      if (problem !== "") throw new ResourceUnavailable("port", `--osc-out ${output.host}:${port}: ${problem}`);
    }
  }

  send(target: OscTarget, bytes: Uint8Array, length: number): void {
    if (length > OSC_DATAGRAM_MAX_BYTES) return;
    const view = this.view(bytes, length);
    if (target.connection === NO_CONNECTION) this.socket.sendTo(view, target.address, target.port);
    else this.sendToConnection(target.connection, view);
  }

  /** Short packets are sent over and over from the same buffer: their views are kept. */
  private view(bytes: Uint8Array, length: number): Uint8Array {
    if (length > KEPT_VIEW_BYTES) return bytes.subarray(0, length);
    let views = this.viewsOf.get(bytes.buffer);
    if (views === undefined) {
      views = new Array<Uint8Array | undefined>(KEPT_VIEW_BYTES + 1).fill(undefined);
      this.viewsOf.set(bytes.buffer, views);
    }
    let view = views[length];
    if (view === undefined || view.byteOffset !== bytes.byteOffset) {
      view = bytes.subarray(0, length);
      views[length] = view;
    }
    return view;
  }

  opened(connection: number, address: string, port: number): void {
    this.connections.set(connection, { address, port });
  }

  received(connection: number, packet: Uint8Array): void {
    const client = this.connections.get(connection);
    if (client !== undefined) this.input.receive(packet, 0, packet.length, client.address, client.port, connection);
  }

  closed(connection: number): void {
    this.connections.delete(connection);
    this.subscribers.closeConnection(connection);
  }

  /** Applies what has waited. Time tags are wall-clock times, so the clock's steps are followed here. */
  pumpInput(): void {
    this.input.wallOffsetUs = Date.now() * 1_000 - this.clock.nowUs;
    this.input.pump();
  }

  /** When it wants to be pumped, in microseconds of own time. */
  dueUs(): number {
    return Math.min(this.input.nextDueUs, this.subscribers.nextDueUs);
  }
}

const KEPT_VIEW_BYTES = 1_200;
const SEED_END = 2 ** 32;

/** Surfaces are addressed by name in show files; the datagrams go to an address. */
async function addressOf(host: string): Promise<string> {
  try {
    return (await lookup(host, { family: 4 })).address;
  } catch (error) {
    throw new ResourceUnavailable("port", `${host} has no IPv4 address`, error);
  }
}
