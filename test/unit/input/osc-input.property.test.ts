/**
 * Random packets against a simple model of what they mean, and random bytes against nothing but survival.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bundle, type Bundle, type Content, message, OscRig, TestNode } from "./osc-node.js";

const PATHS = ["/viz/a", "/viz/b", "/viz/sub/c", "/global/d"];
const RANGE = { min: -10, max: 10 };

/** What a float path with a range holds after a number. */
const held = (value: number): number => Math.fround(Math.min(RANGE.max, Math.max(RANGE.min, value)));

function rigOf(rateLimit?: number): OscRig {
  const rig = new OscRig(new TestNode(), { rateLimit });
  for (const path of PATHS) rig.node.declare(path, { type: "float", range: RANGE });
  return rig;
}

interface Write {
  readonly address: string;
  readonly tags: string;
  readonly value: number;
}

const write: fc.Arbitrary<Write> = fc.record({
  address: fc.constantFrom(...PATHS, "/viz/*", "//c", "/nowhere", "/system/x"),
  tags: fc.constantFrom("f", "d", "i", "h", "s"),
  value: fc.integer({ min: -100, max: 100 }),
});

const contentOf = ({ address, tags, value }: Write): Content => [address, tags, [tags === "s" ? `${value}` : value]];

type Node = Write | { readonly bundle: readonly Node[] };

/** Writes and bundles of them, three deep. */
const { content } = fc.letrec<{ content: Node }>((tie) => ({
  content: fc.oneof({ maxDepth: 3 }, write, fc.record({ bundle: fc.array(tie("content"), { maxLength: 5 }) })),
}));

function flatten(node: Node): Write[] {
  return "bundle" in node ? node.bundle.flatMap(flatten) : [node];
}

function toContent(node: Node): Content {
  if (!("bundle" in node)) return contentOf(node);
  const inner: Bundle = { time: [0, 1], content: node.bundle.map(toContent) };
  return inner;
}

/** What the paths hold after the writes, in order. */
function model(writes: readonly Write[]): Map<string, number> {
  const values = new Map(PATHS.map((path) => [path, 0]));
  for (const { address, tags, value } of writes) {
    if (tags === "s") continue;
    const reached = address === "/viz/*" ? ["/viz/a", "/viz/b"] : address === "//c" ? ["/viz/sub/c"] : [address];
    for (const path of reached) if (values.has(path)) values.set(path, held(value));
  }
  return values;
}

function expectValues(rig: OscRig, writes: readonly Write[]): void {
  for (const [path, value] of model(writes)) expect([path, rig.node.value(path)]).toEqual([path, value]);
}

describe("any packets", () => {
  it("leave the state as the model says, written one by one or in nested bundles", () => {
    fc.assert(
      fc.property(fc.array(content, { maxLength: 8 }), (packets) => {
        const rig = rigOf();
        for (const packet of packets) {
          const inner = toContent(packet);
          rig.receive("time" in inner ? bundle(inner.content) : message(...(inner as [string, string, number[]])));
        }
        expectValues(rig, packets.flatMap(flatten));
        expect(rig.node.isGrouped).toBe(false);
        expect(rig.count("packetsMalformed")).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  it("leave the same state above the rate, once the hold is over", () => {
    const packets = fc.array(fc.array(write, { minLength: 1, maxLength: 6 }), { maxLength: 60 });
    fc.assert(
      fc.property(packets, fc.integer({ min: 1, max: 40_000 }), (bundles, stepUs) => {
        const rig = rigOf(100);
        for (const writes of bundles) {
          rig.receive(bundle(writes.map(contentOf)));
          rig.node.advance(stepUs);
          rig.turn();
        }
        rig.node.advance(100_000);
        rig.turn();
        expectValues(rig, bundles.flat());
      }),
      { numRuns: 400 },
    );
  });

  it("reach a subscriber so that it ends with the state, whatever its throttle and whatever it sets itself", () => {
    const step = fc.record({
      path: fc.constantFrom(...PATHS),
      value: fc.integer({ min: -20, max: 20 }),
      port: fc.constantFrom(9_000, 9_001),
      waitUs: fc.constantFrom(0, 0, 1_000, 50_000),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.constantFrom(0, 30), (steps, throttleHz) => {
        const rig = rigOf();
        const mirror = new Map<string, number>();
        rig.subscribers.addOutput({ address: "127.0.0.1", port: 9_000, pattern: "//*", throttleHz });
        const turn = (): void => {
          rig.turn();
          for (const [path, , value] of rig.sender.take()) mirror.set(path, value as number);
        };
        turn();
        for (const { path, value, port, waitUs } of steps) {
          // The subscriber believes what it sets, until it is told otherwise.
          if (port === 9_000) mirror.set(path, value);
          rig.message(path, "i", [value], port);
          if (waitUs > 0) turn();
          rig.node.advance(waitUs);
        }
        turn();
        rig.node.advance(1_000_000);
        turn();
        for (const path of PATHS) expect([path, mirror.get(path)]).toEqual([path, rig.node.value(path)]);
      }),
      { numRuns: 300 },
    );
  });
});

describe("any bytes", () => {
  const valid = fc
    .array(write, { minLength: 1, maxLength: 4 })
    .map((writes) =>
      writes.length === 1 ? message(...(contentOf(writes[0]) as [string])) : bundle(writes.map(contentOf)),
    );

  it("cost their own packet and nothing else", () => {
    const rig = rigOf();
    const mutation = fc.record({ at: fc.nat(), byte: fc.integer({ min: 0, max: 255 }) });
    const mutated = fc.tuple(valid, fc.array(mutation, { maxLength: 6 })).map(([bytes, mutations]) => {
      for (const { at, byte } of mutations) bytes[at % bytes.length] = byte;
      return bytes;
    });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 120 }), mutated), (bytes) => {
        rig.receive(bytes);
        rig.message("/viz/a", "i", [5]);
        expect(rig.node.value("/viz/a")).toBe(5);
        rig.message("/viz/a", "i", [0]);
        rig.node.advance(1_000);
        rig.turn();
      }),
      { numRuns: 5_000 },
    );
    expect(rig.node.isGrouped).toBe(false);
    expect(rig.count("packetsMalformed")).toBeGreaterThan(500);
  });
});
