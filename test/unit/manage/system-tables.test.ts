/** The system's tables: read as Linux writes them; odd or hostile text gives nothing, and never an error. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { membershipsIn, querierIn, routeTo, suspectRules, wirelessIn } from "../../../src/manage/system-tables.js";

const IGMP = `Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter
1\tlo        :     1      V3
\t\t\t\t010000E0     1 0:00000000\t\t0
4\teth0      :     3      V2
\t\t\t\t0FFE4DEF     1 0:00000000\t\t1
\t\t\t\t0F7E4DEF     2 1:000002A1\t\t0
7\twlan0.5   :     1      V3
\t\t\t\t0F7E4DEF     1 0:00000000\t\t0
`;
const ROUTES = `Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\t0\t0\t0
wlan0\t00000000\t010300C0\t0003\t0\t0\t50\t00000000\t0\t0\t0
eth1\t000000E0\t00000000\t0001\t0\t0\t0\t000000F0\t0\t0\t0
eth2\t00004DEF\t00000000\t0201\t0\t0\t0\t0000FFFF\t0\t0\t0
eth3\t00004DEF\t00000000\t0000\t0\t0\t0\t0000FFFF\t0\t0\t0
`;
const WIRELESS = `Inter-| sta-|   Quality        |   Discarded packets               | Missed | WE
 face | tus | link level noise |  nwid  crypt   frag  retry   misc | beacon | 22
 wlan0: 0000   54.  -56.  -256        0      0      0      0     23        0
  wlp3s0: 0000   54.  -56.  -256        0      0      0      0     23        0
`;
const MESH = { groups: ["239.77.254.15", "239.77.126.15"], ports: [7_701, 7_700] };

describe("memberships", () => {
  test("are those of each device, as addresses", () => {
    expect(membershipsIn(IGMP)).toEqual([
      { device: "lo", group: "224.0.0.1" },
      { device: "eth0", group: "239.77.254.15" },
      { device: "eth0", group: "239.77.126.15" },
      { device: "wlan0.5", group: "239.77.126.15" },
    ]);
  });

  test("a querier is known by the version that a device speaks", () => {
    expect(["lo", "eth0", "eth9"].map((device) => querierIn(IGMP, device))).toEqual(["V3", "V2", ""]);
  });
});

describe("the route of an address", () => {
  test.each([
    ["239.77.1.1", "eth1"],
    ["10.0.0.1", "wlan0"],
  ])("%s leaves by %s: the longest mask, then the lowest metric, if it is up", (address, device) => {
    expect(routeTo(ROUTES, address)).toBe(device);
  });

  test.each([
    ["an empty table", "", "10.0.0.1"],
    ["a table without it", ROUTES.split("\n").slice(0, 1).join("\n"), "10.0.0.1"],
    ["what is no address", ROUTES, "house"],
    ["an address of the other kind", ROUTES, "ff02::1"],
  ])("is none in %s", (_, table, address) => {
    expect(routeTo(table, address)).toBeUndefined();
  });
});

test("wireless devices are those that are listed", () => {
  expect(wirelessIn(WIRELESS)).toEqual(["wlan0", "wlp3s0"]);
});

describe("rules of a firewall", () => {
  function rules(...lines: readonly string[]): string {
    return `table inet filter {\n\tchain in {\n\t\ttype filter hook input priority 0; policy drop;\n${lines.join("\n")}\n\t}\n}`;
  }

  test.each([
    ["ip daddr 239.77.254.15 drop", true],
    ["ip daddr 224.0.0.0/4 ip saddr != 10.77.0.2 counter packets 3 bytes 99 drop", true],
    ["ip daddr { 10.0.0.1, 239.77.126.15 } reject with icmp port-unreachable", true],
    ["meta pkttype multicast drop", true],
    ["udp dport 7701 drop", false],
    ["udp dport { 5000, 7700 } drop", false],
    ['iifname != "lo" meta l4proto udp numgen random mod 1000 < 100 drop', false],
  ])("%s is suspect", (line, namesGroup) => {
    expect(suspectRules(rules(`\t\t${line}`), MESH)).toEqual([{ text: line, namesGroup }]);
  });

  test.each([
    "ip daddr 239.77.254.15 accept",
    "ip daddr 239.78.0.0/16 drop",
    "ip saddr 239.77.254.15 drop",
    "udp dport 53 drop",
    "udp dport 17701 drop",
    "tcp dport 22 drop",
    "meta l4proto udp udp dport 53 drop",
    "ip saddr 10.0.0.9 drop",
    "ip daddr 239.77.254.15/99 drop",
    'counter comment "backdrop"',
  ])("%s is not", (line) => {
    expect(suspectRules(rules(line), MESH)).toEqual([]);
  });
});

test("no text makes them fail, and none takes long", () => {
  const text = fc.oneof(
    fc.string({ maxLength: 300 }),
    fc.string({ unit: "binary", maxLength: 300 }),
    fc.constantFrom(IGMP, ROUTES, WIRELESS, "drop ".repeat(5_000), "1 a:".repeat(2_000), "\n".repeat(20_000)),
    fc
      .tuple(fc.constantFrom(IGMP, ROUTES, WIRELESS), fc.nat(600), fc.string({ maxLength: 5 }))
      .map(([table, at, odd]) => table.slice(0, at) + odd + table.slice(at + 3)),
  );
  const property = fc.property(text, (odd) => {
    for (const { device, group } of membershipsIn(odd)) expect([device, group]).not.toContain("");
    routeTo(odd, "239.77.1.1");
    querierIn(odd, "eth0");
    wirelessIn(odd);
    suspectRules(odd, MESH);
  });
  const began = performance.now();
  fc.assert(property, { numRuns: 1_000 });
  expect(performance.now() - began).toBeLessThan(20_000);
});
