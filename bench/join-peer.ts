/**
 * Join peer: a fresh process that joins a mesh once and says when it held what the mesh holds.
 */
import { Socket } from "node:dgram";
import { TYPE_OFFSET } from "../src/wire/envelope.js";
import { FrameType } from "../src/wire/frame.js";
import { NodeHost, type NodePlan } from "./hana/node-host.js";
import { loadPath } from "./hana/load.js";
import { monotonicUs } from "./harness/clock.js";
import { serve } from "./harness/remote.js";

/** Microseconds of the machine's monotonic clock. */
export interface JoinTimes {
  /** `createNode` was called. */
  readonly calledUs: number;
  /** The joiner's hello was handed to the system. */
  readonly helloUs: number;
  /** Every path was there with its value. */
  readonly equalUs: number;
}

const PATIENCE_US = 20_000_000;

export class JoinPeer {
  private readonly host = new NodeHost();

  /** Joins; the path `lastPath` holds `lastValue` once everything is here, for a snapshot is taken in in one turn. */
  async join(plan: NodePlan, paths: number, lastValue: number): Promise<JoinTimes> {
    const hello = firstHello();
    const calledUs = monotonicUs();
    await this.host.start(plan);
    await this.holds(loadPath(paths - 1), lastValue, calledUs + PATIENCE_US);
    return { calledUs, helloUs: await hello, equalUs: monotonicUs() };
  }

  digests(): string {
    const { components } = this.host.status().state;
    return Object.values(components)
      .map(({ digest }) => digest)
      .join(" ");
  }

  private async holds(path: string, value: number, untilUs: number): Promise<void> {
    const { node } = this.host;
    while (node.get(path) !== value) {
      if (monotonicUs() > untilUs) throw new Error("the joiner did not get everything");
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  close(): Promise<void> {
    return this.host.close();
  }
}

/** When this process first says hello. The library is loaded later and finds `send` as it is left here. */
function firstHello(): Promise<number> {
  const prototype = Socket.prototype as { send: (...args: unknown[]) => void };
  const { send } = prototype;
  return new Promise((resolve) => {
    prototype.send = function (...args) {
      const [bytes] = args;
      if (bytes instanceof Uint8Array && bytes[TYPE_OFFSET] === FrameType.hello) {
        resolve(monotonicUs());
        prototype.send = send;
      }
      send.apply(this, args);
    };
  });
}

serve(new JoinPeer());
