/**
 * Trouble: carries out the faults that were planned. Begins each in its time, ends it, and keeps the links as all
 * faults that are on make them.
 */
import type { Random } from "../../src/base/random.js";
import type { Connections } from "./connections.js";
import type { Coverage } from "./coverage.js";
import { DiskTrouble } from "./disk.js";
import type { Episode } from "./faults.js";
import type { Machine } from "./machine.js";
import type { Link, Network } from "./network.js";
import type { Timeline } from "./timeline.js";

const REPLAY_EVERY_US = 5_000;
const HOUR_US = 3_600_000_000;
const LOSSES = [0.01, 0.1, 0.3, 0.5, 0.6];
const PAUSES_US = [100_000, 450_000, 1_000_000, 5_000_000];
const DISK_TROUBLES = [DiskTrouble.slow, DiskTrouble.failing, DiskTrouble.losing];
const DRIFT_MAX = 0.01;
const CLOCK_RESTART_US = 200_000;

type LinkOf = (from: number, to: number) => Link;

/** A fault that is on, and which links it changes. */
interface Active {
  readonly episode: Episode;
  readonly shape: (linkOf: LinkOf) => void;
}

export interface TroubleParts {
  readonly machines: readonly Machine[];
  readonly network: Network;
  readonly connections: Connections;
  readonly timeline: Timeline;
  readonly coverage: Coverage;
  readonly random: Random;
  /** Changes what a machine's node holds behind its back: which path and how, each 0..1. */
  readonly poke: (machine: Machine, path: number, how: number) => void;
  /** A copy of a machine's disk is started elsewhere. */
  readonly twin: (machine: Machine, episode: Episode) => void;
}

export class Trouble {
  private readonly parts: TroubleParts;
  private readonly active = new Set<Active>();
  private isOver = false;

  constructor(parts: TroubleParts, plan: readonly Episode[]) {
    this.parts = parts;
    for (const episode of plan) parts.timeline.after(episode.atUs, () => this.begin(episode));
    parts.network.records = plan.some(({ kind }) => kind === "replay");
  }

  /** Everything is well again, and every node runs. */
  end(): void {
    const { connections, machines, random } = this.parts;
    this.isOver = true;
    this.active.clear();
    this.reshape();
    connections.failing = 0;
    connections.slowUs = 0;
    for (const machine of machines) {
      machine.disk.trouble = DiskTrouble.none;
      if (machine.isPaused) machine.resume(random.next() < 0.5);
      if (!machine.isUp) machine.start();
    }
  }

  private begin(episode: Episode): void {
    if (this.isOver) return;
    this.parts.coverage.episode(episode.kind);
    switch (episode.kind) {
      case "pause":
        return this.pause(episode);
      case "kill":
      case "leave":
        return this.stop(episode);
      case "clock":
        return this.stepClock(episode);
      case "drift":
        return this.drift(episode);
      case "replay":
        return this.replay(episode.lastsUs);
      case "tcp":
        return this.breakConnections(episode);
      case "disk":
        return this.breakDisk(episode);
      case "handover":
        return this.handOver(episode);
      case "poke":
        return this.poke(episode);
      case "twin":
        this.parts.twin(this.victim(episode), episode);
        return this.bend(episode);
      default:
        return this.bend(episode);
    }
  }

  /** Half of the time it is the controller: that is where it hurts. */
  private victim(episode: Episode): Machine {
    const { machines } = this.parts;
    const controller = machines.find((machine) => machine.isController);
    if (episode.scope < 0.5 && controller !== undefined) return controller;
    return machines[Math.floor(episode.target * machines.length)] as Machine;
  }

