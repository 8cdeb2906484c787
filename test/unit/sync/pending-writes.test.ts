/** The overlay of unconfirmed writes. */
import { describe, expect, test } from "vitest";
import { Clock } from "../../../src/base/clock.js";
import { completeDeclaration } from "../../../src/state/declaration.js";
import { Staging } from "../../../src/state/staging.js";
import { PROVISIONAL_IDS, State } from "../../../src/state/state.js";
import { PENDING_MAX, PendingWrites } from "../../../src/sync/pending-writes.js";
import { WriteKind } from "../../../src/wire/write-frame.js";

function pendingWrites(): { pending: PendingWrites; write: (id: number, value: number) => void; clock: Clock } {
  const clock = new Clock();
  clock.set(1e15);
  const state = new State(PROVISIONAL_IDS + 10);
  for (let id = 0; id < 3; id++) state.declare(id, `/viz/x${id}`, completeDeclaration({ type: "float" }));
  const pending = new PendingWrites(state, clock);
  const staging = new Staging();
  const write = (id: number, value: number): void => {
    staging.number(value);
    pending.addValue(id, staging, 0, 0, false);
    pending.onSent(pending.lastWrite);
  };
  return { pending, write, clock };
}

const ignore = (): void => {};

describe("writes that wait for a confirmation", () => {
  test("are given up once their frame and all before it are here", () => {
    const { pending, write } = pendingWrites();
    write(0, 1);
    pending.acknowledge(1, 10);
    pending.settle(9, 0, ignore);
    expect(pending.isPending(0)).toBe(true);
    pending.settle(10, 0, ignore);
    expect(pending.isPending(0)).toBe(false);
  });

  test("are waited for by so many at most, the last, however often one path is written", () => {
    const { pending, write } = pendingWrites();
    const told: number[] = [];
    for (let value = 1; value <= PENDING_MAX + 100; value++) {
      write(0, value);
      pending.whenDone(() => told.push(value));
    }
    expect(pending.size).toBe(1);
    pending.acknowledge(pending.lastWrite, 1);
    pending.settle(1, 0, ignore);
    expect([told.length, told[0], told.at(-1)]).toEqual([PENDING_MAX, 101, PENDING_MAX + 100]);
  });

  test("are acknowledged anew by the next controller", () => {
    const { pending, write } = pendingWrites();
    write(0, 1);
    pending.acknowledge(1, 100);
    pending.settle(99, 0, ignore);
    pending.resend();
    pending.onSent(1);
    pending.acknowledge(1, 3);
    pending.settle(3, 0, ignore);
    expect(pending.size).toBe(0);
  });

  test("are given up by the frame that brought them, also when a later acknowledgement was heard first", () => {
    const { pending, write } = pendingWrites();
    const done: number[] = [];
    for (const id of [0, 1, 0, 1]) {
      write(id, pending.lastWrite + 1);
      const number = pending.lastWrite;
      pending.whenDone(() => done.push(number));
      if (number === 2) pending.addEvent(WriteKind.trigger, 2, new Uint8Array(0), 0, false);
    }
    const held = pending.lastWrite;
    // Past a gap: all of them are taken, and the last was published by frame 9. Then the gap is filled.
    pending.acknowledge(held, 9);
    pending.acknowledge(3, 4);
    pending.settle(4, 0, ignore);
    const left: number[] = [];
    pending.forEach((slot) => left.push(pending.writeOf(slot)) > 0);
    expect([left, done]).toEqual([
      [held - 1, held],
      [1, 2],
    ]);
    pending.settle(9, 0, ignore);
    expect([pending.size, done.length]).toEqual([0, 4]);
  });

  test("that were replaced are given up with what came after them", () => {
    const { pending, write } = pendingWrites();
    const told: number[] = [];
    for (let value = 1; value <= 3; value++) write(0, value);
    pending.whenDone(() => told.push(0));
    write(1, 4);
    pending.whenDone(() => told.push(1));
    pending.acknowledge(4, 9);
    pending.acknowledge(3, 4);
    pending.settle(4, 0, ignore);
    expect([told, pending.isPending(0), pending.isPending(1)]).toEqual([[0], false, true]);
  });

  test("the first that may be lacking stays when a newer write of its path replaces it", () => {
    const { pending, write } = pendingWrites();
    write(0, 1);
    pending.acknowledge(1, 1);
    pending.settle(1, 0, ignore);
    write(1, 1);
    write(1, 2);
    expect([pending.firstUnanswered, pending.lastWrite]).toEqual([2, 3]);
    pending.resend();
    expect(pending.firstUnanswered).toBe(2);
  });

  test("confirms what was replaced with what replaced it", () => {
    const { pending, write } = pendingWrites();
    const confirmed: number[] = [];
    write(0, 1);
    pending.whenDone(() => confirmed.push(1));
    write(0, 2);
    pending.whenDone(() => confirmed.push(2));
    pending.acknowledge(2, 5);
    pending.settle(4, 0, ignore);
    expect(confirmed).toEqual([]);
    pending.settle(5, 0, ignore);
    expect(confirmed).toEqual([1, 2]);
  });

  test("does not confirm what was replaced while what replaced it is on its way", () => {
    const { pending, write } = pendingWrites();
    const confirmed: number[] = [];
    for (const [id, value] of [
      [0, 1],
      [1, 2],
      [0, 3],
    ] as const) {
      write(id, value);
      const { lastWrite } = pending;
      pending.whenDone(() => confirmed.push(lastWrite));
    }
    pending.settle(4, 0, ignore);
    expect(confirmed).toEqual([]);
    pending.acknowledge(1, 5);
    pending.settle(4, 0, ignore);
    expect(confirmed).toEqual([]);
    pending.settle(5, 0, ignore);
    expect(confirmed).toEqual([1]);
    pending.acknowledge(3, 6);
    pending.settle(6, 0, ignore);
    expect(confirmed).toEqual([1, 2, 3]);
  });

  test("what was replaced before it was sent waits for what replaced it", () => {
    const { pending, write } = pendingWrites();
    const confirmed: number[] = [];
    for (const [id, value] of [
      [0, 1],
      [1, 2],
      [0, 3],
    ] as const) {
      write(id, value);
      pending.resend();
      const { lastWrite } = pending;
      pending.whenDone(() => confirmed.push(lastWrite));
    }
    // A long queue goes out frame by frame: the first one held the second write only.
    pending.onSent(2);
    pending.acknowledge(2, 5);
    pending.settle(5, 0, ignore);
    expect(confirmed).toEqual([2]);
    pending.acknowledge(3, 6);
    pending.settle(6, 0, ignore);
    expect(confirmed).toEqual([2, 1, 3]);
  });

  test.each(["a new controller", "a retry"])(
    "what was sent and replaced waits for what replaced it after %s",
    (after) => {
      const { pending, write, clock } = pendingWrites();
      const confirmed: number[] = [];
      for (const [id, value] of [
        [0, 1],
        [1, 2],
        [0, 3],
      ] as const) {
        write(id, value);
        const { lastWrite } = pending;
        pending.whenDone(() => confirmed.push(lastWrite));
      }
      clock.set(2e15);
      if (after === "a retry") pending.takeRetry();
      else pending.resend();
      pending.onSent(2);
      pending.acknowledge(2, 5);
      pending.settle(5, 0, ignore);
      expect(confirmed).toEqual([2]);
      pending.acknowledge(3, 6);
      pending.settle(6, 0, ignore);
      expect(confirmed).toEqual([2, 1, 3]);
    },
  );
});
