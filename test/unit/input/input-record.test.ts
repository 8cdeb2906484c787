import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { headerLine, type InputRecord, parseHeader, parseRecord, recordLine } from "../../../src/input/input-record.js";

const RECORDS: readonly InputRecord[] = [
  { kind: "midi", atUs: 0, alias: "nano-2", sentUs: -20, bytes: Uint8Array.of(0xb0, 7, 127) },
  { kind: "midi", atUs: 0.25, alias: "nano-2", sentUs: 1_763_829_000_000_000.25, bytes: Uint8Array.of(0xf8) },
  { kind: "due", atUs: 4.75, alias: "nano-2" },
  { kind: "port", atUs: 5, alias: "nano-2", isOpen: false },
  { kind: "port", atUs: 6, alias: "nano-2", isOpen: true },
  { kind: "osc", atUs: 7, address: "192.168.1.5", port: 50_000, bytes: Uint8Array.of(0x2f, 0x61, 0, 0) },
  { kind: "osc", atUs: 7, address: "fe80::1", port: 1, bytes: new Uint8Array(65_536) },
  { kind: "lost", atUs: 9, count: 12 },
];

describe("a line of a recording", () => {
  it("reads back as what was written", () => {
    for (const record of RECORDS) expect(parseRecord(recordLine(record), 0)).toEqual(record);
    expect(parseHeader(headerLine({ wallUs: 1_763_829_000_000_000.25 }))).toEqual({ wallUs: 1_763_829_000_000_000 });
  });

  it.each([
    ["", "is no JSON object"],
    ["[]", "is no JSON object"],
    ['{"us":1}', "has neither midi nor osc nor lost"],
    ['{"us":-1,"lost":1}', "has no us"],
    ['{"us":1,"lost":1.5}', "has neither"],
    ['{"us":1e300,"lost":1}', "has no us"],
    ['{"us":"1","lost":1}', "has no us"],
    ['{"us":1,"lost":-3}', "has neither"],
    ['{"us":1,"midi":"NANO","sent":0,"hex":"f8"}', "no alias"],
    ['{"us":1,"midi":"nano","hex":"f8"}', "has no sent"],
    ['{"us":1,"midi":"nano","sent":0,"hex":"f"}', "has no hex"],
    ['{"us":1,"midi":"nano","sent":0,"hex":""}', "has no hex"],
    ['{"us":1,"midi":"nano","sent":0,"hex":"zz"}', "has no hex"],
    [`{"us":1,"midi":"nano","sent":0,"hex":"${"00".repeat(65_537)}"}`, "has no hex"],
    ['{"us":1,"midi":"nano","port":"half"}', "has no sent"],
    ['{"us":1,"osc":"nowhere","base64":"AAAA"}', "no ADDRESS:PORT"],
    ['{"us":1,"osc":"127.0.0.1:70000","base64":"AAAA"}', "no ADDRESS:PORT"],
    ['{"us":1,"osc":"127.0.0.1:7","base64":"A"}', "has no base64"],
    ['{"us":1,"osc":"127.0.0.1:7"}', "has no base64"],
  ])("%s is refused with a reason", (line, reason) => {
    expect(parseRecord(line, 0)).toEqual({ problem: expect.stringContaining(reason) });
  });

  it("never goes back in time", () => {
    expect(parseRecord('{"us":4,"lost":1}', 5)).toEqual({
      problem: expect.stringContaining("before that of the line"),
    });
  });

  it("throws on nothing that a file may hold", () => {
    const text = fc.oneof(
      fc.string(),
      fc.json(),
      fc.json().map((json) => `{"us":1,"midi":"a","hex":${json}}`),
    );
    fc.assert(
      fc.property(text, (line) => {
        parseRecord(line, 0);
        parseHeader(line);
      }),
      { numRuns: 2_000, seed: 1 },
    );
  });
});

describe("the first line of a recording", () => {
  it.each([
    ["{}", "is not the beginning"],
    ['{"hana":"input","version":2,"wallUs":1}', "is of version 2"],
    ['{"hana":"input","version":1}', "has no wallUs"],
  ])("%s is refused with a reason", (line, reason) => {
    expect(parseHeader(line)).toEqual({ problem: expect.stringContaining(reason) });
  });
});
