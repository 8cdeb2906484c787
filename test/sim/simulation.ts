/**
 * Simulation: one run from one seed. A while without faults, a safety phase with them, a liveness phase without.
 *
 * In the safety phase nothing must happen that the oracle forbids; in the liveness phase everything must come to rest:
 * one controller, all in sync, the same contents everywhere, nothing pending. The same options give the same digest.
 */
import { type ElectionRules, Policy } from "../../src/sync/election.js";
import type { SendLimits } from "../../src/sync/send-budget.js";
import { account } from "./accounting.js";
import { BlackholeWatch } from "./blackhole-watch.js";
import { ClockWatch } from "./clock-watch.js";
import { Connections } from "./connections.js";
import { Coverage } from "./coverage.js";
import { chanceFor, type FaultKind, planOf } from "./faults.js";
import { Disk } from "./disk.js";
import { Machine, type MachineWatch } from "./machine.js";
import { MemoryFaults } from "./memory-faults.js";
import { Network } from "./network.js";
import { Newcomers } from "./newcomers.js";
import type { HanaNode } from "../../src/node/node.js";
import type { CriticalWatch } from "./critical-watch.js";
import { Oracle } from "./oracle.js";
import type { Tally } from "./tally.js";
import type { Pokes } from "./pokes.js";
import { showFor } from "./show.js";
import { START_US, Timeline } from "./timeline.js";
import { Twins } from "./twins.js";
import { Trouble } from "./trouble.js";
import { VIRTUAL_SEAL } from "./virtual-seal.js";
import { Workload } from "./workload.js";

export interface SimulationOptions {
  readonly seed: number;
  readonly nodes: number;
  readonly minutes: number;
  readonly faults: readonly FaultKind[];
  /** Only the side with a majority of all nodes writes. */
  readonly isHold?: boolean;
  /** With the seal that ships: the same run, only slower. */
  readonly isSealed?: boolean;
  /** Programs declare paths of their own while their node starts. */
  readonly hasNewcomers?: boolean;
}

export interface SimulationResult {
  readonly options: SimulationOptions;
  /** What was wrong, or "". */
  readonly failure: string;
  /** When, in seconds of virtual time. */
  readonly failedAtS: number;
  readonly digest: string;
  readonly virtualS: number;
  /** Of one core: the time that others take from a busy machine is not counted. */
  readonly cpuS: number;
  /** From the start of all nodes until one is controller and all are in sync; NaN when faults came first. */
  readonly startS: number;
  /** From the end of the faults until all was at rest. */
  readonly healS: number;
  readonly packets: number;
  readonly events: number;
  readonly tally: Tally;
  /** Writes to critical paths. */
  readonly critical: CriticalWatch;
  readonly termsReused: number;
  /** The largest error of a session time that its node could tell, in microseconds. */
  readonly clockErrorUs: number;
  readonly coverage: Coverage;
  /** Memory that was changed behind a node's back. */
  readonly pokes: Pokes;
}

const FAULTS_FROM_US = 3_000_000;
const STEP_US = 10_000;
const WRITES_AFTER_US = 2_000_000;
const POKES_AFTER_US = 400_000;
/** A start from nothing, seats of silent candidates, snapshots that were given up: none takes longer. */
const LIVENESS_US = 30_000_000;
const LIVENESS_PER_NODE_US = 1_200_000;
const LARGE = 20;
/** Nodes clean up every 10 s; one seed of four waits for it. */
const CLEANUP_US = 16_000_000;
const CLEANED_SEEDS = 4;
/** protocol.md: seen within a second, repaired within two. */
const REPAIR_US = 2_000_000;
/** What changed by itself when all was at rest is judged once its time for repair is over, and no sooner. */
const REST_US = POKES_AFTER_US + REPAIR_US;
const REPAIR_TROUBLED_US = 10_000_000;

/** What no tree outgrows: ids of windows and conflicts, and of newcomers those of all their boots. */
const PATHS = 400;
const PATHS_NEWCOMERS = 1_200;

const SEND_LIMITS: readonly (SendLimits | undefined)[] = [
  undefined,
  undefined,
  { flushesPerSecond: 60, flushBurst: 4, packetsPerSecond: 500, bitsPerSecond: 6_000_000 },
];

