/**
 * Composition root: the only place that wires edges to a node.
 *
 * It opens what a node needs, in the order in which a failure costs least, gives the node its ports, and takes all of
 * it down again, the last first. Nothing here decides anything about the show.
 */
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { Random } from "./base/random.js";
import { type AddressBlock, parseBlock } from "./config/addresses.js";
import { formatComplaint } from "./config/complaint.js";
import type { Settings } from "./config/settings.js";
import { parseShow, type Show } from "./config/show.js";
import { countersOf } from "./edge/counter-report.js";
import { DeskHost } from "./edge/desk-host.js";
import { GroupRejoins } from "./edge/group-rejoins.js";
import { type NetworkInterface, selectInterface } from "./edge/interfaces.js";
import { LiveLoop } from "./edge/live-loop.js";
import { MeshSocket } from "./edge/mesh-socket.js";
import { NodeHome } from "./edge/node-home.js";
import { statusOf } from "./edge/node-reports.js";
import { NodeService } from "./edge/node-service.js";
import { OscHub } from "./edge/osc-hub.js";
import type { OscSocket } from "./edge/osc-socket.js";
import { part } from "./edge/parting.js";
import { openSharedPort } from "./edge/shared-port.js";
import { applyInitialValues, loadShow } from "./edge/show-loader.js";
import { SurfaceService } from "./edge/surface-service.js";
import { SocketHealth } from "./edge/socket-health.js";
import { Surfaces } from "./edge/surfaces.js";
import { SnapshotFetch } from "./edge/snapshot-fetch.js";
import { isWireless } from "./edge/wireless.js";
import { TermFile } from "./edge/term-file.js";
import { TwinAsk } from "./edge/twin-ask.js";
import { BadUserFile, NetworkEvent, type NetworkTrouble, ResourceUnavailable } from "./edge/trouble.js";
import { scheduleWarmUp, warmJoinDuring } from "./edge/warm-up-schedule.js";
import type { InputMonitor } from "./edge/input-monitor.js";
import type { Bindings } from "./input/bindings.js";
import { BoundOsc } from "./input/bound-osc.js";
import { AllowList } from "./input/allow-list.js";
import type { StatusReport } from "./manage/reports.js";
import { type ReadyInfo, type RunningNode, StartError } from "./manage/running-node.js";
import { HealthCode } from "./node/health.js";
import { HanaNode } from "./node/node.js";
import type { NodePorts } from "./node/ports.js";
import { Subscriptions } from "./node/subscriptions.js";
import { meetingGroup, meshTag, streamGroup } from "./security/mesh-identity.js";
import { WIRED_LIMITS, WIRED_REDUNDANCY, WIRELESS_LIMITS, WIRELESS_REDUNDANCY } from "./sync/send-budget.js";

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
  readonly bindings: Bindings;
  readonly monitor: InputMonitor;
}

const PACKAGE = new URL("../package.json", import.meta.url);
/** A joiner has the state by then, and a starting node its role. */
const WARM_UP_DELAY_MS = 700;
const REJOIN_CODES: ReadonlySet<HealthCode> = new Set([HealthCode.multicast, HealthCode.unicast]);
const WIRELESS_TEXT = "is wireless: this node sends 60 times a second at most and repeats more; use a cable for shows";
const TWIN_TEXT = "another node with this node's id is running at";
const TWIN_REMEDY =
  "its data folder was copied; start this one with another --data-dir, or without the file node-id in it";
/** A host name may be longer than a node's name. */
const NAME_LENGTH = 63;

/**
 * Starts a node. `key`: 32 bytes, taken instead of a key file.
 * @throws StartError: 69 for a port, interface, folder or node id that cannot be had, 78 for bad configuration.
 */
export async function startNode(settings: Settings, log: NodeLog, key?: Uint8Array): Promise<ComposedNode> {
  const composition = new Composition(settings, log);
  try {
    return await composition.start(key);
  } catch (error) {
    await composition.close();
    if (error instanceof BadUserFile) throw new StartError(78, [error.message]);
    if (error instanceof ResourceUnavailable) throw new StartError(69, [error.message]);
    throw error;
  }
}

/** What is open before there is a node. */
interface Ground {
  readonly network: NetworkInterface;
  /** The interface is a wireless one. */
  readonly isOnAir: boolean;
  readonly osc: OscSocket;
  readonly mesh: MeshSocket;
  readonly home: NodeHome;
  readonly name: string;
  readonly group: string;
  readonly meetingGroup: string;
}

