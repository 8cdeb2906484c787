/**
 * Doctor probe: finds out about this machine what `manage/doctor.ts` judges. Reads the system's tables, tries ports, and
 * sends one small datagram to each of the mesh's groups, which is no frame and costs whoever hears it a look at its length.
 *
 * It changes nothing that outlives it. What cannot be found out stays undefined, with the reason where there is one.
 */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { access, readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { type DeviceState, type DoctorFacts, MESH_PORT, type PortFact } from "../manage/doctor.js";
import type { StatusReport } from "../manage/reports.js";
import { type NetworkInterface, selectInterface } from "./interfaces.js";
import { codeOf, messageOf } from "./trouble.js";
import { UdpSocket } from "./udp-socket.js";
import { isWireless } from "./wireless.js";

export interface ProbeTarget {
  /** Address or name; undefined for the default one. */
  readonly interface: string | undefined;
  readonly groups: readonly string[];
  readonly meshPort: number;
  readonly oscPort: number;
  readonly node: StatusReport | undefined;
  readonly nodeProblem: string;
}

/** A datagram that multicast carries on the same machine is there in microseconds. */
const PATIENCE_MS = 700;
const SENDS = 3;
const NFT_LIMIT_MS = 5_000;
const RULES_MAX_BYTES = 4 * 1_048_576;
const MIDI_DEVICE = "/dev/snd/seq";
const ANY = "0.0.0.0";

export async function probe(target: ProbeTarget): Promise<DoctorFacts> {
  const { groups, meshPort, oscPort, node, nodeProblem } = target;
  const { chosen, problem } = await choose(target.interface);
  // What the node joined, before the probe joins the same.
  const igmpOfNode = node === undefined ? undefined : await textOf("/proc/net/igmp");
  const tried = chosen === undefined ? NOT_TRIED : await tryMulticast(chosen, groups, meshPort);
  return {
    ...{ platform: process.platform, nowMs: Date.now(), groups, meshPort, oscPort, node, nodeProblem },
    interface: chosen,
    interfaceProblem: problem,
    isWireless: chosen === undefined ? undefined : isWireless(chosen.name),
    routes: await textOf("/proc/net/route"),
    igmp: igmpOfNode ?? tried.igmp,
    bridge: chosen === undefined ? undefined : await bridgeOf(chosen.name),
    ...(await firewall()),
    multicastProblem: tried.problem,
    ports: node === undefined ? [...(await tryOsc(oscPort)), tried.port] : [],
    bufferBytes: tried.bufferBytes,
    midi: await midi(),
  };
}

async function choose(wanted: string | undefined): Promise<{ chosen: NetworkInterface | undefined; problem: string }> {
  try {
    return { chosen: await selectInterface(wanted), problem: "" };
  } catch (error) {
    return { chosen: undefined, problem: messageOf(error).replaceAll(/\s*\n\s*/g, "; ") };
  }
}

interface Tried {
  readonly problem: string;
  readonly port: PortFact;
  readonly bufferBytes: number | undefined;
  readonly igmp: string | undefined;
}

const NOT_TRIED: Tried = {
  ...{ problem: "", bufferBytes: undefined, igmp: undefined },
  port: { what: MESH_PORT, port: 0, problem: "" },
};

/** Joins the groups as a node does, and hears whether what this machine sends there comes back. */
async function tryMulticast(chosen: NetworkInterface, groups: readonly string[], port: number): Promise<Tried> {
  const opened: UdpSocket[] = [];
  let portProblem = "";
  let igmp: string | undefined;
  const problems: string[] = [];
  try {
    const out = await UdpSocket.open({ address: chosen.address, port: 0, isShared: false, portRemedy: "" });
    opened.push(out);
    const heard: Promise<string>[] = [];
    for (const group of groups) {
      const address = process.platform === "win32" ? ANY : group;
      const socket = await open({ address, port, isShared: true, portRemedy: "" });
      if (typeof socket === "string") {
        portProblem = socket;
        continue;
      }
      opened.push(socket);
      heard.push(echo(socket, out, group, port, chosen.address));
    }
    igmp = await textOf("/proc/net/igmp");
    problems.push(...(await Promise.all(heard)).filter((problem) => problem !== ""));
  } catch (error) {
    problems.push(messageOf(error));
  } finally {
    await Promise.all(opened.map((socket) => socket.close()));
  }
  const bufferBytes = opened[0]?.receiveBufferBytes;
  return { problem: problems[0] ?? "", port: { what: MESH_PORT, port, problem: portProblem }, bufferBytes, igmp };
}

async function open(options: Parameters<typeof UdpSocket.open>[0]): Promise<UdpSocket | string> {
  try {
    return await UdpSocket.open(options);
  } catch (error) {
    return messageOf(error).replace(/; $/, "");
  }
}

/** "" when it came back. */
async function echo(
  inSocket: UdpSocket,
  out: UdpSocket,
  group: string,
  port: number,
  address: string,
): Promise<string> {
  const marker = randomBytes(16);
  const sent = out.socket;
  try {
    inSocket.socket.addMembership(group, address);
    sent.setMulticastInterface(address);
    sent.setMulticastTTL(0);
    sent.setMulticastLoopback(true);
  } catch (error) {
    return `${group} cannot be joined on ${address}: ${messageOf(error)}`;
  }
  let problem = `what this machine sends to ${group} port ${port} does not come back to it: a firewall drops it, or the interface has no multicast`;
  const isHeard = new Promise<void>((resolve) => {
    inSocket.onError(() => {});
    inSocket.onDatagram((bytes) => {
      if (marker.equals(bytes)) resolve();
    });
  }).then(() => {
    problem = "";
  });
  for (let send = 0; send < SENDS && problem !== ""; send++) {
    sent.send(marker, port, group, (error) => {
      if (error !== null) problem = `nothing can be sent to ${group}: ${error.message}`;
    });
    await Promise.race([isHeard, pause(PATIENCE_MS / SENDS)]);
  }
  return problem;
}

/** Whether a node could have OSC's ports. */
async function tryOsc(port: number): Promise<PortFact[]> {
  const udp = await open({ address: ANY, port, isShared: false, portRemedy: "" });
  if (typeof udp !== "string") await udp.close();
  return [
    { what: "OSC UDP", port, problem: typeof udp === "string" ? udp : "" },
    { what: "OSC and control API TCP", port, problem: await tryTcp(port) },
  ];
}

function tryTcp(port: number): Promise<string> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error) =>
      resolve(codeOf(error) === "EADDRINUSE" ? `TCP port ${port} is in use` : error.message),
    );
    server.listen(port, () => server.close(() => resolve("")));
  });
}