export class Simulation {
  private readonly options: SimulationOptions;
  readonly timeline = new Timeline();
  private readonly coverage = new Coverage();
  readonly oracle: Oracle;
  private readonly clocks: ClockWatch;
  private readonly blackholes: BlackholeWatch | undefined;
  readonly network: Network;
  private readonly connections: Connections;
  readonly machines: Machine[] = [];
  readonly twins: Twins;
  private readonly workload: Workload;
  private readonly newcomers: Newcomers | undefined;
  private readonly memoryFaults: MemoryFaults;
  private readonly trouble: Trouble;
  private readonly sweepEveryUs: number;
  private nextSweepUs = 0;
  private startS = Number.NaN;
  private healS = Number.NaN;

  constructor(options: SimulationOptions) {
    this.options = options;
    const { seed, nodes, faults } = options;
    const show = showFor(nodes);
    const { timeline, coverage } = this;
    this.sweepEveryUs = nodes < LARGE ? 100_000 : 500_000;
    const links = {
      reshapedUs: () => this.network.reshapedUs,
      areWell: (one: number, other: number) => this.network.areWell(one, other),
    };
    this.oracle = new Oracle(timeline, links, show, options.isHold === true ? nodes : 0);
    this.memoryFaults = new MemoryFaults(this.oracle, () => timeline.nowUs);
    this.clocks = new ClockWatch(timeline, (machine, text) => this.oracle.fail(machine, text));
    this.oracle.onCommit = (machine, timeUs) => this.clocks.committed(machine, timeUs);
    const places = faults.includes("twin") ? nodes + 1 : nodes;
    this.network = new Network(places, timeline, chanceFor(seed, 3), coverage, (to, packet) => {
      (this.machines[to] ?? this.twins.machine)?.receive(packet);
    });
    const isBlackholeAlone = faults.join() === "blackhole";
    if (isBlackholeAlone) {
      this.blackholes = new BlackholeWatch(timeline, this.network, (machine, text) => this.oracle.fail(machine, text));
    }
    this.connections = new Connections(this.network, chanceFor(seed, 4), coverage, (machine) => {
      this.oracle.pokes.passedOn(machine);
    });
    this.twins = new Twins(
      timeline,
      this.network,
      (machine, text) => this.oracle.fail(machine, text),
      () => coverage.count("copy spoke"),
    );
    if (options.hasNewcomers === true) {
      this.newcomers = new Newcomers(chanceFor(seed, 9), (machine, text) => this.oracle.fail(machine, text));
    }
    this.makeMachines(show);
    this.workload = new Workload(this.machines, show, this.oracle, timeline, chanceFor(seed, 5));
    const plan = planOf(seed, faults, FAULTS_FROM_US, this.faultsUntilUs);
    const { machines, network, connections } = this;
    this.trouble = new Trouble(
      {
        ...{ machines, network, connections, timeline, coverage, random: chanceFor(seed, 6) },
        poke: (machine, path, how) => this.memoryFaults.poke(machine, path, how),
        twin: (machine, episode) => this.twins.begin(machine, episode),
      },
      plan,
    );
  }

  private get faultsUntilUs(): number {
    return FAULTS_FROM_US + this.options.minutes * 60e6;
  }

  private get rules(): ElectionRules {
    const { isHold = false, nodes } = this.options;
    const electors = Array.from({ length: nodes }, (_, index) => `n${index + 1}`);
    return isHold ? { policy: Policy.hold, electors } : { policy: Policy.island, electors: [] };
  }

