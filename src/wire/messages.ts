/**
 * Messages: the small control messages, as msgpack arrays. Hello, report, peers, leave, NAK and write results.
 *
 * They are rare, so they are readable rather than tight; the records feature of msgpackr stays off (a decoder with
 * structures can be poisoned). Every field is checked after decoding: msgpack yields Dates, RegExps and bigints to
 * whoever sends them. A message that does not fit is answered with undefined.
 */
import { Packr, Unpackr } from "msgpackr";
import { type Reject, rejectOf } from "../state/reject.js";

const OPTIONS = { useRecords: false, variableMapSize: true, copyBuffers: true } as const;
const packr = new Packr(OPTIONS);
const unpackr = new Unpackr(OPTIONS);

/** What a node says of itself. */
export interface NodeNotice {
  readonly name: string;
  readonly priority: number;
  readonly unicastPort: number;
  readonly snapshotPort: number;
  /** The term number it knows; 0 for none, or while it joins one. */
  readonly term: number;
  readonly isInSync: boolean;
}

export interface Hello extends NodeNotice {
  /** Repeated by the controller's answer, so that an old answer is none. 1..2^32-1 */
  readonly nonce: number;
}

/** How a node's time stands to the mesh's, in microseconds. */
export interface ClockState {
  /** Session time less the node's own. */
  readonly clockOffsetUs: number;
  /** The most by which its session time may be off; CLOCK_UNKNOWN_US while nothing was measured. */
  readonly clockErrorUs: number;
  /** To the controller and back, as short as it was lately; 0 for the controller itself. */
  readonly roundTripUs: number;
}

export interface Report extends NodeNotice, ClockState {
  /** All frames up to this one are here. */
  readonly complete: number;
  /** The newest change sequence applied. */
  readonly sequence: number;
  /** Frames that did not come by themselves, of the last second's, in 1/1000. */
  readonly lossPermille: number;
  readonly naks: number;
}

/** One row of the controller's list of peers. */
export interface PeerRow extends ClockState {
  readonly node: string;
  readonly name: string;
  readonly address: string;
  readonly unicastPort: number;
  readonly snapshotPort: number;
  readonly priority: number;
  readonly isInSync: boolean;
  readonly lossPermille: number;
  readonly sequence: number;
}

export interface WriteResult {
  readonly session: number;
  /** All writes up to this one are taken. */
  readonly write: number;
  /** They are published by this frame. */
  readonly frame: number;
  readonly term: number;
  readonly refusals: readonly { readonly write: number; readonly reject: Reject }[];
}

export interface Nak {
  readonly term: number;
  /** First and last, in pairs. */
  readonly ranges: readonly number[];
}

export const NAK_RANGES_MAX = 16;
export const CLOCK_UNKNOWN_US = 2 ** 32 - 1;
const NAME_LIMIT = 64;
const ADDRESS_LIMIT = 45;

export function encodeMessage(fields: readonly unknown[], plain: Uint8Array): number {
  const bytes = packr.pack(fields);
  if (bytes.length > plain.length) return 0;
  plain.set(bytes);
  return bytes.length;
}