class Composition {
  private readonly settings: Settings;
  private readonly log: NodeLog;
  private readonly closers: (() => void | Promise<void>)[] = [];
  private readonly reachability = { unicastPort: 0, snapshotPort: 0 };
  private closing: Promise<void> | undefined;
  private mesh: MeshSocket | undefined;
  private show: Show | undefined;
  private node!: HanaNode;
  private loop!: LiveLoop;
  private hub!: OscHub;
  private subscriptions!: Subscriptions;
  private service!: NodeService;
  private surfaces!: Surfaces;
  private readonly socketHealth = new SocketHealth();
  private desk!: DeskHost;
  private fetch!: SnapshotFetch;
  private terms!: TermFile;
  private onFailed: (reason: Error) => void = () => {};
  private refusal: StartError | undefined;

  constructor(settings: Settings, log: NodeLog) {
    this.settings = settings;
    this.log = log;
  }

  async start(key: Uint8Array | undefined): Promise<ComposedNode> {
    this.show = readShow(this.settings);
    const ground = await this.openGround(key);
    this.makeNode(ground);
    this.makeLoop();
    this.makeSurfaces();
    await this.makeOsc(ground);
    this.node.setHealth(HealthCode.termFile, ground.home.terms.problem);
    this.node.setHealth(HealthCode.wireless, ground.isOnAir ? `${ground.network.name} ${WIRELESS_TEXT}` : "");
    this.listen(ground);
    const failed = new Promise<Error>((resolve) => {
      this.onFailed = resolve;
    });
    const ask = new TwinAsk(this.node, this.loop);
    this.closers.push(() => ask.stop());
    this.load();
    await this.openDesk(ground);
    if (this.refusal !== undefined) throw this.refusal;
    this.connect(ground);
    ask.startWhenAsked();
    const { node, loop, service, subscriptions } = this;
    const { bindings, monitor } = this.surfaces;
    const ready = this.readyInfo(ground);
    return { ready, failed, close: () => this.close(), node, loop, service, subscriptions, bindings, monitor };
  }

  private async openGround(key: Uint8Array | undefined): Promise<Ground> {
    const { settings, log } = this;
    const onTrouble = (trouble: NetworkTrouble): void => this.onTrouble(trouble);
    const network = await selectInterface(settings.interface);
    const osc = await openSharedPort({ port: settings.port, onTrouble });
    this.closers.push(() => osc.close());
    const name = settings.name ?? hostname().slice(0, NAME_LENGTH);
    const home = NodeHome.open(settings, name, osc.port, key);
    this.closers.push(() => home.close());
    this.terms = new TermFile(home.dataDir, {
      onSaved: (revision) => this.turn(() => this.node.elections.termSaved(revision)),
      onFailed: (revision, reason) => this.turn(() => this.node.elections.termFailed(revision, reason)),
    });
    this.closers.push(() => this.terms.close());
    const made = "made a key for this mesh; `hana key show` prints the join code for other machines";
    if (home.isKeyNew) log.info({ event: "key-made", mesh: settings.mesh }, made);
    const { meshPort } = settings;
    const groups = { group: streamGroup(settings.mesh), meetingGroup: meetingGroup(settings.mesh) };
    const mesh = await MeshSocket.open({ ...groups, meshPort, interfaceAddress: network.address, onTrouble });
    this.closers.push(() => mesh.close());
    this.mesh = mesh;
    this.reachability.unicastPort = mesh.unicastPort;
    return { network, isOnAir: isWireless(network.name) === true, osc, mesh, home, name, ...groups };
  }

  private makeNode({ home, name, mesh, network, isOnAir }: Ground): void {
    const { settings } = this;
    this.fetch = new SnapshotFetch(home.meshKey, network.address, {
      onArrived: (snapshot) => this.turn(() => this.node.snapshotArrived(snapshot)),
      onFailed: (reason) => this.turn(() => this.node.snapshotFailed(reason)),
    });
    this.closers.push(() => this.fetch.close());
    const { mesh: meshName, priority, limits, declareCap } = settings;
    const redundancy = settings.redundancy ?? (isOnAir ? WIRELESS_REDUNDANCY : WIRED_REDUNDANCY);
    this.node = new HanaNode(
      {
        identity: { id: home.id, name, mesh: meshName, priority, session: home.boot },
        limits: { paths: limits.paths, autoPaths: declareCap },
        meshKey: home.meshKey,
        meshTag: meshTag(meshName),
        nodeId: home.nodeId,
        session: home.session,
        reachability: this.reachability,
        declaresAuto: settings.declare === "auto",
        redundancy,
        sendLimits: isOnAir ? WIRELESS_LIMITS : WIRED_LIMITS,
        termRecord: home.terms.record,
        electionRules: settings.control,
        interfaceName: network.name,
        showsPeers: true,
        mergePolicies: settings.control.conflicts,
      },
      this.ports(mesh, home),
    );
  }

