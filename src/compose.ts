/**
 * Composition root: the only place that wires edges to a node.
 *
 * It opens what a node needs, in the order in which a failure costs least, gives the node its ports, and takes all of
 * it down again. Nothing here decides anything about the show.
 */
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { Random } from "./base/random.js";
import type { AddressBlock } from "./config/addresses.js";
import { parseBlock } from "./config/addresses.js";
import { formatComplaint } from "./config/complaint.js";
import type { Settings } from "./config/settings.js";
import { parseShow, type Show } from "./config/show.js";
import { DeskHost } from "./edge/desk-host.js";
import { FolderLock } from "./edge/folder-lock.js";
import { type NetworkInterface, selectInterface } from "./edge/interfaces.js";
import { LiveLoop } from "./edge/live-loop.js";
import { readMeshKey, readOrMakeMeshKey } from "./edge/mesh-key-file.js";
import { MeshSocket } from "./edge/mesh-socket.js";
import { readOrMakeNodeId, takeNextSession } from "./edge/node-identity.js";
import { type NodePlace, statusOf } from "./edge/node-reports.js";
import { NodeService } from "./edge/node-service.js";
import { networksOf, OscHub } from "./edge/osc-hub.js";
import { OscSocket } from "./edge/osc-socket.js";
import { applyInitialValues, loadShow } from "./edge/show-loader.js";
import { SnapshotFetch } from "./edge/snapshot-fetch.js";
import { SnapshotListener } from "./edge/snapshot-listener.js";
import { BadUserFile, type NetworkTrouble, NetworkEvent, ResourceUnavailable } from "./edge/trouble.js";
import { defaultDataFolder, meshKeyPath, userFolders } from "./edge/user-folders.js";
import { AllowList } from "./input/allow-list.js";
import type { LogLevel, StatusReport } from "./manage/reports.js";
import { type ReadyInfo, type RunningNode, StartError } from "./manage/running-node.js";
import { HealthCode } from "./node/health.js";
import { HanaNode } from "./node/node.js";
import { Subscriptions } from "./node/subscriptions.js";
import { meshTag, multicastGroup } from "./security/mesh-identity.js";
import { ImageEncoder } from "./state/image.js";
import { Role } from "./sync/roles.js";
import { makeImage, type SnapshotImage } from "./sync/snapshot-transfer.js";

/** The log of a running node; pino's loggers fit. */
export interface NodeLog {
  level: string;
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
}

/** A running node with what the library needs of it. */
export interface ComposedNode extends RunningNode {
  readonly node: HanaNode;
  readonly loop: LiveLoop;
  readonly service: NodeService;
  readonly subscriptions: Subscriptions;
}

export interface StartOptions {
  readonly settings: Settings;
  readonly log: NodeLog;
  /** 32 bytes; taken instead of a key file. */
  readonly key?: Uint8Array | undefined;
}

const PACKAGE = new URL("../package.json", import.meta.url);

/** Starts a node. Rejects with `StartError`: 69 for a port, interface or folder, 78 for configuration. */
export async function startNode(settings: Settings, log: NodeLog, key?: Uint8Array): Promise<ComposedNode> {
  const composition = new Composition({ settings, log, key });
  try {
    return await composition.start();
  } catch (error) {
    await composition.close();
    if (error instanceof BadUserFile) throw new StartError(78, [error.message]);
    if (error instanceof ResourceUnavailable) throw new StartError(69, [error.message]);
    throw error;
  }
}

class Composition {
  private readonly options: StartOptions;
  private readonly closers: (() => void | Promise<void>)[] = [];
  private readonly random = new Random(Math.floor(Math.random() * 0x1_0000_0000));
  private isClosed = false;

  constructor(options: StartOptions) {
    this.options = options;
  }

