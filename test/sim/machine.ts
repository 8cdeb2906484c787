/**
 * Machine: one virtual computer and the node that runs on it, boot after boot.
 *
 * It implements `node/ports.ts` and the event loop around it (`edge/live-loop.ts`): whatever arrives is a turn, a lone
 * change is flushed as its turn ends, what follows closely waits for the loop to come round. A paused machine lets time
 * pass and reads its sockets when it goes on. A boot begins with nothing but the node's id, a higher session number, the
 * show and the promises about terms (`disk.ts`): nothing else is kept. Own time runs steadily from the wall clock at boot, fast or slow as the machine's
 * crystal is at the moment; a step of the wall clock is seen by nobody but the next boot.
 */
import { HanaNode } from "../../src/node/node.js";
import type { HealthCode } from "../../src/node/health.js";
import type { SnapshotRequest } from "../../src/node/ports.js";
import type { Random } from "../../src/base/random.js";
import { meshTag } from "../../src/security/mesh-identity.js";
import type { FrameCipher } from "../../src/security/aead.js";
import { OpenResult } from "../../src/security/opener.js";
import { writeSessionNumber } from "../../src/wire/envelope.js";
import { FollowState } from "../../src/node/follower.js";
import { Role } from "../../src/sync/roles.js";
import type { ElectionRules } from "../../src/sync/election.js";
import type { TermRecord } from "../../src/sync/promises.js";
import type { SendLimits } from "../../src/sync/send-budget.js";
import type { Packet } from "./network.js";
import type { ShownPath } from "./show.js";
import { Desk } from "./desk.js";
import type { Disk } from "./disk.js";
import type { Timeline } from "./timeline.js";

export const KEY = new Uint8Array(32).fill(7);
const TAG = meshTag("sim");
/** A quarter of what a socket buffer of 4 MiB holds. */
const INBOX_MAX = 1_024;
/** As edge/live-loop.ts: flushes this far apart wait for nothing, others for the end of the loop's turn. */
const PAUSE_US = 250;
const TURN_US = 15;
const TICK_MS = 20;
const DISK_US = 1_000;
const READ_AT_ONCE = 32;

/** What a machine tells of its node. */
export interface MachineWatch {
  booted(machine: Machine): void;
  /** What it holds is about to be gone. */
  dies(machine: Machine): void;
  /** Around the moment in which its node opens a term. */
  opens(machine: Machine): void;
  opened(machine: Machine): void;
  sends(machine: Machine, datagram: Uint8Array, body: Uint8Array): void;
  health(machine: Machine, code: HealthCode, text: string): void;
  /** Before its node hears that it was held up. */
  late(machine: Machine): void;
  turned(machine: Machine): void;
  failed(machine: Machine, error: unknown): void;
  /** Its node is to end, because another one has its id. */
  refused(machine: Machine): void;
  fooled(machine: Machine, packet: Packet): void;
  overflowed(): void;
}

/** What a machine is wired to. */
export interface MachineWires {
  readonly timeline: Timeline;
  readonly watch: MachineWatch;
  multicast(from: Machine, datagram: Uint8Array): void;
  announce(from: Machine, datagram: Uint8Array): void;
  unicast(from: Machine, datagram: Uint8Array, address: string): void;
  fetch(machine: Machine, request: SnapshotRequest): void;
  taken(machine: Machine, packet: Packet): void;
  addressOf(index: number): { readonly address: string; readonly port: number };
}

export interface MachineOptions {
  readonly index: number;
  /** Whose id it has: that of another machine where its folder was copied. */
  readonly owner: number;
  readonly priority: number;
  readonly show: readonly ShownPath[];
  readonly random: Random;
  readonly disk: Disk;
  readonly electionRules: ElectionRules;
  readonly sendLimits: SendLimits | undefined;
  readonly redundancy: number;
  readonly showsPeers: boolean;
  readonly hasDesk: boolean;
  readonly paths: number;
  /** Undefined for the one that ships. */
  readonly cipher: FrameCipher | undefined;
}