  private makeMachines(show: ReturnType<typeof showFor>): void {
    const { seed, nodes } = this.options;
    const cipher = this.options.isSealed === true ? undefined : VIRTUAL_SEAL;
    const chance = chanceFor(seed, 7);
    const sendLimits = SEND_LIMITS[Math.floor(chance.next() * SEND_LIMITS.length)];
    const redundancy = Math.floor(chance.next() * 5);
    const byAddress = new Map<string, Machine>();
    const addresses = Array.from({ length: nodes + 1 }, (_, index) => ({
      address: `10.0.${index >> 8}.${index & 255}`,
      port: 10_000 + index,
    }));
    const make = (index: number, owner: number, priority: number, watch: MachineWatch): Machine =>
      new Machine(
        {
          index,
          owner,
          priority,
          show,
          random: chanceFor(seed, 1_000 + index),
          disk: new Disk(chanceFor(seed, 2_000 + index)),
          electionRules: this.rules,
          sendLimits,
          redundancy,
          // Eight paths a node on a hundred nodes is what a unit test looks at.
          showsPeers: nodes < LARGE,
          // A hundred copies of a tree cost more than the nodes.
          hasDesk: nodes < LARGE,
          paths: this.newcomers === undefined ? PATHS : PATHS_NEWCOMERS,
          cipher,
        },
        {
          timeline: this.timeline,
          watch,
          multicast: (from, datagram) => {
            this.network.multicast(from.index, datagram, true);
          },
          announce: (from, datagram) => {
            this.network.multicast(from.index, datagram, false);
          },
          unicast: (from, datagram, address) => {
            const to = byAddress.get(address) ?? this.twins.at(address);
            if (to !== undefined) this.network.unicast(from.index, to.index, datagram);
          },
          fetch: (client, request) => this.connections.fetch(client, byAddress.get(request.address), request),
          taken: (to, packet) => {
            this.network.note(to.index, to.boot, packet);
            this.twins.taken(to, packet);
          },
          addressOf: (from) => addresses[from] as { address: string; port: number },
        },
      );
    for (let index = 0; index < nodes; index++) {
      const machine = make(index, index, index === 0 ? 100 : this.priority(chance.next()), this.watch());
      this.machines.push(machine);
      byAddress.set(machine.address, machine);
    }
    // It never takes control: what a copy makes of the same terms would be another show's.
    this.twins.make = (owner) => make(nodes, owner, 0, this.twins.watch);
  }

  private priority(chance: number): number {
    return chance < 0.1 ? 0 : chance < 0.2 ? 200 : 100;
  }