  async start(): Promise<ComposedNode> {
    const { settings, log } = this.options;
    const show = readShow(settings);
    const network = await selectInterface(settings.interface);
    const osc = await this.openPort(settings);
    const name = settings.name ?? hostname().slice(0, 63);
    const folders = userFolders();
    const dataDir = settings.dataDir ?? defaultDataFolder(folders, settings.mesh, name, osc.port);
    const lock = FolderLock.take(dataDir);
    this.closers.push(() => lock.release());
    const key = this.meshKey(settings, meshKeyPath(folders, settings.mesh));
    const nodeId = readOrMakeNodeId(dataDir);
    const session = takeNextSession(dataDir, Date.now() / 1_000);
    const group = multicastGroup(settings.mesh);

    let node: HanaNode | undefined;
    const onTrouble = (trouble: NetworkTrouble): void => {
      if (node !== undefined) onNetworkTrouble(node, trouble);
      log.warn({ event: trouble.event, socket: trouble.socket, code: trouble.code }, trouble.message);
    };
    const mesh = await MeshSocket.open({
      group,
      meshPort: settings.meshPort,
      interfaceAddress: network.address,
      onTrouble,
    });
    this.closers.push(() => mesh.close());
    const snapshots = await SnapshotListener.open(network.address, key, (request) =>
      node === undefined ? undefined : imageOf(node, request.minSequence),
    );
    this.closers.push(() => snapshots.close());

    let loop: LiveLoop | undefined;
    const fetch = new SnapshotFetch(
      key,
      network.address,
      (snapshot) => {
        loop?.enter();
        node?.following.snapshotArrived(snapshot);
        loop?.requestSettle();
      },
      (reason) => {
        loop?.enter();
        node?.following.snapshotFailed(reason);
      },
    );
    this.closers.push(() => fetch.close());

    const live = new HanaNode(
      {
        identity: {
          id: Buffer.from(nodeId).toString("hex"),
          name,
          mesh: settings.mesh,
          priority: settings.priority,
          session: new DataView(session.buffer, session.byteOffset).getUint32(0),
        },
        limits: { paths: settings.limits.paths, autoPaths: settings.declareCap },
        meshKey: key,
        meshTag: meshTag(settings.mesh),
        nodeId,
        session,
        unicastPort: mesh.unicastPort,
        snapshotPort: snapshots.port,
        declaresAuto: settings.declare === "auto",
        redundancy: settings.redundancy,
      },
      {
        datagrams: {
          multicast: (view) => void mesh.sendMulticast(view),
          unicast: (view, address, port) => void mesh.sendUnicast(view, address, port),
        },
        random: this.random,
        requestSettle: () => loop?.requestSettle(),
        fetchSnapshot: (request) => fetch.fetch(request),
        onRole: () => {
          const { role, term } = live.roles;
          log.info({ event: "role", role, term: term.number, controller: term.node }, `this node is ${role}`);
        },
        onHealth: (code, text) => {
          if (text === "") log.info({ event: "health-well", code }, `well again: ${code}`);
          else log.warn({ event: "health", code }, text);
        },
      },
    );
    node = live;

    const desk: { host: DeskHost | undefined } = { host: undefined };
    const allow = settings.osc.allow ?? defaultAllow(network);
    const hub = new OscHub(
      live,
      osc.socket,
      settings,
      new AllowList(networksOf(allow)),
      (connection, packet) => void desk.host?.sendOsc(connection, packet),
    );
    await hub.addOutputs(settings.oscOut, settings.osc.throttleHz);
    const subscriptions = new Subscriptions(
      live.core,
      (id, staging) => live.writes.load(id, staging),
      (error) => log.warn({ event: "listener-failed", error: String(error) }, "a subscriber threw"),
    );
    const work = {
      settle: (): void => {
        hub.input.pump();
        live.settle();
        subscriptions.pump();
        hub.subscribers.pump();
      },
      tick: (): number => {
        const due = live.tick();
        work.settle();
        return Math.min(due, hub.dueUs());
      },
      dueUs: (): number => Math.min(live.dueUs(), hub.dueUs()),
    };
    const running = new LiveLoop(live.core.clock, work);
    loop = running;
    this.closers.push(() => running.stop());
    const complaints = loadShow(live, show);
    complaints.push(...applyInitialValues(live, settings.set));
    if (complaints.length > 0) throw new StartError(78, complaints);

    const place: NodePlace = {
      version: packageVersion(),
      dataDir,
      interfaceName: network.name,
      address: network.address,
      group,
      meshPort: settings.meshPort,
      port: osc.port,
      unicastPort: mesh.unicastPort,
      snapshotPort: snapshots.port,
    };
    const status = (): StatusReport => statusOf(live, place, hub.counters, desk.host?.counters ?? {});
    const setLogLevel = (level: LogLevel): void => {
      log.level = level;
    };
    const service = new NodeService({ node: live, loop: running, osc: hub, status, setLogLevel });
    desk.host = new DeskHost(
      {
        ring: live.core.memory,
        capacity: live.core.state.capacity,
        port: osc.port,
        httpHost: settings.httpHost,
        oscAllow: allow,
        node: live.core.identity.id,
        name,
        mesh: settings.mesh,
        version: place.version,
      },
      service,
    );
    const { host } = desk;
    this.closers.push(() => host.close());
    await host.open();

    mesh.onDatagram((bytes, address, port) => {
      running.enter();
      live.receive(bytes, address, port);
      subscriptions.pump();
      hub.subscribers.pump();
    });
    osc.socket.onDatagram((bytes, address, port) => {
      running.enter();
      hub.input.receive(bytes, 0, bytes.length, address, port);
      running.requestSettle();
    });
    live.start();
    running.tick();
    this.closers.push(() => {
      running.enter();
      live.close();
    });
    const ready: ReadyInfo = {
      node: live.core.identity.id,
      name,
      mesh: settings.mesh,
      port: osc.port,
      meshPort: settings.meshPort,
      group,
      interface: network.name,
      address: network.address,
      dataDir,
    };
    return {
      ready,
      failed: new Promise(() => {}),
      close: () => this.close(),
      node: live,
      loop: running,
      service,
      subscriptions,
    };
  }

