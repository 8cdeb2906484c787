/**
 * Rig harness: hosts in network namespaces with real multicast between them, and real faults; see `lan`'s usage.
 *
 * Needs root on Linux, iproute2 and nftables. It fails loudly without them, because a rig test that skips itself proves
 * nothing. Each rig has a name of its own, and all of them are taken down after the file's last test.
 */
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { NodeOptions as LibraryOptions } from "hana-sync";
import { afterAll } from "vitest";
import type { StatusReport } from "../../src/manage/reports.js";
import { inSync, LibraryPeer, libraryProgram } from "../harness/library-peer.js";
import {
  type Exit,
  type Finished,
  type Line,
  mainFile,
  type RunningProcess,
  Sandbox,
  type SpawnOptions,
} from "../harness/process.js";
import { until } from "../harness/until.js";

const script = join(import.meta.dirname, "lan");

/** `h1`, `h2` and so on. */
export type Host = `h${number}`;

export interface RigNodeOptions {
  readonly name?: string;
  /** A folder to keep across restarts; one per host and name if left out. */
  readonly dataDir?: string;
  /** More arguments of `hana run`; the last of two equal flags wins. */
  readonly args?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

export interface RigNode {
  readonly host: Host;
  readonly process: RunningProcess;
  /** The log line that said `ready`. */
  readonly ready: Line;
  readonly name: string;
  readonly dataDir: string;
  stop(signal?: NodeJS.Signals): Promise<Exit>;
  kill(): Promise<void>;
}

const sandbox = new Sandbox();
const lans: Lan[] = [];

afterAll(async () => {
  try {
    await sandbox.close();
  } finally {
    for (const lan of lans) await lan.down();
  }
});

/** Makes hosts h1..hN, up to 999, on one switch. */
export async function lanUp(hosts: number): Promise<Lan> {
  if (process.getuid?.() !== 0) throw new Error("the rig needs root on Linux, for network namespaces");
  const lan = new Lan();
  lans.push(lan);
  await lan.command("up", String(hosts));
  return lan;
}

/** One switch and its hosts. Loss and cuts spare a host's own loopback. */
export class Lan {
  /** Part of every namespace's name: `ip netns exec ID-h1 …`. */
  readonly id = `r${randomBytes(4).readUInt32BE().toString(36).padStart(5, "0").slice(-5)}`;
  readonly mesh = `rig-${this.id}`;
  /** All hosts share one key folder, as if the key had been handed over; `newUser` is for tests of joining. */
  readonly user = sandbox.newHome();

  newUser(): NodeJS.ProcessEnv {
    return sandbox.newHome();
  }

  /** Address of the host's eth0. */
  async addr(host: Host): Promise<string> {
    return (await this.command("addr", host)).trim();
  }

  /** Gives the host a second interface, eth1, on a second switch, and returns its address. */
  async second(host: Host): Promise<string> {
    await this.command("second", host);
    return (await this.addr(host)).replace("10.77.", "10.78.");
  }

  /** Drops this share, 0 to 100, of the UDP datagrams that reach the host from others; 0 ends it. */
  async loss(host: Host, percent: number, port?: number): Promise<void> {
    await this.command("loss", host, String(percent), ...(port === undefined ? [] : [String(port)]));
  }

  /** Nothing passes from the first to the second any more; the other way is untouched. */
  async cut(from: Host, to: Host): Promise<void> {
    await this.command("cut", from, to);
  }

  async partition(one: readonly Host[], other: readonly Host[]): Promise<void> {
    await this.command("partition", one.join(" "), other.join(" "));
  }

  /** Ends every loss, cut and partition. */
  async heal(): Promise<void> {
    await this.command("heal");
  }

  async unplug(host: Host): Promise<void> {
    await this.command("unplug", host);
  }

  async plug(host: Host): Promise<void> {
    await this.command("plug", host);
  }

  /** An `ip` command on the switch: host hN is on its port pN, of the bridge br-ID. */
  async switch(...args: string[]): Promise<void> {
    const { code, stderr } = await sandbox.run("ip", ["-n", `sw-${this.id}`, ...args]);
    if (code !== 0) throw new Error(`ip ${args.join(" ")} on the switch: ${stderr}`);
  }

