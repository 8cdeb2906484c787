/**
 * Control outputs: with what a control shows its value, and the messages that set it, from its profile.
 *
 * Pure; slow side, which is bounded by the pace of devices.
 */
import type { Profile, ProfileControl } from "../config/profile.js";
import { midiAddresses } from "./control-address.js";
import type { MidiAddress } from "./control-source.js";
import { DisplayCell } from "./display-cell.js";
import { ledBlock, ledCode } from "./led-code.js";
import { MIDI_MAX_7, MIDI_MAX_14, MidiKind } from "./midi-event.js";
import type { SurfaceLook } from "./surface-look.js";
import type { SurfaceOutput } from "./surface-output.js";

/** Everything with which a control shows its value. */
export function outputsOf(control: ProfileControl, { displays }: Profile): SurfaceOutput[] {
  const { source, hasMotor, led, ring, meter, display } = control;
  const outputs: SurfaceOutput[] = [];
  const [address] = source === undefined || "address" in source ? [] : midiAddresses(source);
  if (hasMotor && address !== undefined) outputs.push(positionOutput(address));
  if (ring !== undefined) outputs.push(ringOutput(ring));
  if (led !== undefined) outputs.push(ledOutput(led));
  if (meter !== undefined) outputs.push(meterOutput(meter));
  const screen = display && displays.get(display.on);
  if (display !== undefined && screen !== undefined) outputs.push(new DisplayCell(screen, display.cell));
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
    default:
      return [Uint8Array.of(0x90 | on, number, code)];
  }
}

function ledOutput({ type, by, channel, number }: NonNullable<ProfileControl["led"]>): SurfaceOutput {
  const status = (by === "cc" ? 0xb0 : 0x90) | (ledChannel(type.looks, channel) - 1);
  const key = `led ${by} ${by === "sysex" ? 0 : channel} ${number}`;
  const codeOf = (look: SurfaceLook): number => ledCode(type, look);
  const { sysex } = type;
  if (by !== "sysex" || sysex === undefined) {
    return { key, most: 0, codeOf, messages: (code) => [Uint8Array.of(status, number, code & 0x7f)] };
  }
  return { key, most: 0, codeOf, messages: () => [], batch: { sysex, block: (code) => ledBlock(type, number, code) } };
}

/** Where the channel says how an LED shines, the first that says plainly, and fully. */
function ledChannel(looks: readonly { mode: string; brightness: number }[], channel: number): number {
  const plain = looks.findIndex(({ mode, brightness }) => mode === "solid" && brightness === 1);
  return plain < 0 ? channel : plain + 1;
}

function ringOutput(ring: NonNullable<ProfileControl["ring"]>): SurfaceOutput {
  const { channel, cc, first, last, styles, styleCc, styleChannel, style, setsValue } = ring;
  const styleCode = style === undefined ? undefined : styles[style];
  const added = styleCc === undefined ? (styleCode ?? 0) : 0;
  return {
    key: `ring ${channel} ${cc}`,
    most: setsValue ? last : 0,
    codeOf: ({ way }) => added + Math.round(first + way * (last - first)),
    messages: (code, isFirst) => {
      const position = Uint8Array.of(0xb0 | (channel - 1), cc, code & 0x7f);
      if (!isFirst || styleCc === undefined || styleCode === undefined) return [position];
      return [Uint8Array.of(0xb0 | (styleChannel - 1), styleCc, styleCode), position];
    },
  };
}

function meterOutput({ add, last }: NonNullable<ProfileControl["meter"]>): SurfaceOutput {
  return {
    key: `meter ${add}`,
    most: 0,
    codeOf: ({ way }) => Math.min(127, add + Math.round(way * last)),
    messages: (code) => [Uint8Array.of(0xd0, code)],
  };
}
