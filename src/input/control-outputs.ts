/**
 * Control outputs: with what a control shows its value, and the messages that set it, from its profile.
 *
 * Pure; slow side, which is bounded by the pace of devices.
 */
import type { Animation, Profile, ProfileControl } from "../config/profile.js";
import { midiAddresses } from "./control-address.js";
import type { MidiAddress } from "./control-source.js";
import { DisplayCell } from "./display-cell.js";
import { DisplayColours } from "./display-colours.js";
import { ledAddress, ledBlock, ledCode } from "./led-code.js";
import { MIDI_MAX_7, MIDI_MAX_14, MidiKind } from "./midi-event.js";
import { Beat, playedShare, Shine, type SurfaceLook } from "./surface-look.js";
import type { SurfaceOutput } from "./surface-output.js";

/** Everything with which a control shows its value. */
export function outputsOf(control: ProfileControl, { displays }: Profile): SurfaceOutput[] {
  const { source, hasMotor, led, ring, meter, display } = control;
  const outputs: SurfaceOutput[] = [];
  const [address] = source === undefined || "address" in source ? [] : midiAddresses(source);
  if (hasMotor && address !== undefined) outputs.push(positionOutput(address));
  if (ring !== undefined) outputs.push(ringOutput(ring));
  if (ring?.animation !== undefined) outputs.push(animationOutput(ring.animation, ring.cc, true));
  if (led !== undefined) outputs.push(ledOutput(led));
  if (led?.type.animation !== undefined) outputs.push(animationOutput(led.type.animation, led.number, false));
  if (meter !== undefined) outputs.push(meterOutput(meter));
  const screen = display && displays.get(display.on);
  if (display !== undefined && screen !== undefined) outputs.push(new DisplayCell(screen, display.cell));
  if (screen?.colours !== undefined && screen.bits !== undefined) outputs.push(new DisplayColours(screen, screen.bits));
  return outputs;
}

/** The very message that the control sends, sent back: motors, and controls without a profile. */
export function positionOutput(address: MidiAddress, isShowing = false): SurfaceOutput {
  const most = highestOf(address.kind);
  return {
    key: `${address.kind} ${address.channel} ${address.number}`,
    most: isShowing ? 0 : most,
    codeOf: ({ way }) => Math.round(way * most),
    messages: (code) => messagesOf(address, code),
  };
}

/** The highest value of a message of this kind, as it is sent. */
function highestOf(kind: MidiKind): number {
  const isFine = kind === MidiKind.cc14 || kind === MidiKind.bend || kind === MidiKind.rpn || kind === MidiKind.nrpn;
  return isFine ? MIDI_MAX_14 : MIDI_MAX_7;
}

function messagesOf({ kind, channel, number, low }: MidiAddress, code: number): Uint8Array[] {
  const on = channel - 1;
  const [msb, lsb] = [code >> 7, code & 0x7f];
  const cc = (controller: number, value: number): Uint8Array => Uint8Array.of(0xb0 | on, controller, value);
  switch (kind) {
    case MidiKind.cc14:
      return [cc(number, msb), cc(low, lsb)];
    case MidiKind.bend:
      return [Uint8Array.of(0xe0 | on, lsb, msb)];
    case MidiKind.rpn:
    case MidiKind.nrpn: {
      const [high, fine] = kind === MidiKind.rpn ? [101, 100] : [99, 98];
      // Closed with null, so that a stray data entry changes nothing.
      return [cc(high, number >> 7), cc(fine, number & 0x7f), cc(6, msb), cc(38, lsb), cc(high, 127), cc(fine, 127)];
    }
    case MidiKind.poly:
      return [Uint8Array.of(0xa0 | on, number, code)];
    case MidiKind.program:
      return [Uint8Array.of(0xc0 | on, code)];
    case MidiKind.pressure:
      return [Uint8Array.of(0xd0 | on, code)];
    case MidiKind.cc:
      return [cc(number, code)];
    case MidiKind.command:
    case MidiKind.measure:
      return [];
    default:
      return [Uint8Array.of(0x90 | on, number, code)];
  }
}

