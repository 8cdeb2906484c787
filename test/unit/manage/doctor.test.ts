/** The doctor's judgement: each trouble is one finding with one fix, and what is not known is not called well. */
import { describe, expect, test } from "vitest";
import { type Check, diagnose, type DoctorFacts } from "../../../src/manage/doctor.js";
import type { HealthFinding, StatusReport } from "../../../src/manage/reports.js";

const GROUPS = ["239.77.254.15", "239.77.126.15"];
const ETH0 = { name: "eth0", address: "10.0.0.5", isInternal: false, canMulticast: true };
const WELL: DoctorFacts = {
  ...{ platform: "linux", nowMs: 1_790_000_000_000, interface: ETH0, interfaceProblem: "", isWireless: false },
  routes: "Iface Destination\neth0\t000000E0\t00000000\t0001\t0\t0\t0\t000000F0\t0\t0\t0\n",
  igmp: "1\teth0 : 2 V2\n\t\t\t0FFE4DEF 1 0:0\t0\n\t\t\t0F7E4DEF 1 0:0\t0\n",
  ...{ bridge: undefined, rules: "", rulesProblem: "", groups: GROUPS, meshPort: 7_701, oscPort: 7_700 },
  multicastProblem: "",
  ports: [{ what: "OSC UDP", port: 7_700, problem: "" }],
  ...{ bufferBytes: 4_194_304, midi: "there", node: undefined, nodeProblem: "" },
};

/** As much of a report as is looked at. */
function node(health: readonly HealthFinding[] = [], more: object = {}): StatusReport {
  const network = { address: "10.0.0.5", port: 7_700, meshPort: 7_701, loss: 0 };
  return {
    name: "left",
    role: "follower",
    network,
    clock: { boundMs: 0.2 },
    health,
    ...more,
  } as unknown as StatusReport;
}

function finding(code: string, level: HealthFinding["level"] = "warning"): HealthFinding {
  return { code, level, text: `the text of ${code}` };
}

function wrong(facts: Partial<DoctorFacts>): Check[] {
  return diagnose({ ...WELL, ...facts }).filter(({ result }) => result === "wrong");
}

test("nothing is wrong where nothing is, with a node and without", () => {
  expect(diagnose(WELL).filter(({ result }) => result !== "ok")).toMatchObject([{ name: "node", result: "unknown" }]);
  expect(diagnose({ ...WELL, node: node() }).filter(({ result }) => result !== "ok")).toEqual([]);
});

describe("one trouble is one finding, with something to do", () => {
  const drop = "table inet f { chain i { type filter hook input priority 0;\nip daddr 239.77.0.0/16 drop\n}; }";
  test.each<[string, Partial<DoctorFacts>]>([
    ["interface", { interface: undefined, interfaceProblem: "there is no interface eth9" }],
    ["interface", { interface: { ...ETH0, canMulticast: false } }],
    ["route", { routes: "Iface\n" }],
    ["route", { routes: "Iface\n", multicastProblem: "nothing can be sent" }],
    ["membership", { igmp: "1\teth0 : 1 V3\n\t\t\t010000E0 1 0:0\t0\n" }],
    ["firewall", { rules: drop }],
    ["firewall", { rules: drop, multicastProblem: "it does not come back" }],
    ["firewall", { rules: drop, node: node([finding("stream-by-unicast")]) }],
    ["multicast", { multicastProblem: "it does not come back" }],
    ["multicast", { node: node([finding("stream-by-unicast")]) }],
    ["multicast", { node: node([finding("multicast", "alarm")]) }],
    ["ports", { ports: [{ what: "mesh UDP", port: 7_701, problem: "it is in use" }] }],
    ["buffers", { bufferBytes: 212_992 }],
    ["buffers", { node: node([finding("receive-buffer")]) }],
    ["clock", { nowMs: 1_000_000 }],
    ["clock", { node: node([], { clock: { boundMs: 80 } }) }],
    ["midi", { midi: "forbidden" }],
    ["loss", { node: node([], { network: { port: 1, meshPort: 2, loss: 0.2 } }) }],
    ["twin-node", { node: node([finding("twin-node")]) }],
    ["slow", { node: node([finding("slow")]) }],
    ["a-code-of-tomorrow", { node: node([finding("a-code-of-tomorrow")]) }],
  ])("%s", (name, facts) => {
    const found = wrong(facts);
    expect(found.map((check) => check.name)).toEqual([name]);
    expect(found[0]?.text).not.toBe("");
    expect(found[0]?.fix).not.toBe("");
  });
});

test.each<[string, Partial<DoctorFacts>]>([
  ["wireless", { isWireless: undefined }],
  ["route", { routes: undefined }],
  ["membership", { igmp: undefined }],
  ["firewall", { rules: undefined, rulesProblem: "nft is not installed" }],
  ["querier", { igmp: WELL.igmp?.replace("V2", "V3") }],
  ["buffers", { bufferBytes: undefined }],
  ["midi", { midi: "unknown" }],
  ["clock", { node: node([], { clock: {} }) }],
])("what cannot be found out about %s is said to be so", (name, facts) => {
  expect(diagnose({ ...WELL, ...facts }).find((check) => check.name === name)).toMatchObject({ result: "unknown" });
  expect(wrong(facts)).toEqual([]);
});

test.each<[string, Partial<DoctorFacts>]>([
  ["wireless", { isWireless: true }],
  ["route", { routes: WELL.routes?.replace("eth0", "eth1") }],
  ["firewall", { rules: "udp dport 7701 drop" }],
  ["querier", { bridge: { name: "br0", snoops: true, queries: false } }],
  ["midi", { midi: "missing" }],
  ["interface", { interface: { ...ETH0, isInternal: true } }],
  ["slow-peer", { node: node([finding("slow-peer", "notice")]) }],
])("%s is worth a note, and nothing is wrong", (name, facts) => {
  expect(diagnose({ ...WELL, ...facts }).find((check) => check.name === name)).toMatchObject({ result: "note" });
  expect(wrong(facts)).toEqual([]);
});

test("who holds a port is said, where it is known", () => {
  const ports = [{ what: "OSC and control API TCP", port: 7_700, problem: "TCP port 7700 is in use" }];
  expect(wrong({ ports, nodeProblem: "what answers is no hana node" })[0]?.text).toContain("no hana node");
});
