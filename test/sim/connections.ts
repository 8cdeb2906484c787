/**
 * Connections: snapshots over virtual TCP. The bytes go through the real server and client, sealed; what a connection
 * costs is time, and now and then it breaks. Images are kept a while and given again, as `edge/snapshot-source.ts` does.
 */
import type { Random } from "../../src/base/random.js";
import type { Snapshot } from "../../src/node/adoption.js";
import type { SnapshotRequest } from "../../src/node/ports.js";
import { ImageEncoder } from "../../src/state/image.js";
import {
  makeImage,
  SnapshotClient,
  type SnapshotImage,
  SnapshotProgress,
  SnapshotServer,
} from "../../src/sync/snapshot-transfer.js";
import { encodeStandings } from "../../src/wire/standing.js";
import type { Coverage } from "./coverage.js";
import { KEY, type Machine } from "./machine.js";
import type { Network } from "./network.js";

/** As edge/snapshot-fetch.ts: a connection that is silent this long is given up. */
const SILENCE_US = 3_000_000;
/** As edge/snapshot-source.ts. */
const KEPT_US = 10_000_000;
const BYTES_PER_US = 100;

interface KeptImage {
  readonly term: object;
  readonly boot: number;
  readonly madeUs: number;
  readonly origins: number;
  readonly image: SnapshotImage;
}

export class Connections {
  private readonly network: Network;
  private readonly random: Random;
  private readonly coverage: Coverage;
  private readonly kept = new Map<number, KeptImage>();
  private readonly onImage: (machine: Machine) => void;
  private images = 0;
  /** How likely a connection breaks, and how long it may hang, while that fault is on. */
  failing = 0;
  slowUs = 0;

  /** `onImage`: hears of every image that is made, and of whose memory. */
  constructor(network: Network, random: Random, coverage: Coverage, onImage: (machine: Machine) => void) {
    this.network = network;
    this.random = random;
    this.coverage = coverage;
    this.onImage = onImage;
  }

  forget(): void {
    this.kept.clear();
  }

  fetch(client: Machine, server: Machine | undefined, request: SnapshotRequest): void {
    const fetch = ++client.fetches;
    const finish = (delayUs: number, snapshot: Snapshot | undefined): void => {
      client.later(delayUs, () => {
        if (fetch !== client.fetches) return;
        client.turn((hana) => {
          if (snapshot === undefined) hana.snapshotFailed("no answer");
          else hana.snapshotArrived(snapshot);
        });
      });
    };
    if (server?.hana === undefined || this.breaks(client, server)) {
      this.coverage.count("connection failed");
      finish(server?.isUp === true ? SILENCE_US : 1_000, undefined);
      return;
    }
    this.ask(client, server, request, finish);
  }

  private breaks(client: Machine, server: Machine): boolean {
    const { network } = this;
    if (network.isCut(client.index, server.index) || network.isCut(server.index, client.index)) return true;
    return this.failing > 0 && this.random.next() < this.failing;
  }

  private ask(
    client: Machine,
    server: Machine,
    request: SnapshotRequest,
    finish: (delayUs: number, snapshot: Snapshot | undefined) => void,
  ): void {
    const { network } = this;
    const slowUs = Math.floor(this.random.next() * this.slowUs);
    if (slowUs > 0) this.coverage.count("connection slow");
    // Connect, nonces, request: a round trip and a half.
    const thereUs = 3 * network.connectionDelayUs(client.index, server.index);
    server.later(thereUs + slowUs, () => {
      const snapshot = this.transfer(server, request.minSequence);
      const bytes = snapshot?.chunks.reduce((sum, chunk) => sum + chunk.length, 0) ?? 0;
      const backUs = network.connectionDelayUs(server.index, client.index) + Math.ceil(bytes / BYTES_PER_US);
      const isBroken = network.isCut(server.index, client.index);
      if (isBroken) this.coverage.count("connection failed");
      finish(isBroken ? SILENCE_US : backUs, isBroken ? undefined : snapshot);
    });
  }

  private transfer(from: Machine, minSequence: number): Snapshot | undefined {
    const progress = new SnapshotProgress();
    const server = new SnapshotServer(KEY, this.nonce(), () => this.imageOf(from, minSequence));
    const own = this.nonce();
    const client = new SnapshotClient(KEY, own, minSequence, progress);
    const toServer: Uint8Array[] = [own];
    const toClient: Uint8Array[] = [];
    for (let bytes = toServer.shift(); bytes !== undefined; bytes = toServer.shift()) {
      if (!server.push(bytes, (answer) => toClient.push(answer))) return undefined;
      for (let record = server.pull(); record !== undefined; record = server.pull()) toClient.push(record);
      for (const answer of toClient.splice(0)) client.push(answer, (question) => toServer.push(question));
    }
    const { header, chunks, isWhole } = progress;
    return isWhole && header !== undefined ? { ...header, chunks, standings: progress.standings } : undefined;
  }

  private imageOf(machine: Machine, minSequence: number): SnapshotImage | undefined {
    const { hana } = machine;
    const term = hana?.serving;
    if (hana === undefined || term === undefined) return undefined;
    const { core, controller } = hana;
    const kept = this.kept.get(machine.index);
    const isFresh = kept?.term === term && kept.boot === machine.boot && kept.origins === core.origins.size;
    if (isFresh && machine.localUs - kept.madeUs < KEPT_US && kept.image.sequence >= minSequence) return kept.image;
    const sequence = core.sequence[0] as number;
    if (sequence < minSequence) return undefined;
    const encoder = new ImageEncoder(core);
    const chunks: Uint8Array[] = [];
    for (let chunk = encoder.next(); chunk !== undefined; chunk = encoder.next()) chunks.push(chunk);
    const origins = core.origins.list();
    const { number: termNumber, node: termNode } = term;
    if (controller.isOpen) core.lineage.note(sequence);
    const lineage = core.lineage.entries();
    const told = controller.takesWrites ? controller.publisher.publishedSequence : sequence;
    const header = { image: ++this.images, termNumber, termNode, sequence, told, origins, lineage };
    const image = makeImage(header, chunks, encodeStandings(hana.standings()));
    this.onImage(machine);
    this.kept.set(machine.index, { term, boot: machine.boot, madeUs: machine.localUs, origins: origins.length, image });
    return image;
  }

  private nonce(): Uint8Array {
    return Uint8Array.from({ length: 16 }, () => Math.floor(this.random.next() * 256));
  }
}
