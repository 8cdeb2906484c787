/**
 * Node host: a hana node in a process of the benchmarks, made as any program makes one, from the built package.
 *
 * The package is loaded only when a node is started: floors are also measured in processes without hana.
 */
import type { DeclarationInput, Node, StatusReport } from "hana-sync";
import { monotonicUs } from "../harness/clock.js";
import { LOOPBACK } from "../harness/network.js";

export interface NodePlan {
  readonly mesh: string;
  readonly key: Uint8Array;
  readonly meshPort: number;
  readonly folder: string;
  readonly name: string;
  readonly priority: number;
  readonly settings?: Readonly<Record<string, unknown>>;
}

const ROLE_WAIT_MS = 10_000;

export class NodeHost {
  private running: Node | undefined;

  get node(): Node {
    if (this.running === undefined) throw new Error("no node was started in this process");
    return this.running;
  }

  /** Answers the node's OSC port. */
  async start({ name, folder, meshPort, settings, ...plan }: NodePlan): Promise<number> {
    const { createNode } = await import("hana-sync");
    this.running = await createNode({
      ...plan,
      name,
      interface: LOOPBACK,
      port: 0,
      dataDir: `${folder}/${name}`,
      settings: { meshPort, ...settings },
    });
    return this.running.port;
  }

  /** Resolves once the node is controller or in sync with one. */
  async settled(role: "controller" | "follower"): Promise<void> {
    const untilUs = monotonicUs() + ROLE_WAIT_MS * 1_000;
    while (this.node.status().role !== role) {
      if (monotonicUs() > untilUs) throw new Error(`not ${role} after ${ROLE_WAIT_MS} ms`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** Resolves once the node knows all paths. */
  async knows(paths: number): Promise<void> {
    const untilUs = monotonicUs() + ROLE_WAIT_MS * 1_000;
    while (this.node.status().state.paths < paths) {
      if (monotonicUs() > untilUs) throw new Error(`fewer than ${paths} paths after ${ROLE_WAIT_MS} ms`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  declare(path: string, declaration: DeclarationInput): void {
    this.node.declare(path, declaration);
  }

  status(): StatusReport {
    return this.node.status();
  }

  async close(): Promise<void> {
    await this.running?.close();
    this.running = undefined;
  }
}