export class Machine {
  readonly index: number;
  readonly id: string;
  readonly address: string;
  readonly port: number;
  readonly priority: number;
  hana: HanaNode | undefined;
  desk: Desk | undefined;
  private hearsStream = true;
  /** How often it was started; a copy's boots are far from those of the machine that it is a copy of. */
  boot = 0;
  /** The session's number on its disk. */
  session = 0;
  readonly disk: Disk;
  isPaused = false;
  /** When it was paused last, and when it went on, in virtual time. */
  pausedUs = 0;
  resumedUs = 0;
  /** How far the wall clock is ahead. */
  wallUs = 0;
  private rate = 1;
  /** When the crystal changed last, in virtual time. */
  rateSinceUs = 0;
  bootedUs = 0;
  private readonly options: MachineOptions;
  private readonly wires: MachineWires;
  /** Own time at a moment of virtual time, from which on it has run at the present rate. */
  private fromUs = 0;
  private ownFromUs = 0;
  private inbox: (() => void)[] = [];
  private isSettleDue = false;
  private isSettlePosted = false;
  private settledUs = 0;
  private armedUs = Number.POSITIVE_INFINITY;
  private isTickMissed = false;
  private isAsking = false;
  private readonly onTick: () => void;
  /** Rises with every fetch; the answer to an earlier one is dropped. */
  fetches = 0;

  constructor(options: MachineOptions, wires: MachineWires) {
    this.options = options;
    this.wires = wires;
    this.index = options.index;
    this.disk = options.disk;
    this.id = (options.owner + 1).toString(16).padStart(16, "0");
    const { address, port } = wires.addressOf(options.index);
    this.address = address;
    this.port = port;
    this.priority = options.priority;
    this.onTick = () => this.tickAsArmed();
  }

  /** Whether nothing ever happened to its clock. */
  get hasTrueClock(): boolean {
    return this.wallUs === 0 && this.rate === 1;
  }

  get isUp(): boolean {
    return this.hana !== undefined;
  }

  /** Own time here, in microseconds. */
  get localUs(): number {
    return Math.round(this.ownFromUs + (this.wires.timeline.nowUs - this.fromUs) * this.rate);
  }

  /** The crystal runs at another rate from now on. */
  setRate(rate: number): void {
    this.ownFromUs = this.localUs;
    this.fromUs = this.wires.timeline.nowUs;
    this.rate = rate;
    this.rateSinceUs = this.fromUs;
  }

  start(): void {
    const { timeline, watch } = this.wires;
    this.boot++;
    this.session++;
    this.bootedUs = timeline.nowUs;
    this.fromUs = timeline.nowUs;
    this.ownFromUs = timeline.nowUs + this.wallUs;
    this.armedUs = Number.POSITIVE_INFINITY;
    this.isSettleDue = false;
    this.isSettlePosted = false;
    this.isPaused = false;
    this.inbox = [];
    this.hearsStream = true;
    const hana = this.make();
    this.hana = hana;
    if (this.options.hasDesk) this.desk = new Desk(this, hana);
    this.isAsking = this.options.owner !== this.index;
    const takeControl = hana.takeControl.bind(hana);
    hana.takeControl = (number, isHandedOver) => {
      watch.opens(this);
      takeControl(number, isHandedOver);
      watch.opened(this);
    };
    watch.booted(this);
    this.turn(() => {
      for (const { path, declaration } of this.options.show) hana.writes.declare(path, declaration, 0);
      if (this.isAsking) hana.ask();
      else hana.start();
    });
  }

  /** A copy's start goes on as soon as it has asked for long enough. */
  private endAsking(hana: HanaNode): void {
    if (!hana.twin.hasAsked) return;
    this.isAsking = false;
    hana.start();
  }

