import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  chooseDefault,
  findInterface,
  interfaceTable,
  listInterfaces,
  type NetworkInterface,
  parseDefaultRoute,
  selectInterface,
} from "../../src/edge/interfaces.js";
import { isWireless } from "../../src/edge/wireless.js";

function card(name: string, address: string, canMulticast = true): NetworkInterface {
  return { name, address, netmask: "255.255.255.0", isInternal: name === "lo", canMulticast };
}
const lo = card("lo", "127.0.0.1");
const wired = card("eth0", "10.0.0.5");
const wireless = card("wlan0", "192.168.1.7");
const tunnel = card("tun0", "10.8.0.2", false);

describe("the interfaces of this machine", () => {
  it("include loopback, which can be chosen by name and by address", async () => {
    const loopback = listInterfaces().find(({ address }) => address === "127.0.0.1");
    expect(loopback).toMatchObject({ isInternal: true, canMulticast: true });
    expect(await selectInterface("127.0.0.1")).toEqual(loopback);
    expect(await selectInterface(loopback?.name)).toEqual(loopback);
  });

  it("have a default", async () => {
    expect(listInterfaces()).toContainEqual(await selectInterface());
  });
});

describe("the default interface", () => {
  it("is that of the default route if it can multicast", () => {
    expect(chooseDefault([lo, wired, wireless], "wlan0")).toBe(wireless);
    expect(chooseDefault([lo, wired, wireless], "eth0")).toBe(wired);
  });

  it("is the only other one when there is no such route", () => {
    expect(chooseDefault([lo, wired], undefined)).toBe(wired);
    expect(chooseDefault([lo, wired, tunnel], "tun0")).toBe(wired);
    expect(chooseDefault([lo, wired, card("eth0", "10.0.1.5")], undefined)).toBe(wired);
  });

  it("is loopback when there are several and no route says which, or none that can", () => {
    expect(chooseDefault([lo, wired, wireless], undefined)).toBe(lo);
    expect(chooseDefault([lo, tunnel], "tun0")).toBe(lo);
    expect(chooseDefault([lo], undefined)).toBe(lo);
  });

  it("is an error with exit code 69 when there is nothing to choose", () => {
    expect(() => chooseDefault([], undefined)).toThrow(
      expect.objectContaining({ exitCode: 69, resource: "interface" }),
    );
    expect(() => chooseDefault([wired, wireless], undefined)).toThrow(/--interface.*\n.*eth0/);
  });
});

describe("a wanted interface", () => {
  it("is found by address before name, even one that cannot multicast", () => {
    expect(findInterface([lo, wired, tunnel], "10.8.0.2")).toBe(tunnel);
    expect(findInterface([lo, wired, card("eth0", "10.0.1.5")], "eth0")).toBe(wired);
    expect(findInterface([lo, wired, card("eth0", "10.0.1.5")], "10.0.1.5").address).toBe("10.0.1.5");
  });

  it("that is not there is an error with exit code 69 that lists what is", () => {
    const look = () => findInterface([lo, wired, tunnel], "eth7");
    expect(look).toThrow(expect.objectContaining({ exitCode: 69, resource: "interface" }));
    expect(look).toThrow(`there is no interface eth7; there are:\n${interfaceTable([lo, wired, tunnel])}`);
  });

  it("is listed with what it can do", () => {
    expect(interfaceTable([lo, wired, tunnel]).split("\n")).toEqual([
      "  lo    127.0.0.1  loopback",
      "  eth0  10.0.0.5   multicast",
      "  tun0  10.8.0.2   no multicast",
    ]);
  });
});

describe("the default route", () => {
  const head = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT";
  const route = (name: string, destination: string, flags: string, metric: number, mask: string) =>
    [name, destination, "010200C0", flags, "0", "0", metric, mask, "0", "0", "0"].join("\t");

  it("is the usable one with the lowest metric", () => {
    const table = [
      head,
      route("down0", "00000000", "0002", 0, "00000000"),
      route("wlan0", "00000000", "0003", 600, "00000000"),
      route("eth0", "00000000", "0003", 100, "00000000"),
      route("eth1", "000200C0", "0001", 0, "00FFFFFF"),
      route("half", "00000000", "0001", 0, "00000080"),
      "",
    ].join("\n");
    expect(parseDefaultRoute(table)).toBe("eth0");
  });

  it("may be missing", () => {
    expect(parseDefaultRoute(head)).toBe(undefined);
    expect(parseDefaultRoute("")).toBe(undefined);
    expect(parseDefaultRoute(`${head}\n${route("eth1", "000200C0", "0001", 0, "00FFFFFF")}\n`)).toBe(undefined);
  });
});

describe("a wireless interface", () => {
  it("is known by what the system keeps of it, or lists; of one that is not there nothing is known", () => {
    const folder = mkdtempSync(join(tmpdir(), "hana-wireless-"));
    const devices = join(folder, "net");
    const list = join(folder, "wireless");
    for (const path of ["eth0", "wlan0/wireless", "wlan1/phy80211", "wlan2"])
      mkdirSync(join(devices, path), { recursive: true });
    writeFileSync(list, "Inter-| sta-|\n face | tus |\n wlan2: 0000 54. -56. -256\n");
    const known = ["eth0", "wlan0", "wlan0:1", "wlan1", "wlan2", "wlan9"].map((name) =>
      isWireless(name, { devices, list }),
    );
    const found = [false, true, true, true, true, undefined];
    expect(known).toEqual(process.platform === "linux" ? found : found.map(() => undefined));
    expect(isWireless("wlan2", { devices, list: join(folder, "none") })).toBe(
      process.platform === "linux" ? false : undefined,
    );
    rmSync(folder, { recursive: true });
  });
});
