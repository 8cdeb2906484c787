/**
 * Desk host: the live thread's end of the desk worker. Starts it, answers it, restarts it when it dies.
 *
 * The desk owns TCP port N; a crash of it costs connections and never the show: it is reported and started again with
 * growing pauses. Images are sent one chunk per turn of the event loop, each after the last was taken, so that a
 * lagging desk cannot delay a cue. It decides nothing: `DeskService` does.
 */
import { Worker } from "node:worker_threads";
import { AssertionError } from "../base/assert.js";
import type {
  DeskAnswers,
  DeskCommand,
  DeskCommandKind,
  DeskStart,
  DeskToLive,
  LiveToDesk,
} from "../manage/desk-messages.js";
import { type FeedNews, NO_WISH } from "../manage/input-feed.js";
import { carryOut } from "./desk-commands.js";
import type { DeskService, DeskSurfaces } from "./desk-service.js";
import { ResourceUnavailable } from "./trouble.js";

/** Pauses before the desk is started again; the last one stays. One that ran for `WELL_AFTER_MS` begins anew. */
const RESTART_PAUSES_MS = [100, 500, 2_000, 10_000, 30_000];
const WELL_AFTER_MS = 60_000;
/** How long `close` waits for the desk to finish its answers. */
const CLOSE_LIMIT_MS = 1_000;
/** Encoding an image runs at most this far ahead of the desk. */
const IMAGE_CHUNKS_AHEAD = 2;
/** A desk that runs wild dies alone: 100,000 paths need some 60 MB. */
const HEAP_LIMIT_MB = 512;
/** The desk keeps little that is short-lived: a small young generation saves 7 MB resident (measured). */
const YOUNG_LIMIT_MB = 1;

const CONNECTIONS_PER_DESK = 1_000_000_000;

const DESK_SCRIPT = new URL("../desk.js", import.meta.url);

/**
 * A desk that has loaded its modules and waits to be told what it is. The command makes one first of all, so that the
 * worker loads while the main thread does: some 100 ms of the way to `ready`. The only state of this file.
 */
class WarmDesk {
  private worker: Worker | undefined;

  /** Does not keep the process alive. */
  make(): void {
    this.worker = spawnDesk(DESK_SCRIPT);
    this.worker.unref();
    // Whatever it dies of before it is taken, the desk that is made instead dies of too, and says so.
    this.worker.on("error", () => {
      this.worker = undefined;
    });
  }

  take(script: URL): Worker | undefined {
    const { worker } = this;
    if (script !== DESK_SCRIPT) return undefined;
    this.worker = undefined;
    return worker;
  }
}

export const warmDesk = new WarmDesk();

function spawnDesk(script: URL): Worker {
  return new Worker(script, {
    name: "hana desk",
    resourceLimits: { maxOldGenerationSizeMb: HEAP_LIMIT_MB, maxYoungGenerationSizeMb: YOUNG_LIMIT_MB },
  });
}

export class DeskHost {
  /** The desk's counters, as it told them last. */
  counters: Readonly<Record<string, number>> = {};
  /** How often the desk died. */
  crashes = 0;
  private start: DeskStart;
  private readonly service: DeskService;
  private readonly surfaces: DeskSurfaces;
  private readonly script: URL;
  private worker: Worker | undefined;
  private image: Iterator<Uint8Array> | undefined;
  private imageAhead = 0;
  /** What is left of the frozen image that is being told, or was. */
  private frozen: Iterator<Uint8Array> | undefined;
  private isImageDue = false;
  private readonly connections = new Set<number>();
  private launches = 0;
  private failedStarts = 0;
  private restartTimer: NodeJS.Timeout | undefined;
  private isClosing = false;

  constructor(start: DeskStart, service: DeskService, surfaces: DeskSurfaces, script = DESK_SCRIPT) {
    this.start = start;
    this.service = service;
    this.surfaces = surfaces;
    this.script = script;
  }

