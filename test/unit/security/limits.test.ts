import { describe, expect, it } from "vitest";
import { FOREIGN_ADDRESSES, FOREIGN_FORGET_US, ForeignKeys } from "../../../src/security/foreign-keys.js";
import { RateLimit } from "../../../src/security/rate-limit.js";

const SECOND = 1_000_000;

describe("foreign keys", () => {
  it("names an address after three frames within ten seconds, and says what to run", () => {
    const foreign = new ForeignKeys();
    expect([foreign.note("10.0.0.7", 0), foreign.note("10.0.0.7", SECOND)]).toEqual([false, false]);
    expect(foreign.list(SECOND)).toEqual([]);
    expect(foreign.note("10.0.0.7", 2 * SECOND)).toBe(true);
    expect(foreign.note("10.0.0.7", 3 * SECOND)).toBe(false);
    expect(foreign.list(3 * SECOND)).toEqual(["node at 10.0.0.7 uses another key; run `hana join`"]);
  });

  it("says nothing about frames that are far apart", () => {
    const foreign = new ForeignKeys();
    for (let at = 0; at < 20; at++) foreign.note("10.0.0.7", at * 6 * SECOND);
    expect(foreign.list(120 * SECOND)).toEqual([]);
  });

  it("forgets who fell silent and who came in with our key", () => {
    const foreign = new ForeignKeys();
    for (const address of ["a", "b"]) for (let at = 0; at < 3; at++) foreign.note(address, at);
    foreign.clear("a");
    expect(foreign.list(10).length).toBe(1);
    expect(foreign.list(FOREIGN_FORGET_US + 3)).toEqual([]);
  });

  it("remembers sixteen addresses, the latest, however many are made up", () => {
    const foreign = new ForeignKeys();
    for (let number = 0; number < 10_000; number++) for (let at = 0; at < 3; at++) foreign.note(`a${number}`, number);
    expect(foreign.list(10_000).length).toBe(FOREIGN_ADDRESSES);
    expect(foreign.list(10_000)[15]).toContain("a9999 ");
  });
});

describe("a rate limit", () => {
  const limit = () => new RateLimit({ perSecond: 1_000, burst: 10, sources: 3 });

  it("lets a burst through, then the rate, and counts what it refused", () => {
    const bucket = limit();
    const granted = (nowUs: number, tries: number) =>
      Array.from({ length: tries }, () => bucket.take("a", nowUs)).filter(Boolean).length;
    expect(granted(0, 50)).toBe(10);
    expect(granted(1_000, 50)).toBe(1);
    expect(granted(6_000, 50)).toBe(5);
    expect(granted(SECOND, 50)).toBe(10);
    expect(bucket.refused).toBe(200 - 26);
  });

  it("never shuts a source out: refused tries cost nothing", () => {
    const bucket = limit();
    for (let at = 0; at < 100_000; at++) bucket.take("a", 0);
    expect(bucket.take("a", 1_000)).toBe(true);
  });

  it("keeps sources apart", () => {
    const bucket = limit();
    for (let at = 0; at < 100; at++) bucket.take("a", 0);
    expect(bucket.take("b", 0)).toBe(true);
  });

  it("takes several at once or none", () => {
    const bucket = limit();
    expect([bucket.take("a", 0, 8), bucket.take("a", 0, 3), bucket.take("a", 0, 2)]).toEqual([true, false, true]);
  });

  it("is bounded: the source silent longest gives way and the others keep their buckets", () => {
    const bucket = limit();
    for (const source of ["a", "b", "c"]) bucket.take(source, 0, 10);
    bucket.take("a", 0);
    for (let number = 0; number < 100; number++) {
      bucket.take("a", 0);
      expect(bucket.take(`made up ${number}`, 0)).toBe(true);
    }
    expect(bucket.sourceCount).toBe(3);
    expect(bucket.take("a", 0)).toBe(false);
    expect(bucket.take("b", 0, 10)).toBe(true);
  });

  it("is not fooled by a time that steps back", () => {
    const bucket = limit();
    bucket.take("a", SECOND, 10);
    expect([bucket.take("a", 0), bucket.take("a", SECOND)]).toEqual([false, false]);
  });
});
