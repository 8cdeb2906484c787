/**
 * Processes under test: start one, read what it says, end it by its own pid, and never leave one behind.
 *
 * Shared by the live tests (loopback) and the rig tests (network namespaces).
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

export const rootFolder = resolve(import.meta.dirname, "../..");
/** The built command, which is what users run. */
export const mainFile = join(rootFolder, "dist/main.js");

const READY_MS = 10_000;
const RUN_MS = 15_000;
const STOP_MS = 10_000;
/** How long output may go on after the end, while a process that it left behind holds the pipe. */
const DRAIN_MS = 1_000;
/** How much of each stream an error message quotes. */
const TAIL_CHARACTERS = 2_000;

export interface SpawnOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Finished extends Exit {
  readonly stdout: string;
  readonly stderr: string;
}

/** One JSON line of stdout. The node's log has `event` on each; `hana watch --json` has a path and a value. */
export interface Line {
  readonly event?: string;
  readonly [field: string]: unknown;
}

export class RunningProcess {
  readonly child: ChildProcess;
  /** Resolves when the process has ended and its output is drained; never rejects. */
  readonly ended: Promise<Exit>;
  /** Every JSON line of stdout so far. */
  readonly lines: Line[] = [];
  /** Lines of stdout that are not JSON objects. */
  readonly notJson: string[] = [];
  stdout = "";
  stderr = "";
  exit: Exit | undefined;
  private readonly command: string;
  private readonly listeners = new Set<() => void>();
  private partial = "";

  constructor(command: string, args: readonly string[], options: SpawnOptions = {}) {
    this.command = [command, ...args].join(" ");
    this.child = spawn(command, args, { ...options, stdio: ["pipe", "pipe", "pipe"] });
    this.child.stdout?.setEncoding("utf8").on("data", (text: string) => this.onStdout(text));
    this.child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.stderr += text;
    });
    this.child.stdin?.on("error", () => {}); // A process that does not read its input is no failure.
    this.ended = new Promise((resolve) => {
      this.child.on("error", (error) => this.onEnd({ code: null, signal: null }, String(error), resolve));
      this.child.on("close", (code, signal) => this.onEnd({ code, signal }, "", resolve));
      this.child.on("exit", (code, signal) => {
        const left = "(it left a process behind that holds its output)";
        setTimeout(() => this.onEnd({ code, signal }, left, resolve), DRAIN_MS).unref();
      });
    });
  }

  get pid(): number {
    if (this.child.pid === undefined) throw new Error(`never started: ${this.describe()}`);
    return this.child.pid;
  }

  /** The first line, earlier or later, that is called `event` or passes the test; rejects when time or process ends. */
  waitFor(wanted: string | ((line: Line) => boolean), timeoutMs = 5_000): Promise<Line> {
    const test = typeof wanted === "string" ? (line: Line) => line.event === wanted : wanted;
    const what = typeof wanted === "string" ? `event "${wanted}"` : "the wanted line";
    return this.when(() => this.lines.find(test), what, timeoutMs);
  }

  /** Resolves with what `look` finds, asked now and after each output; rejects when time or process ends before. */
  when<T>(look: () => T | undefined, what: string, timeoutMs = 5_000): Promise<T> {
    return new Promise((resolve, reject) => {
      const finish = (): void => {
        clearTimeout(timer);
        this.listeners.delete(check);
      };
      const fail = (reason: string): void => {
        finish();
        reject(new Error(`${reason} while waiting for ${what}: ${this.describe()}`));
      };
      const check = (): void => {
        const found = look();
        if (found === undefined) {
          if (this.exit) fail("the process ended");
          return;
        }
        finish();
        resolve(found);
      };
      const timer = setTimeout(() => fail(`${timeoutMs} ms passed`), timeoutMs);
      this.listeners.add(check);
      check();
    });
  }

  /** Asks the process to end and returns how it did; one that does not end in time is killed and reported. */
  async stop(signal: NodeJS.Signals = "SIGTERM", timeoutMs = STOP_MS): Promise<Exit> {
    if (this.exit) return this.exit;
    this.child.kill(signal);
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.child.kill("SIGKILL");
    }, timeoutMs);
    const exit = await this.ended;
    clearTimeout(timer);
    if (late) throw new Error(`still running ${timeoutMs} ms after ${signal}: ${this.describe()}`);
    return exit;
  }

  /** Ends the process without warning, as a crash would. */
  async kill(): Promise<void> {
    if (this.exit) return;
    this.child.kill("SIGKILL");
    await this.ended;
  }

  describe(): string {
    const end = this.exit ? `ended with ${this.exit.code ?? this.exit.signal}` : "running";
    return `${this.command}\n[${end}]\n--- stdout\n${this.stdout.slice(-TAIL_CHARACTERS)}\n--- stderr\n${this.stderr.slice(-TAIL_CHARACTERS)}`;
  }

  private onStdout(text: string): void {
    this.stdout += text;
    const lines = (this.partial + text).split("\n");
    this.partial = lines.pop() ?? "";
    for (const line of lines) this.onLine(line);
    for (const listener of this.listeners) listener();
  }

  private onLine(text: string): void {
    const line = parseLine(text);
    if (line) this.lines.push(line);
    else this.notJson.push(text);
  }

  private onEnd(exit: Exit, error: string, resolve: (exit: Exit) => void): void {
    if (this.exit) return;
    this.exit = exit;
    this.stderr += error;
    this.child.stdout?.destroy();
    this.child.stderr?.destroy();
    if (this.partial) this.onLine(this.partial);
    for (const listener of this.listeners) listener();
    resolve(exit);
  }
}

