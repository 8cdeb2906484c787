/**
 * Doctor: what is wrong on this machine for a node, from what was found out about it. One check, one sentence, one fix.
 *
 * Pure: the facts are gathered elsewhere (`edge/doctor-probe.ts`). A fact that could not be had makes a check that says
 * so; it is never taken for well. What follows from something that is wrong already is not told a second time.
 */
import type { HealthFinding, StatusReport } from "./reports.js";
import { membershipsIn, querierIn, routeTo, suspectRules } from "./system-tables.js";

/** `note`: nothing is wrong, and somebody may want to know. `unknown`: it could not be found out here. */
export type CheckResult = "ok" | "wrong" | "note" | "unknown";

export interface Check {
  readonly name: string;
  readonly result: CheckResult;
  /** One sentence. */
  readonly text: string;
  /** What to do, one sentence; "" where nothing is to be done. */
  readonly fix: string;
}

/** What the mesh's port is called among the facts. */
export const MESH_PORT = "mesh UDP";

/** What is known of a device: "there", "missing", "forbidden" to this user, or not known on this system. */
export type DeviceState = "there" | "missing" | "forbidden" | "unknown";

export interface PortFact {
  /** Such as `OSC UDP`. */
  readonly what: string;
  readonly port: number;
  /** The system's reason why it cannot be had; "" when it can. */
  readonly problem: string;
}

export interface DoctorFacts {
  /** As `process.platform` says. */
  readonly platform: string;
  readonly nowMs: number;
  readonly interface: ChosenInterface | undefined;
  /** Why there is none. */
  readonly interfaceProblem: string;
  /** Undefined where the system does not say. */
  readonly isWireless: boolean | undefined;
  /** Texts of the system, undefined where there are none. */
  readonly routes: string | undefined;
  readonly igmp: string | undefined;
  /** Of the bridge that the interface is, or is a port of. */
  readonly bridge: { readonly name: string; readonly snoops: boolean; readonly queries: boolean } | undefined;
  /** `nft list ruleset`; undefined where it cannot be read, and why. */
  readonly rules: string | undefined;
  readonly rulesProblem: string;
  /** The groups in which a node listens: the stream's and the one in which all meet. */
  readonly groups: readonly string[];
  readonly meshPort: number;
  readonly oscPort: number;
  /** Whether a datagram to each group came back to this machine; "" when it did, else what happened. */
  readonly multicastProblem: string;
  readonly ports: readonly PortFact[];
  /** Granted of 4 MiB; undefined when no socket could be had. */
  readonly bufferBytes: number | undefined;
  readonly midi: DeviceState;
  /** What the running node says; undefined when there is none, and why if something else answers. */
  readonly node: StatusReport | undefined;
  readonly nodeProblem: string;
}

export interface ChosenInterface {
  readonly name: string;
  readonly address: string;
  readonly isInternal: boolean;
  readonly canMulticast: boolean;
}

const BUFFER_LOW_BYTES = 1_048_576;
/** No machine that runs this is older: 2024-01-01. */
const CLOCK_MIN_MS = 1_704_067_200_000;
/** A hundred times what a wired network gives: what is moved by a machine that is merely busy is none. */
const BOUND_MAX_MS = 20;
const LOSS_MAX = 0.01;

function check(name: string, result: CheckResult, text: string, fix = ""): Check {
  return { name, result, text, fix };
}

/** All checks, in the order in which one depends on the other. */
export function diagnose(facts: DoctorFacts): Check[] {
  const route = routeCheck(facts);
  const firewall = firewallCheck(facts);
  const isExplained = [route, firewall].some(({ result }) => result === "wrong");
  return [
    interfaceCheck(facts),
    wirelessCheck(facts),
    route,
    membershipCheck(facts),
    firewall,
    multicastCheck(facts, isExplained),
    querierCheck(facts),
    ...portChecks(facts),
    bufferCheck(facts),
    clockCheck(facts, isExplained),
    midiCheck(facts),
    ...nodeChecks(facts, isExplained),
  ];
}

function interfaceCheck({ interface: chosen, interfaceProblem }: DoctorFacts): Check {
  if (chosen === undefined) {
    return check("interface", "wrong", interfaceProblem, "plug the cable in, or name another one with --interface");
  }
  const name = `${chosen.name} ${chosen.address}`;
  if (!chosen.canMulticast) {
    return check("interface", "wrong", `${name} cannot do multicast`, "name another interface with --interface");
  }
  if (!chosen.isInternal) return check("interface", "ok", `the mesh lives on ${name}`);
  const text = `${name} is loopback: only nodes of this machine are reached`;
  return check("interface", "note", text, "name the network's interface with --interface");
}

function wirelessCheck({ isWireless, interface: chosen }: DoctorFacts): Check {
  if (isWireless === undefined) return unknown("wireless", "whether the interface is wireless");
  if (!isWireless) return check("wireless", "ok", "the interface is wired");
  const text = `${chosen?.name} is wireless: multicast is slow and lossy there, so the node sends less often and repeats more`;
  return check("wireless", "note", text, "use a cable for shows");
}

