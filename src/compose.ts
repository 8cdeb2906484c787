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
import { DeskHost } from "./edge/desk-host.js";
import { InputMonitor } from "./edge/input-monitor.js";
import { InputFeeder } from "./edge/input-feeder.js";
import { InputTracer } from "./edge/input-tracer.js";
import { type NetworkInterface, selectInterface } from "./edge/interfaces.js";
import { LiveLoop } from "./edge/live-loop.js";
import { MeshSocket } from "./edge/mesh-socket.js";
import { MidiHub, type MidiWanted } from "./edge/midi-hub.js";
import { midiSystem } from "./edge/midi-system.js";
import { NodeHome } from "./edge/node-home.js";
import { statusOf } from "./edge/node-reports.js";
import { NodeService } from "./edge/node-service.js";
import { OscHub } from "./edge/osc-hub.js";
import type { OscSocket } from "./edge/osc-socket.js";
import { openSharedPort } from "./edge/shared-port.js";
import { applyInitialValues, loadShow } from "./edge/show-loader.js";
import { SurfaceCatalog } from "./edge/surface-catalog.js";
import { SurfaceService } from "./edge/surface-service.js";
import { ReplayService } from "./edge/replay-service.js";
import { SnapshotFetch } from "./edge/snapshot-fetch.js";
import { isWireless } from "./edge/wireless.js";
import { TermFile } from "./edge/term-file.js";
import { TwinAsk } from "./edge/twin-ask.js";
import { BadUserFile, NetworkEvent, type NetworkTrouble, ResourceUnavailable } from "./edge/trouble.js";
import { scheduleWarmUp, warmJoinDuring } from "./edge/warm-up-schedule.js";
import { Bindings } from "./input/bindings.js";
import { BoundOsc } from "./input/bound-osc.js";
import { Feedback } from "./input/feedback.js";
import { InputRecorder } from "./input/input-recorder.js";
import type { MidiEvent } from "./input/midi-event.js";
import type { MidiPair } from "./input/midi-controls.js";
import type { BoundDevice } from "./input/control-tables.js";
import { AllowList } from "./input/allow-list.js";
import type { StatusReport } from "./manage/reports.js";
import { type ReadyInfo, type RunningNode, StartError } from "./manage/running-node.js";
import { HealthCode } from "./node/health.js";
import { VirtualPorts } from "./edge/virtual-ports.js";
import { HanaNode } from "./node/node.js";
import type { NodePorts } from "./node/ports.js";
import { Subscriptions } from "./node/subscriptions.js";
import { meetingGroup, meshTag, streamGroup } from "./security/mesh-identity.js";
import { Reject } from "./state/reject.js";
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
  private bindings!: Bindings;
  private midi!: MidiHub;
  private feedback!: Feedback;
  private readonly catalog = new SurfaceCatalog({
    onLoaded: (adoptions) => {
      this.midi.adopt(adoptions);
      this.bindings.refresh();
      this.loop.requestSettle();
    },
    onProblem: (problems) =>
      this.log.warn({ event: "surfaces", problems }, "what is known about surfaces is not right"),
  });
  private monitor!: InputMonitor;
  private replays!: ReplayService;
  private readonly feeder = new InputFeeder((news) => this.desk.tellInputs(news));
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
    await this.makeOsc(ground);
    this.makeLoop();
    this.makeSurfaces();
    this.makeReplays();
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
    const { node, loop, service, subscriptions, bindings, monitor } = this;
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
        // A membership that the system dropped is taken anew; where that is not the cause it does no harm.
        if (REJOIN_CODES.has(code) && text !== "") void mesh.rejoin();
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
    this.bindings.rearm();
    this.feedback.repaint();
  }

  private async makeOsc({ network, osc }: Ground): Promise<void> {
    const { settings, node } = this;
    this.bindings = new Bindings({
      target: node.writes,
      shown: node.writes,
      memory: node.core.memory,
      clock: node.core.clock,
      origins: node.core.origins,
      profileOf: (alias) => this.catalog.profiles.of(alias),
      onChanged: () => this.wantDevices(),
    });
    this.feedback = new Feedback({
      clock: node.core.clock,
      state: node.core.state,
      shown: node.writes,
      memory: node.core.memory,
      sink: {
        send: (alias, message) => this.midi.send(alias, message),
        waiting: (alias) => this.midi.waiting(alias),
      },
      sender: { send: (target, bytes, length) => this.hub.send(target, bytes, length) },
      profileOf: (alias) => this.catalog.profiles.of(alias)?.profile,
      onRearm: (alias) => this.bindings.rearm(alias),
    });
    const allow = new AllowList(settings.osc.allow ?? defaultAllow(network));
    const sendToConnection = (connection: number, packet: Uint8Array): void => {
      this.desk.sendOsc(connection, packet);
    };
    const controls = new BoundOsc(this.bindings, this.feedback);
    this.hub = new OscHub(node, osc, settings, allow, sendToConnection, controls, this.feedback.osc);
    await this.hub.addOutputs(settings.oscOut, settings.osc.throttleHz);
    this.subscriptions = new Subscriptions(
      node.core,
      (id, staging) => node.writes.load(id, staging),
      (error) => this.log.warn({ event: "listener-failed", error: String(error) }, "a subscriber threw"),
    );
  }

  private makeLoop(): void {
    const { node, hub, subscriptions } = this;
    const settle = (): void => {
      // What changed leaves first: everything else can wait for it.
      node.settle();
      subscriptions.pump();
      hub.subscribers.pump();
      if (hub.input.isHolding) hub.pumpInput();
      this.bindings.pump();
      this.feedback.pump();
    };
    this.loop = new LiveLoop(node.core.clock, {
      late: () => node.late(),
      settle,
      tick: () => {
        hub.pumpInput();
        this.midi.pump();
        this.replays.pump();
        node.tick();
        settle();
      },
      dueUs: () => Math.min(node.dueUs(), hub.dueUs(), this.midi.dueUs(), this.feedback.dueUs, this.replays.dueUs()),
    });
    this.closers.push(() => this.loop.stop());
  }

  /** Devices and what they are bound to. No port is opened before something is. */
  private makeSurfaces(): void {
    const { node, loop, feedback } = this;
    this.midi = new MidiHub({
      system: new VirtualPorts(midiSystem(), this.settings.midi.virtual),
      clock: node.core.clock,
      turn: loop,
      listener: {
        control: (device, event) => this.hearControl(device, event),
        opened: (device) => {
          this.bindings.rearmDevice(device);
          feedback.opened(device);
          loop.requestSettle();
        },
        closed: (device) => {
          this.bindings.forgetDevice(device);
          feedback.closed(device);
        },
        sysex: (device, bytes, length) => {
          feedback.hearSysex(device, bytes, length);
          loop.requestSettle();
        },
        common: () => {},
        realTime: () => {},
      },
      onHealth: (text) => node.setHealth(HealthCode.midi, text),
      nameOf: (own, isInput) => this.catalog.profiles.aliasOfPort(own, isInput),
      tap: () => this.monitor.recorder,
    });
    this.closers.push(() => {
      feedback.darken();
      this.midi.close();
    });
    this.monitor = new InputMonitor({
      clock: node.core.clock,
      enter: () => loop.enter(),
      devices: () => this.midi.list(),
      onWanted: () => this.wantDevices(),
      observeOsc: (observer) => {
        this.hub.input.observer = observer;
      },
      profileOf: (alias) => this.catalog.profiles.of(alias)?.profile,
      startTracer: () => this.newTracer(),
      startRecorder: () => {
        return new InputRecorder(node.core.clock, Date.now() * 1_000, (line, atUs) => this.feeder.record(line, atUs));
      },
      observePackets: (tap) => {
        this.hub.input.tap = tap;
      },
      observeMoves: (observer) => {
        this.bindings.observer = observer;
      },
    });
    this.closers.push(() => {
      this.monitor.close();
      this.feeder.close();
    });
  }

  /** Where a recording is heard again: where it was heard first. */
  private makeReplays(): void {
    const { node, loop, hub, bindings } = this;
    this.replays = new ReplayService({
      clock: node.core.clock,
      enter: () => loop.enter(),
      wakeBy: (dueUs) => loop.wakeBy(dueUs),
      target: {
        pairsOf: (alias) => pairsOf(bindings.devices.find((device) => device.alias === alias)),
        control: (alias, event) =>
          this.hearControl(
            bindings.devices.findIndex((one) => one.alias === alias),
            event,
          ),
        opened: (alias) => bindings.rearm(alias),
        packet: (bytes, address, port) => {
          hub.input.receive(bytes, 0, bytes.length, address, port);
          loop.requestSettle();
        },
      },
    });
  }

  /** `device`: its place among those that are wanted; -1 for one that nothing is bound to. */
  private hearControl(device: number, event: MidiEvent): void {
    const { monitor, bindings, feedback } = this;
    if (monitor.isOn) monitor.midi(device, event);
    const isMove = feedback.hear(device, event);
    if (isMove) bindings.onMidi(device, event);
    if (monitor.isOn) monitor.midiDone(device, event, isMove);
    this.loop.requestSettle();
  }

  private newTracer(): InputTracer {
    const { node, bindings, hub, feeder } = this;
    const { writes, controller } = node;
    return new InputTracer({
      clock: node.core.clock,
      bindings,
      counters: hub.counters,
      writes: {
        state: node.core.state,
        shownValue: (id) => writes.shownValue(id),
        whenDecided: (done) => (controller.takesWrites ? done(Reject.none) : writes.whenDone(done)),
      },
      tell: (line) => feeder.trace(line),
    });
  }

  /** What this machine knows about devices is read when the first is bound. */
  private wantDevices(): void {
    const { bindings, catalog, feedback, midi, monitor } = this;
    feedback.compile(
      bindings.list(),
      bindings.devices.map(({ alias }) => alias),
    );
    // What is bound comes first: the bindings know their devices by their places.
    if (catalog.isLoaded) midi.want(monitor.complete(wantedDevices(bindings, feedback)));
    else if (bindings.list().some(({ alias }) => alias !== "")) void catalog.load();
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
      return statusOf(node, place, hub.counters, this.desk.counters);
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
      new SurfaceService({
        node,
        loop,
        service: this.service,
        bindings: this.bindings,
        devices: this.midi,
        catalog: this.catalog,
        monitor: this.monitor,
        feedback: this.feedback,
        replays: this.replays,
      }),
    );
    this.closers.push(() => this.desk.close());
    await warmJoinDuring(this.desk.open());
  }

  /** Lets the mesh in; until it is started a node hears nothing but its twin. */
  private listen({ mesh }: Ground): void {
    const { node, loop, hub, subscriptions } = this;
    mesh.onDatagram((bytes, address, port) => {
      loop.begin();
      node.receive(bytes, address, port);
      loop.end();
      subscriptions.pump();
      hub.subscribers.pump();
      this.followStream();
    });
  }

  /** What came from others may bind devices and is shown on them: now, not when the timer comes round. */
  private followStream(): void {
    const { bindings, feedback, loop } = this;
    bindings.pump();
    if (bindings.list().length === 0) return;
    feedback.pump();
    loop.wakeBy(feedback.dueUs);
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
  }

  /** One turn that something other than a socket began. */
  private turn(act: () => void): void {
    this.loop.enter();
    act();
    this.loop.requestSettle();
  }

  private onTrouble(trouble: NetworkTrouble): void {
    const { event, socket, code, message } = trouble;
    this.log.warn({ event, socket, code }, message);
    if (event === NetworkEvent.sendRecovered) void this.mesh?.rejoin();
    const health = event === NetworkEvent.smallReceiveBuffer ? HealthCode.buffer : HealthCode.socket;
    // A buffer that is too small is told while the sockets open, before there is a node.
    (this.node as HanaNode | undefined)?.setHealth(health, event === NetworkEvent.sendRecovered ? "" : message);
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

function pairsOf(device: BoundDevice | undefined): MidiPair[] {
  return (device?.pairs ?? []).map(({ channel, number, low }) => ({ channel, msb: number, lsb: low }));
}

function wantedDevices(bindings: Bindings, feedback: Feedback): MidiWanted[] {
  return bindings.devices.map(({ alias, pairs }) => ({
    alias,
    pairs: pairsOf({ alias, pairs }),
    ...feedback.wishOf(alias),
  }));
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
