/**
 * Library peer: a node in a program of its own, made with the library and told what to do by a test.
 *
 * Shared by the live tests and the rig; see library-program.mjs for the other end.
 */
import { join } from "node:path";
import type { Change, DeclarationInput, NodeOptions, StatusReport, Value } from "hana-sync";
import type { Line, RunningProcess } from "./process.js";
import { until } from "./until.js";

export const libraryProgram = join(import.meta.dirname, "library-program.mjs");

/** What a program saw that looked at a group of paths at each change of one of them. */
export interface Observed {
  readonly calls: number;
  /** How often they differed, and what they were the first time. */
  readonly torn: number;
  readonly example: readonly Value[];
  /** What the first of them was, in order, without repeats. */
  readonly values: readonly Value[];
}

/** An error that was thrown in the program. */
export class PeerError extends Error {
  readonly reason: string;
  readonly exitCode: number;

  constructor({
    name,
    message,
    reason,
    exitCode,
  }: { name: string; message: string; reason: string; exitCode: number }) {
    super(message);
    this.name = name;
    this.reason = reason;
    this.exitCode = exitCode;
  }
}

export class LibraryPeer {
  readonly process: RunningProcess;
  id = "";
  port = 0;
  private calls = 0;

  private constructor(running: RunningProcess) {
    this.process = running;
  }

  /** `running`: the library program, just started. */
  static async open(running: RunningProcess, options: NodeOptions): Promise<LibraryPeer> {
    const peer = new LibraryPeer(running);
    await running.waitFor("started");
    Object.assign(peer, await peer.call("open", options));
    return peer;
  }

  declare(path: string, declaration: DeclarationInput): Promise<void> {
    return this.call("declare", path, declaration);
  }

  set(path: string, value: Value): Promise<void> {
    return this.call("set", path, value);
  }

  write(path: string, value: Value): Promise<{ term: number; node: string; sequence: number }> {
    return this.call("write", path, value);
  }

  input(source: string, control: string, value: number): Promise<void> {
    return this.call("input", source, control, value);
  }

  get(path: string): Promise<Value | undefined> {
    return this.call("get", path);
  }

  status(): Promise<StatusReport> {
    return this.call("status");
  }

  /** Every whole number of a range, in one turn. */
  sweep(path: string, from: number, to: number): Promise<void> {
    return this.call("sweep", path, from, to);
  }

  /** What the subscriber was told so far is in `changes`. */
  async subscribe(pattern: string): Promise<{ changes: () => Change[]; end: () => Promise<void> }> {
    const subscription = await this.call<number>("subscribe", pattern);
    const isMine = (line: Line): boolean => line.subscription === subscription;
    return {
      changes: () => this.process.lines.filter(isMine).map((line) => revive(line.change) as Change),
      end: () => this.call("unsubscribe", subscription),
    };
  }

  /** Looks at the paths whenever one that the pattern names changes. */
  async observe(pattern: string, paths: readonly string[]): Promise<() => Promise<Observed>> {
    const observation = await this.call<number>("observe", pattern, paths);
    return () => this.call<Observed>("observed", observation);
  }

  close(): Promise<void> {
    return this.call("close");
  }

  private async call<Answer>(call: string, ...args: unknown[]): Promise<Answer> {
    const id = ++this.calls;
    const line = JSON.stringify({ id, call, args }, encode);
    this.process.child.stdin?.write(`${line}\n`);
    const answer = await this.process.waitFor((candidate) => candidate.id === id && !("event" in candidate), 15_000);
    if (answer.error !== undefined)
      throw new PeerError(revive(answer.error) as ConstructorParameters<typeof PeerError>[0]);
    return revive(answer.value) as Answer;
  }
}

/** Waits until the nodes are one mesh that holds the same, and answers what each of them says. */
export function inSync(nodes: readonly { status(): Promise<StatusReport> }[]): Promise<StatusReport[]> {
  return until(
    () => Promise.all(nodes.map((node) => node.status())),
    (all) => new Set(all.map(contents)).size === 1 && all.every(({ peers }) => peers.heard === nodes.length - 1),
    "nodes that hold the same",
    20_000,
  );
}

/** What nodes that hold the same have in common: the term, the newest change and the digest of each component. */
function contents({ term, sequence, state }: StatusReport): string {
  return JSON.stringify([term, sequence, state.paths, state.pendingWrites, state.components]);
}

function encode(_: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return { base64: Buffer.from(value).toString("base64") };
  return typeof value === "number" && !Number.isFinite(value) ? { number: String(value) } : value;
}

function revive(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(revive);
  if ("base64" in value) return new Uint8Array(Buffer.from(String(value.base64), "base64"));
  if ("absent" in value) return undefined;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, revive(inner)]));
}
