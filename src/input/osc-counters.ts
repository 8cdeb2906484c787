/**
 * OSC counters: everything that can happen to what comes in and goes out by OSC, as numbers.
 *
 * One closed set on one typed array, so that counting is an addition in memory and metrics and `status` read names
 * without knowing who counts. Counters only rise; nothing here is ever decided or logged.
 */
import { byName } from "../base/counts.js";
import { REJECT_COUNT } from "../state/reject.js";
import { OSC_REJECT_COUNT } from "./osc-reject.js";

/** What is counted; the value is the index into `OscCounters.values`. */
export const OscCounter = {
  /** Datagrams, and frames of a TCP stream. */
  packetsIn: 0,
  messagesIn: 1,
  /** Packets from an address outside `osc.allow`. */
  packetsNotAllowed: 2,
  /** Packets that are no OSC; `OscCounters.packetRejects` says why. */
  packetsMalformed: 3,
  /** Writes that the node took. */
  writes: 4,
  /** Writes that were refused; `OscCounters.writeRejects` says why. */
  writesRefused: 5,
  impulsesIn: 6,
  /** Messages to a path that does not exist and is not to be declared, or to a request that does not exist. */
  unknownAddresses: 7,
  declared: 8,
  /** First writes under /viz whose declaration was refused: strict, the cap, or no type fits the arguments. */
  declarationsRefused: 9,
  /** Messages that would have written under /system. */
  systemWrites: 10,
  patternsMalformed: 11,
  /** Patterns that no path matches. */
  patternsUnmatched: 12,
  /** Patterns that matched more paths than the cap: the first ones, in order of ids, were written. */
  patternsCapped: 13,
  /** Patterns whose search would have gone beyond their source's budget. */
  patternsRefused: 14,
  /** Messages above their source's rate. */
  messagesOverRate: 15,
  /** Values above the rate that a newer one replaced before it was written. */
  valuesConflated: 16,
  /** Impulses above the rate: they were not fired. */
  impulsesOverRate: 17,
  /** Packets that wait for their time tag. */
  packetsScheduled: 18,
  /** Packets that could not wait: too many or too many bytes wait already. */
  scheduleFull: 19,
  /** Messages with a time tag further ahead than the horizon. */
  messagesTooFar: 20,
  /** Messages that came later than the tolerance, under the policy that drops them. */
  messagesLate: 21,
  /** Subscriptions, renewals and other requests under /hana. */
  requests: 22,
  requestsRefused: 23,
  packetsOut: 24,
  messagesOut: 25,
  /** Impulses that a subscriber's full queue could not take. */
  impulsesLost: 26,
  /** How often a subscriber's changes outran its queue, so that they were found by a walk over its paths. */
  queueOverflows: 27,
  /** How often the change ring lapped this follower, so that everything was sent again. */
  resyncs: 28,
  leasesExpired: 29,
  /** Impulses of a term that is over: they were not sent. */
  impulsesFenced: 30,
} as const;
export type OscCounterName = keyof typeof OscCounter;
export type OscCounter = (typeof OscCounter)[OscCounterName];

export class OscCounters {
  /** Indexed by `OscCounter`. */
  readonly values = new Float64Array(Object.keys(OscCounter).length);
  /** Malformed packets, indexed by `OscReject`. */
  readonly packetRejects = new Float64Array(OSC_REJECT_COUNT);
  /** Refused writes, indexed by `Reject`. */
  readonly writeRejects = new Float64Array(REJECT_COUNT);

  count(counter: OscCounter): void {
    this.values[counter]++;
  }

  /** All counters by name, for metrics and `status`. Allocates. */
  report(): Record<OscCounterName, number> {
    return byName(OscCounter, this.values);
  }
}
