/** OSC in: packets with one float each, and the input of a node that takes them, made as the composition root does. */
import { parseBlock } from "../../src/config/addresses.js";
import { AllowList } from "../../src/input/allow-list.js";
import { OscCounters } from "../../src/input/osc-counters.js";
import { OscInput } from "../../src/input/osc-input.js";
import { OscSubscribers } from "../../src/input/osc-subscribers.js";
import type { HanaNode } from "../../src/node/node.js";

const FLOAT_BYTES = 4;

export function oscInputOf(node: HanaNode): OscInput {
  const { core, writes } = node;
  const counters = new OscCounters();
  const sender = { send: () => {} };
  const subscribers = new OscSubscribers({
    clock: core.clock,
    memory: core.memory,
    state: core.state,
    origins: core.origins,
    ownNode: core.identity.id,
    shown: writes,
    outputTerm: () => node.outputTerm,
    sender,
    counters,
  });
  const loopback = parseBlock("127.0.0.0/8");
  return new OscInput({
    clock: core.clock,
    target: writes,
    subscribers,
    sender,
    counters,
    allow: new AllowList(loopback === undefined ? [] : [loopback]),
    nodeName: core.identity.name,
    rateLimit: 10_000_000,
    seed: 1,
  });
}

/** An OSC message with one float, which is its last four bytes. */
export function oscFloat(address: string): Uint8Array {
  const padded = Math.floor(address.length / 4) * 4 + 4;
  const bytes = Buffer.alloc(padded + 4 + FLOAT_BYTES);
  bytes.write(address);
  bytes.write(",f", padded);
  return new Uint8Array(bytes);
}

const scratch = new Float32Array(1);
const scratchBytes = new Uint8Array(scratch.buffer);

/** Puts another float into a packet; allocates nothing. The host is taken to be little-endian. */
export function putFloat(packet: Uint8Array, value: number): void {
  scratch[0] = value;
  const end = packet.length - 1;
  for (let byte = 0; byte < FLOAT_BYTES; byte++) packet[end - byte] = scratchBytes[byte] as number;
}
