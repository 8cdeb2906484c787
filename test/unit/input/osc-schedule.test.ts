import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OscSchedule, SCHEDULE_PACKETS_PER_HOST, type ScheduledPacket } from "../../../src/input/osc-schedule.js";
import type { OscHost } from "../../../src/input/osc-sources.js";

const host = (): OscHost => ({ waitingPackets: 0 }) as OscHost;

function packet(mark: number, from = host(), length = 4): ScheduledPacket {
  const bytes = new Uint8Array(length).fill(mark);
  return { bytes, host: from, port: 1, connection: -1, timeUs: 0, untilUs: 0 };
}

describe("OSC schedule", () => {
  it("gives packets back in the order of their times, and those of one time in the order in which they came", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 200 }), (times) => {
        const schedule = new OscSchedule();
        for (const [index, timeUs] of times.entries()) schedule.add(timeUs, packet(index));
        const taken: number[] = [];
        for (let nowUs = 0; nowUs < 10; nowUs++) {
          for (let next = schedule.takeDue(nowUs); next !== undefined; next = schedule.takeDue(nowUs)) {
            expect(times[next.bytes[0]]).toBe(nowUs);
            taken.push(next.bytes[0]);
          }
        }
        const sorted = [...times.keys()].sort((one, other) => times[one] - times[other] || one - other);
        expect(taken).toEqual(sorted);
        expect(schedule.nextDueUs).toBe(Number.POSITIVE_INFINITY);
      }),
    );
  });

  it("says when the first is due, and gives nothing before", () => {
    const schedule = new OscSchedule();
    schedule.add(500, packet(1));
    schedule.add(300, packet(2));
    expect(schedule.nextDueUs).toBe(300);
    expect(schedule.takeDue(299)).toBeUndefined();
    expect(schedule.takeDue(300)?.bytes[0]).toBe(2);
  });

  it("holds so many packets and bytes, and no more of one host than its share", () => {
    const few = new OscSchedule(2, 1_000);
    expect([few.add(1, packet(1)), few.add(1, packet(1)), few.add(1, packet(1))]).toEqual([true, true, false]);
    const small = new OscSchedule(10, 10);
    expect([small.add(1, packet(1, host(), 8)), small.add(1, packet(1, host(), 4))]).toEqual([true, false]);
    small.takeDue(1);
    expect(small.add(1, packet(1, host(), 4))).toBe(true);
    const large = new OscSchedule();
    const greedy = host();
    for (let count = 0; count < SCHEDULE_PACKETS_PER_HOST; count++) large.add(1, packet(1, greedy));
    expect(large.add(1, packet(1, greedy))).toBe(false);
    expect(large.add(1, packet(1))).toBe(true);
    large.takeDue(1);
    expect(large.add(1, packet(1, greedy))).toBe(true);
  });
});