  private ports(mesh: MeshSocket, home: NodeHome): NodePorts {
    const rejoins = new GroupRejoins(() => void mesh.rejoin());
    this.closers.push(() => rejoins.close());
    return {
      datagrams: {
        multicast: (view) => void mesh.sendMulticast(view),
        announce: (view) => void mesh.sendAnnouncement(view),
        unicast: (view, address, port) => void mesh.sendUnicast(view, address, port),
      },
      random: new Random(Math.floor(Math.random() * 0x1_0000_0000)),
      nowUs: () => this.loop.nowUs(),
      requestSettle: () => this.loop.requestSettle(),
      hearStream: (isWanted) => mesh.hearStream(isWanted),
      fetchSnapshot: (request) => this.fetch.fetch(request),
      saveTerm: (record, revision) => this.terms.save(record, revision),
      onRole: () => this.onRole(),
      onServing: () => this.desk.tellServing(),
      onTwin: (address) => this.onTwin(address),
      raiseSession: (above) => void this.raiseSession(home, above + 1),
      onHealth: (code, text) => {
        if (REJOIN_CODES.has(code)) rejoins.note(code, text !== "");
        if (text === "") this.log.info({ event: "health-well", code }, `well again: ${code}`);
        else this.log.warn({ event: "health", code }, text);
      },
    };
  }

  private onTwin(address: string): void {
    this.refusal = new StartError(69, [`${TWIN_TEXT} ${address}: ${TWIN_REMEDY}`]);
    this.onFailed(this.refusal);
  }

  /** A disk that fails keeps nobody silent: the next start goes by the clock. */
  private async raiseSession(home: NodeHome, number: number): Promise<void> {
    const problem = await home.keepSession(number).then(
      () => "",
      (error: unknown) => String(error),
    );
    if (problem !== "") this.log.warn({ event: "session-not-kept", number }, problem);
    this.turn(() => this.node.sessionRaised(number));
  }

  private onRole(): void {
    const { role, term } = this.node.roles;
    this.log.info({ event: "role", role, term: term.number, controller: term.node }, `this node is ${role}`);
    this.desk.tellServing();
    this.surfaces.roleChanged();
  }

  private async makeOsc({ network, osc }: Ground): Promise<void> {
    const { settings, node } = this;
    const allow = new AllowList(settings.osc.allow ?? defaultAllow(network));
    const sendToConnection = (connection: number, packet: Uint8Array): void => {
      this.desk.sendOsc(connection, packet);
    };
    const { bindings, feedback } = this.surfaces;
    const controls = new BoundOsc(bindings, feedback);
    this.hub = new OscHub(node, osc, settings, allow, sendToConnection, controls, feedback.osc);
    await this.hub.addOutputs(settings.oscOut, settings.osc.throttleHz);
    this.subscriptions = new Subscriptions(
      node.core,
      (id, staging) => node.writes.load(id, staging),
      (error) => this.log.warn({ event: "listener-failed", error: String(error) }, "a subscriber threw"),
    );
  }

  private makeLoop(): void {
    const { node } = this;
    this.loop = new LiveLoop(node.core.clock, {
      late: () => node.late(),
      settle: () => this.settle(),
      tick: () => {
        this.hub.pumpInput();
        this.surfaces.tick();
        node.tick();
        this.settle();
      },
      dueUs: () => Math.min(node.dueUs(), this.hub.dueUs(), this.surfaces.dueUs()),
    });
    this.closers.push(() => this.loop.stop());
  }

  /** Ends a turn. What changed leaves first: everything else can wait for it. */
  private settle(): void {
    const { hub } = this;
    this.node.settle();
    this.subscriptions.pump();
    hub.subscribers.pump();
    if (hub.input.isHolding) hub.pumpInput();
    this.surfaces.pump();
  }

  private makeSurfaces(): void {
    const { node, loop, settings } = this;
    this.surfaces = new Surfaces({
      node,
      loop,
      osc: () => this.hub,
      virtualPorts: settings.midi.virtual,
      onNews: (news) => this.desk.tellInputs(news),
      onProblem: (problems) =>
        this.log.warn({ event: "surfaces", problems }, "what is known about surfaces is not right"),
    });
    this.closers.push(() => this.surfaces.close());
  }

  private load(): void {
    const complaints = [...loadShow(this.node, this.show), ...applyInitialValues(this.node, this.settings.set)];
    // The tree has it now: what the text said is 100 MB with 100,000 paths.
    this.show = undefined;
    if (complaints.length > 0) throw new StartError(78, complaints);
  }