  private pause(episode: Episode): void {
    const machine = this.victim(episode);
    if (!machine.isUp || machine.isPaused) return;
    const { boot } = machine;
    const lastsUs =
      (PAUSES_US[Math.floor(episode.strength * PAUSES_US.length)] as number) * (0.8 + episode.target * 0.4);
    machine.pause();
    this.parts.timeline.after(Math.round(lastsUs), () => {
      if (machine.boot === boot && !this.isOver)
        machine.resume(episode.strength * 8 - Math.floor(episode.strength * 8) < 0.5);
    });
  }

  private stop(episode: Episode): void {
    const machine = this.victim(episode);
    if (!machine.isUp) return;
    if (episode.kind === "leave") machine.leave();
    else machine.kill();
    this.parts.timeline.after(episode.lastsUs, () => {
      if (!machine.isUp) machine.start();
    });
  }

  /** The wall clock steps under a running node; half of them are started anew, which is when it is looked at. */
  private stepClock(episode: Episode): void {
    const machine = this.victim(episode);
    machine.wallUs += Math.round((episode.strength - 0.5) * 2 * HOUR_US);
    if (!machine.isUp || episode.target < 0.5) return;
    machine.kill();
    this.parts.timeline.after(CLOCK_RESTART_US, () => {
      if (!machine.isUp) machine.start();
    });
  }

  /** The crystal of a running machine becomes a faster or slower one. */
  private drift(episode: Episode): void {
    this.victim(episode).setRate(1 + (episode.strength - 0.5) * 2 * DRIFT_MAX);
  }

  private replay(leftUs: number): void {
    const { network, timeline } = this.parts;
    if (leftUs <= 0 || this.isOver) return;
    network.replay();
    timeline.after(REPLAY_EVERY_US, () => this.replay(leftUs - REPLAY_EVERY_US));
  }

  private breakConnections(episode: Episode): void {
    const { connections, timeline } = this.parts;
    connections.failing = episode.strength * 0.8;
    connections.slowUs = Math.floor(episode.target * 5_000_000);
    timeline.after(episode.lastsUs, () => {
      connections.failing = 0;
      connections.slowUs = 0;
    });
  }

  /** Memory of a follower changes by itself. */
  private poke({ target, strength, scope }: Episode): void {
    const { machines } = this.parts;
    this.parts.poke(machines[Math.floor(target * machines.length)] as Machine, strength, scope);
  }

  /** No fault, but what somebody may ask for at any time, of any node and for any other. */
  private handOver(episode: Episode): void {
    const machine = this.victim(episode);
    const { machines } = this.parts;
    const to = machines[Math.floor(episode.target * machines.length)] as Machine;
    if (machine.isPaused) return;
    machine.turn(({ handover }) => handover.begin(to.id, () => {}));
  }

  private breakDisk(episode: Episode): void {
    const { disk } = this.victim(episode);
    disk.trouble = DISK_TROUBLES[Math.floor(episode.strength * DISK_TROUBLES.length)] as DiskTrouble;
    this.parts.timeline.after(episode.lastsUs, () => {
      disk.trouble = DiskTrouble.none;
    });
  }

  /** Changes links for a while. */
  private bend(episode: Episode): void {
    const { timeline } = this.parts;
    const active = { episode, shape: this.shaper(episode) };
    this.active.add(active);
    this.reshape();
    timeline.after(episode.lastsUs, () => {
      this.active.delete(active);
      this.reshape();
    });
    if (episode.kind === "flapping") this.flap(active, Math.round(50_000 + episode.scope * 350_000));
  }

  /** A partition that comes and goes. */
  private flap(active: Active, everyUs: number): void {
    this.parts.timeline.after(everyUs, () => {
      if (this.isOver || !this.active.delete(active)) return;
      this.reshape();
      this.parts.timeline.after(everyUs, () => {
        if (this.isOver) return;
        this.active.add(active);
        this.reshape();
        this.flap(active, everyUs);
      });
    });
    this.parts.timeline.after(active.episode.lastsUs + everyUs, () => {
      this.active.delete(active);
      this.reshape();
    });
  }

