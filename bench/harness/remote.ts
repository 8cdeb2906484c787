/**
 * Remote: calls between the runner and the processes that it measures. One request and one answer over Node's IPC
 * channel, used before and after a measurement and never during one.
 */
import { type ChildProcess, fork } from "node:child_process";

/** For whoever looks for the reason of a figure: `BENCH_NODE_FLAGS="--cpu-prof --cpu-prof-dir=FOLDER"`. */
const EXTRA_FLAGS = process.env.BENCH_NODE_FLAGS?.split(" ") ?? [];

interface Request {
  readonly call: number;
  readonly method: string;
  readonly args: readonly unknown[];
}

interface Answer {
  readonly call: number;
  readonly value?: unknown;
  readonly error?: string;
}

/** The public methods of a class, each answering a promise. */
export type Remote<T> = {
  readonly [K in keyof T as T[K] extends (...args: never[]) => unknown ? K : never]: T[K] extends (
    ...args: infer A
  ) => infer R
    ? (...args: A) => Promise<Awaited<R>>
    : never;
};

/** In the child: answers calls with the methods of `target`. It ends with its parent. */
export function serve(target: object): void {
  const methods = target as Readonly<Record<string, (...args: readonly unknown[]) => unknown>>;
  const answer = async ({ call, method, args }: Request): Promise<void> => {
    try {
      process.send?.({ call, value: await methods[method]?.(...args) });
    } catch (error) {
      process.send?.({ call, error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
  };
  process.on("message", (request) => void answer(request as Request));
  process.on("disconnect", () => process.exit());
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** A process of the benchmarks. */
class Child {
  readonly process: ChildProcess;
  private readonly script: URL;
  private readonly waiting = new Map<number, Waiting>();
  private readonly ended: Promise<void>;
  private calls = 0;

  /** `nodeFlags`: for the child's `node`, such as `--expose-gc`. Its stdout goes to stderr: ours may be JSON. */
  constructor(script: URL, nodeFlags: readonly string[] = []) {
    this.script = script;
    this.process = fork(script, [], {
      execArgv: [...nodeFlags, ...EXTRA_FLAGS],
      serialization: "advanced",
      stdio: ["ignore", process.stderr, "inherit", "ipc"],
    });
    this.process.on("message", (answer) => this.onAnswer(answer as Answer));
    this.ended = new Promise((resolve) => {
      this.process.on("exit", (code, signal) => {
        for (const { reject } of this.waiting.values()) reject(new Error(`${script.href} ended: ${code ?? signal}`));
        resolve();
      });
    });
  }

  /** The methods that the child serves. */
  remote<T extends object>(): Remote<T> {
    const call = (method: string, args: readonly unknown[]): Promise<unknown> => this.call(method, args);
    return new Proxy({} as Remote<T>, {
      get: (_target, method) => {
        // A remote is no thenable: `await` asks for `then`.
        if (typeof method !== "string" || method === "then") return undefined;
        return (...args: readonly unknown[]) => call(method, args);
      },
    });
  }

  private call(method: string, args: readonly unknown[]): Promise<unknown> {
    const call = ++this.calls;
    return new Promise((resolve, reject) => {
      this.waiting.set(call, { resolve, reject });
      this.process.send({ call, method, args }, (error) => {
        if (error !== null) reject(new Error(`${this.script.href}: ${error.message}`));
      });
    });
  }

  private onAnswer({ call, value, error }: Answer): void {
    const waiting = this.waiting.get(call);
    this.waiting.delete(call);
    if (error === undefined) waiting?.resolve(value);
    else waiting?.reject(new Error(error));
  }

  async end(): Promise<void> {
    if (this.process.connected) this.process.disconnect();
    const timer = setTimeout(() => this.process.kill("SIGKILL"), 2_000);
    await this.ended;
    clearTimeout(timer);
  }
}

/** The processes of one measurement; all are ended by `end`, whatever happened. */
export class Children {
  private readonly children: Child[] = [];

  spawn<T extends object>(script: URL, nodeFlags: readonly string[] = []): Remote<T> {
    const child = new Child(script, nodeFlags);
    this.children.push(child);
    return child.remote<T>();
  }

  async end(): Promise<void> {
    await Promise.all(this.children.map((child) => child.end()));
  }
}
