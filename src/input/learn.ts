/**
 * Learn: which control somebody has just moved, and what kind of control it is.
 *
 * Everything that devices and OSC surfaces say is told here while somebody teaches; some 300 ms after the first of it
 * the candidates are weighed against each other, and what cannot be told yet gets a second more. What streams already
 * when learning begins is not meant. Two controllers may be the halves of one value (`learn-pair.ts`); the messages that
 * choose a parameter belong to it. Of SysEx only machine control is told here, as the command that it is; of a clock
 * nothing but its start and stop counts. It opens nothing, binds nothing, and is told the time by a clock.
 */
import type { Clock } from "../base/clock.js";
import type { EncoderEncoding } from "../config/profile-schema.js";
import type { Profile, ProfileControl, ProfileInput } from "../config/profile.js";
import { midiSourceText, midiWordOf } from "./control-source.js";
import { type CandidateForm, LearnCandidate, type LearnedKind, type Verdict } from "./learn-candidate.js";
import { PairOrder, pairOf } from "./learn-pair.js";
import { type MidiEvent, MidiKind } from "./midi-event.js";
import type { LayoutInput } from "./surface-profiles.js";
import { isSystemControl, SystemControl } from "./system-control.js";

export interface LearnFinding {
  /** As `hana bind` takes it. */
  readonly source: string;
  /** Of a device with a profile or of an OSC layout; else undefined. */
  readonly control: ProfileControl | undefined;
  readonly kind: LearnedKind;
  /** Of a transport (start, stop, machine control); undefined for a control of no meaning. */
  readonly command: SystemControl | undefined;
  readonly encoding: EncoderEncoding | undefined;
  /** What a person should know about it, a sentence each. */
  readonly remarks: readonly string[];
  /** Sources of what else moved, the likeliest first. */
  readonly others: readonly string[];
}

export interface LearnParts {
  readonly clock: Clock;
  readonly profileOf: (alias: string) => Profile | undefined;
  /** The one layout that knows an OSC message. */
  readonly layoutOf: (address: string, argument: number) => LayoutInput | undefined;
}

/** From the first message to the choice. */
export const LEARN_US = 300_000;
/** From the first message, when the choice is not sure: a button is let go, an encoder is turned back. */
export const LEARN_LONG_US = 1_200_000;
/** What says more than one thing in this time after the beginning streams by itself. */
const BACKGROUND_US = 250_000;
/** What was silent for this long does not stream any more. */
const SILENCE_US = 1_000_000;
const RETRY_US = 50_000;
const CANDIDATES_MAX = 256;
const OTHERS_MAX = 5;
const LOW_OFFSET = 32;
const FIRST_LOW = 32;
/** Data entry, steps and the choice of a parameter. */
const OF_PARAMETERS: readonly number[] = [6, 38, 96, 97, 98, 99, 100, 101];
/** What TouchOSC adds to the address of a control that is touched. */
const OSC_TOUCH = "/z";

const NO_OTHERS = 1;

export class Learn {
  private readonly parts: LearnParts;
  private readonly candidates = new Map<string, MidiCandidate>();
  /** Channels, by alias and number, on which parameters came. */
  private readonly parameters = new Set<string>();
  private readonly times = new Float64Array(2);
  /** Messages so far. */
  private told = 0;

  constructor(parts: LearnParts) {
    this.parts = parts;
    this.times[BEGAN] = parts.clock.nowUs;
    this.times[DUE] = Number.POSITIVE_INFINITY;
  }

  /** When `decide` can say something, in own time; infinite before the first message. */
  get dueUs(): number {
    return this.times[DUE] as number;
  }

  onMidi(alias: string, event: MidiEvent): void {
    const { kind, channel, number, value, max } = event;
    const isRelease = kind === MidiKind.noteOff;
    const own = isRelease ? MidiKind.noteOn : kind;
    if (isClock(kind, number)) return;
    if (own === MidiKind.rpn || own === MidiKind.nrpn) this.parameters.add(`${alias} ${channel}`);
    const input = inputOf(this.parts.profileOf(alias), own, channel, number);
    if (input?.part === "touch") return;
    const control = input?.control;
    const source = control === undefined ? midiSourceText(alias, own, channel, number) : `${alias}/${control.name}`;
    // The low half of a control that the profile knows says nothing by itself.
    if (input?.part === "lsb") return;
    const address = { alias, kind: own, channel, number };
    this.take(source, formOf(own), own === MidiKind.cc, control, address)?.take(
      value,
      max,
      isRelease,
      this.nowUs,
      this.told++,
    );
    this.wake();
  }

