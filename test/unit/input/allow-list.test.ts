import { describe, expect, it } from "vitest";
import { AllowList, plainAddress } from "../../../src/input/allow-list.js";
import { block } from "./osc-node.js";

const listOf = (...texts: string[]): AllowList => new AllowList(texts.map(block));

describe("allow list", () => {
  it("allows the addresses of a network and no others", () => {
    const list = listOf("192.168.1.0/24", "127.0.0.0/8");
    expect(["192.168.1.0", "192.168.1.255", "127.9.9.9"].map((address) => list.allows(address))).toEqual([
      true,
      true,
      true,
    ]);
    expect(["192.168.2.1", "192.168.0.255", "128.0.0.1", "10.0.0.1"].some((address) => list.allows(address))).toBe(
      false,
    );
  });

  it("takes one address without a mask, drops host bits, and knows the networks of all and of one", () => {
    expect(listOf("10.1.2.3").allows("10.1.2.3")).toBe(true);
    expect(listOf("10.1.2.3").allows("10.1.2.4")).toBe(false);
    expect(listOf("10.1.2.3/8").allows("10.200.0.1")).toBe(true);
    expect(listOf("0.0.0.0/0").allows("203.0.113.7")).toBe(true);
    expect(listOf("255.255.255.255/32").allows("255.255.255.255")).toBe(true);
  });

  it("allows nobody when it is empty, and nothing that is no address of its kind", () => {
    expect(listOf().allows("127.0.0.1")).toBe(false);
    const list = listOf("0.0.0.0/0");
    for (const address of ["", "fe80::1", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "localhost"]) {
      expect(list.allows(address)).toBe(false);
    }
  });

  it("allows IPv6 blocks, for connections come from there", () => {
    const list = listOf("fd00::/8", "2001:db8::7");
    expect(["fd12::1", "fdff::1%eth0", "2001:db8::7"].map((address) => list.allows(address))).toEqual([
      true,
      true,
      true,
    ]);
    expect(["fe80::1", "2001:db8::8", "::1", "253.0.0.1", "127.0.0.1"].some((address) => list.allows(address))).toBe(
      false,
    );
    expect(listOf("::1").allows("::1")).toBe(true);
    expect(listOf("::ffff:10.0.0.0/104").allows("10.0.0.5")).toBe(true);
  });

  it("knows IPv4 in IPv6's clothes, as a dual-stack socket tells it", () => {
    expect(listOf("10.0.0.0/8").allows("::ffff:10.0.0.5")).toBe(true);
    expect(listOf("127.0.0.0/8").allows("::1")).toBe(true);
    expect(plainAddress("::ffff:10.0.0.5")).toBe("10.0.0.5");
    expect(plainAddress("fe80::1")).toBe("fe80::1");
  });
});