  private make(): HanaNode {
    const { options, wires, boot } = this;
    const { owner } = options;
    const nodeId = new Uint8Array(8);
    nodeId[6] = (owner + 1) >> 8;
    nodeId[7] = owner + 1;
    const session = new Uint8Array(8);
    writeSessionNumber(session, 0, this.session);
    writeSessionNumber(session, 4, boot);
    return new HanaNode(
      {
        identity: { id: this.id, name: `n${owner + 1}`, mesh: "sim", priority: options.priority, session: boot },
        limits: {
          paths: options.paths,
          autoPaths: 16,
          rings: { values: 4_096, events: 8_192, arenaBytes: 524_288 },
          sentFrames: 1_024,
        },
        meshKey: KEY,
        meshTag: TAG,
        nodeId,
        session,
        reachability: { unicastPort: this.port, snapshotPort: this.port },
        declaresAuto: true,
        showsPeers: options.showsPeers,
        redundancy: options.redundancy,
        termRecord: this.disk.read(),
        electionRules: options.electionRules,
        ...(options.sendLimits === undefined ? {} : { sendLimits: options.sendLimits }),
        ...(options.cipher === undefined ? {} : { cipher: options.cipher }),
      },
      {
        datagrams: {
          multicast: (datagram) => {
            this.sends(datagram);
            wires.multicast(this, datagram);
          },
          announce: (datagram) => {
            this.sends(datagram);
            wires.announce(this, datagram);
          },
          unicast: (datagram, address) => {
            this.sends(datagram);
            wires.unicast(this, datagram, address);
          },
        },
        random: options.random,
        nowUs: () => this.localUs,
        requestSettle: () => {
          this.isSettleDue = true;
        },
        hearStream: (isWanted) => {
          this.hearsStream = isWanted;
        },
        fetchSnapshot: (request) => wires.fetch(this, request),
        saveTerm: (record, revision) => this.save(record, revision),
        onRole: () => {},
        onServing: () => {},
        onTwin: () => wires.watch.refused(this),
        raiseSession: (above) => this.raiseSession(above + 1),
        onHealth: (code, text) => wires.watch.health(this, code, text),
      },
    );
  }

  private save(record: TermRecord, revision: number): void {
    this.later(this.disk.begin(record), () => {
      const isSaved = this.disk.end(record);
      this.turn(({ elections }) => {
        if (isSaved) elections.termSaved(revision);
        else elections.termFailed(revision, "the disk failed");
      });
    });
  }

  private raiseSession(number: number): void {
    this.later(DISK_US, () => {
      this.session = number;
      this.turn((hana) => hana.sessionRaised(number));
    });
  }

  private sends(datagram: Uint8Array): void {
    if (this.hana !== undefined) this.wires.watch.sends(this, datagram, this.hana.io.plain);
  }

  /** One turn of the event loop. Nothing runs on a machine that is down. */
  turn(action: (hana: HanaNode) => void): void {
    const { hana } = this;
    if (hana === undefined) return;
    const now = this.localUs;
    hana.core.clock.set(now);
    try {
      if (hana.core.clock.isLate) this.late(hana);
      action(hana);
      if (this.isSettleDue) this.endTurn(hana, now);
      this.arm(hana, now);
    } catch (error) {
      this.wires.watch.failed(this, error);
    }
    this.wires.watch.turned(this);
  }

  /** A turn for a datagram. As in edge/live-loop.ts the timer is set only where something asks for the turn's end. */
  private turnWith(hana: HanaNode, packet: Packet): void {
    const now = this.localUs;
    hana.core.clock.set(now);
    try {
      if (hana.core.clock.isLate) this.late(hana);
      this.take(hana, packet);
      if (this.isSettleDue) {
        this.endTurn(hana, now);
        this.arm(hana, now);
      }
    } catch (error) {
      this.wires.watch.failed(this, error);
    }
    this.wires.watch.turned(this);
  }

  private late(hana: HanaNode): void {
    this.wires.watch.late(this);
    hana.late();
  }

  private endTurn(hana: HanaNode, now: number): void {
    if (now - this.settledUs > PAUSE_US) {
      this.settle(hana, now);
      return;
    }
    if (this.isSettlePosted) return;
    this.isSettlePosted = true;
    this.later(TURN_US, () => {
      this.isSettlePosted = false;
      this.turn(() => this.settle(hana, this.localUs));
    });
  }

  private settle(hana: HanaNode, now: number): void {
    this.isSettleDue = false;
    this.settledUs = now;
    hana.settle();
  }