  /** `value`: of a number 0..1, or whatever the surface sends; undefined for a message that only says that it came. */
  onOsc(address: string, argument: number, value: number | undefined): void {
    const { alias = "", input } = this.parts.layoutOf(address, argument) ?? {};
    if (input?.part === "touch") return;
    const control = input?.control;
    const source = control === undefined ? `osc:${address}#${argument}` : `${alias}/${control.name}`;
    const base = address.endsWith(OSC_TOUCH) ? address.slice(0, -OSC_TOUCH.length) : "";
    const isTouch = base !== "" && this.candidates.has(`osc:${base}#0`);
    const form = isTouch ? "touch" : value === undefined ? "trigger" : "way";
    const way = value === undefined ? 1 : wayOf(control, value);
    this.take(source, form, false, control, undefined)?.take(way, 1, false, this.nowUs, this.told++);
    this.wake();
  }

  /** A program of this machine says where a control stands, 0..1. */
  onInput(alias: string, name: string, value: number): void {
    this.take(`${alias}/${name}`, "way", false, undefined, undefined)?.take(value, 1, false, this.nowUs, this.told++);
    this.wake();
  }

  private get nowUs(): number {
    return this.parts.clock.nowUs;
  }

  /** The candidate of a source; undefined when there is no room for another. */
  private take(
    source: string,
    form: CandidateForm,
    mayTurn: boolean,
    control: ProfileControl | undefined,
    address: LearnAddress | undefined,
  ): LearnCandidate | undefined {
    const { nowUs } = this;
    let known = this.candidates.get(source);
    if (known?.candidate.isBackground === true && nowUs - known.candidate.lastUs > SILENCE_US) known = undefined;
    if (known === undefined) {
      if (this.candidates.size >= CANDIDATES_MAX) return undefined;
      known = {
        candidate: new LearnCandidate(source, form, { mayTurn, isNoisy: address !== undefined }, nowUs),
        control,
        address,
      };
      this.candidates.set(source, known);
    }
    const { candidate } = known;
    const isEarly = nowUs - (this.times[BEGAN] as number) < BACKGROUND_US;
    candidate.isBackground ||= isEarly && candidate.samples.length > 0 && form === "way";
    return candidate;
  }

  private wake(): void {
    if (this.times[DUE] !== Number.POSITIVE_INFINITY) return;
    this.times[DUE] = this.nowUs + LEARN_US;
  }

  /** What was moved, once that can be told; undefined before. To be called from `dueUs` on. */
  decide(): LearnFinding | undefined {
    if (this.nowUs < this.dueUs) return undefined;
    const judged = this.judgeAll();
    const [best] = judged;
    if (best === undefined || best.verdict.rank === 0) {
      this.goOn();
      return undefined;
    }
    if (!best.verdict.isSure && this.nowUs < best.of.candidate.firstUs + LEARN_LONG_US) {
      this.times[DUE] = this.nowUs + RETRY_US;
      return undefined;
    }
    return this.finding(best, judged);
  }

  /** Nothing but noise so far: that is kept, for the next message of it may be a move. */
  private goOn(): void {
    this.times[DUE] = Number.POSITIVE_INFINITY;
    if (this.candidates.size < CANDIDATES_MAX) return;
    for (const [source, { candidate }] of this.candidates) if (!candidate.isBackground) this.candidates.delete(source);
  }

  /** Every candidate, the likeliest first; halves and what chooses a parameter are none by themselves. */
  private judgeAll(): Judged[] {
    const halves = new Set<MidiCandidate>();
    const judged: Judged[] = [];
    for (const of of this.candidates.values()) {
      if (of.candidate.isBackground || this.isOfParameter(of)) continue;
      const low = this.lowOf(of);
      const order = low === undefined ? undefined : pairOf(of.candidate.samples, low.candidate.samples);
      if (low !== undefined && order !== undefined) halves.add(low);
      judged.push({ of, order, verdict: order === undefined ? of.candidate.judge() : of.candidate.judgePair() });
    }
    const whole = judged.filter(({ of }) => !halves.has(of));
    return whole.sort((one, other) => other.verdict.rank - one.verdict.rank);
  }

  private isOfParameter({ address, control }: MidiCandidate): boolean {
    if (address?.kind !== MidiKind.cc || control !== undefined) return false;
    return this.parameters.has(`${address.alias} ${address.channel}`) && OF_PARAMETERS.includes(address.number);
  }

