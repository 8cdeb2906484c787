/** What known senders may ask for: each its share, all together a tenth of a core, and the work itself is not counted. */
import { expect, test } from "vitest";
import { Clock } from "../../../src/base/clock.js";
import { AskBudget, UNITS_IN_TOTAL, UNITS_PER_SENDER } from "../../../src/node/ask-budget.js";
import { encodeMessage } from "../../../src/wire/fields.js";
import { FrameType } from "../../../src/wire/frame.js";
import { nakFields } from "../../../src/wire/messages.js";
import { Mesh } from "./mesh.js";

function taken(budget: AskBudget, times: number, type: number, sender: (time: number) => string): number {
  let count = 0;
  for (let time = 0; time < times; time++) if (budget.take(type, sender(time))) count++;
  return count;
}

test("a sender has its units a second, others have theirs, and all have what is left", () => {
  const clock = new Clock();
  clock.set(1e9);
  const budget = new AskBudget(clock);
  expect(taken(budget, 5_000, FrameType.nak, () => "one")).toBe(UNITS_PER_SENDER / 2);
  expect(taken(budget, 10, FrameType.hello, () => "two")).toBe(10);
  clock.set(2e9);
  expect(taken(budget, 5_000, FrameType.nak, () => "one")).toBe(UNITS_PER_SENDER / 2);
  clock.set(3e9);
  expect(taken(budget, 50_000, FrameType.clockAsk, (time) => `n${time % 100}`)).toBe(UNITS_IN_TOTAL);
});

test.each([FrameType.stream, FrameType.write, FrameType.report, FrameType.vote, FrameType.conflatedAnswer])(
  "frames of type %d are the work itself and count for nothing",
  (type) => {
    expect(taken(new AskBudget(new Clock()), 50_000, type, () => "one")).toBe(50_000);
  },
);

test("a member that asks without end costs its controller repairs for a moment, and the others nothing", () => {
  const mesh = new Mesh(3);
  mesh.add({ priority: 200 });
  mesh.add();
  mesh.add();
  mesh.until(() => mesh.isSettled);
  const [controller, mad, other] = mesh.nodes as [
    typeof mesh.controller,
    typeof mesh.controller,
    typeof mesh.controller,
  ];
  controller.declare("/viz/x", { type: "double" });
  for (let value = 0; value < 300; value++) {
    controller.write("/viz/x", value);
    mesh.run(1_000);
  }
  const { counters } = controller.hana.core;
  const { sent, repairs } = controller.hana.controller;
  const before = repairs.repairs;
  const ranges = Array.from({ length: 16 }, () => [1, sent.newest]).flat();
  for (let ms = 0; ms < 1_000; ms++) {
    for (let ask = 0; ask < 10; ask++) {
      mad.turn(() => {
        const { io, roles } = mad.hana;
        const length = encodeMessage(nakFields({ term: roles.term.number, ranges }), io.plain);
        io.unicast(FrameType.nak, length, roles.target);
      });
    }
    controller.write("/viz/x", -ms);
    mesh.run(1_000);
  }
  expect(counters.messagesThrottled).toBeGreaterThan(8_000);
  expect(repairs.repairs - before).toBeLessThanOrEqual(5_200);
  mesh.run(100_000);
  expect(other.value("/viz/x")).toBe(controller.value("/viz/x"));
  expect(mesh.isSettled).toBe(true);
});
