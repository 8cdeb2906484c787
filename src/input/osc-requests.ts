/**
 * OSC requests: what a renderer or a surface asks of the node itself, by messages under /hana.
 *
 *     /hana/subscribe   [pattern s] [lease i|f, seconds] [port i] [throttle i|f, Hz]   the state now, then changes
 *     /hana/renew       [pattern s] [lease] [port]     the lease goes on, without the state; without a pattern all do
 *     /hana/unsubscribe [pattern s] [port]             without a pattern all end
 *     /hana/release     path s                         the sender lets go of a path that it moved
 *     /hana/surface     [port i]                       the sender is a surface: its controls' pages, values, labels and colours
 *     /hana/ping        any                            answered by /hana/pong with this node's name
 *
 * Answers are `/hana/subscribed pattern lease`, `/hana/unsubscribed count` and `/hana/error text`. They go where the
 * subscription's messages go: to the sender's own address and port, or to another port of the same host if one is
 * named. Never to another host: a request must not point at a third party.
 */
import { Reject, rejectText } from "../state/reject.js";
import type { State } from "../state/state.js";
import { OscCounter, type OscCounters } from "./osc-counters.js";
import { OscTag, type OscPacket } from "./osc-packet.js";
import { compilePattern, OSC_PATTERN_LIMIT } from "./osc-pattern.js";
import type { OscHost } from "./osc-sources.js";
import type { OscTie } from "./osc-subscriber.js";
import type { OscSubscribers } from "./osc-subscribers.js";
import { EVERYTHING, NO_CONNECTION, type OscSender, type OscTarget } from "./osc-target.js";
import { OscWriter } from "./osc-writer.js";
import type { WriteTarget } from "./write-target.js";

export const REQUEST_PREFIX = "/hana/";
const PING = "/hana/ping";
/** What nodes answer: two nodes that answered each other's answers would never end. */
const ANSWERS: readonly string[] = ["subscribed", "unsubscribed", "error", "pong"];
export const LEASE_DEFAULT_SECONDS = 30;
export const LEASE_MIN_SECONDS = 1;
export const LEASE_MAX_SECONDS = 3_600;
export const THROTTLE_MAX_HZ = 10_000;
const ANSWER_BYTES = 1_024;
const SECOND_US = 1_000_000;
const NUMBER_TAGS: readonly number[] = [OscTag.int, OscTag.float, OscTag.long, OscTag.double];

export interface OscRequestsOptions {
  readonly state: State;
  readonly subscribers: OscSubscribers;
  readonly sender: OscSender;
  readonly counters: OscCounters;
  readonly target: WriteTarget;
  /** What a ping is answered with. */
  readonly nodeName: string;
  /** The throttle of a subscription that names none, 0 for none. */
  readonly throttleHz: number;
  /** Default: there is nothing to show. */
  readonly surfaces?: OscSurfaces | undefined;
}

/** Shows surfaces what their controls move: `OscFeedback`. */
export interface OscSurfaces {
  /** A surface asks to be shown everything, there. */
  ask(target: OscTarget): void;
}

/** Where a request came from. */
export interface Asker {
  readonly host: OscHost;
  readonly port: number;
  readonly connection: number;
}

/** The arguments of a request: its text, and its numbers in order. */
interface Arguments {
  readonly text: string | undefined;
  readonly numbers: readonly number[];
}

/** Does what is asked, with arguments that make sense; answers what is wrong, or "". */
type Request = (requests: OscRequests, given: Arguments, asker: Asker) => string;

export class OscRequests {
  private static readonly requests: ReadonlyMap<string, Request> = new Map<string, Request>([
    ["/hana/subscribe", (requests, given, asker) => requests.subscribe(given, asker)],
    ["/hana/renew", (requests, given, asker) => requests.renew(given, asker)],
    ["/hana/unsubscribe", (requests, given, asker) => requests.unsubscribe(given, asker)],
    ["/hana/release", (requests, given, asker) => requests.release(given, asker)],
    ["/hana/surface", (requests, given, asker) => requests.showAll(given, asker)],
  ]);
  static readonly addresses: ReadonlySet<string> = new Set([...OscRequests.requests.keys(), PING]);
  private readonly options: OscRequestsOptions;
  private readonly writer = new OscWriter(new Uint8Array(ANSWER_BYTES));

  constructor(options: OscRequestsOptions) {
    this.options = options;
  }

  /** Does what the message asks and answers it. False when there is no such request, which is said. */
  handle(address: string, packet: OscPacket, message: number, asker: Asker): boolean {
    const request = OscRequests.requests.get(address);
    if (request !== undefined) this.run(packet, message, asker, (given) => request(this, given, asker));
    else if (address === PING) this.pong(asker);
    else {
      if (!isAnswer(address)) this.answerText(targetOf(asker), "/hana/error", NO_REQUEST);
      return false;
    }
    return true;
  }

  /** Whatever came with it. */
  private pong(asker: Asker): void {
    this.options.counters.count(OscCounter.requests);
    this.answerText(targetOf(asker), "/hana/pong", this.options.nodeName);
  }

  /** Runs a request, which answers what is wrong or "". */
  private run(packet: OscPacket, message: number, asker: Asker, request: (given: Arguments) => string): void {
    const { counters } = this.options;
    counters.count(OscCounter.requests);
    const given = argumentsOf(packet, message);
    const problem = given === undefined ? "arguments must be a pattern and finite numbers" : request(given);
    if (problem === "") return;
    counters.count(OscCounter.requestsRefused);
    this.answerText(targetOf(asker), "/hana/error", problem);
  }