  /** What may be the low half of a controller's value. */
  private lowOf({ address, control }: MidiCandidate): MidiCandidate | undefined {
    if (address?.kind !== MidiKind.cc || control !== undefined || address.number >= FIRST_LOW) return undefined;
    const { alias, channel, number } = address;
    const low = this.candidates.get(midiSourceText(alias, MidiKind.cc, channel, number + LOW_OFFSET));
    return low?.control === undefined ? low : undefined;
  }

  private finding({ of, order, verdict }: Judged, judged: readonly Judged[]): LearnFinding {
    const { control, candidate, address } = of;
    const remarks: string[] = [];
    const isPair = order !== undefined;
    if (isPair) remarks.push(ORDERS[order]);
    const encoding = control?.encoding ?? verdict.encoding;
    if (verdict.encoding !== undefined && control === undefined && !verdict.isSure) remarks.push(TURN_BOTH_WAYS);
    if (address === undefined && control === undefined && candidate.greatestWay > 1) remarks.push(BEYOND);
    const { alias = "", kind = MidiKind.cc, channel = 1, number = 0 } = address ?? {};
    const source = isPair ? midiSourceText(alias, kind, channel, number, number + LOW_OFFSET) : candidate.source;
    const others = judged.slice(NO_OTHERS).filter((one) => one.verdict.rank > 0);
    return {
      source,
      control,
      kind: kindOf(control, encoding, verdict),
      command: kind === MidiKind.command && isSystemControl(number) ? number : undefined,
      encoding,
      remarks,
      others: others.slice(0, OTHERS_MAX).map((one) => one.of.candidate.source),
    };
  }
}

const BEGAN = 0;
const DUE = 1;

const TURN_BOTH_WAYS = "it was turned one way only, and the other way was guessed: turn it right and left to be sure";
const ORDERS: Readonly<Record<PairOrder, string>> = {
  [PairOrder.highFirst]: "14 bits, the high half first",
  [PairOrder.lowFirst]: "14 bits, the low half first",
};
const WAY: readonly [number, number] = [0, 1];
const BEYOND = "it sends more than 1: what is above counts as 1, so let the surface send 0 to 1";

interface LearnAddress {
  readonly alias: string;
  readonly kind: MidiKind;
  readonly channel: number;
  readonly number: number;
}

interface MidiCandidate {
  readonly candidate: LearnCandidate;
  readonly control: ProfileControl | undefined;
  /** Undefined for OSC. */
  readonly address: LearnAddress | undefined;
}

interface Judged {
  readonly of: MidiCandidate;
  /** Which half comes first, when it is the high one of a value of fourteen bits. */
  readonly order: PairOrder | undefined;
  readonly verdict: Verdict;
}

/** How far a control is on its way, by the numbers that its layout says are at the ends. */
function wayOf(control: ProfileControl | undefined, value: number): number {
  const [low, high] = control?.range ?? WAY;
  return low === high ? value : (value - low) / (high - low);
}

/** What a profile says about a control is surer than what was seen of it. */
function kindOf(
  control: ProfileControl | undefined,
  encoding: EncoderEncoding | undefined,
  verdict: Verdict,
): LearnedKind {
  if (control === undefined) return verdict.kind;
  if (control.toggles) return "toggle";
  if (encoding !== undefined && encoding !== "absolute") return "encoder";
  return verdict.kind === "encoder" ? "fader" : verdict.kind;
}

/** What a device says by itself, all the time, and nobody moved. */
function isClock(kind: MidiKind, number: number): boolean {
  return kind === MidiKind.measure || (kind === MidiKind.command && number === SystemControl.beat);
}

function formOf(kind: MidiKind): CandidateForm {
  switch (kind) {
    case MidiKind.noteOn:
    case MidiKind.noteOff:
      return "key";
    case MidiKind.poly:
    case MidiKind.pressure:
      return "pressure";
    case MidiKind.program:
      return "program";
    case MidiKind.command:
      return "trigger";
    default:
      return "way";
  }
}

function inputOf(
  profile: Profile | undefined,
  kind: MidiKind,
  channel: number,
  number: number,
): ProfileInput | undefined {
  const word = kind === MidiKind.cc14 ? "cc14" : midiWordOf(kind);
  return word === "system" ? undefined : profile?.inputs.midi(word, channel, number);
}
