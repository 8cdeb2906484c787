/**
 * Learn candidate: one control that moved while somebody teaches, and what its messages say about it.
 *
 * It keeps what came, up to a bound, and judges: a fader, an encoder, a button, or nothing but noise; and how much it
 * looks like the one that was meant. A fader's moves outrank the note that its touch sends; a pad's note outranks the
 * pressure that follows it. Pure, told the time; it chooses nothing, for that all candidates must be seen together.
 */
import type { EncoderEncoding } from "../config/profile-schema.js";
import { guessEncoding } from "./learn-encoding.js";
import { MIDI_MAX_7 } from "./midi-event.js";

/**
 * `momentary`: says when it goes down and when it goes up. `toggle`: says on and off by turns, once for each press.
 * `trigger`: says nothing but that it was pressed.
 */
export const LEARNED_KINDS = ["fader", "encoder", "momentary", "toggle", "trigger", "program", "pressure"] as const;
export type LearnedKind = (typeof LEARNED_KINDS)[number];

/** What a kind of message can be: a place on a way, a key, or what only goes along with others. */
export type CandidateForm = "way" | "key" | "trigger" | "program" | "pressure" | "touch";

export interface Verdict {
  readonly kind: LearnedKind;
  /** How much it looks like the control that was meant; 0: it does not. */
  readonly rank: number;
  /** False: a little later it could be told better. */
  readonly isSure: boolean;
  /** Of an encoder. */
  readonly encoding: EncoderEncoding | undefined;
}

export interface CandidateTraits {
  /** Its values may be turns of an encoder: one controller of seven bits. */
  readonly mayTurn: boolean;
  /** It may tremble between two values: a real fader, and none on a screen. */
  readonly isNoisy: boolean;
}

export interface Sample {
  readonly value: number;
  readonly atUs: number;
  /** Its place among all messages that were told: several come at one time. */
  readonly order: number;
}

const SAMPLES_MAX = 512;
/** Less of the way than this is the noise of a worn fader: it trembles between two values. */
const NOISE_WAY = 1.5 / MIDI_MAX_7;
/** A button that is pressed says no more than this in the time that learning takes. */
const PRESSES_MAX = 8;

/** What the kinds of control are worth against each other; how far a fader went adds up to 1. */
const Rank = { none: 0, pressure: 1, program: 2, faint: 2.5, key: 3, button: 3, way: 4, pair: 5 } as const;

const NOTHING: Verdict = { kind: "fader", rank: Rank.none, isSure: false, encoding: undefined };

export class LearnCandidate {
  /** As `hana bind` takes it. */
  readonly source: string;
  readonly form: CandidateForm;
  private readonly traits: CandidateTraits;
  readonly firstUs: number;
  lastUs: number;
  /** In the order in which they came; of a key, its releases are none. */
  readonly samples: Sample[] = [];
  /** It moved already when learning began, so it is not what is meant. */
  isBackground = false;
  releases = 0;
  count = 0;
  /** Of its values, 127 or more. */
  private max = MIDI_MAX_7;
  /** The least and the greatest part of the way. */
  private least = 1;
  private greatest = 0;

  constructor(source: string, form: CandidateForm, traits: CandidateTraits, nowUs: number) {
    this.source = source;
    this.form = form;
    this.traits = traits;
    this.firstUs = nowUs;
    this.lastUs = nowUs;
  }

  take(value: number, max: number, isRelease: boolean, nowUs: number, order: number): void {
    this.lastUs = nowUs;
    this.count++;
    if (isRelease) {
      this.releases++;
      return;
    }
    this.max = max;
    this.least = Math.min(this.least, value / max);
    this.greatest = Math.max(this.greatest, value / max);
    if (this.samples.length < SAMPLES_MAX) this.samples.push({ value, atUs: nowUs, order });
  }

  /** How far it went, 0..1. */
  get span(): number {
    return Math.max(0, this.greatest - this.least);
  }

  /** The greatest value, as a part of what it should be at most: above 1 it sends another range. */
  get greatestWay(): number {
    return this.greatest;
  }

  judge(): Verdict {
    switch (this.form) {
      case "key":
        return this.judgeKey();
      case "trigger":
        return { kind: "trigger", rank: Rank.button, isSure: true, encoding: undefined };
      case "program":
        return { kind: "program", rank: Rank.program, isSure: true, encoding: undefined };
      case "pressure":
        return { kind: "pressure", rank: Rank.pressure, isSure: false, encoding: undefined };
      case "touch":
        return NOTHING;
      default:
        return this.judgeWay();
    }
  }

  /** As the high half of a value of fourteen bits. */
  judgePair(): Verdict {
    return { kind: "fader", rank: Rank.pair + this.share, isSure: true, encoding: undefined };
  }

  private judgeKey(): Verdict {
    // A key that was held before, and is let go now, was not pressed for this.
    if (this.samples.length === 0) return NOTHING;
    const isMomentary = this.releases > 0;
    const kind = isMomentary ? "momentary" : "toggle";
    return { kind, rank: Rank.key + this.share, isSure: isMomentary, encoding: undefined };
  }

  private judgeWay(): Verdict {
    const values = this.samples.map(({ value }) => value);
    const { mayTurn, isNoisy } = this.traits;
    const guess = mayTurn && this.max === MIDI_MAX_7 ? guessEncoding(values) : undefined;
    if (guess !== undefined) {
      const { encoding, isSure } = guess;
      return { kind: "encoder", rank: Rank.way + this.share, isSure, encoding };
    }
    const button = this.judgeButton(values);
    if (button !== undefined) return button;
    const noise = isNoisy ? NOISE_WAY : 0;
    if (this.span > noise) return { kind: "fader", rank: Rank.way + this.span, isSure: true, encoding: undefined };
    // A fader on a screen is at another place at once.
    return isNoisy ? NOTHING : { kind: "fader", rank: Rank.button, isSure: false, encoding: undefined };
  }

  /** Of a control that was at no place but 0 and another one. */
  private judgeButton(values: readonly number[]): Verdict | undefined {
    const top = Math.max(...values);
    if (values.length > PRESSES_MAX || !values.every((value) => value === 0 || value === top)) return undefined;
    const hasUp = values.includes(0);
    // At a place of its own and never at 0 it may be a fader that was touched.
    if (!hasUp && top !== this.max) return undefined;
    const isFaint = top > 0 && top <= NOISE_WAY * this.max;
    if (isFaint && values.length > 2) return undefined;
    const rank = (isFaint ? Rank.faint : Rank.button) + this.share;
    if (hasUp && top > 0) {
      const isMomentary = this.isShort(values);
      return { kind: isMomentary ? "momentary" : "toggle", rank, isSure: isMomentary, encoding: undefined };
    }
    return { kind: values.length > 1 ? "trigger" : "toggle", rank, isSure: false, encoding: undefined };
  }

  /** Whether what goes down goes up again so soon that one press did both. */
  private isShort(values: readonly number[]): boolean {
    const down = values.findIndex((value) => value !== 0);
    const up = values.indexOf(0, down);
    if (up < 0) return false;
    return (this.samples[up] as Sample).atUs - (this.samples[down] as Sample).atUs < PRESS_US;
  }

  /** Of two alike the one that said more. */
  private get share(): number {
    return Math.min(this.count, SAMPLES_MAX) / (SAMPLES_MAX * 2);
  }
}

/** Nobody presses the same button twice within this, and who presses it once lets go within it. */
const PRESS_US = 350_000;
