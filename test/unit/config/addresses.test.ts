import { isIP } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  blockContains,
  hostText,
  parseAddress,
  parseBlock,
  parseHost,
  parseHostPort,
} from "../../../src/config/addresses.js";

function contains(block: string, address: string): boolean | undefined {
  const parsed = parseBlock(block);
  const bytes = parseAddress(address);
  return parsed === undefined || bytes === undefined ? undefined : blockContains(parsed, bytes);
}

describe("an address", () => {
  it.each<[string, number[]]>([
    ["127.0.0.1", [127, 0, 0, 1]],
    ["255.255.255.255", [255, 255, 255, 255]],
    ["::1", [...Array<number>(15).fill(0), 1]],
    ["::", Array<number>(16).fill(0)],
    ["fe80::1%eth0", [0xfe, 0x80, ...Array<number>(13).fill(0), 1]],
    ["1:2:3:4:5:6:7:8", [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8]],
    ["1::8", [0, 1, ...Array<number>(13).fill(0), 8]],
    ["64:ff9b::10.1.2.3", [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, 10, 1, 2, 3]],
    ["::ffff:10.1.2.3", [10, 1, 2, 3]],
    ["::FFFF:0a01:0203", [10, 1, 2, 3]],
  ])("may be %s", (text, bytes) => {
    expect(parseAddress(text)).toEqual(Uint8Array.from(bytes));
  });

  it("is what the system says it is", () => {
    const group = fc.constantFrom(
      "0",
      "1",
      "ffff",
      "12345",
      "g",
      "10.0.0.1",
      "256.0.0.1",
      "01.2.3.4",
      "01",
      "",
      "1.2.3",
    );
    fc.assert(
      fc.property(
        fc.array(group, { minLength: 1, maxLength: 9 }),
        fc.constantFrom(":", ".", "::"),
        (groups, separator) => {
          const text = groups.join(separator);
          expect(parseAddress(text) !== undefined).toBe(isIP(text) !== 0);
        },
      ),
      { numRuns: 3_000 },
    );
    fc.assert(
      fc.property(fc.ipV6(), fc.ipV4(), (six, four) => {
        expect([parseAddress(six)?.length === undefined, parseAddress(four)?.length]).toEqual([false, 4]);
      }),
    );
  });
});

describe("a block", () => {
  it.each<[string, string, boolean]>([
    ["127.0.0.0/8", "127.3.2.1", true],
    ["127.0.0.0/8", "128.0.0.1", false],
    ["10.1.2.3", "10.1.2.3", true],
    ["10.1.2.3", "10.1.2.4", false],
    ["192.168.1.77/24", "192.168.1.1", true],
    ["192.168.0.0/23", "192.168.1.255", true],
    ["192.168.0.0/23", "192.168.2.0", false],
    ["10.0.0.128/25", "10.0.0.127", false],
    ["0.0.0.0/0", "8.8.8.8", true],
    ["0.0.0.0/0", "::1", false],
    ["fd00::/8", "fdff::1", true],
    ["fd00::/8", "fe00::1", false],
    ["::/0", "::1", true],
    ["127.0.0.0/8", "::ffff:127.0.0.1", true],
    ["::ffff:127.0.0.0/104", "127.9.9.9", true],
    ["::1", "::1", true],
  ])("%s and %s: %s", (block, address, expected) => {
    expect(contains(block, address)).toBe(expected);
  });

  it.each([
    "",
    "10.0.0.0/33",
    "10.0.0.0/-1",
    "10.0.0.0/",
    "10.0.0.0/8/8",
    "::/129",
    "localhost",
    "10.0.0/8",
    "10.0.0.0/1e1",
  ])("is not %j", (text) => {
    expect(parseBlock(text)).toBeUndefined();
  });
});

describe("a host and port", () => {
  it.each<[string, string, number]>([
    ["127.0.0.1:9000", "127.0.0.1", 9000],
    ["stage-pc:1", "stage-pc", 1],
    ["left.local.:65535", "left.local.", 65_535],
    ["[::1]:9000", "::1", 9000],
    ["[fe80::1%eth0]:9000", "fe80::1%eth0", 9000],
  ])("may be %s", (text, host, port) => {
    expect(parseHostPort(text)).toEqual({ host, port });
    expect(`${hostText(host)}:${port}`).toBe(text);
  });

  it.each([
    "",
    "9000",
    ":9000",
    "a:",
    "a:0",
    "a:65536",
    "a:9x",
    "::1:9000",
    "[::1]",
    "[a]:1",
    "a b:1",
    "-a:1",
    "1.2.3:4",
    "256.1.1.1:1",
    "a_b:1",
  ])("may not be %j", (text) => {
    expect(parseHostPort(text)).toBeUndefined();
  });

  it("names no host that only looks like an address", () => {
    expect(parseHost("1234")).toBeUndefined();
    expect(parseHost("10.0.0.300")).toBeUndefined();
    expect(parseHost("a".repeat(64))).toBeUndefined();
  });
});
