/** What `hana osc send` puts on the wire, read by an independent decoder (osc-min). */
import { fromBuffer } from "osc-min";
import { describe, expect, it } from "vitest";
import { encodeMessage } from "../../../src/cli/osc-send.js";

function read(address: string, values: string[], types?: string): unknown {
  const message = fromBuffer(Buffer.from(encodeMessage(address, values, types))) as {
    address: string;
    args: { type: string; value: unknown }[];
  };
  return [message.address, ...message.args.map(({ type, value }) => [type, value])];
}

describe("guessed types", () => {
  it("sends numbers as floats, also whole ones", () => {
    expect(read("/viz/a/zoom", ["1", "-0.5"])).toEqual(["/viz/a/zoom", ["float", 1], ["float", -0.5]]);
  });

  it("sends true and false without data, and words as strings", () => {
    expect(read("/a", ["true", "false", "word"])).toEqual(["/a", ["true", true], ["false", false], ["string", "word"]]);
  });

  it("sends an address alone", () => {
    expect(read("/a", [])).toEqual(["/a"]);
  });
});

describe("given types", () => {
  it("sends each type as itself", () => {
    expect(read("/a", ["7", "0.1", "x", "0.1", "AQID"], "ifsdbTFNI")).toEqual([
      "/a",
      ["integer", 7],
      ["float", Math.fround(0.1)],
      ["string", "x"],
      ["double", 0.1],
      ["blob", expect.anything()],
      ["true", true],
      ["false", false],
      ["null", null],
      ["bang", "bang"],
    ]);
  });

  it("sends 64-bit integers exactly", () => {
    const packet = encodeMessage("/a", ["-9223372036854775808"], "h");
    expect(Buffer.from(packet).readBigInt64BE(8)).toBe(-9_223_372_036_854_775_808n);
  });

  it("sends text as UTF-8", () => {
    expect(read("/a", ["grüße ☃"], "s")).toEqual(["/a", ["string", "grüße ☃"]]);
  });
});

it.each([
  ["/a", ["1.5"], "i", /whole number/],
  ["/a", ["3000000000"], "i", /32 bits/],
  ["/a", ["1e39"], "f", /too large/],
  ["/a", ["x"], "d", /not a number/],
  ["/a", ["9223372036854775808"], "h", /64 bits/],
  ["/a", ["@"], "b", /base64/],
  ["/a", [], "i", /no value/],
  ["/a", ["1", "2"], "i", /more values than types/],
  ["/a", ["1"], "r", /none of the type tags/],
  ["a", ["1"], "i", /does not begin/],
  ["/a b", ["1"], "i", /space/],
])("refuses %s %j as %s", (address, values, types, reason) => {
  expect(() => encodeMessage(address, values, types)).toThrow(reason);
});
