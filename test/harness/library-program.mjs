/**
 * Library program: uses nothing but the library, as somebody else's renderer would, and does what it is told.
 *
 * A line of JSON on stdin is `{ id, call, args }`; its answer on stdout is `{ id, value }` or `{ id, error }`. What a
 * subscriber is told is printed as `{ subscription, change }`. What JSON lacks travels as `{ base64 }` (bytes), `{ number }` (NaN, Infinity) and `{ absent }`.
 */
import { createInterface } from "node:readline";
import { createNode } from "hana-sync";

let node;
const subscriptions = [];
const observations = [];

const calls = {
  async open(options) {
    node = await createNode(options);
    return { id: node.id, port: node.port };
  },
  declare: (path, declaration) => node.declare(path, declaration),
  set: (path, value) => node.set(path, value),
  write: (path, value) => node.write(path, value),
  input: (source, control, value) => node.input(source, control, value),
  get: (path) => node.get(path),
  status: () => node.status(),
  close: () => node.close(),

  subscribe(pattern) {
    const subscription = subscriptions.length;
    subscriptions.push(node.subscribe(pattern, (change) => say({ subscription, change })));
    return subscription;
  },
  unsubscribe: (subscription) => subscriptions[subscription](),

  /** Sets a path to every whole number of a range, in one turn. */
  sweep(path, from, to) {
    for (let value = from; value <= to; value++) node.set(path, value);
  },

  /** Looks at all the paths whenever one of them changes: do they ever differ from each other? */
  observe(pattern, paths) {
    const seen = { calls: 0, torn: 0, example: [], values: [] };
    node.subscribe(pattern, () => {
      seen.calls++;
      const values = paths.map((path) => node.get(path));
      if (values[0] !== seen.values.at(-1)) seen.values.push(values[0]);
      if (values.every((value) => value === values[0])) return;
      if (seen.torn++ === 0) seen.example = values;
    });
    return observations.push(seen) - 1;
  },
  observed: (observation) => observations[observation],
};

function say(line) {
  process.stdout.write(`${JSON.stringify(line, encode)}\n`);
}

/** A Buffer has become something else before it comes here as `value`. */
function encode(key, value) {
  if (this[key] instanceof Uint8Array) return { base64: Buffer.from(this[key]).toString("base64") };
  return value === undefined ? { absent: true } : value;
}

function decode(_, value) {
  if (typeof value?.base64 === "string") return new Uint8Array(Buffer.from(value.base64, "base64"));
  return typeof value?.number === "string" ? Number(value.number) : value;
}

createInterface({ input: process.stdin }).on("line", async (line) => {
  const { id, call, args } = JSON.parse(line, decode);
  try {
    say({ id, value: await calls[call](...args) });
  } catch (error) {
    const { name, message, reason, exitCode } = error;
    say({ id, error: { name, message, reason, exitCode } });
  }
});
say({ event: "started" });