  private async openPort(settings: Settings): Promise<{ socket: OscSocket; port: number }> {
    const onTrouble = (trouble: NetworkTrouble): void => {
      this.options.log.warn({ event: trouble.event, socket: trouble.socket, code: trouble.code }, trouble.message);
    };
    const socket = await OscSocket.open({ port: settings.port, onTrouble });
    this.closers.push(() => socket.close());
    return { socket, port: socket.port };
  }

  private meshKey(settings: Settings, path: string): Uint8Array {
    const { key, log } = this.options;
    if (key !== undefined) return key;
    if (settings.keyFile !== undefined) return readMeshKey(settings.keyFile);
    const made = readOrMakeMeshKey(path, settings.mesh);
    if (made.isNew)
      log.info(
        { event: "key-made", mesh: settings.mesh },
        "made a key for this mesh; `hana key show` prints its join code",
      );
    return made.key;
  }

  /** Takes down what was opened, the last first. */
  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    for (const close of this.closers.reverse()) await close();
  }
}

function readShow(settings: Settings): Show | undefined {
  const file = settings.show;
  if (file === undefined) return undefined;
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new StartError(78, [`${file}: ${error instanceof Error ? error.message : String(error)}`]);
  }
  const parsed = parseShow(text, file, { paths: settings.limits.paths });
  if ("complaints" in parsed) throw new StartError(78, parsed.complaints.map(formatComplaint));
  return parsed.show;
}

/** Loopback and the chosen interface's own subnet. */
function defaultAllow(network: NetworkInterface): AddressBlock[] {
  const prefix = network.netmask
    .split(".")
    .reduce((bits, part) => bits + Number(part).toString(2).replaceAll("0", "").length, 0);
  const blocks = ["127.0.0.0/8", "::1", `${network.address}/${prefix}`].map(parseBlock);
  return blocks.filter((block) => block !== undefined);
}

function imageOf(node: HanaNode, minSequence: number): SnapshotImage | undefined {
  const { core, roles } = node;
  if (roles.role !== Role.controlling || (core.sequence[0] as number) < minSequence) return undefined;
  const encoder = new ImageEncoder(core);
  const origins = Array.from({ length: core.origins.size }, (_, index) => core.origins.at(index));
  const chunks: Uint8Array[] = [];
  for (let chunk = encoder.next(); chunk !== undefined; chunk = encoder.next()) chunks.push(chunk);
  const { number, node: holder } = roles.term;
  const image = Math.floor(Math.random() * 0xffff_ffff) + 1;
  return makeImage(
    { image, termNumber: number, termNode: holder, sequence: core.sequence[0] as number, origins },
    chunks,
  );
}

function onNetworkTrouble(node: HanaNode, trouble: NetworkTrouble): void {
  const code = trouble.event === NetworkEvent.smallReceiveBuffer ? HealthCode.buffer : HealthCode.socket;
  node.setHealth(code, trouble.event === NetworkEvent.sendRecovered ? "" : trouble.message);
}

function packageVersion(): string {
  const parsed: unknown = JSON.parse(readFileSync(PACKAGE, "utf8"));
  return typeof parsed === "object" && parsed !== null && "version" in parsed ? String(parsed.version) : "0.0.0";
}