  private async openDesk({ network, osc, home, name, mesh, ...ground }: Ground): Promise<void> {
    const { settings, node, loop, hub } = this;
    const version = packageVersion();
    const status = (): StatusReport => {
      const { address, name: interfaceName } = network;
      const { meshPort } = settings;
      const { port } = osc;
      const { snapshotPort } = this.reachability;
      const { unicastPort } = mesh;
      const { group, meetingGroup } = ground;
      const place = {
        version,
        dataDir: home.dataDir,
        interfaceName,
        address,
        group,
        meetingGroup,
        meshPort,
        port,
        unicastPort,
        snapshotPort,
      };
      const { bindings, midi } = this.surfaces;
      const counted = countersOf({ node, osc: hub.counters, midi: midi.counters, bindings });
      return statusOf(node, place, { ...counted, ...this.desk.counters });
    };
    this.service = new NodeService({
      node,
      loop,
      osc: hub,
      status,
      setLogLevel: (level) => {
        this.log.level = level;
      },
      setSnapshotPort: (port) => {
        this.reachability.snapshotPort = port;
      },
    });
    this.desk = new DeskHost(
      {
        ring: node.core.memory,
        capacity: node.core.state.capacity,
        port: osc.port,
        httpHost: settings.httpHost,
        oscAllow: settings.osc.allow ?? defaultAllow(network),
        node: home.id,
        name,
        mesh: settings.mesh,
        version,
        snapshots: { address: network.address, meshKey: home.meshKey },
      },
      this.service,
      new SurfaceService({ node, loop, service: this.service, surfaces: this.surfaces }),
    );
    this.closers.push(() => this.desk.close());
    await warmJoinDuring(this.desk.open());
  }

  /** Lets the mesh in; until it is started a node hears nothing but its twin. */
  private listen({ mesh }: Ground): void {
    const { node, loop, hub, subscriptions, surfaces } = this;
    mesh.onDatagram((bytes, address, port) => {
      loop.begin();
      node.receive(bytes, address, port);
      loop.end();
      subscriptions.pump();
      hub.subscribers.pump();
      surfaces.followStream();
    });
  }

  /** Lets everybody else in. */
  private connect({ osc }: Ground): void {
    const { node, loop, hub } = this;
    osc.onDatagram((bytes, address, port) => {
      loop.begin();
      hub.input.receive(bytes, 0, bytes.length, address, port);
      loop.requestSettle();
      loop.end();
    });
    loop.start();
    this.closers.push(scheduleWarmUp(WARM_UP_DELAY_MS));
    this.closers.push(() => {
      loop.enter();
      node.close();
    });
    this.closers.push(() => {
      this.turn(() => this.surfaces.bindings.arrive());
      return part(node, loop);
    });
  }

  /** One turn that something other than a socket began. */
  private turn(act: () => void): void {
    this.loop.enter();
    act();
    this.loop.requestSettle();
  }

  private onTrouble(trouble: NetworkTrouble): void {
    const { event, socket, code, message, isNews } = trouble;
    if (isNews) this.log.warn({ event, socket, code }, message);
    if (event === NetworkEvent.sendRecovered) this.mesh?.rejoinSoon();
    // A buffer that is too small is told while the sockets open, before there is a node.
    const node = this.node as HanaNode | undefined;
    if (event === NetworkEvent.smallReceiveBuffer) node?.setHealth(HealthCode.buffer, message);
    else node?.setHealth(HealthCode.socket, this.socketHealth.hear(trouble));
  }

  private readyInfo({ network, osc, home, name, group }: Ground): ReadyInfo {
    const { mesh, meshPort } = this.settings;
    const { address, name: interfaceName } = network;
    const { port } = osc;
    return {
      node: home.id,
      name,
      mesh,
      port,
      meshPort,
      group,
      interface: interfaceName,
      address,
      dataDir: home.dataDir,
    };
  }

  close(): Promise<void> {
    this.closing ??= this.closeAll();
    return this.closing;
  }

  private async closeAll(): Promise<void> {
    for (const close of this.closers.reverse()) await close();
  }
}

function readShow(settings: Settings): Show | undefined {
  const file = settings.show;
  if (file === undefined) return undefined;
  const parsed = parseShow(readText(file), file, { paths: settings.limits.paths });
  if ("complaints" in parsed) throw new StartError(78, parsed.complaints.map(formatComplaint));
  return parsed.show;
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new StartError(78, [`${file}: ${error instanceof Error ? error.message : String(error)}`]);
  }
}

/** Loopback and the chosen interface's own subnet. */
function defaultAllow({ address, netmask }: NetworkInterface): AddressBlock[] {
  const bits = netmask.split(".").map((part) => Number(part).toString(2).replaceAll("0", ""));
  const blocks = ["127.0.0.0/8", "::1", `${address}/${bits.join("").length}`].map(parseBlock);
  return blocks.filter((block) => block !== undefined);
}

function packageVersion(): string {
  const parsed: unknown = JSON.parse(readFileSync(PACKAGE, "utf8"));
  return typeof parsed === "object" && parsed !== null && "version" in parsed ? String(parsed.version) : "0.0.0";
}
