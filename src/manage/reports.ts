/**
 * Reports: what a node says about itself, as plain data.
 *
 * The live thread makes them, the desk turns them into JSON, the command line prints them, and tests compare them; so
 * everything here survives `postMessage` and `JSON.stringify` unchanged. A report holds no secret: never a key.
 */
import type { Declaration, Value, ValueTypeName } from "../state/declaration.js";
import type { Component } from "../state/component.js";
import { type Reject, rejectText } from "../state/reject.js";
import type { HealthLevel } from "../node/health.js";
import type { Difference } from "../node/sameness.js";
import type { PeerHealth } from "../sync/peer-health.js";

/** What a node is in its mesh. `starting` listens for a controller and holds its writes as pending. */
export type NodeRole = "starting" | "controller" | "follower";

/** The version of a change: its term (number and the controller's node id) and its sequence in that term. */
export interface VersionReport {
  readonly term: number;
  readonly node: string;
  readonly sequence: number;
}

export interface ComponentReport {
  /** Sequence of the newest change in this component, 0 for none. */
  readonly sequence: number;
  /** 16 hex digits; equal on nodes that hold the same at the same sequence. */
  readonly digest: string;
}

export interface HealthFinding {
  /** A stable name such as `multicast-silent`, for programs. */
  readonly code: string;
  readonly level: HealthLevel;
  /** One sentence for a person: what is wrong, the likely cause, what to do. */
  readonly text: string;
}

/** What came of a request to pass control on. */
export interface ControlOutcome {
  /** A sentence that says why it was not carried out; "" when it was. */
  readonly reason: string;
  /** Who is controller now, and the number of its term. */
  readonly controller: string;
  readonly term: number;
  /** From the request to the new controller's being heard here. */
  readonly tookMs: number;
}

export interface StatusReport {
  /** 16 hex digits. */
  readonly node: string;
  readonly name: string;
  readonly mesh: string;
  /** The package's version. */
  readonly version: string;
  readonly role: NodeRole;
  /** Node id of the controller; "" while nobody is. */
  readonly controller: string;
  readonly term: { readonly number: number; readonly node: string };
  /** Sequence of the newest change applied here. */
  readonly sequence: number;
  readonly uptimeMs: number;
  readonly network: {
    /** The interface's name and its address, such as `eth0` and `192.168.1.5`. */
    readonly interface: string;
    readonly address: string;
    /** Multicast group of the mesh's stream, such as `239.77.12.200`. */
    readonly group: string;
    /** The one in which its nodes meet, such as `239.77.140.200`. */
    readonly meetingGroup: string;
    readonly meshPort: number;
    /** OSC (UDP) and control API (TCP). */
    readonly port: number;
    /** UDP port that this node sends from, and TCP port of its snapshots. */
    readonly unicastPort: number;
    readonly snapshotPort: number;
    /** How many earlier frames' deltas each frame repeats. */
    readonly redundancy: number;
    /** Share of frames lost before repair, 0..1, over the last seconds. */
    readonly loss: number;
  };
  readonly state: {
    readonly paths: number;
    readonly pathsMax: number;
    readonly pendingWrites: number;
    readonly components: Readonly<Record<Component, ComponentReport>>;
  };
  /** Nodes heard now, this one not counted. */
  readonly peers: { readonly heard: number };
  readonly sameness: {
    /** What all nodes had the time to prove: a moment ago's while the show moves. Sequence -1: nothing yet. */
    readonly version: VersionReport;
    /** Nodes heard, this one counted, and how many of them proved by their digests to hold exactly that. */
    readonly nodes: number;
    readonly holding: number;
    readonly different: readonly Difference[];
  };
  readonly clock: {
    /** Session time, which all nodes share: milliseconds since the Unix epoch. */
    readonly sessionMs: number;
    /** How far this machine's own clock, as it stood when the node started, is ahead of it, in milliseconds. */
    readonly offsetMs: number;
    /** The most by which session time here may be off the controller's; absent while it was not measured. */
    readonly boundMs?: number;
    /** To the controller and back; absent while it was not measured. */
    readonly roundTripMs?: number;
  };
  readonly memory: { readonly residentBytes: number; readonly heapBytes: number };
  readonly dataDir: string;
  readonly health: readonly HealthFinding[];
  /** Named counters, such as `osc.reject.badTypeTag`; only those above zero need be listed. */
  readonly counters: Readonly<Record<string, number>>;
}

