/**
 * OSC time shift: moves the time tags of a recorded packet to when it is played.
 *
 * A tag keeps its place in the recording, so what was meant for 50 ms later is meant for 50 ms later again. Only for
 * packets that `OscPacket` has found right; "immediately" stays that.
 */
import { isImmediate, timetagEpochUs, writeTimetag } from "./osc-timetag.js";

/** A time tag of `fromUs` becomes one of `toUs`, and time goes `speed` times as fast from there. */
export interface TimeShift {
  readonly fromUs: number;
  readonly toUs: number;
  readonly speed: number;
}

const BUNDLE_MARK = 0x23;
const TAG_OFFSET = 8;
const HEADER_BYTES = 16;
const SIZE_BYTES = 4;
const words = new Uint32Array(2);

/** Changes the bytes. */
export function shiftTimes(bytes: Uint8Array, shift: TimeShift): void {
  shiftPart(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0, bytes.length, shift);
}

/** A message has no time; a bundle has one, and parts. */
function shiftPart(view: DataView, start: number, end: number, shift: TimeShift): void {
  if (view.getUint8(start) !== BUNDLE_MARK) return;
  shiftTag(view, start + TAG_OFFSET, shift);
  for (let at = start + HEADER_BYTES; at < end; ) {
    const part = at + SIZE_BYTES;
    at = part + view.getUint32(at);
    shiftPart(view, part, at, shift);
  }
}

function shiftTag(view: DataView, at: number, { fromUs, toUs, speed }: TimeShift): void {
  const high = view.getUint32(at);
  const low = view.getUint32(at + SIZE_BYTES);
  if (isImmediate(high, low)) return;
  writeTimetag(toUs + (timetagEpochUs(high, low) - fromUs) / speed, words);
  view.setUint32(at, words[0] as number);
  view.setUint32(at + SIZE_BYTES, words[1] as number);
}