  private reshape(): void {
    const { active } = this;
    this.parts.network.reshape((linkOf) => {
      for (const fault of active) fault.shape(linkOf);
    });
  }

  private shaper(episode: Episode): (linkOf: LinkOf) => void {
    const { kind, strength } = episode;
    const some = this.links(episode);
    switch (kind) {
      case "loss":
        return some(
          (link) => (link.loss = Math.max(link.loss, LOSSES[Math.floor(strength * LOSSES.length)] as number)),
        );
      case "burst":
        return some((link) => (link.loss = 1));
      case "delay":
        return some((link) => (link.delayUs += Math.round(1_000 + strength * 80_000)));
      case "jitter":
        return some((link) => (link.jitterUs = Math.max(link.jitterUs, Math.round(500 + strength * 30_000))));
      case "reorder":
        return some((link) => (link.reorder = 0.25));
      case "duplicate":
        return some((link) => (link.duplicate = 0.5));
      case "corrupt":
        return some((link) => (link.corrupt = 0.05 + strength * 0.25));
      case "clog":
        return some((link) => (link.isClogged = true));
      case "capacity":
        return some((link) => (link.capacity = Math.round(20_000 + strength * 180_000)));
      case "blackhole":
        return some((link) => (link.isDeaf = true));
      case "twin":
        return (linkOf) => this.loseCopy(linkOf, strength);
      default:
        return this.partition(episode);
    }
  }

  /** All links, those to one node, those from one node, or one link. */
  private links(episode: Episode): (change: (link: Link) => void) => (linkOf: LinkOf) => void {
    const count = this.parts.machines.length;
    const one = this.victim(episode).index;
    const other = (one + 1 + Math.floor(episode.target * Math.max(1, count - 1))) % count;
    const way = Math.floor(((episode.scope * 2) % 1) * 4);
    return (change) => (linkOf) => {
      for (let from = 0; from < count; from++) {
        for (let to = 0; to < count; to++) {
          if (from === to) continue;
          const isMeant = way === 0 || (way === 1 && to === one) || (way === 2 && from === one);
          if (isMeant || (way === 3 && from === one && to === other)) change(linkOf(from, to));
        }
      }
    };
  }

  /** Most of what the copy of a machine says or hears is lost. */
  private loseCopy(linkOf: LinkOf, loss: number): void {
    const count = this.parts.machines.length;
    for (let index = 0; index < count; index++) {
      linkOf(index, count).loss = loss;
      linkOf(count, index).loss = loss;
    }
  }

  private partition(episode: Episode): (linkOf: LinkOf) => void {
    const count = this.parts.machines.length;
    const isCut = this.cutter(episode, count);
    return (linkOf) => {
      for (let from = 0; from < count; from++) {
        for (let to = 0; to < count; to++) if (from !== to && isCut(from, to)) linkOf(from, to).isCut = true;
      }
    };
  }

  private cutter(episode: Episode, count: number): (from: number, to: number) => boolean {
    const { kind, target } = episode;
    const one = this.victim(episode).index;
    const sides = this.sides(episode, count);
    switch (kind) {
      case "isolate":
        return (from, to) => from === one || to === one;
      case "asymmetric":
        return target < 0.5 ? (from) => from === one : (_from, to) => to === one;
      case "bridge":
        // One node hears both sides, which do not hear each other.
        return (from, to) => from !== one && to !== one && sides[from] !== sides[to];
      default:
        return (from, to) => sides[from] !== sides[to];
    }
  }

  /** Which side each node is on. */
  private sides(episode: Episode, count: number): number[] {
    const { random } = this.parts;
    const offset = Math.floor(episode.target * count);
    const parts = episode.kind === "split" ? 2 + Math.floor(episode.strength * 2) : 2;
    if (episode.kind === "split") return Array.from({ length: count }, () => Math.floor(random.next() * parts));
    return Array.from({ length: count }, (_, index) => ((index + offset) % count < count / 2 ? 0 : 1));
  }
}
