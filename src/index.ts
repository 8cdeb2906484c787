/**
 * The library: a node inside another program.
 *
 *     const node = await createNode({ name: "renderer-1" });
 *     node.declare("/viz/tunnel/speed", { type: "float", range: { min: 0, max: 4 }, default: 1 });
 *     node.subscribe("/viz/tunnel/*", (change) => console.log(change.path, change.value));
 *     node.set("/viz/tunnel/speed", 2);
 *
 * It is a whole node: it joins the mesh, takes OSC on its port and answers the `hana` command.
 */
import { type ComposedNode, type NodeLog, startNode } from "./compose.js";
import { parseDeclared } from "./config/declarations.js";
import { formatComplaint } from "./config/complaint.js";
import { outcomeText, type StatusReport } from "./manage/reports.js";
import { StartError } from "./manage/running-node.js";
import type { Change, ChangeListener, ChangeVersion } from "./node/subscriptions.js";
import type { Origin } from "./state/change.js";
import {
  type ClipModeName,
  type Declaration,
  type DeclarationInput,
  type EasingName,
  type Value,
  ValueType,
  type ValueTypeName,
} from "./state/declaration.js";
import { Reject, rejectText } from "./state/reject.js";

export type {
  Change,
  ChangeListener,
  ChangeVersion,
  ClipModeName,
  Declaration,
  DeclarationInput,
  EasingName,
  Origin,
  StatusReport,
  Value,
  ValueTypeName,
};
export { StartError };

export interface NodeOptions {
  /** The mesh to join. 1 to 32 letters, digits, dots, underscores, hyphens. Default `hana`. */
  readonly mesh?: string;
  /** What people call this node. Default: the host's name. */
  readonly name?: string;
  /** The mesh key: 32 bytes, or a key file's path. Default: the user's key for this mesh, made on first use. */
  readonly key?: Uint8Array | string;
  /** Address or name of the network interface. Default: that of the default route. */
  readonly interface?: string;
  /** OSC (UDP) and control API (TCP). 0: one that the system chooses. Default 7700. */
  readonly port?: number;
  /** Where this node keeps its id. One running node per folder. Default: one per mesh, name and port. */
  readonly dataDir?: string;
  /** 0..1000. The highest becomes controller; 0 never does. Default 100. */
  readonly priority?: number;
  /** Any other setting, by its name in the configuration file, such as `declare`, `show`, `meshPort`. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Takes the node's log lines, `failed` too: another node has this one's id, and this one has closed. Default: none. */
  readonly log?: NodeLog;
}

/** A write that was refused. `reason` says why. */
export class WriteRefused extends Error {
  override name = "WriteRefused";
  readonly path: string;
  readonly reason: string;

  constructor(path: string, reason: string) {
    super(`${path}: ${reason}`);
    this.path = path;
    this.reason = reason;
  }
}

/** What a confirmed write is known by. */
export interface ConfirmedVersion extends ChangeVersion {
  /** Of a write to a critical path: false when no other node is known to have it, so that it dies with the controller. */
  readonly replicated?: boolean;
}

export interface Node {
  /** The port that OSC and the control API are on. */
  readonly port: number;
  /** 16 hex digits. */
  readonly id: string;
  /**
   * Declares a path. The same declaration again changes nothing; another one changes what the path holds and keeps a
   * value that still fits.
   * @throws RangeError with every problem of the path or declaration; WriteRefused when there is no room.
   */
  declare(path: string, declaration: DeclarationInput): void;
  /**
   * Sets a value, or fires an impulse (value null). Returns at once and allocates nothing; it shows here immediately
   * and everywhere when the controller has it. What is set first after a pause of 250 µs leaves before `set` returns,
   * the rest at the end of the event loop's turn. An unknown path under `/viz` declares itself.
   * @throws WriteRefused when the value does not fit or the path is unknown.
   */
  set(path: string, value: Value): void;
  /**
   * Like `set`; resolves when the controller has confirmed it, for a critical path when another node has it too.
   * Rejects with WriteRefused; after 5 s with `timed out`.
   */
  write(path: string, value: Value): Promise<ConfirmedVersion>;
  /**
   * Lets go of a path: a path that this node moves (writes again within 400 ms) is held against everybody else until
   * 400 ms pass without a write, or until this.
   * @throws WriteRefused when the path is unknown.
   */
  release(path: string): void;
  /**
   * Moves a control of a surface that this program stands for, such as a keyboard or a gamepad: whatever is bound to
   * `SOURCE/CONTROL` moves as a device's control would move it. `value`: 0..1; of a button, 0 is up and 1 down.
   * @throws RangeError when source or control is no name (lower case letters, digits, hyphens), or the value no number.
   */
  input(source: string, control: string, value: number): void;
  /** The value that is shown; undefined for an unknown path, null for an impulse. */
  get(path: string): Value | undefined;
  /**
   * Calls `listener` for every change from now on of the paths that an OSC address pattern matches; they need not exist
   * yet. Answers a function that ends it.
   * @throws RangeError when the pattern is malformed.
   */
  subscribe(pattern: string, listener: ChangeListener): () => void;
  status(): StatusReport;
  /**
   * Passes control on if this node has it, waits until the mesh has what was written here (500 ms at most), says goodbye
   * and closes every socket.
   */
  close(): Promise<void>;
}

