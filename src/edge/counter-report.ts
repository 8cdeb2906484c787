/**
 * Counter report: everything that a running node counts, by name, for `status`: `node.`, `seal.`, `osc.`, `midi.`,
 * `bindings.`. Of refused and malformed input it says why: `osc.reject.badTypeTag`, `midi.reject.truncated`.
 */
import { byName } from "../base/counts.js";
import type { Bindings } from "../input/bindings.js";
import type { MidiCounters } from "../input/midi-counters.js";
import { MidiReject } from "../input/midi-reject.js";
import type { OscCounters } from "../input/osc-counters.js";
import { OscReject } from "../input/osc-reject.js";
import type { HanaNode } from "../node/node.js";
import { OpenResult } from "../security/opener.js";
import { Reject } from "../state/reject.js";

type Counts = Record<string, number>;

export interface CountedParts {
  readonly node: HanaNode;
  readonly osc: OscCounters;
  readonly midi: MidiCounters;
  readonly bindings: Bindings;
}

export function countersOf({ node, osc, midi, bindings }: CountedParts): Counts {
  return {
    ...aboveZero("node", nodeCounts(node)),
    ...aboveZero("seal", byName(OpenResult, node.io.opener.results)),
    // All of them: who watches for one that rises finds it from the start.
    ...named("osc", osc.report()),
    ...aboveZero("osc.reject", byName(OscReject, osc.packetRejects)),
    ...aboveZero("osc.refused", byName(Reject, osc.writeRejects)),
    ...aboveZero("midi", midi.report()),
    ...aboveZero("midi.reject", byName(MidiReject, midi.rejects)),
    ...aboveZero("bindings", bindings.counts),
  };
}

function named(group: string, counts: Counts): Counts {
  return Object.fromEntries(Object.entries(counts).map(([name, count]) => [`${group}.${name}`, count]));
}

function aboveZero(group: string, counts: Counts): Counts {
  return named(group, Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0)));
}

function nodeCounts(node: HanaNode): Counts {
  const { controller, follower, pending, io } = node;
  return {
    ...node.core.counters,
    framesPublished: controller.sent.newest,
    flushesSpaced: controller.budget.waits,
    writesHeld: controller.precedence.held,
    writesSuperseded: controller.precedence.superseded,
    repairsSent: controller.repairs.repairs,
    repairsTooOld: controller.repairs.tooOld,
    naksAsked: follower.naks.asked,
    framesDuplicate: follower.window.duplicates,
    writesConflated: pending.conflated,
    writeRetries: pending.retries,
    writesDuplicate: controller.writeDesk.intake.duplicates,
    packetsSent: io.packetsSent,
    bytesSent: io.bytesSent,
    hybridClamped: node.core.clock.clampedHybrids,
    clockSteps: node.sessionClock.sync.steps,
    clockContradictions: node.sessionClock.sync.contradictions,
  };
}