  /** Does something in a turn to come of this boot; a paused machine does it when it goes on. */
  later(delayUs: number, action: () => void): void {
    const { boot } = this;
    this.wires.timeline.after(delayUs, () => {
      if (this.boot !== boot || this.hana === undefined) return;
      if (this.isPaused) this.inbox.push(action);
      else action();
    });
  }

  private arm(hana: HanaNode, now: number): void {
    const { timeline } = this.wires;
    const waitMs = Math.min(TICK_MS, Math.max(1, Math.ceil((hana.dueUs() - now) / 1_000)));
    const dueUs = timeline.nowUs + Math.round((waitMs * 1_000) / this.rate);
    if (dueUs >= this.armedUs) return;
    this.armedUs = dueUs;
    timeline.at(dueUs, this.onTick);
  }

  /** What was armed and is not wanted any more, or was of an earlier boot, comes at a time that is not armed. */
  private tickAsArmed(): void {
    if (this.hana === undefined || this.armedUs !== this.wires.timeline.nowUs) return;
    this.armedUs = Number.POSITIVE_INFINITY;
    if (this.isPaused) this.isTickMissed = true;
    else this.tick();
  }

  private tick(): void {
    this.turn((hana) => {
      hana.tick();
      if (this.isAsking) this.endAsking(hana);
      this.settle(hana, this.localUs);
    });
  }

  /** A datagram came to the socket. */
  receive(packet: Packet): void {
    const { hana } = this;
    if (hana === undefined || (packet.isStream && !this.hearsStream)) return;
    if (!this.isPaused) {
      this.turnWith(hana, packet);
      return;
    }
    if (this.inbox.length < INBOX_MAX) this.inbox.push(() => this.turn((hana) => this.take(hana, packet)));
    else this.wires.watch.overflowed();
  }

  private take(hana: HanaNode, packet: Packet): void {
    const { results } = hana.io.opener;
    const before = results[OpenResult.ok] as number;
    const { address, port } = this.wires.addressOf(packet.from);
    hana.receive(packet.bytes, address, port);
    if (results[OpenResult.ok] === before) return;
    const isAgain = packet.takenBy === this.boot || packet.copies?.takenBy === this.boot;
    if (packet.isHostile || isAgain) this.wires.watch.fooled(this, packet);
    if (packet.copies !== undefined) packet.copies.takenBy = this.boot;
    this.wires.taken(this, packet);
  }

  pause(): void {
    if (this.hana === undefined) return;
    this.isPaused = true;
    this.pausedUs = this.wires.timeline.nowUs;
  }

  /** Goes on: what was due fires before or after what waits in the sockets, as the loop stood. */
  resume(ticksFirst: boolean): void {
    if (!this.isPaused) return;
    this.isPaused = false;
    this.resumedUs = this.wires.timeline.nowUs;
    if (this.isTickMissed && ticksFirst) this.tick();
    const waiting = this.inbox;
    this.inbox = [];
    for (let at = 0; at < waiting.length; at++) {
      waiting[at]?.();
      if (at % READ_AT_ONCE === READ_AT_ONCE - 1) this.tick();
    }
    if (this.isTickMissed && !ticksFirst) this.tick();
    this.isTickMissed = false;
  }

  /** Ends without a word. */
  kill(): void {
    if (this.hana !== undefined) this.wires.watch.dies(this);
    this.disk.crash();
    this.hana = undefined;
    this.desk = undefined;
    this.isPaused = false;
    this.inbox = [];
  }

  /** Says goodbye and ends. */
  leave(): void {
    if (this.isPaused) this.resume(false);
    this.turn((hana) => hana.close());
    this.kill();
  }

  get isController(): boolean {
    return this.hana?.roles.role === Role.controlling;
  }

  /** Whether it controls, or follows and has everything. */
  get isInSync(): boolean {
    const { hana } = this;
    if (hana === undefined) return false;
    if (hana.roles.role === Role.controlling) return true;
    return hana.roles.role === Role.following && hana.follower.state === FollowState.inSync;
  }
}
