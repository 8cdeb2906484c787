import { describe, expect, it } from "vitest";
import { formatOscOut, type OscOut, parseOscOut } from "../../../src/config/osc-out.js";

const plain: OscOut = { host: "127.0.0.1", port: 9000, pattern: undefined, from: undefined };

describe("an OSC out", () => {
  it.each<[string, Partial<OscOut>]>([
    ["127.0.0.1:9000", {}],
    ["127.0.0.1:9000,/viz/*", { pattern: "/viz/*" }],
    ["127.0.0.1:9000,/viz/{a,b}/[a-c]?", { pattern: "/viz/{a,b}/[a-c]?" }],
    ["127.0.0.1:9000,//zoom", { pattern: "//zoom" }],
    ["127.0.0.1:9000,from=10.0.0.1", { from: { host: "10.0.0.1", port: undefined } }],
    ["127.0.0.1:9000,from=10.0.0.1:9001", { from: { host: "10.0.0.1", port: 9001 } }],
    ["127.0.0.1:9000,/viz/{a,b},from=[::1]:9001", { pattern: "/viz/{a,b}", from: { host: "::1", port: 9001 } }],
    ["127.0.0.1:9000,from=[::1]", { from: { host: "::1", port: undefined } }],
  ])("is %s", (text, out) => {
    expect(parseOscOut(text)).toEqual({ out: { ...plain, ...out } });
    expect(formatOscOut({ ...plain, ...out })).toBe(text);
  });

  it("may have spaces around its parts and the parts behind the address in any order", () => {
    expect(parseOscOut(" 127.0.0.1:9000 , from=a , /viz")).toEqual({
      out: { ...plain, pattern: "/viz", from: { host: "a", port: undefined } },
    });
  });

  it.each<[string, string]>([
    ["", "no host and port"],
    ["127.0.0.1", "no host and port"],
    ["127.0.0.1:0", "no host and port"],
    ["[::1]:9000,/viz", "OSC goes out by IPv4"],
    [",/viz", "no host and port"],
    ["a:1,viz", 'what is "viz"?'],
    ["a:1,", 'what is ""?'],
    ["a:1,/viz,/b", 'what is "/b"?'],
    ["a:1,from=b,from=c", 'what is "from=c"?'],
    ["a:1,from=", "from= names no host"],
    ["a:1,from=b:0", "from= names no host"],
    ["a:1,/viz/{a", "brackets or braces"],
    ["a:1,/viz/]", "brackets or braces"],
    ["a:1,/viz/[a{b]}", "brackets or braces"],
    ["a:1,/viz/a b", "a space"],
    ["a:1,/viz/#", "a #"],
    [`a:1,/${"a".repeat(255)}`, "longer than 255"],
  ])("is not %j", (text, problem) => {
    const parsed = parseOscOut(text);
    expect("problem" in parsed && parsed.problem).toContain(problem);
  });
});
