/**
 * Control mode: what a control's moves mean to a path: where it stands, how far it turned, or that it was pressed.
 *
 * A binding may leave it open; then the control, the message and the path decide. Slow side.
 */
import type { ProfileControl } from "../config/profile.js";
import { ValueType } from "../state/declaration.js";
import { MidiKind } from "./midi-event.js";
import { RelativeEncoding } from "./relative-encoder.js";

/** In the order of the values of `/mappings/{id}/mode`. */
export const ControlMode = {
  auto: 0,
  /** Where the control stands is where the value stands. */
  absolute: 1,
  /** How far it turned is how far the value moves. */
  relative: 2,
  /** Pressed: the high end; let go: the low end. */
  momentary: 3,
  /** Each press: the other end than the one that the value is at. */
  toggle: 4,
  /** Pressed: as hard as it was pressed; let go: it stays. */
  latch: 5,
  /** Pressed: the binding's own value; of several buttons for one path the last pressed is on. */
  radio: 6,
  /** Each press: one step further. */
  increment: 7,
} as const;
export type ControlMode = (typeof ControlMode)[keyof typeof ControlMode];

/** Where a control's moves come from. */
export interface ControlOrigin {
  /** Kinds of its MIDI messages; none for OSC and for programs. */
  readonly kinds: readonly MidiKind[];
  /** What its profile says; undefined where none does. */
  readonly control: ProfileControl | undefined;
}

export interface ResolvedMode {
  readonly mode: ControlMode;
  readonly encoding: RelativeEncoding;
}

/** Why a binding cannot be, as a sentence's end. */
export interface TransformProblem {
  readonly problem: string;
}

const ENCODINGS = Object.keys(RelativeEncoding).filter((name) => name !== "none");

/** Modes by which a control can fire an impulse. */
const FIRING: readonly ControlMode[] = [ControlMode.absolute, ControlMode.momentary];

/** What the words `mode` and `encoding` of a binding come to. */
export function resolveMode(
  words: { readonly mode: string; readonly encoding: string },
  origin: ControlOrigin,
  type: ValueType,
): ResolvedMode | TransformProblem {
  const { kinds, control } = origin;
  const encoding = encodingOf(words.encoding, control);
  const mode = named(ControlMode, words.mode) ?? ControlMode.auto;
  const isTurned = encoding !== RelativeEncoding.none;
  const isMidi = kinds.length > 0;
  if (isTurned && isMidi && kinds.some((kind) => kind !== MidiKind.cc)) {
    return { problem: "has an encoding, which only controllers (cc) have" };
  }
  if (mode === ControlMode.relative && isMidi && !isTurned) {
    return { problem: `is relative, and its encoding is not known: ${ENCODINGS.join(", ")}` };
  }
  const resolved = mode !== ControlMode.auto ? mode : isTurned ? ControlMode.relative : ControlMode.absolute;
  if (type === ValueType.impulse && !FIRING.includes(resolved)) {
    return { problem: `is ${nameOf(resolved)}, and its path fires: it has no value` };
  }
  return { mode: resolved, encoding };
}

/** The binding's own, else the profile's. */
function encodingOf(word: string, control: ProfileControl | undefined): RelativeEncoding {
  const own = named(RelativeEncoding, word) ?? RelativeEncoding.none;
  if (own !== RelativeEncoding.none) return own;
  return named(RelativeEncoding, control?.encoding ?? "") ?? RelativeEncoding.none;
}

export function nameOf(mode: ControlMode): string {
  return Object.keys(ControlMode)[mode] as string;
}

/** What a word means in a closed set; undefined for a word that is not in it. */
export function named<T extends number>(set: Readonly<Record<string, T>>, word: string): T | undefined {
  return Object.hasOwn(set, word) ? set[word] : undefined;
}