  /** Runs a command on the host to its end, whatever its exit code. */
  exec(host: Host, command: string, ...args: string[]): Promise<Finished> {
    return sandbox.run(script, ["exec", host, command, ...args], { env: this.environment() });
  }

  /** Starts a command on the host that runs until it is stopped. */
  spawn(host: Host, command: string, ...args: string[]): RunningProcess {
    return sandbox.start(script, ["exec", host, command, ...args], { env: this.environment() });
  }

  /** Starts `hana run` on the host, on its default port, and waits for `ready`. */
  async startNode(host: Host, options: RigNodeOptions = {}): Promise<RigNode> {
    const { name = host, args = [], env = {} } = options;
    const dataDir = options.dataDir ?? join(sandbox.folder, `data-${this.id}-${host}-${name}`);
    const run = ["run", "--mesh", this.mesh, "--name", name, "--data-dir", dataDir, ...args];
    const spawned: SpawnOptions = { env: this.environment(env) };
    const command = ["exec", host, process.execPath, mainFile, ...run];
    const [running, ready] = await sandbox.startReady(script, command, spawned);
    return {
      host,
      process: running,
      ready,
      name,
      dataDir,
      stop: (signal) => running.stop(signal),
      kill: () => running.kill(),
    };
  }

  /** Starts a program with a node of the library on the host. */
  startPeer(host: Host, options: LibraryOptions = {}): Promise<LibraryPeer> {
    const place = { mesh: this.mesh, name: host, dataDir: join(sandbox.folder, `data-${this.id}-${host}-peer`) };
    return LibraryPeer.open(this.spawn(host, process.execPath, libraryProgram), { ...place, ...options });
  }

  /** Runs a `hana` command on the host, against the node there unless `--node` says otherwise. */
  cli(host: Host, ...args: string[]): Promise<Finished> {
    return this.cliAs({}, host, ...args);
  }

  /** The same with more environment, such as another user's. */
  cliAs(env: NodeJS.ProcessEnv, host: Host, ...args: string[]): Promise<Finished> {
    const command = ["exec", host, process.execPath, mainFile, ...args];
    return sandbox.run(script, command, { env: this.environment(env) });
  }

  /** What the node on the host says of itself. */
  async status(host: Host): Promise<StatusReport> {
    const { code, stdout, stderr } = await this.cli(host, "status", "--json");
    if (code !== 0) throw new Error(`no status of ${host}: ${stderr}`);
    return JSON.parse(stdout) as StatusReport;
  }

  /** Writes a file that goes away with the test file, and answers its path. */
  file(name: string, text: string): string {
    const path = join(sandbox.folder, name);
    writeFileSync(path, text);
    return path;
  }

  /** Waits until the nodes on these hosts are one mesh that holds the same. */
  inSync(...hosts: Host[]): Promise<StatusReport[]> {
    return inSync(hosts.map((host) => ({ status: () => this.status(host) })));
  }

  /** Waits until a value is there on the host, as `hana get` prints it. */
  async hasValue(host: Host, path: string, value: string): Promise<void> {
    await until(
      () => this.get(host, path),
      (found) => found === value,
      `${value} at ${path} on ${host}`,
    );
  }

  /** Waits until the node on the host is what it is to be. */
  async inRole(host: Host, role: StatusReport["role"]): Promise<void> {
    await until(
      () => this.status(host),
      (status) => status.role === role,
      `${host} to be ${role}`,
    );
  }

  /** A value as `hana get` prints it on the host; "" when the node there does not know the path. */
  async get(host: Host, path: string): Promise<string> {
    const { stdout } = await this.cli(host, "get", path);
    return stdout.trimEnd();
  }

  /** Follows what a pattern names on the host: a JSON line for each value, what is there first. */
  watch(host: Host, pattern: string): RunningProcess {
    return this.spawn(host, process.execPath, mainFile, "watch", pattern, "--json", "--initial");
  }

  async down(): Promise<void> {
    await this.command("down");
  }

  /** A subcommand of the `lan` script; returns its output, and throws when it fails. */
  async command(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await sandbox.run(script, args, { env: this.environment(), cwd: "/" });
    if (code !== 0) throw new Error(`lan ${args.join(" ")} ended with ${code}: ${stderr}`);
    return stdout;
  }

  private environment(env: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
    return { ...this.user, ...env, LAN_ID: this.id };
  }
}
