import { describe, expect, it } from "vitest";
import { LatePolicy, TimetagPolicy } from "../../../src/input/osc-input.js";
import { SCHEDULE_PACKETS_PER_HOST } from "../../../src/input/osc-schedule.js";
import { writeTimetag } from "../../../src/input/osc-timetag.js";
import { bundle, type Content, OscRig, START_US, TestNode } from "./osc-node.js";

const MS = 1_000;

/** The time tag of the start, and so many microseconds. */
function tag(afterStartUs: number): readonly [number, number] {
  const words = new Uint32Array(2);
  writeTimetag(START_US + afterStartUs, words);
  return [words[0], words[1]];
}

function rigWith(options: ConstructorParameters<typeof OscRig>[1] = {}): OscRig {
  const rig = new OscRig(new TestNode(), options);
  for (const path of ["/viz/a", "/viz/b", "/viz/c"]) rig.node.declare(path, { type: "float" });
  return rig;
}

const values = (rig: OscRig): unknown[] => ["/viz/a", "/viz/b", "/viz/c"].map((path) => rig.node.value(path));

describe("a time tag", () => {
  it("in the future lets the bundle wait, and its time is told", () => {
    const rig = rigWith();
    const content: Content[] = [
      ["/viz/a", "f", [1]],
      ["/viz/b", "f", [2]],
    ];
    rig.receive(bundle(content, tag(20 * MS)));
    expect(values(rig)).toEqual([0, 0, 0]);
    expect(rig.input.nextDueUs).toBe(START_US + 20 * MS);
    rig.node.advance(20 * MS - 1);
    rig.turn();
    expect(values(rig)).toEqual([0, 0, 0]);
    rig.node.advance(1);
    rig.turn();
    expect(values(rig)).toEqual([1, 2, 0]);
    expect(rig.node.steps.map((step) => step.kind)).toEqual(["begin", "write", "write", "end"]);
    expect(rig.input.nextDueUs).toBe(Number.POSITIVE_INFINITY);
    expect(rig.count("packetsScheduled")).toBe(1);
  });

  it("keeps its bytes while the buffer is used for others", () => {
    const rig = rigWith();
    const bytes = bundle([["/viz/a", "f", [1]]], tag(10 * MS));
    rig.receive(bytes);
    bytes.fill(0xff);
    rig.node.advance(10 * MS);
    rig.turn();
    expect(rig.node.value("/viz/a")).toBe(1);
  });

  it("that is past or now is applied at once (timetag in the past)", () => {
    const rig = rigWith();
    rig.receive(bundle([["/viz/a", "f", [1]]], tag(-5_000 * MS)));
    rig.receive(bundle([["/viz/b", "f", [2]]], tag(0)));
    expect(values(rig)).toEqual([1, 2, 0]);
  });

  it("that is past drops the messages beyond the tolerance when that is the policy", () => {
    const rig = rigWith({ late: LatePolicy.drop, lateToleranceUs: 10 * MS });
    rig.receive(bundle([["/viz/a", "f", [1]]], tag(-10 * MS - 1)));
    rig.receive(bundle([["/viz/b", "f", [2]]], tag(-10 * MS)));
    rig.receive(bundle([["/viz/c", "f", [3]]]));
    expect(values(rig)).toEqual([0, 2, 3]);
    expect(rig.count("messagesLate")).toBe(1);
  });

  it("is wall-clock time, which is not session time", () => {
    const rig = rigWith();
    rig.input.wallOffsetUs = 50 * MS;
    rig.receive(bundle([["/viz/a", "f", [1]]], tag(60 * MS)));
    expect(rig.input.nextDueUs).toBe(START_US + 10 * MS);
    // The wall clock steps while the bundle waits: it still comes after 10 ms.
    rig.input.wallOffsetUs = 3_600_000 * MS;
    rig.node.advance(10 * MS);
    rig.turn();
    expect(rig.node.value("/viz/a")).toBe(1);
  });

  it("is ignored when that is the policy", () => {
    const rig = rigWith({ timetags: TimetagPolicy.ignore });
    rig.receive(bundle([["/viz/a", "f", [1]]], tag(3_600_000 * MS)));
    expect(rig.node.value("/viz/a")).toBe(1);
  });

  it("of a bundle inside another is kept, and never earlier than the other's", () => {
    const rig = rigWith();
    rig.receive(
      bundle([
        ["/viz/a", "f", [1]],
        { time: tag(20 * MS), content: [["/viz/b", "f", [2]], { time: [0, 1], content: [["/viz/c", "f", [3]]] }] },
        { time: tag(40 * MS), content: [["/viz/a", "f", [4]]] },
      ]),
    );
    expect(values(rig)).toEqual([1, 0, 0]);
    rig.node.advance(20 * MS);
    rig.turn();
    expect(values(rig)).toEqual([1, 2, 3]);
    expect(rig.input.nextDueUs).toBe(START_US + 40 * MS);
    rig.node.advance(20 * MS);
    rig.turn();
    expect(values(rig)).toEqual([4, 2, 3]);
    expect(rig.node.steps.filter((step) => step.kind === "write")).toHaveLength(4);
  });

  it("of several bundles is kept in order, when a turn comes late too", () => {
    const rig = rigWith();
    rig.receive(bundle([["/viz/a", "f", [2]]], tag(20 * MS)));
    rig.receive(bundle([["/viz/a", "f", [1]]], tag(10 * MS)));
    rig.receive(bundle([["/viz/a", "f", [3]]], tag(20 * MS)));
    rig.node.advance(500 * MS);
    rig.turn();
    expect(rig.node.value("/viz/a")).toBe(3);
    expect(rig.node.steps).toHaveLength(3);
  });

  it("more than an hour ahead is counted and dropped", () => {
    const rig = rigWith();
    rig.receive(bundle([["/viz/a", "f", [1]]], tag(3_600_000 * MS)));
    rig.receive(
      bundle(
        [
          ["/viz/b", "f", [1]],
          ["/viz/c", "f", [1]],
        ],
        tag(3_600_000 * MS + 1),
      ),
    );
    expect(rig.input.waitingPackets).toBe(1);
    expect(rig.count("messagesTooFar")).toBe(2);
  });

  it("lets a host keep so many packets waiting and no more", () => {
    const rig = rigWith();
    for (let count = 0; count < SCHEDULE_PACKETS_PER_HOST + 3; count++) {
      rig.receive(bundle([["/viz/a", "f", [count]]], tag(10 * MS)));
    }
    expect(rig.input.waitingPackets).toBe(SCHEDULE_PACKETS_PER_HOST);
    expect(rig.count("scheduleFull")).toBe(3);
    rig.node.advance(10 * MS);
    rig.turn();
    expect(rig.node.value("/viz/a")).toBe(SCHEDULE_PACKETS_PER_HOST - 1);
  });
});
