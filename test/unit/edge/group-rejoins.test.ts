/** While multicast does not arrive the groups are joined again and again; when it does, no more. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { GroupRejoins } from "../../../src/edge/group-rejoins.js";

let begunMs = 0;
const times: number[] = [];
const noted = (): number[] => times.splice(0);
let rejoins: GroupRejoins;

beforeEach(() => {
  vi.useFakeTimers();
  begunMs = Date.now();
  rejoins = new GroupRejoins(() => times.push(Date.now() - begunMs));
});

afterEach(() => {
  rejoins.close();
  vi.useRealTimers();
});

describe("the groups are joined anew", () => {
  test("at once, and then ever less often while the trouble lasts", () => {
    rejoins.note("unicast", true);
    vi.advanceTimersByTime(40_000);
    expect(noted()).toEqual([0, 2_000, 6_000, 14_000, 24_000, 34_000]);
  });

  test("at once for each trouble that begins, not each time that it is told", () => {
    rejoins.note("unicast", true);
    rejoins.note("unicast", true);
    vi.advanceTimersByTime(1_000);
    rejoins.note("multicast", true);
    vi.advanceTimersByTime(2_500);
    expect(noted()).toEqual([0, 1_000, 3_000]);
  });
});

describe("they are left alone", () => {
  test("once all is well, and not while one trouble is left", () => {
    rejoins.note("unicast", true);
    rejoins.note("multicast", true);
    rejoins.note("unicast", false);
    vi.advanceTimersByTime(2_000);
    expect(noted()).toEqual([0, 0, 2_000]);
    rejoins.note("multicast", false);
    vi.advanceTimersByTime(60_000);
    expect(noted()).toEqual([]);
  });

  test("once the node closes", () => {
    rejoins.note("unicast", true);
    rejoins.close();
    rejoins.note("multicast", true);
    vi.advanceTimersByTime(60_000);
    expect(noted()).toEqual([0]);
  });
});
