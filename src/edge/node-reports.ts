/**
 * Node reports: a running node as plain data, for status, peers and health.
 */
import { COMPONENTS, type Component } from "../state/component.js";
import type { PendingValue } from "../manage/desk-messages.js";
import type { ComponentReport, HealthFinding, NodeRole, PeerReport, StatusReport } from "../manage/reports.js";
import { type Finding, levelOf } from "../node/health.js";
import type { HanaNode } from "../node/node.js";
import { componentsOf } from "../node/sameness.js";
import { healthOfPeer, lagOf } from "../sync/peer-health.js";
import type { Peer } from "../sync/peers.js";
import { Role } from "../sync/roles.js";

/** What a report names that the node does not know. */
export interface NodePlace {
  readonly version: string;
  readonly dataDir: string;
  readonly interfaceName: string;
  readonly address: string;
  readonly group: string;
  readonly meetingGroup: string;
  readonly meshPort: number;
  readonly port: number;
  readonly unicastPort: number;
  readonly snapshotPort: number;
}

export function healthOf(findings: readonly Finding[]): HealthFinding[] {
  return findings.map(({ code, text }) => ({ code, level: levelOf(code), text }));
}

function roleOf(role: Role): NodeRole {
  if (role === Role.controlling) return "controller";
  return role === Role.following ? "follower" : "starting";
}

export function statusOf(node: HanaNode, place: NodePlace, counters: Readonly<Record<string, number>>): StatusReport {
  const { core, roles, controller, membership } = node;
  return {
    node: core.identity.id,
    name: core.identity.name,
    mesh: core.identity.mesh,
    version: place.version,
    role: roleOf(roles.role),
    controller: roles.role === Role.starting ? "" : roles.term.node,
    term: roles.term,
    sequence: core.sequence[0] as number,
    uptimeMs: Math.round(process.uptime() * 1_000),
    network: {
      interface: place.interfaceName,
      address: place.address,
      group: place.group,
      meetingGroup: place.meetingGroup,
      meshPort: place.meshPort,
      port: place.port,
      unicastPort: place.unicastPort,
      snapshotPort: place.snapshotPort,
      redundancy: controller.frames.redundancy,
      loss: membership.loss,
    },
    state: {
      paths: core.state.pathCount,
      pathsMax: core.limits.paths,
      pendingWrites: node.pending.size,
      components: componentReports(node),
    },
    peers: { heard: node.peers.size },
    sameness: samenessOf(node),
    clock: clockOf(node),
    memory: memoryOf(),
    dataDir: place.dataDir,
    health: healthOf(node.health.list()),
    counters,
  };
}

function clockOf({ core: { clock }, sessionClock }: HanaNode): StatusReport["clock"] {
  const { clockBoundUs, roundTripUs } = sessionClock.link;
  return {
    sessionMs: clock.sessionUs / 1_000,
    offsetMs: (clock.nowUs - clock.sessionUs) / 1_000,
    ...(clockBoundUs < 0 ? {} : { boundMs: clockBoundUs / 1_000 }),
    ...(roundTripUs < 0 ? {} : { roundTripMs: roundTripUs / 1_000 }),
  };
}

function memoryOf(): StatusReport["memory"] {
  const { rss, heapUsed } = process.memoryUsage();
  return { residentBytes: rss, heapBytes: heapUsed };
}

function componentReports(node: HanaNode): Record<Component, ComponentReport> {
  const { state, digests } = node.core;
  const newest = new Float64Array(COMPONENTS.length);
  for (const id of state.ids()) {
    const component = state.components[id] as number;
    newest[component] = Math.max(newest[component] as number, state.sequences[id] as number);
  }
  const entries = COMPONENTS.map((name, index) => [name, { sequence: newest[index], digest: digests.hex(index) }]);
  return Object.fromEntries(entries) as Record<Component, ComponentReport>;
}

function samenessOf(node: HanaNode): StatusReport["sameness"] {
  const { sequence, nodes, holding, different } = node.sameness.report();
  return { version: { term: node.roles.term.number, node: node.roles.term.node, sequence }, nodes, holding, different };
}

export function peersOf(node: HanaNode): PeerReport[] {
  const agreed = node.sameness.agreedSequence;
  return [...node.peers.values()].map((peer) => peerOf(node, peer, agreed));
}

function peerOf(node: HanaNode, peer: Peer, agreed: number): PeerReport {
  const { core, roles } = node;
  const now = core.clock.nowUs;
  return {
    node: peer.node,
    name: peer.name,
    role: peer.node === roles.term.node ? "controller" : peer.isInSync ? "follower" : "starting",
    health: healthOfPeer(peer, agreed, node.peers.asOfUs(now)),
    address: peer.address,
    port: peer.unicastPort,
    interface: peer.interfaceName,
    priority: peer.priority,
    sequence: peer.sequence,
    lag: lagOf(peer, agreed),
    inSync: peer.isInSync,
    differs: componentsOf(peer.differs),
    silentMs: Math.round((now - peer.heardUs) / 1_000),
    loss: peer.lossPermille / 1_000,
    conflated: peer.isConflated,
    naks: peer.naks,
    ...(peer.roundTripUs < 0 ? {} : { roundTripMs: peer.roundTripUs / 1_000 }),
    ...(peer.clockBoundUs < 0
      ? {}
      : { clockOffsetMs: peer.clockOffsetUs / 1_000, clockBoundMs: peer.clockBoundUs / 1_000 }),
  };
}

/** What is pending now, as the desk wants it after an image. */
export function pendingOf(node: HanaNode): PendingValue[] {
  const { core, pending, writes } = node;
  return [...core.state.ids()]
    .filter((id) => pending.isPending(id))
    .map((id) => ({ id, value: writes.shownValue(id) }));
}