  /**
   * Starts the desk; resolves with its TCP port once that is open. Call it once.
   * @throws ResourceUnavailable when the port cannot be opened, or what the worker died of before.
   */
  async open(): Promise<number> {
    const port = await this.launch();
    // A desk started again must come back on the same port, also where the system chose it.
    this.start = { ...this.start, port };
    return port;
  }

  /** Sends one packet to a TCP client. The bytes are copied. False when no such connection is open. */
  sendOsc(connection: number, packet: Uint8Array): boolean {
    if (!this.connections.has(connection)) return false;
    const copy = packet.slice();
    this.post({ kind: "oscSend", connection, packet: copy }, [copy.buffer]);
    return true;
  }

  /** Tells the desk what others may fetch here; call it whenever that changes. */
  tellServing(): void {
    this.sendFrozen();
    const { serving: term, lineage, removals } = this.service;
    this.post({ kind: "serving", term, lineage, removals });
  }

  /** A state that stands still, one chunk per turn. What was on its way of another is given up. */
  private sendFrozen(): void {
    const header = this.service.frozen;
    if (header === undefined && this.frozen === undefined) return;
    this.post({ kind: "frozenBegin", header });
    const chunks = header === undefined ? undefined : this.service.image()[Symbol.iterator]();
    this.frozen = chunks;
    if (header !== undefined && chunks !== undefined) this.continueFrozen(chunks, header.sequence);
  }

  private continueFrozen(chunks: Iterator<Uint8Array>, sequence: number): void {
    setImmediate(() => {
      // It moves again: then it is no one image.
      if (this.frozen !== chunks || this.service.sequence !== sequence) return;
      const next = chunks.next();
      if (next.done === true) this.post({ kind: "frozenEnd" });
      else {
        this.post({ kind: "frozenChunk", bytes: next.value });
        this.continueFrozen(chunks, sequence);
      }
    });
  }

  /** Tells the desk what was said at the inputs. */
  tellInputs(news: FeedNews): void {
    this.post({ kind: "inputs", news });
  }

  /** Lets the desk finish its answers, then ends it. */
  async close(): Promise<void> {
    this.isClosing = true;
    clearTimeout(this.restartTimer);
    const { worker } = this;
    if (worker === undefined) return;
    const exited = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
    const timer = setTimeout(() => void worker.terminate(), CLOSE_LIMIT_MS);
    this.post({ kind: "close" });
    await exited;
    clearTimeout(timer);
  }

  private launch(): Promise<number> {
    return new Promise((resolve, reject) => {
      const worker = warmDesk.take(this.script) ?? spawnDesk(this.script);
      const startedMs = performance.now();
      let reason: Error = new Error("the desk ended");
      let isReady = false;
      this.worker = worker;
      worker.ref();
      this.post({
        kind: "start",
        start: { ...this.start, firstConnection: this.launches++ * CONNECTIONS_PER_DESK },
      });
      worker.on("message", (message: DeskToLive) => {
        if (message.kind === "ready") {
          isReady = true;
          this.service.snapshotPort(message.snapshotPort);
          this.tellServing();
          resolve(message.port);
        } else if (message.kind === "failed") reason = portError(message.code, message.text, this.start.port);
        else this.onMessage(message);
      });
      worker.on("error", (error) => {
        reason = error instanceof Error ? error : new Error(String(error));
      });
      worker.on("exit", () => {
        this.worker = undefined;
        this.dropConnections();
        if (isReady) this.onDeath(reason, performance.now() - startedMs);
        else reject(reason);
      });
    });
  }

  private onDeath(reason: Error, ranMs: number): void {
    if (this.isClosing) return;
    this.crashes++;
    if (ranMs >= WELL_AFTER_MS) this.failedStarts = 0;
    this.service.deskHealth(`the control API went down and is being started again: ${reason.message}`);
    this.restartLater();
  }