export interface PeerReport {
  readonly node: string;
  readonly name: string;
  readonly role: NodeRole;
  readonly health: PeerHealth;
  readonly address: string;
  readonly port: number;
  /** The network interface it uses, such as `eth0`; "" while it has not said. */
  readonly interface: string;
  readonly priority: number;
  /** Newest sequence this peer said to hold, and how many it lacks of what it had the time to reach. */
  readonly sequence: number;
  readonly lag: number;
  readonly inSync: boolean;
  /** Components whose digest differed from the controller's when it was compared last. */
  readonly differs: readonly Component[];
  /** Milliseconds since it was last heard, by the controller. */
  readonly silentMs: number;
  /** Share of frames this peer lost before repair, 0..1. */
  readonly loss: number;
  /** It loses much more than the others, and gets only the newest values, by unicast. */
  readonly conflated: boolean;
  /** How often it asked for frames again since its start. */
  readonly naks: number;
  /** To the controller and back in milliseconds; absent while it was not measured. */
  readonly roundTripMs?: number;
  /** How far its clock is ahead of the mesh's time, and how wrong that may be; absent while it was not measured. */
  readonly clockOffsetMs?: number;
  readonly clockBoundMs?: number;
}

/** What became of a write. `confirmed`: the controller has it in its stream; otherwise it is only pending here. */
export interface WriteOutcome {
  readonly reject: Reject;
  readonly confirmed: boolean;
  /** Of the change, once confirmed. Absent when the value was there already and nothing changed. */
  readonly version?: VersionReport;
  /** Of a write to a critical path: whether another node has it, under `hold` a majority of the electors. */
  readonly replicated?: boolean;
  /** What a person should know beyond the reject's own text, such as who superseded it. */
  readonly detail?: string;
}

export function refusal(reject: Reject, detail?: string): WriteOutcome {
  return detail === undefined ? { reject, confirmed: false } : { reject, confirmed: false, detail };
}

/** The reason of a refused write, for a person. */
export function outcomeText(outcome: WriteOutcome): string {
  const text = rejectText(outcome.reject);
  return outcome.detail === undefined ? text : `${text}: ${outcome.detail}`;
}

/** How a write is to be made. */
export interface WriteOptions {
  /** Who writes, on this node: `api`, `cli`, ... At most 64 printable characters. */
  readonly surface: string;
  /** True: answer when the controller confirmed or refused it. False: answer at once, as pending. */
  readonly wait: boolean;
  /** After this long unconfirmed the answer is `Reject.timedOut`; the write itself may still come through. */
  readonly timeoutMs: number;
  /** The type an unknown path is declared as, where automatic declaration is on. Absent: never declare. */
  readonly autoType?: ValueTypeName;
}

/** One path to declare; `value`, when given, is written right after. */
export interface DeclareEntry {
  readonly path: string;
  readonly declaration: Declaration;
  readonly value?: Value;
}

/** What became of a list of declarations: one entry per refused path, in the order given. */
export interface DeclareOutcome {
  /** Newly declared or changed; paths that held exactly this before are not counted. */
  readonly declared: number;
  readonly refused: readonly { readonly path: string; readonly reject: Reject; readonly detail?: string }[];
}

export type LogLevel = "fatal" | "error" | "warn" | "info" | "debug" | "trace" | "silent";
export const LOG_LEVELS: readonly LogLevel[] = ["fatal", "error", "warn", "info", "debug", "trace", "silent"];
