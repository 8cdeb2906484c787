import { describe, expect, it } from "vitest";
import { Clock } from "../../../src/base/clock.js";
import { TokenBucket } from "../../../src/input/token-bucket.js";

function bucketAt(startUs: number): { clock: Clock; bucket: TokenBucket } {
  const clock = new Clock();
  clock.set(startUs);
  return { clock, bucket: new TokenBucket(clock, 1_000, 10) };
}

describe("token bucket", () => {
  it("gives a burst and then so many a second", () => {
    const { clock, bucket } = bucketAt(1_000_000);
    expect(bucket.take(10)).toBe(true);
    expect(bucket.take(1)).toBe(false);
    clock.set(1_000_999);
    expect(bucket.take(1)).toBe(false);
    clock.set(1_001_000);
    expect(bucket.take(1)).toBe(true);
    clock.set(9_000_000);
    expect(bucket.tokens).toBe(10);
  });

  it("takes all or none", () => {
    const { bucket } = bucketAt(0);
    expect(bucket.take(11)).toBe(false);
    expect(bucket.take(10)).toBe(true);
  });

  it("goes into debt for one burst at most, and says when it is paid", () => {
    const { clock, bucket } = bucketAt(0);
    bucket.spend(1_000);
    expect(bucket.tokens).toBe(0);
    expect(bucket.waitUs(1)).toBe(11_000);
    clock.set(11_000);
    expect(bucket.take(1)).toBe(true);
  });

  it("stands still when the clock does not rise", () => {
    const { clock, bucket } = bucketAt(50_000);
    bucket.take(10);
    clock.set(10_000);
    expect(bucket.take(1)).toBe(false);
  });
});
