/**
 * Desk: the worker thread that owns TCP port N, so that a heavy page or a slow client cannot delay a cue.
 *
 * It is just another follower of the change ring. It holds a replica, answers the control API from it, and hands to
 * the live thread what only that may do. When it dies, the live thread starts it again; the show does not notice.
 */
import { parentPort } from "node:worker_threads";
import { assert } from "./base/assert.js";
import { DeskFollower } from "./edge/desk-follower.js";
import { DeskLink } from "./edge/desk-link.js";
import { HttpServer } from "./edge/http-server.js";
import { OscTcp } from "./edge/osc-tcp.js";
import { PortServer } from "./edge/port-server.js";
import { SnapshotListener } from "./edge/snapshot-listener.js";
import { SnapshotSource } from "./edge/snapshot-source.js";
import { OscReject } from "./input/osc-reject.js";
import type { AccessRules } from "./manage/api-access.js";
import { ControlApi } from "./manage/control-api.js";
import type { DeskStart, LiveToDesk } from "./manage/desk-messages.js";
import { InputFeed } from "./manage/input-feed.js";
import { Replica } from "./manage/replica.js";

const COUNTERS_PAUSE_MS = 1_000;

class Desk {
  private readonly link: DeskLink;
  private readonly follower: DeskFollower;
  private readonly http: HttpServer;
  private readonly osc: OscTcp;
  private readonly port: PortServer;
  private readonly rules: { httpHost: string; port: number };
  private readonly start: DeskStart;
  private readonly source: SnapshotSource;
  private readonly feed: InputFeed;
  private snapshots: SnapshotListener | undefined;
  private countersTimer: NodeJS.Timeout | undefined;
  private countersSent = "";

  constructor(link: DeskLink, start: DeskStart) {
    this.link = link;
    this.start = start;
    this.rules = { httpHost: start.httpHost, port: start.port };
    const rules: AccessRules = this.rules;
    const replica = new Replica(start.ring, start.capacity);
    this.follower = new DeskFollower(replica, () => link.post({ kind: "imagePlease" }));
    this.source = new SnapshotSource(() => this.follower.currentNow());
    this.feed = new InputFeed((wish) => void link.command({ kind: "feed", wish }).catch(() => {}));
    const api = new ControlApi({
      rules,
      feed: this.feed,
      current: () => this.follower.current(),
      command: (command) => link.command(command),
      counters: () => this.counters(),
    });
    this.http = new HttpServer(api, this.follower);
    this.osc = new OscTcp(start.firstConnection ?? 0, (message) => link.post(message));
    this.port = new PortServer(
      start,
      (socket) => this.http.accept(socket),
      (socket) => this.osc.accept(socket),
    );
    link.onMessage = (message) => this.onMessage(message);
  }

  async open(): Promise<void> {
    const { address, meshKey } = this.start.snapshots;
    try {
      this.rules.port = await this.port.listen();
      this.snapshots = await SnapshotListener.open(address, meshKey, (request) => this.source.image(request));
    } catch (error) {
      const { code = "", message } = error as NodeJS.ErrnoException;
      this.link.post({ kind: "failed", code, text: message });
      this.link.close();
      return;
    }
    this.follower.start();
    this.countersTimer = setInterval(() => this.sendCounters(), COUNTERS_PAUSE_MS);
    this.link.post({ kind: "ready", port: this.rules.port, snapshotPort: this.snapshots.port });
  }

  private async close(): Promise<void> {
    clearInterval(this.countersTimer);
    this.http.close();
    await this.snapshots?.close();
    await this.port.close();
    this.follower.stop();
    this.link.close();
  }

  private onMessage(message: LiveToDesk): void {
    if (this.follower.take(message)) {
      if (message.kind === "imageChunk") this.link.post({ kind: "imageChunkTaken" });
    } else if (message.kind === "oscTaken") this.osc.taken(message.connection, message.bytes);
    else if (message.kind === "oscSend") this.osc.send(message.connection, message.packet);
    else if (message.kind === "inputs") this.feed.take(message.news);
    else if (message.kind === "serving") {
      this.follower.currentNow()?.noteRemovals(message.removals);
      this.source.setTerm(message.term, message.lineage);
    } else if (message.kind === "frozenBegin") this.source.beginFrozen(message.header);
    else if (message.kind === "frozenChunk") this.source.pushFrozen(message.bytes);
    else if (message.kind === "frozenEnd") this.source.endFrozen();
    else if (message.kind === "close") void this.close();
  }

  private sendCounters(): void {
    const counters = this.counters();
    const text = JSON.stringify(counters);
    if (text === this.countersSent) return;
    this.countersSent = text;
    this.link.post({ kind: "counters", counters });
  }

  private counters(): Record<string, number> {
    const { port, http, osc, follower, link } = this;
    const counters: Record<string, number> = {
      "desk.connections": port.connectionCount,
      "desk.watches": http.watchCount,
      "desk.images": follower.replica.images,
      "desk.laps": follower.replica.laps,
      "desk.refusedCommands": link.refusedCommands,
      "tcp.refusedSources": port.refusedSources,
      "tcp.refusedHttp": port.refusedHttp,
      "tcp.refusedOsc": port.refusedOsc,
      "tcp.unknownProtocols": port.unknownProtocols,
      "tcp.overflows": port.overflows,
      "tcp.silentConnections": port.silentConnections,
      "tcp.slowClients": osc.slowClients,
    };
    http.answered.forEach((count, index) => {
      if (count > 0) counters[`http.answered.${index}xx`] = count;
    });
    for (const [name, reject] of Object.entries(OscReject)) {
      const count = osc.rejects[reject] as number;
      if (count > 0) counters[`tcp.osc.${name}`] = count;
    }
    return counters;
  }
}

assert(parentPort !== null, "the desk runs as a worker");
const link = new DeskLink(parentPort);
link.onMessage = (message) => {
  if (message.kind === "start") void new Desk(link, message.start).open();
};