function ledOutput({ type, by, channel, number }: NonNullable<ProfileControl["led"]>): SurfaceOutput {
  const { sysex } = type;
  const isShort = by !== "sysex" || sysex === undefined;
  const status = by === "cc" ? 0xb0 : 0x90;
  return {
    key: `led ${by} ${by === "sysex" ? 0 : channel} ${number}`,
    most: 0,
    codeOf: (look) => ledCode(type, look),
    messages: (code) => {
      const said = ledAddress(type, channel, code);
      return [Uint8Array.of(status | (said.channel - 1), number, said.value)];
    },
    batch: sysex && { sysex, block: (code) => ledBlock(type, number, code, isShort) },
  };
}

function ringOutput(ring: NonNullable<ProfileControl["ring"]>): SurfaceOutput {
  const { channel, cc, first, last, styles, styleCc, styleChannel, style, setsValue } = ring;
  const styleCode = style === undefined ? undefined : styles[style];
  const added = styleCc === undefined ? (styleCode ?? 0) : 0;
  return {
    key: `ring ${channel} ${cc}`,
    most: setsValue ? last : 0,
    codeOf: (look) => {
      const place = Math.round(first + look.way * (last - first));
      return ringLook(ring, look, place) ?? added + place;
    },
    messages: (code, isFirst) => {
      const position = Uint8Array.of(0xb0 | (channel - 1), cc, code & 0x7f);
      if (!isFirst || styleCc === undefined || styleCode === undefined) return [position];
      return [Uint8Array.of(0xb0 | (styleChannel - 1), styleCc, styleCode), position];
    },
  };
}

/** The code of a ring that does not just shine; undefined of one that does. One that is a place is never moved for a look. */
function ringLook(ring: NonNullable<ProfileControl["ring"]>, look: SurfaceLook, place: number): number | undefined {
  const { first, off, blink, setsValue, animation } = ring;
  if (setsValue) return undefined;
  if (!look.isShown) return off;
  if (look.shines === Shine.solid || animation !== undefined) return undefined;
  if (blink !== undefined) return blink + place - first;
  return off === undefined || playedShare(look) >= 0.5 ? undefined : off;
}

/** Blinking, pulsing and brightness where they go to a channel of their own, beside the light's colour or place. */
function animationOutput(animation: Animation, number: number, isRing: boolean): SurfaceOutput {
  const { channel, off, strobe, pulse, brightness } = animation;
  const rest = off ?? brightness.at(-1) ?? 0;
  return {
    key: `animation ${channel} ${number}`,
    most: 0,
    codeOf: (look) => {
      const isLit = isRing ? look.isShown : look.isOn;
      if (!isLit) return rest;
      if (look.shines === Shine.blink) return paced(strobe, look.beat) ?? rest;
      if (look.shines === Shine.pulse) return paced(pulse, look.beat) ?? rest;
      // A ring says by its place what the value is; a light that is full needs nothing.
      if (isRing || look.bright >= 1) return rest;
      return brightness[Math.round(look.bright * (brightness.length - 1))] ?? rest;
    },
    messages: (code) => [Uint8Array.of(0xb0 | (channel - 1), number, code)],
  };
}

/** Of values that are sorted from slow to fast. */
function paced(values: readonly number[], beat: Beat): number | undefined {
  const share = beat === Beat.slow ? 0.25 : beat === Beat.plain ? 0.5 : 0.75;
  return values[Math.round(share * (values.length - 1))];
}

function meterOutput({ add, last }: NonNullable<ProfileControl["meter"]>): SurfaceOutput {
  return {
    key: `meter ${add}`,
    most: 0,
    codeOf: ({ way }) => Math.min(127, add + Math.round(way * last)),
    messages: (code) => [Uint8Array.of(0xd0, code)],
  };
}