  private restartLater(): void {
    const last = RESTART_PAUSES_MS.length - 1;
    const pauseMs = RESTART_PAUSES_MS[Math.min(this.failedStarts++, last)] as number;
    this.restartTimer = setTimeout(() => void this.restart(), pauseMs);
  }

  private async restart(): Promise<void> {
    try {
      await this.launch();
      this.service.deskHealth("");
    } catch (error) {
      if (this.isClosing) return;
      this.service.deskHealth(`the control API does not start: ${(error as Error).message}`);
      this.restartLater();
    }
  }

  private dropConnections(): void {
    // Whoever asked for it asks the next desk again.
    this.surfaces.feed(NO_WISH);
    this.image = undefined;
    this.frozen = undefined;
    for (const connection of this.connections) this.service.oscClosed(connection);
    this.connections.clear();
  }

  private onMessage(message: DeskToLive): void {
    switch (message.kind) {
      case "command":
        void this.answer(message.id, message.command);
        break;
      case "imagePlease":
        this.beginImage();
        break;
      case "imageChunkTaken":
        this.imageAhead--;
        this.continueImage();
        break;
      case "oscOpened":
        this.connections.add(message.connection);
        this.service.oscOpened(message.connection, message.remoteAddress, message.remotePort);
        break;
      case "oscReceived":
        this.receiveOsc(message.connection, message.packets);
        break;
      case "oscClosed":
        if (this.connections.delete(message.connection)) this.service.oscClosed(message.connection);
        break;
      case "counters":
        this.counters = message.counters;
        break;
      default:
        break;
    }
  }

  private receiveOsc(connection: number, packets: readonly Uint8Array[]): void {
    let bytes = 0;
    for (const packet of packets) {
      bytes += packet.length;
      this.service.oscReceived(connection, packet);
    }
    this.post({ kind: "oscTaken", connection, bytes });
  }

  private async answer(id: number, command: DeskCommand): Promise<void> {
    let answer: DeskAnswers[DeskCommandKind];
    try {
      answer = await carryOut(command, this.service, this.surfaces);
    } catch (error) {
      if (error instanceof AssertionError) throw error;
      this.post({ kind: "answerFailed", id, text: error instanceof Error ? error.message : String(error) });
      return;
    }
    this.post({ kind: "answer", id, answer });
  }

  private beginImage(): void {
    const { service } = this;
    this.post({
      kind: "imageBegin",
      terms: service.terms.list(),
      origins: service.origins.list(),
      sequence: service.sequence,
    });
    service.tellStandings();
    this.image = service.image()[Symbol.iterator]();
    this.imageAhead = 0;
    this.continueImage();
  }

  /** One chunk per turn, so that a cue that waits in a socket goes first. */
  private continueImage(): void {
    if (this.image === undefined || this.isImageDue || this.imageAhead >= IMAGE_CHUNKS_AHEAD) return;
    this.isImageDue = true;
    setImmediate(() => {
      this.isImageDue = false;
      this.sendImageChunk();
      this.continueImage();
    });
  }

  private sendImageChunk(): void {
    const next = this.image?.next();
    if (next === undefined) return;
    if (next.done === true) {
      this.image = undefined;
      this.post({ kind: "imageEnd", pending: this.service.pending() });
      return;
    }
    this.imageAhead++;
    this.post({ kind: "imageChunk", bytes: next.value });
  }

  private post(message: LiveToDesk, transfer: readonly ArrayBuffer[] = []): void {
    this.worker?.postMessage(message, transfer);
  }
}

function portError(code: string, text: string, port: number): Error {
  const remedy = "choose another with --port";
  if (code === "EADDRINUSE") return new ResourceUnavailable("port", `TCP port ${port} is in use; ${remedy}`);
  if (code === "EACCES") {
    return new ResourceUnavailable("port", `TCP port ${port} needs more rights than this user has; ${remedy}`);
  }
  return new ResourceUnavailable("port", `TCP port ${port} cannot be opened: ${text}`);
}