function decodeFields(plain: Uint8Array, length: number): unknown[] | undefined {
  try {
    const value: unknown = unpackr.unpack(plain.slice(0, length));
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export function helloFields(hello: Hello): unknown[] {
  return [hello.nonce, ...noticeFields(hello)];
}

export function decodeHello(plain: Uint8Array, length: number): Hello | undefined {
  const fields = decodeFields(plain, length);
  if (fields === undefined || !isWhole(fields[0], 2 ** 32)) return undefined;
  const notice = decodeNotice(fields, 1);
  return notice === undefined ? undefined : { ...notice, nonce: fields[0] };
}

export function reportFields(report: Report): unknown[] {
  const { complete, sequence, lossPermille, naks } = report;
  return [complete, sequence, lossPermille, naks, ...clockFields(report), ...noticeFields(report)];
}

export function decodeReport(plain: Uint8Array, length: number): Report | undefined {
  const fields = decodeFields(plain, length);
  if (fields === undefined) return undefined;
  const [complete, sequence, lossPermille, naks] = fields;
  const clock = decodeClock(fields, 4);
  const notice = decodeNotice(fields, 7);
  if (notice === undefined || clock === undefined || !isWhole(complete) || !isWhole(sequence)) return undefined;
  if (!isWhole(lossPermille, 1_001) || !isWhole(naks)) return undefined;
  return { ...notice, ...clock, complete, sequence, lossPermille, naks };
}

function clockFields({ clockOffsetUs, clockErrorUs, roundTripUs }: ClockState): unknown[] {
  return [clockOffsetUs, clockErrorUs, roundTripUs];
}

function decodeClock(fields: readonly unknown[], from: number): ClockState | undefined {
  const [clockOffsetUs, clockErrorUs, roundTripUs] = fields.slice(from);
  if (!Number.isSafeInteger(clockOffsetUs) || !isWhole(clockErrorUs, 2 ** 32) || !isWhole(roundTripUs, 2 ** 32)) {
    return undefined;
  }
  return { clockOffsetUs: clockOffsetUs as number, clockErrorUs, roundTripUs };
}

function noticeFields(notice: NodeNotice): unknown[] {
  return [notice.name, notice.priority, notice.unicastPort, notice.snapshotPort, notice.term, notice.isInSync];
}

function decodeNotice(fields: unknown[], from: number): NodeNotice | undefined {
  const [name, priority, unicastPort, snapshotPort, term, isInSync] = fields.slice(from);
  if (!isText(name, NAME_LIMIT) || !isWhole(priority, 1_001) || !isPort(unicastPort)) return undefined;
  if (!isPort(snapshotPort) || !isWhole(term, 2 ** 32) || typeof isInSync !== "boolean") return undefined;
  return { name, priority, unicastPort, snapshotPort, term, isInSync };
}

export function peersFields(rows: readonly PeerRow[]): unknown[] {
  return rows.map((row) => [
    row.node,
    row.name,
    row.address,
    row.unicastPort,
    row.snapshotPort,
    row.priority,
    row.isInSync,
    row.lossPermille,
    row.sequence,
    ...clockFields(row),
  ]);
}

export function decodePeers(plain: Uint8Array, length: number): PeerRow[] | undefined {
  const fields = decodeFields(plain, length);
  if (fields === undefined) return undefined;
  const rows: PeerRow[] = [];
  for (const field of fields) {
    const row = decodePeerRow(field);
    if (row === undefined) return undefined;
    rows.push(row);
  }
  return rows;
}

function decodePeerRow(field: unknown): PeerRow | undefined {
  if (!Array.isArray(field)) return undefined;
  const cells: readonly unknown[] = field;
  const [node, name, address, unicastPort, snapshotPort, priority, isInSync, lossPermille, sequence] = cells;
  if (!isNode(node) || !isText(name, NAME_LIMIT) || !isText(address, ADDRESS_LIMIT)) return undefined;
  if (!isPort(unicastPort) || !isPort(snapshotPort) || !isWhole(priority, 1_001)) return undefined;
  if (typeof isInSync !== "boolean" || !isWhole(lossPermille, 1_001) || !isWhole(sequence)) return undefined;
  const row = { node, name, address, unicastPort, snapshotPort, priority, isInSync, lossPermille, sequence };
  const clock = decodeClock(cells, 9);
  return clock === undefined ? undefined : { ...row, ...clock };
}

export function writeResultFields(result: WriteResult): unknown[] {
  const refusals = result.refusals.flatMap((refusal) => [refusal.write, refusal.reject]);
  return [result.session, result.write, result.frame, result.term, refusals];
}

export function decodeWriteResult(plain: Uint8Array, length: number): WriteResult | undefined {
  const fields = decodeFields(plain, length);
  if (fields === undefined) return undefined;
  const [session, write, frame, term, pairs] = fields;
  if (!isWhole(session, 2 ** 32) || !isWhole(write) || !isWhole(frame) || !isWhole(term, 2 ** 32)) return undefined;
  if (!Array.isArray(pairs) || !pairs.every((item) => isWhole(item))) return undefined;
  const refusals = [];
  for (let index = 0; index + 1 < pairs.length; index += 2) {
    refusals.push({ write: pairs[index] as number, reject: rejectOf(pairs[index + 1] as number) });
  }
  return { session, write, frame, term, refusals };
}

export function nakFields(nak: Nak): unknown[] {
  return [nak.term, ...nak.ranges];
}

export function decodeNak(plain: Uint8Array, length: number): Nak | undefined {
  const fields = decodeFields(plain, length);
  if (fields === undefined || fields.length > 1 + NAK_RANGES_MAX * 2) return undefined;
  const numbers = fields.filter((field) => isWhole(field));
  if (numbers.length !== fields.length) return undefined;
  const [term, ...ranges] = numbers;
  return term === undefined ? undefined : { term, ranges };
}

function isWhole(value: unknown, below = 2 ** 53): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value < below;
}

function isPort(value: unknown): value is number {
  return isWhole(value, 65_536);
}

function isText(value: unknown, limit: number): value is string {
  return typeof value === "string" && value.length <= limit;
}

function isNode(value: unknown): value is string {
  return typeof value === "string" && /^[0-9a-f]{16}$/.test(value);
}
