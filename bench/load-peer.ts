/**
 * Load peer: a process with a node and many paths. It writes as fast as it is told to, or counts what arrives.
 */
import { NodeHost, type NodePlan } from "./hana/node-host.js";
import { Load, loadPath, type LoadMade, type LoadPlan } from "./hana/load.js";
import { serve } from "./harness/remote.js";

/** What a node holds: equal on two nodes exactly when their values are. */
export interface Contents {
  readonly sequence: number;
  readonly paths: number;
  /** The node's own digests, of paths, values and versions. */
  readonly digests: string;
  /** Of the values as the library answers them, so that a wrong digest cannot hide a wrong value. */
  readonly checksum: number;
}

export class LoadPeer {
  private readonly host = new NodeHost();
  private readonly load = new Load(this.host);

  startNode(plan: NodePlan): Promise<number> {
    return this.host.start(plan);
  }

  settled(role: "controller" | "follower"): Promise<void> {
    return this.host.settled(role);
  }

  declarePaths(count: number): void {
    this.load.declare(count);
  }

  knows(paths: number): Promise<void> {
    return this.host.knows(paths);
  }

  drive(plan: LoadPlan): Promise<LoadMade> {
    return this.load.drive(plan);
  }

  /** Sets the last path to a value that only `mark` explains, and answers it. */
  writeLast(paths: number, mark: number): number {
    const value = 2 ** 23 + mark;
    this.host.node.set(loadPath(paths - 1), value);
    return value;
  }

  /** A counter of the node; 0 for one that it has not counted yet. */
  counter(name: string): number {
    return this.host.status().counters[name] ?? 0;
  }

  /** Processor time of this process so far, all threads, in microseconds: what a busy machine does not falsify. */
  cpuUs(): number {
    const { user, system } = process.cpuUsage();
    return user + system;
  }

  contents(paths: number): Contents {
    const { sequence, state } = this.host.status();
    const digests = Object.values(state.components).map(({ digest }) => digest);
    return { sequence, paths: state.paths, digests: digests.join(" "), checksum: this.load.checksum(paths) };
  }

  close(): Promise<void> {
    return this.host.close();
  }
}

serve(new LoadPeer());