function routeCheck({ routes, groups, interface: chosen }: DoctorFacts): Check {
  if (chosen === undefined || routes === undefined) return unknown("route", "the route of multicast");
  if (chosen.isInternal) return check("route", "ok", "loopback needs no route");
  const devices = groups.map((group) => routeTo(routes, group));
  const fix = `run \`ip route add 224.0.0.0/4 dev ${chosen.name}\``;
  if (devices.includes(undefined)) return check("route", "wrong", `no route leads to ${groups.join(" and ")}`, fix);
  const other = devices.find((device) => device !== chosen.name);
  if (other === undefined) return check("route", "ok", `multicast leaves by ${chosen.name}`);
  const text = `the system's route for multicast leaves by ${other}; hana uses ${chosen.name} all the same, other programs do not`;
  return check("route", "note", text, fix);
}

function membershipCheck({ igmp, groups, interface: chosen, node, ports }: DoctorFacts): Check {
  // Who has no port has joined nothing.
  const isTaken = ports.some(({ what, problem }) => what === MESH_PORT && problem !== "");
  if (igmp === undefined || chosen === undefined || isTaken)
    return unknown("membership", "which groups have been joined");
  const joined = membershipsIn(igmp).filter(({ device }) => device === chosen.name);
  const missing = groups.filter((group) => !joined.some((one) => one.group === group));
  const who = node === undefined ? "the probe" : "the node";
  if (missing.length === 0) return check("membership", "ok", `${groups.join(" and ")} are joined on ${chosen.name}`);
  const text = `${who} is no member of ${missing.join(" and ")} on ${chosen.name}`;
  return check(
    "membership",
    "wrong",
    text,
    "start the node anew; look whether net.ipv4.igmp_max_memberships is used up",
  );
}

function firewallCheck({ rules, rulesProblem, groups, meshPort, oscPort }: DoctorFacts): Check {
  if (rules === undefined) return check("firewall", "unknown", `the firewall cannot be looked at: ${rulesProblem}`);
  const found = suspectRules(rules, { groups, ports: [meshPort, oscPort] });
  const rule = found.find(({ namesGroup }) => namesGroup) ?? found[0];
  if (rule === undefined) return check("firewall", "ok", "no rule of nftables names what the mesh needs");
  const fix = `let UDP to 239.77.0.0/16 and from the mesh's machines through before it`;
  if (rule.namesGroup)
    return check("firewall", "wrong", `a firewall rule drops the mesh's multicast: ${rule.text}`, fix);
  return check("firewall", "note", `a firewall rule may drop what the mesh needs: ${rule.text}`, fix);
}

/** `isExplained`: something that was told before is why. */
function multicastCheck({ multicastProblem, interface: chosen, node }: DoctorFacts, isExplained: boolean): Check {
  if (chosen === undefined) return unknown("multicast", "whether multicast works");
  const finding = node?.health.find(({ code }) => MULTICAST_CODES.has(code));
  const text = finding?.text ?? multicastProblem;
  if (text === "") return check("multicast", "ok", "this machine's multicast comes back to it");
  if (isExplained) return check("multicast", "note", `${text}; see above`);
  const isFar = finding?.code === "stream-by-unicast";
  const fix = isFar
    ? "switch IGMP snooping off on the switch, or give it a querier"
    : `let UDP to 239.77.0.0/16 in and out on ${chosen.name}`;
  return check("multicast", "wrong", text, fix);
}

const MULTICAST_CODES: ReadonlySet<string> = new Set(["multicast", "stream-by-unicast"]);

/** IGMP is not to be heard without rights: what the kernel tells of it has to do. */
function querierCheck({ igmp, bridge, interface: chosen }: DoctorFacts): Check {
  if (bridge !== undefined && bridge.snoops && !bridge.queries) {
    const text = `the bridge ${bridge.name} prunes multicast (IGMP snooping) and sends no queries itself`;
    const fix = `run \`ip link set ${bridge.name} type bridge mcast_querier 1\`, or have a querier elsewhere`;
    return check("querier", "note", text, fix);
  }
  const heard = igmp === undefined || chosen === undefined ? "" : querierIn(igmp, chosen.name);
  if (heard === "V1" || heard === "V2")
    return check("querier", "ok", `an IGMP querier of version ${heard[1]} was heard`);
  const text =
    "whether an IGMP querier is there cannot be told from here; a switch that snoops without one prunes after minutes";
  return check("querier", "unknown", text);
}

function portChecks({ ports, node, nodeProblem, oscPort }: DoctorFacts): Check[] {
  if (node !== undefined) {
    return [check("ports", "ok", `the node has UDP and TCP ${node.network.port}, and UDP ${node.network.meshPort}`)];
  }
  const taken = ports.filter(({ problem }) => problem !== "");
  if (taken.length === 0) {
    return [check("ports", "ok", `${ports.map(({ what, port }) => `${what} ${port}`).join(", ")} are free`)];
  }
  return taken.map(({ what, port, problem }) => {
    const who = port === oscPort && nodeProblem !== "" ? ` (${nodeProblem})` : "";
    const flag = port === oscPort ? "--port" : "--mesh-port";
    return check(
      "ports",
      "wrong",
      `${what} ${port} cannot be had: ${problem}${who}`,
      `end what holds it, or choose another with ${flag}`,
    );
  });
}

