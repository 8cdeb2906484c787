/**
 * View: what the oracle has seen of one boot of one node. Only what was seen; what must not be is the oracle's to say.
 */
import type { Term } from "../../src/state/change.js";
import { RingReader } from "../../src/state/ring.js";
import { FollowState } from "../../src/node/follower.js";
import { Role } from "../../src/sync/roles.js";
import type { HanaNode } from "../../src/node/node.js";
import type { Entry, Ledger, TermRecord, Version } from "./ledger.js";
import type { Machine } from "./machine.js";
import type { Write } from "./writes.js";

const HEARD_KEPT = 4_096;

/** The newest changes of one path by one gesture. */
export interface Move {
  readonly origin: number;
  readonly gesture: number;
  readonly count: number;
  /** By the controller's clock. */
  readonly atUs: number;
  readonly write: Write | undefined;
}

export class View {
  readonly machine: Machine;
  readonly boot: number;
  readonly hana: HanaNode;
  readonly reader: RingReader;
  private readonly records: TermRecord[] = [];
  /** What its paths had when it was in sync last, and in which term that was. */
  readonly versions = new Map<string, Version>();
  versionsOf: TermRecord | undefined;
  readonly fired = new Set<string>();
  readonly firedTags = new Map<number, number>();
  term: Term | undefined;
  role: string = Role.starting;
  hasStartedOver = true;
  isOpening = false;
  snapshots = 0;
  merges = 0;
  /** When it last knew nothing of how far off its clock may be. */
  clockUnknownUs = 0;
  counter = 0;
  naksSent = 0;
  /** The newest frames heard of and when: pairs. */
  heard: number[] = [];
  sentNewest = 0;
  /** The term in which it was held up for longer than its lease. */
  lostTerm: TermRecord | undefined;
  unpublished: Entry[] = [];
  /** What it holds without a gap, and how many snapshots it had taken then. */
  held: Version | undefined;
  heldSnapshots = 0;
  /** The ledger's record of a term, kept from turn to turn. */
  private termNow: Term | undefined;
  private presentRecord: TermRecord | undefined;
  headsGivenUp = 0;
  /** Another side that it just made part of its term, and by which change. */
  merging: { readonly side: Version; readonly at: number } | undefined;
  /** Who moves which path, as this controller's changes say. */
  readonly moves = new Map<string, Move>();

  constructor(machine: Machine, hana: HanaNode) {
    this.machine = machine;
    this.boot = machine.boot;
    this.hana = hana;
    this.reader = new RingReader(hana.core.memory);
  }

  /** The record of a term by its index at this node. */
  recordAt(index: number, ledger: Ledger): TermRecord {
    let record = this.records[index];
    if (record === undefined) {
      record = ledger.record(this.hana.core.terms.at(index));
      this.records[index] = record;
    }
    return record;
  }

  /** Which change a path has here. */
  versionOf(id: number, ledger: Ledger): Version {
    const { state } = this.hana.core;
    return { term: this.recordAt(state.terms[id] as number, ledger), sequence: state.sequences[id] as number };
  }

  /** The record of the term that it is in now. */
  recordNow(ledger: Ledger): TermRecord {
    const { term } = this.hana.roles;
    if (this.termNow !== term || this.presentRecord === undefined) {
      this.termNow = term;
      this.presentRecord = ledger.record(term);
    }
    return this.presentRecord;
  }

  /** Notes when it heard of which frame. */
  hear(): void {
    const { window, state } = this.hana.follower;
    const { heard } = this;
    if (state === FollowState.idle) return;
    const { newest } = window;
    const last = heard.length === 0 ? 0 : (heard[heard.length - 2] as number);
    if (newest === last) return;
    if (newest < last) heard.length = 0;
    heard.push(newest, this.hana.core.clock.nowUs);
    if (heard.length > HEARD_KEPT * 2) heard.splice(0, HEARD_KEPT);
  }

  heardAtUs(frame: number): number {
    const { heard } = this;
    for (let at = 0; at < heard.length; at += 2) if ((heard[at] as number) >= frame) return heard[at + 1] as number;
    return this.hana.core.clock.nowUs;
  }
}

/** Whether its node is a controller that may write, by its own clock. */
export function mayWrite({ hana, machine }: View): boolean {
  const { controller, core } = hana;
  return (
    machine.hana === hana && controller.isOpen && controller.takesWrites && machine.localUs <= core.clock.deadlineUs
  );
}

/** A controller that takes no more writes hands its term over. */
export function hasLetGo({ hana, machine }: View): boolean {
  return machine.hana === hana && hana.controller.isOpen && !hana.controller.takesWrites;
}
