/**
 * Live harness: real nodes on loopback, for one test file.
 *
 * Importing it gives the file a mesh, a key folder and a home of its own, and ends and removes all of it after the
 * last test, so that files never meet each other's nodes and nothing touches the user's own keys.
 */
import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import type { NodeOptions as LibraryOptions } from "hana-sync";
import { afterAll } from "vitest";
import { LibraryPeer, libraryProgram } from "../harness/library-peer.js";
import { type Exit, type Finished, type Line, mainFile, type RunningProcess, Sandbox } from "../harness/process.js";

export interface NodeOptions {
  /** OSC (UDP) and control API (TCP); a free one if left out. */
  readonly port?: number;
  readonly mesh?: string;
  readonly name?: string;
  /** A folder to keep across restarts; a new one if left out. */
  readonly dataDir?: string;
  /** More arguments of `hana run`; the last of two equal flags wins. */
  readonly args?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

export interface LiveNode {
  readonly process: RunningProcess;
  /** The log line that said `ready`. */
  readonly ready: Line;
  readonly port: number;
  /** What `--node` takes. */
  readonly url: string;
  readonly mesh: string;
  readonly name: string;
  readonly dataDir: string;
  /** Runs a command against this node. */
  hana(...args: string[]): Promise<Finished>;
  stop(signal?: NodeJS.Signals): Promise<Exit>;
  kill(): Promise<void>;
}

const sandbox = new Sandbox();
afterAll(() => sandbox.close());

/** The folder that goes away with the test file. */
export const folder = sandbox.folder;
/** The user under whom everything runs; they share one key per mesh. `newUser` makes another. */
export const user = sandbox.newHome();
export const mesh = `test-${randomBytes(4).toString("hex")}`;
let nodes = 0;

export function newUser(): NodeJS.ProcessEnv {
  return sandbox.newHome();
}

/** Starts a node and waits for `ready`; rejects with what it printed if it ends before. */
export async function startNode(options: NodeOptions = {}): Promise<LiveNode> {
  const name = options.name ?? `n${++nodes}`;
  const settled = {
    name,
    mesh: options.mesh ?? mesh,
    port: options.port ?? (await freePort()),
    dataDir: options.dataDir ?? join(folder, `data-${name}`),
  };
  const [process, ready] = await sandbox.startReady(...nodeCommand(settled, options));
  const url = `http://127.0.0.1:${settled.port}`;
  return {
    ...settled,
    process,
    ready,
    url,
    hana: (...args) => hanaAs(options.env ?? {}, ...withNode(args, url)),
    stop: (signal) => process.stop(signal),
    kill: () => process.kill(),
  };
}

/** Starts `hana run` with exactly these arguments and waits for nothing: for tests of refusals and of the log. */
export function startHana(...args: string[]): RunningProcess {
  return sandbox.start(process.execPath, [mainFile, ...args], { env: user });
}

/** Starts a program that makes a node with the library. */
export function startPeer(options: LibraryOptions = {}): Promise<LibraryPeer> {
  const place = { mesh, interface: "127.0.0.1", port: 0, dataDir: join(folder, `peer-${++nodes}`) };
  const running = sandbox.start(process.execPath, [libraryProgram], { env: user });
  return LibraryPeer.open(running, { ...place, ...options });
}

/** Runs a command to its end. */
export function hana(...args: string[]): Promise<Finished> {
  return hanaAs({}, ...args);
}

/** Runs a command to its end with more environment, such as another user's. */
export function hanaAs(env: NodeJS.ProcessEnv, ...args: string[]): Promise<Finished> {
  return sandbox.run(process.execPath, [mainFile, ...args], { env: { ...user, ...env } });
}

/** A port that is free for UDP and for TCP, below the range from which systems give out their own. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + (randomBytes(2).readUInt16BE() % 10_000);
    if (await isFree(port)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const tcp = createServer();
  const udp = createSocket("udp4");
  try {
    await Promise.all([once(tcp.listen(port), "listening"), once(udp.bind(port), "listening")]);
    return true;
  } catch {
    return false;
  } finally {
    tcp.close();
    udp.close();
  }
}

/** The flag stands at the end, but before a `--`, after which everything is a value. */
function withNode(args: readonly string[], url: string): string[] {
  const end = args.includes("--") ? args.indexOf("--") : args.length;
  return [...args.slice(0, end), "--node", url, ...args.slice(end)];
}

function nodeCommand(
  { name, mesh, port, dataDir }: Pick<LiveNode, "name" | "mesh" | "port" | "dataDir">,
  { args = [], env = {} }: NodeOptions,
): [string, string[], { env: NodeJS.ProcessEnv }] {
  const flags = ["--name", name, "--mesh", mesh, "--port", String(port), "--data-dir", dataDir];
  const command = [mainFile, "run", "--interface", "127.0.0.1", ...flags, ...args];
  return [process.execPath, command, { env: { ...user, ...env } }];
}