function bufferCheck({ bufferBytes, platform, node }: DoctorFacts): Check {
  const finding = node?.health.find(({ code }) => code === "receive-buffer");
  if (bufferBytes === undefined) return unknown("buffers", "which receive buffer the system grants");
  const setting =
    platform === "darwin" ? "sysctl -w kern.ipc.maxsockbuf=8388608" : "sysctl -w net.core.rmem_max=4194304";
  const fix = `run \`${setting}\`, and start the node anew`;
  if (bufferBytes < BUFFER_LOW_BYTES) {
    const text = `the system grants a receive buffer of ${bufferBytes} bytes only: half of a burst of 130 ms is lost`;
    return check("buffers", "wrong", text, fix);
  }
  if (finding !== undefined)
    return check("buffers", "wrong", `the node got less: ${finding.text}`, "start the node anew");
  return check("buffers", "ok", `a receive buffer of ${bufferBytes} bytes is granted`);
}

function clockCheck({ nowMs, node }: DoctorFacts, isExplained: boolean): Check {
  if (nowMs < CLOCK_MIN_MS) {
    const text = `this machine's clock says ${new Date(nowMs).toISOString().slice(0, 10)}`;
    return check("clock", "wrong", text, "set it, best by NTP: a mesh takes its time from its first controller");
  }
  const bound = node?.clock.boundMs;
  if (node === undefined)
    return check("clock", "ok", "this machine's clock is plausible; no node runs that measures more");
  if (bound === undefined)
    return check("clock", "unknown", "the node has not measured yet how far off session time may be");
  if (bound <= BOUND_MAX_MS) return check("clock", "ok", `session time is right to ± ${bound.toFixed(3)} ms`);
  const text = `session time may be off by ${bound.toFixed(1)} ms: the way to the controller is slow or uneven`;
  return check("clock", isExplained ? "note" : "wrong", text, "look for a busy link or a machine that is overloaded");
}

function midiCheck({ midi, platform }: DoctorFacts): Check {
  if (midi === "there") return check("midi", "ok", "the MIDI sequencer may be opened");
  if (midi === "unknown") return check("midi", "unknown", `MIDI is not looked at on ${platform}`);
  if (midi === "missing") {
    return check("midi", "note", "there is no MIDI sequencer device", "run `modprobe snd-seq`, if MIDI is wanted");
  }
  return check(
    "midi",
    "wrong",
    "this user may not open the MIDI sequencer",
    "put the user into the group audio, and log in anew",
  );
}

/** What the running node found itself and is not told above. */
function nodeChecks({ node, nodeProblem }: DoctorFacts, isExplained: boolean): Check[] {
  if (node === undefined) {
    const text = nodeProblem === "" ? "no node runs here: what only a node can see is not checked" : nodeProblem;
    return [check("node", "unknown", text)];
  }
  const rest = node.health.filter(({ code }) => !MULTICAST_CODES.has(code) && !TOLD_CODES.has(code));
  const checks = rest.map((finding) => findingCheck(finding, isExplained));
  const { loss } = node.network;
  if (loss > LOSS_MAX && !isExplained) {
    const text = `${(loss * 100).toFixed(1)} % of the controller's frames did not reach the node by themselves`;
    checks.push(check("loss", "wrong", text, "look at cable, switch port, wireless link and the machine's load"));
  }
  return checks.length > 0 ? checks : [check("node", "ok", `the node ${node.name} finds nothing wrong (${node.role})`)];
}

function findingCheck({ code, level, text }: HealthFinding, isExplained: boolean): Check {
  const isWrong = level !== "notice" && !(isExplained && NETWORK_CODES.has(code));
  return check(code, isWrong ? "wrong" : "note", text, FIXES[code] ?? "see `hana status`");
}

/** What other checks tell. */
const TOLD_CODES: ReadonlySet<string> = new Set(["receive-buffer", "wireless"]);

/** What a broken network alone makes a node find. */
const NETWORK_CODES: ReadonlySet<string> = new Set([
  "socket",
  "peers-silent",
  "no-controller",
  "snapshot",
  "lost-frames",
]);

const FIXES: Readonly<Record<string, string>> = {
  "foreign-key": "install the mesh's key there: `hana key show` here, `hana join CODE` there",
  "twin-node": "give one of them another data folder",
  slow: "look at the cable, the switch port or the wireless link",
  socket: "look whether the interface is up",
  "term-file": "make room on the disk, or make the data folder writable",
  "conflicts-open": "decide them: `hana conflicts`",
  conflicts: "look at them: `hana conflicts`",
  memory: "start this node anew, and have the machine's memory tested",
  "peers-silent": "look whether those machines run and are plugged in",
  "no-controller": "look whether the electors run and are plugged in",
};

function unknown(name: string, what: string): Check {
  return check(name, "unknown", `${what} cannot be found out on this system`);
}