  private watch(): MachineWatch {
    const { oracle, clocks, coverage, network } = this;
    return {
      booted: (machine) => {
        oracle.booted(machine);
        this.newcomers?.booted(machine);
      },
      dies: (machine) => {
        oracle.critical.dies(machine);
        this.twins.dies(machine);
      },
      opens: (machine) => oracle.opens(machine),
      opened: (machine) => oracle.opened(machine),
      sends: (machine, datagram, body) => {
        oracle.sends(machine, datagram);
        network.sends(machine.index, datagram, body);
      },
      health: (machine, code, text) => oracle.health(machine, code, text),
      late: (machine) => oracle.late(machine),
      turned: (machine) => {
        oracle.turned(machine);
        clocks.turned(machine);
      },
      fooled: (machine, packet) => oracle.fooled(machine, packet.from),
      overflowed: () => coverage.count("missed while paused"),
      refused: (machine) => oracle.fail(machine, "ended, and its copy goes on"),
      failed: (machine, error) => {
        oracle.fail(machine, `threw ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      },
    };
  }

  /** Starts all nodes; `run` does so itself. */
  start(): void {
    for (const machine of this.machines) machine.start();
  }

  /** Lets time pass where a test says what happens. */
  advance(us: number): void {
    this.runTo(this.timeline.nowUs - START_US + us);
  }

  run(): SimulationResult {
    const begun = process.cpuUsage();
    this.start();
    this.workload.start();
    this.runTo(FAULTS_FROM_US, () => this.noteStart());
    this.runTo(this.faultsUntilUs);
    if (this.oracle.violation === undefined) this.heal();
    const failure = this.oracle.violation?.message ?? "";
    const digest = this.digest();
    this.oracle.retireAll();
    const virtualS = this.elapsedS;
    return {
      options: this.options,
      failure,
      failedAtS: failure === "" ? Number.NaN : virtualS,
      digest,
      virtualS,
      cpuS: cpuSecondsSince(begun),
      startS: this.startS,
      healS: this.healS,
      packets: this.network.packets,
      events: this.timeline.events,
      tally: this.oracle.tally,
      critical: this.oracle.critical,
      termsReused: this.oracle.ledger.reused,
      clockErrorUs: this.clocks.worstUs,
      coverage: this.coverage,
      pokes: this.oracle.pokes,
    };
  }

  get elapsedS(): number {
    return (this.timeline.nowUs - START_US) / 1e6;
  }

  /** Lets time pass in small steps, looking at every node now and then. Ends early when something is wrong. */
  private runTo(untilUs: number, each: () => boolean = () => false): void {
    const { timeline, oracle } = this;
    const endUs = START_US + untilUs;
    while (timeline.nowUs < endUs && oracle.violation === undefined) {
      timeline.runTo(Math.min(endUs, timeline.nowUs + STEP_US));
      if (timeline.nowUs >= this.nextSweepUs) this.sweep();
      if (each()) return;
    }
  }

  private sweep(): void {
    const { machines, oracle } = this;
    this.nextSweepUs = this.timeline.nowUs + this.sweepEveryUs;
    const controllers = machines.filter((machine) => machine.isController);
    this.memoryFaults.settle(this.repairLimitUs, controllers);
    this.blackholes?.look(machines);
    this.twins.look(machines);
    for (const machine of machines) {
      oracle.sweep(machine);
      this.lookAtDesk(machine);
      for (const controller of controllers) {
        oracle.compareWithController(machine, controller);
        this.clocks.compare(machine, controller);
      }
    }
  }

  private lookAtDesk(machine: Machine): void {
    const { oracle } = this;
    if (machine.isPaused) return;
    const difference = machine.desk?.difference((path) => oracle.pokes.covers(machine, path)) ?? "";
    if (difference !== "") oracle.fail(machine, `the desk's copy differs: ${difference}`);
  }

  /** Two seconds where nothing else goes wrong; an answer may be lost, and then a snapshot may fail. */
  private get repairLimitUs(): number {
    return this.options.faults.every((kind) => kind === "poke") ? REPAIR_US : REPAIR_TROUBLED_US;
  }

  private noteStart(): boolean {
    if (Number.isNaN(this.startS) && this.isSettled) this.startS = this.elapsedS;
    return false;
  }

  /** Whether one node controls and all others follow it. */
  get isSettled(): boolean {
    const controllers = this.machines.filter((machine) => machine.isController);
    const term = controllers[0]?.hana?.roles.term;
    if (controllers.length !== 1 || term === undefined) return false;
    return this.machines.every(({ isInSync, hana }) => {
      const own = hana?.roles.term;
      return isInSync && own?.number === term.number && own.node === term.node;
    });
  }

  private get isAtRest(): boolean {
    return (
      this.isSettled &&
      this.machines.every(({ hana }) => hana?.pending.size === 0 && isAnswered(hana)) &&
      this.machines.every(({ hana }) =>
        hana?.controller.isOpen === true ? hana.controller.publisher.isIdle : hana?.follower.window.hasGap === false,
      )
    );
  }

  /** Drops all that the simulator noted of a run that is over; only the nodes stay. */
  forget(): void {
    this.oracle.forget();
    this.network.forget();
    this.connections.forget();
    this.timeline.clear();
  }

  /** The liveness phase. */
  private heal(): void {
    const { timeline, oracle, machines } = this;
    this.trouble.end();
    this.twins.end();
    const healUs = timeline.nowUs - START_US;
    this.runTo(healUs + WRITES_AFTER_US);
    this.workload.stop();
    timeline.after(POKES_AFTER_US, () => this.pokeAll());
    let restedUs = 0;
    const limitUs = healUs + LIVENESS_US + LIVENESS_PER_NODE_US * machines.length;
    this.runTo(limitUs, () => {
      if (!this.isAtRest) restedUs = 0;
      else if (restedUs === 0) {
        restedUs = timeline.nowUs;
        this.healS = (restedUs - START_US - healUs) / 1e6;
      }
      return restedUs !== 0 && timeline.nowUs - restedUs >= REST_US;
    });
    if (oracle.violation !== undefined) return;
    if (restedUs === 0) {
      oracle.fail(undefined, `no rest ${(limitUs - healUs) / 1e6} s after the faults ended: ${this.describe()}`);
    } else this.judgeRest();
    if (oracle.violation === undefined && this.options.seed % CLEANED_SEEDS === 0) this.judgeCleanup();
  }

  /** What is kept for nodes that are behind is forgotten, because none is. */
  private judgeCleanup(): void {
    this.runTo(this.timeline.nowUs - START_US + CLEANUP_US);
    for (const machine of this.machines) {
      const kept = machine.hana?.core.state.tombstones.size ?? 0;
      if (kept > 0) this.oracle.fail(machine, `keeps ${kept} removals although all nodes have passed them`);
    }
  }

  /** Nobody writes any more: what changes by itself now is made right by nothing but repair. */
  private pokeAll(): void {
    const { seed, faults } = this.options;
    const chance = chanceFor(seed, 8);
    if (!faults.includes("poke")) return;
    for (const machine of this.machines) this.memoryFaults.poke(machine, chance.next(), chance.next());
  }

  private describe(): string {
    return this.machines
      .map(({ id, hana }) => {
        if (hana === undefined) return `${id.slice(-3)} down`;
        const { role, term } = hana.roles;
        return `${id.slice(-3)} ${role} ${term.number}/${term.node.slice(-3)} pending ${hana.pending.size}`;
      })
      .join("; ");
  }

  private judgeRest(): void {
    const { machines, oracle } = this;
    const controller = machines.find((machine) => machine.isController) as Machine;
    if (controller.priority === 0) oracle.fail(controller, "controls although its priority is 0");
    const expected = contentsOf(controller);
    const digests = digestsOf(controller);
    for (const machine of machines) {
      const contents = contentsOf(machine);
      for (const [path, text] of expected) {
        if (contents.get(path) !== text) {
          oracle.fail(machine, `at rest ${path} is ${contents.get(path) ?? "nothing"}, not ${text}`);
        }
      }
      if (contents.size !== expected.size)
        oracle.fail(machine, `at rest it has ${contents.size} paths, not ${expected.size}`);
      for (const { code, text } of machine.hana?.health.list() ?? []) {
        if (code === "snapshot" || code === "lost-frames") oracle.fail(machine, `at rest its health says: ${text}`);
      }
      if (digestsOf(machine) !== digests) oracle.fail(machine, "at rest its digests differ");
    }
    account(oracle, controller);
    oracle.judgeList(controller);
    this.newcomers?.judge();
  }

  /** Everything that was sent, and what every node ended with. */
  private digest(): string {
    const { hash } = this.network;
    let low = hash[0] as number;
    let high = hash[1] as number;
    const text = this.machines.map((machine) => `${machine.boot}${digestsOf(machine)}`).join();
    for (let index = 0; index < text.length; index++) {
      low = Math.imul(low ^ text.charCodeAt(index), 0x01000193);
      high = Math.imul(high ^ low, 0x85ebca6b) ^ (high >>> 13);
    }
    return [high, low].map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
  }
}

function cpuSecondsSince(begun: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(begun);
  return (user + system) / 1e6;
}

function digestsOf({ hana }: Machine): string {
  if (hana === undefined) return "";
  return Array.from({ length: 10 }, (_, component) => hana.core.digests.hex(component)).join();
}

/** Whether nobody waits to hear that another node has what it wrote. */
function isAnswered({ controller, follower }: HanaNode): boolean {
  return controller.critical.size === 0 && follower.copies.size === 0;
}

/** Everything that nodes at rest must have in common, by path. */
function contentsOf({ hana }: Machine): Map<string, string> {
  const rows = new Map<string, string>();
  if (hana === undefined) return rows;
  const { state, terms, origins } = hana.core;
  for (const id of state.ids()) {
    const term = terms.at(state.terms[id] as number);
    const origin = origins.at(state.origins[id] as number);
    const value = state.valueOf(id);
    rows.set(
      state.pathOf(id),
      JSON.stringify([id, state.types[id], value, term, state.sequences[id], term.number === 0 ? "" : origin]),
    );
  }
  return rows;
}