async function bridgeOf(device: string): Promise<DoctorFacts["bridge"]> {
  const folders: [string, string][] = [
    [device, `/sys/class/net/${device}/bridge`],
    ["of this machine", `/sys/class/net/${device}/brport/bridge/bridge`],
  ];
  for (const [name, folder] of folders) {
    const snoops = await textOf(`${folder}/multicast_snooping`);
    if (snoops === undefined) continue;
    const queries = await textOf(`${folder}/multicast_querier`);
    return { name, snoops: snoops.trim() === "1", queries: queries?.trim() === "1" };
  }
  return undefined;
}

async function firewall(): Promise<{ rules: string | undefined; rulesProblem: string }> {
  if (process.platform !== "linux")
    return { rules: undefined, rulesProblem: `it is not looked at on ${process.platform}` };
  return await new Promise((resolve) => {
    const options = { timeout: NFT_LIMIT_MS, maxBuffer: RULES_MAX_BYTES };
    execFile("nft", ["list", "ruleset"], options, (error, stdout, stderr) => {
      if (error === null) resolve({ rules: stdout, rulesProblem: "" });
      else if (error.code === "ENOENT") resolve({ rules: undefined, rulesProblem: "nft is not installed" });
      else
        resolve({
          rules: undefined,
          rulesProblem: stderr.trim().split("\n")[0] || "nft failed; only root may list rules",
        });
    });
  });
}

async function midi(): Promise<DeviceState> {
  if (process.platform !== "linux") return "unknown";
  try {
    await access(MIDI_DEVICE, constants.R_OK | constants.W_OK);
    return "there";
  } catch (error) {
    return codeOf(error) === "EACCES" || codeOf(error) === "EPERM" ? "forbidden" : "missing";
  }
}

async function textOf(path: string): Promise<string | undefined> {
  if (process.platform !== "linux") return undefined;
  try {
    return await readFile(path, "utf8");
  } catch {
    return undefined;
  }
}
