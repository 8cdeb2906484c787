/**
 * Input record: what a node heard from devices and OSC senders, one line of JSON each, so that it can be heard again.
 *
 *     {"hana":"input","version":1,"wallUs":1763829000000000}   first line; the wall clock at time 0
 *     {"us":1520,"midi":"nano","sent":812,"hex":"b0077f"}      bytes of a device, and the sender's own time
 *     {"us":1900.25,"midi":"nano","due":true}                  a half that waited for its other half was told alone
 *     {"us":2210,"osc":"192.168.1.5:50000","base64":"L2E="}    one OSC packet
 *     {"us":2500,"midi":"nano","port":"closed"}                its port was opened, or closed: it was unplugged
 *     {"us":9999,"lost":12}                                    so many could not be written down here
 *
 * Times are microseconds from the beginning, as exact as the clock (a quarter), and never go back. A file is read as if it came from anybody: it never
 * throws, and what is wrong with a line is said in words.
 */
import { fromBase64, toBase64 } from "../config/base64.js";

export interface MidiRecord {
  readonly kind: "midi";
  readonly atUs: number;
  readonly alias: string;
  /** By the sender's clock, of which only the differences mean something. */
  readonly sentUs: number;
  readonly bytes: Uint8Array;
}

/** A device came or went: its controls have to find their values again, its keys are let go. */
export interface PortRecord {
  readonly kind: "port";
  readonly atUs: number;
  readonly alias: string;
  readonly isOpen: boolean;
}

export interface OscRecord {
  readonly kind: "osc";
  readonly atUs: number;
  readonly address: string;
  readonly port: number;
  readonly bytes: Uint8Array;
}

export interface LostRecord {
  readonly kind: "lost";
  readonly atUs: number;
  readonly count: number;
}

/** What had waited for its other half, and not got it in time, was told now. */
export interface DueRecord {
  readonly kind: "due";
  readonly atUs: number;
  readonly alias: string;
}

export type InputRecord = DueRecord | MidiRecord | PortRecord | OscRecord | LostRecord;

export interface RecordHeader {
  readonly wallUs: number;
}

/** What is wrong with a line, as a sentence's end. */
export interface RecordProblem {
  readonly problem: string;
}

const VERSION = 1;
/** A piece of a stream of MIDI bytes, and an OSC packet. */
const BYTES_MAX = 65_536;
/** A recording of eleven days. */
const TIME_MAX_US = 1e12;
/** Whatever clock the sender has. */
const SENT_MAX_US = 1e16;
const ALIAS = /^[a-z0-9]+(-[a-z0-9]+)*$/;
const ALIAS_LENGTH = 255;
const HEX = /^(?:[0-9a-f]{2})+$/;
const ADDRESS = /^([0-9a-fA-F:.]{2,45}):(\d{1,5})$/;
const PORT_MAX = 65_535;

export function headerLine({ wallUs }: RecordHeader): string {
  return JSON.stringify({ hana: "input", version: VERSION, wallUs: Math.round(wallUs) });
}

export function recordLine(record: InputRecord): string {
  const us = record.atUs;
  if (record.kind === "lost") return JSON.stringify({ us, lost: record.count });
  if (record.kind === "osc") {
    return JSON.stringify({ us, osc: `${record.address}:${record.port}`, base64: toBase64(record.bytes) });
  }
  if (record.kind === "port") {
    return JSON.stringify({ us, midi: record.alias, port: record.isOpen ? "open" : "closed" });
  }
  if (record.kind === "due") return JSON.stringify({ us, midi: record.alias, due: true });
  const hex = Array.from(record.bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return JSON.stringify({ us, midi: record.alias, sent: record.sentUs, hex });
}

/** Reads the first line. */
export function parseHeader(line: string): RecordHeader | RecordProblem {
  const fields = fieldsOf(line);
  if (fields?.["hana"] !== "input") return { problem: "is not the beginning of a recording" };
  if (fields["version"] !== VERSION) return { problem: `is of version ${String(fields["version"])}, not ${VERSION}` };
  const { wallUs } = fields;
  return isTime(wallUs, Number.MAX_SAFE_INTEGER) ? { wallUs } : { problem: "has no wallUs, the time of its beginning" };
}

/** Reads any other line. `afterUs`: the time of the line before. */
export function parseRecord(line: string, afterUs: number): InputRecord | RecordProblem {
  const fields = fieldsOf(line);
  if (fields === undefined) return { problem: "is no JSON object" };
  const { us, midi, osc, lost } = fields;
  if (!isTime(us, TIME_MAX_US)) return { problem: `has no us, microseconds from 0 to ${TIME_MAX_US}` };
  if (us < afterUs) return { problem: `has a time before that of the line above, ${afterUs}` };
  if (typeof midi === "string") return midiRecord(us, midi, fields);
  if (typeof osc === "string") return oscRecord(us, osc, fields);
  if (isTime(lost, Number.MAX_SAFE_INTEGER) && Number.isInteger(lost)) return { kind: "lost", atUs: us, count: lost };
  return { problem: "has neither midi nor osc nor lost" };
}

type Fields = Readonly<Record<string, unknown>>;

function midiRecord(atUs: number, alias: string, { sent, hex, port, due }: Fields): InputRecord | RecordProblem {
  if (!ALIAS.test(alias) || alias.length > ALIAS_LENGTH) return { problem: "has a midi that is no alias" };
  if (port === "open" || port === "closed") return { kind: "port", atUs, alias, isOpen: port === "open" };
  if (due === true) return { kind: "due", atUs, alias };
  if (typeof sent !== "number" || !(Math.abs(sent) <= SENT_MAX_US))
    return { problem: "has no sent, a time in microseconds" };
  if (typeof hex !== "string" || !HEX.test(hex) || hex.length > BYTES_MAX * 2) {
    return { problem: `has no hex, 1 to ${BYTES_MAX} bytes in hexadecimal` };
  }
  const bytes = Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
  return { kind: "midi", atUs, alias, sentUs: sent, bytes };
}

function oscRecord(atUs: number, from: string, { base64 }: Fields): InputRecord | RecordProblem {
  const [, address = "", digits = ""] = ADDRESS.exec(from) ?? [];
  const port = Number(digits);
  if (address === "" || port > PORT_MAX) return { problem: "has an osc that is no ADDRESS:PORT" };
  const isShort = typeof base64 === "string" && base64.length <= Math.ceil(BYTES_MAX / 3) * 4;
  const bytes = isShort ? fromBase64(base64) : undefined;
  if (bytes === undefined || bytes.length === 0 || bytes.length > BYTES_MAX) {
    return { problem: `has no base64, 1 to ${BYTES_MAX} bytes` };
  }
  return { kind: "osc", atUs, address, port, bytes };
}

function fieldsOf(line: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
  } catch {
    return undefined;
  }
}

function isTime(value: unknown, max: number): value is number {
  return typeof value === "number" && value >= 0 && value <= max;
}