const WRITE_TIMEOUT_MS = 5_000;
const SURFACE = "library";
const SILENT: NodeLog = { level: "silent", info: () => {}, warn: () => {} };

/**
 * Starts a node. Resolves once its sockets are open; it then looks for its mesh by itself.
 * @throws StartError: `exitCode` 69 for a port, interface, folder or node id that cannot be had, 78 for bad options.
 */
export async function createNode(options: NodeOptions = {}): Promise<Node> {
  const { mesh, name, key, port, dataDir, priority, log = SILENT } = options;
  const keyFile = typeof key === "string" ? key : undefined;
  const flags = { ...options.settings, mesh, name, keyFile, interface: options.interface, port, dataDir, priority };
  const given = Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined));
  // The schema library costs 50 ms to load: programs that import this module and start nothing need not pay it.
  const { resolveSettings } = await import("./config/settings.js");
  const resolved = resolveSettings({ flags: given });
  if ("complaints" in resolved) throw new StartError(78, resolved.complaints.map(formatComplaint));
  if (key instanceof Uint8Array && key.length !== 32) throw new StartError(78, ["key: must be 32 bytes"]);
  return new LibraryNode(await startNode(resolved.settings, log, key instanceof Uint8Array ? key : undefined), log);
}

class LibraryNode implements Node {
  private readonly composed: ComposedNode;
  private readonly surface: number;

  constructor(composed: ComposedNode, log: NodeLog) {
    this.composed = composed;
    this.surface = composed.node.writes.surface(SURFACE);
    void composed.failed.then((reason) => {
      log.warn({ event: "failed" }, reason.message);
      return composed.close();
    });
  }

  get port(): number {
    return this.composed.ready.port;
  }

  get id(): string {
    return this.composed.ready.node;
  }

  declare(path: string, input: DeclarationInput): void {
    const parsed = parseDeclared(path, input);
    if ("problems" in parsed) {
      const problems = parsed.problems.map(({ field, message }) => `${field === "" ? path : field} ${message}`);
      throw new RangeError(problems.join("; "));
    }
    this.composed.loop.enter();
    this.check(path, this.composed.node.writes.declare(path, parsed.declaration, this.surface));
  }

  set(path: string, value: Value): void {
    const { loop } = this.composed;
    loop.begin();
    try {
      this.check(path, this.put(path, value));
    } finally {
      loop.end();
    }
  }

  private put(path: string, value: Value): Reject {
    const { state, staging } = this.composed.node.core;
    const { writes } = this.composed.node;
    const known = state.idOf(path);
    const id = known >= 0 ? known : writes.declareAuto(path, typeFor(value), this.surface);
    if (id < 0) return -id as Reject;
    if (state.types[id] === ValueType.impulse) return writes.trigger(id, this.surface);
    staging.value(value);
    return writes.write(id, this.surface);
  }

  private check(path: string, reject: Reject): void {
    if (reject !== Reject.none) throw new WriteRefused(path, rejectText(reject));
  }

  async write(path: string, value: Value): Promise<ConfirmedVersion> {
    const outcome = await this.composed.service.write(path, value, {
      surface: SURFACE,
      wait: true,
      timeoutMs: WRITE_TIMEOUT_MS,
      autoType: typeFor(value),
    });
    if (outcome.reject !== Reject.none || outcome.version === undefined) {
      throw new WriteRefused(path, outcomeText(outcome));
    }
    const { version, replicated } = outcome;
    return replicated === undefined ? version : { ...version, replicated };
  }

  release(path: string): void {
    const { loop, node } = this.composed;
    loop.enter();
    this.check(path, node.writes.release(node.core.state.idOf(path), this.surface));
  }

  input(source: string, control: string, value: number): void {
    const name = `${source}/${control}`;
    if (Number.isNaN(value)) throw new RangeError(`${name}: the value is not a number`);
    const { bindings, loop, monitor } = this.composed;
    if (!bindings.isName(source, control)) throw new RangeError(`${name}: is no name of a control`);
    loop.begin();
    try {
      if (monitor.isOn) monitor.input(source, control, value);
      bindings.onInput(source, control, value);
      if (monitor.isOn) monitor.inputDone(source, control);
      loop.requestSettle();
    } finally {
      loop.end();
    }
  }

  get(path: string): Value | undefined {
    const { node } = this.composed;
    const id = node.core.state.idOf(path);
    return id < 0 ? undefined : node.writes.shownValue(id);
  }

  subscribe(pattern: string, listener: ChangeListener): () => void {
    return this.composed.subscriptions.subscribe(pattern, listener);
  }

  status(): StatusReport {
    return this.composed.service.status();
  }

  close(): Promise<void> {
    return this.composed.close();
  }
}

/** What an unknown path under /viz is declared as: numbers are floats, whatever they look like. */
function typeFor(value: Value): ValueTypeName {
  if (value === null) return "impulse";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "string") return "string";
  if (value instanceof Uint8Array) return "blob";
  if (typeof value === "number" || value.length === 1) return "float";
  return value.length === 2 ? "vec2" : value.length === 3 ? "vec3" : "vec4";
}