  private subscribe(given: Arguments, asker: Asker): string {
    const [lease = LEASE_DEFAULT_SECONDS, port = 0, throttle = this.options.throttleHz] = given.numbers;
    const text = given.text ?? EVERYTHING;
    const pattern = compilePattern(text);
    if (pattern === null) return `malformed pattern ${text}`;
    const target = targetOf(asker, port);
    if (target === undefined) return NO_PORT;
    if (!(throttle >= 0 && throttle <= THROTTLE_MAX_HZ)) return `a throttle is 0 to ${THROTTLE_MAX_HZ} Hz`;
    if (!asker.host.search.take(this.options.state.pathCount)) return "too many requests, try again";
    const seconds = clampLease(lease);
    const ties = tiesOf(asker, target);
    const wish = { target, pattern, ties, leaseUs: seconds * SECOND_US, throttleHz: throttle };
    const problem = this.options.subscribers.subscribe(wish);
    asker.host.search.spend(pattern.steps);
    if (problem === "") this.answerSubscribed(target, text, seconds);
    return problem;
  }

  private renew(given: Arguments, asker: Asker): string {
    const [lease = LEASE_DEFAULT_SECONDS, port = 0] = given.numbers;
    const target = targetOf(asker, port);
    if (target === undefined) return NO_PORT;
    const seconds = clampLease(lease);
    const renewed = this.options.subscribers.renew(target, given.text, seconds * SECOND_US);
    for (const pattern of renewed) this.answerSubscribed(target, pattern, seconds);
    return renewed.length > 0 ? "" : "no such subscription";
  }

  private unsubscribe(given: Arguments, asker: Asker): string {
    const [port = 0] = given.numbers;
    const target = targetOf(asker, port);
    if (target === undefined) return NO_PORT;
    const ended = this.options.subscribers.unsubscribe(target, given.text);
    if (ended === 0) return "no such subscription";
    const { writer } = this;
    writer.reset();
    writer.begin("/hana/unsubscribed", "i");
    writer.int(ended);
    this.send(target);
    return "";
  }

  private release({ text = "" }: Arguments, { host, port }: Asker): string {
    const { state, target } = this.options;
    const id = state.idOf(text);
    const reject = id < 0 ? Reject.unknownPath : target.release(id, host.surfaceAt(port).index);
    return reject === Reject.none ? "" : `${text}: ${rejectText(reject)}`;
  }

  private showAll({ numbers: [port = 0] }: Arguments, asker: Asker): string {
    const target = targetOf(asker, port);
    if (target === undefined) return NO_PORT;
    this.options.surfaces?.ask(target);
    return "";
  }

  private answerSubscribed(target: OscTarget, pattern: string, seconds: number): void {
    const { writer } = this;
    writer.reset();
    writer.begin("/hana/subscribed", "sf");
    writer.string(pattern);
    writer.float(seconds);
    this.send(target);
  }

  private answerText(target: OscTarget | undefined, address: string, text: string): void {
    if (target === undefined) return;
    const { writer } = this;
    writer.reset();
    writer.begin(address, "s");
    writer.string(text.slice(0, OSC_PATTERN_LIMIT));
    this.send(target);
  }

  private send(target: OscTarget): void {
    this.writer.end();
    this.options.sender.send(target, this.writer.buffer, this.writer.length);
  }
}

const NO_PORT = "no such port";
export const NO_REQUEST = `no such request: they are ${[...OscRequests.addresses].join(", ")}`;

export function isRequest(address: string): boolean {
  return OscRequests.addresses.has(address);
}

function isAnswer(address: string): boolean {
  return ANSWERS.includes(address.slice(REQUEST_PREFIX.length));
}

function argumentsOf(packet: OscPacket, message: number): Arguments | undefined {
  const first = packet.firstArguments[message];
  const numbers: number[] = [];
  let text: string | undefined;
  for (let argument = first; argument < first + packet.argumentCounts[message]; argument++) {
    const tag = packet.tags[argument];
    if (NUMBER_TAGS.includes(tag) && Number.isFinite(packet.values[argument])) numbers.push(packet.values[argument]);
    else if (tag === OscTag.string || tag === OscTag.symbol) text ??= packet.text(argument);
    else return undefined;
    if (numbers.length > 3) return undefined;
  }
  return { text, numbers };
}

function clampLease(seconds: number): number {
  return Math.min(LEASE_MAX_SECONDS, Math.max(LEASE_MIN_SECONDS, seconds));
}

/** The asker's own port (0), or another one of the same host; a connection has no other port. */
function targetOf({ host, port, connection }: Asker, wanted = 0): OscTarget | undefined {
  const chosen = wanted === 0 || connection !== NO_CONNECTION ? port : wanted;
  const isPort = Number.isInteger(chosen) && chosen > 0 && chosen <= 0xffff;
  return isPort ? { address: host.address, port: chosen, connection } : undefined;
}

function tiesOf({ host, port }: Asker, target: OscTarget): OscTie[] {
  const own = { address: host.address, port };
  return target.port === port ? [own] : [own, { address: host.address, port: target.port }];
}