/** Everything one test file started, and the temporary folder that stands for its user's home. */
export class Sandbox {
  readonly folder = mkdtempSync(join(tmpdir(), "hana-test-"));
  private readonly started: RunningProcess[] = [];
  private homes = 0;
  /** A test run that dies takes its processes with it. */
  private readonly onExit = (): void => {
    for (const running of this.started) running.child.kill("SIGKILL");
  };

  constructor() {
    process.once("exit", this.onExit);
  }

  /** An environment whose user is new: nothing of the real user's configuration, keys or HANA_* settings. */
  newHome(): NodeJS.ProcessEnv {
    const home = join(this.folder, `home${++this.homes}`);
    const inherited = Object.entries(process.env).filter(([name]) => !/^(HANA_|XDG_|VITEST|NODE_ENV|npm_)/.test(name));
    return {
      ...Object.fromEntries(inherited),
      HOME: home,
      USERPROFILE: home,
      APPDATA: join(home, "roaming"),
      LOCALAPPDATA: join(home, "local"),
      XDG_CONFIG_HOME: join(home, "config"),
      XDG_DATA_HOME: join(home, "data"),
      XDG_STATE_HOME: join(home, "state"),
      XDG_CACHE_HOME: join(home, "cache"),
    };
  }

  start(command: string, args: readonly string[], options: SpawnOptions = {}): RunningProcess {
    const running = new RunningProcess(command, args, { cwd: this.folder, ...options });
    this.started.push(running);
    return running;
  }

  /** Starts a node and waits until it says that it is ready. */
  async startReady(
    command: string,
    args: readonly string[],
    options: SpawnOptions = {},
  ): Promise<[RunningProcess, Line]> {
    const running = this.start(command, args, options);
    try {
      return [running, await running.waitFor("ready", READY_MS)];
    } catch (error) {
      await running.kill();
      throw error;
    }
  }

  /** Runs a command to its end. One that outlasts its time is killed and reported. */
  async run(
    command: string,
    args: readonly string[],
    options: SpawnOptions & { timeoutMs?: number } = {},
  ): Promise<Finished> {
    const { timeoutMs = RUN_MS, ...rest } = options;
    const running = this.start(command, args, rest);
    running.child.stdin?.end();
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      running.child.kill("SIGKILL");
    }, timeoutMs);
    const exit = await running.ended;
    clearTimeout(timer);
    if (late) throw new Error(`not done after ${timeoutMs} ms: ${running.describe()}`);
    return { ...exit, stdout: running.stdout, stderr: running.stderr };
  }

  /** Ends what still runs and removes the folder. Reports a process that had to be killed. */
  async close(): Promise<void> {
    process.off("exit", this.onExit);
    const ends = await Promise.allSettled(this.started.map((running) => running.stop()));
    rmSync(this.folder, { recursive: true, force: true });
    const failed = ends.find((end) => end.status === "rejected");
    if (failed) throw failed.reason;
  }
}

function parseLine(text: string): Line | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Line) : undefined;
  } catch {
    return undefined;
  }
}
