/**
 * Snapshot records: what travels inside the sealed TCP stream of a late join. A request, then a header, the origins
 * that found no room in it, its lineage, pieces of the image's chunks, where the writers stand, and an end. Checked
 * field by field: a member of the mesh may still be wrong.
 */
import { decodeFields, isNode, isText, isWhole, packFields } from "./fields.js";

export const RecordKind = {
  header: 1,
  piece: 2,
  lastPiece: 3,
  end: 4,
  refused: 5,
  origins: 6,
  lineage: 7,
  standings: 8,
} as const;
export type RecordKind = (typeof RecordKind)[keyof typeof RecordKind];

export interface SnapshotRequestRecord {
  /** The image must hold every change up to this sequence. */
  readonly minSequence: number;
  /** The image that was begun, 0 for none, whose it was (`termKey`), and how many of its records are here. */
  readonly image: number;
  readonly term: string;
  readonly records: number;
}

export interface SnapshotHeader {
  readonly image: number;
  readonly termNumber: number;
  readonly termNode: string;
  readonly sequence: number;
  /** Where the writers stand is said for the changes up to this one, which may be earlier than `sequence`. */
  readonly told: number;
  readonly origins: readonly { readonly node: string; readonly surface: string }[];
  /** What the image is made of beside its own term: of each earlier term, up to which sequence. */
  readonly lineage: readonly { readonly number: number; readonly node: string; readonly sequence: number }[];
}

/** An origin is at most some 280 bytes; a record holds 65,520. */
const ORIGINS_PER_RECORD = 200;
const NAME_LIMIT = 255;
/** At most 31 bytes each. */
const TERMS_PER_RECORD = 1_024;

/** A term as one text: images of different controllers may have the same number. */
export function termKey({ termNumber, termNode }: SnapshotHeader): string {
  return `${termNumber}/${termNode}`;
}

const TERM_KEY_LENGTH = 40;

export function encodeRequest(request: SnapshotRequestRecord): Uint8Array {
  return new Uint8Array(packFields([request.minSequence, request.image, request.term, request.records]));
}

export function decodeRequest(bytes: Uint8Array): SnapshotRequestRecord | undefined {
  const [minSequence, image, term, records] = decodeFields(bytes, bytes.length) ?? [];
  if (!isWhole(minSequence) || !isWhole(image) || !isWhole(records)) return undefined;
  if (!isText(term, TERM_KEY_LENGTH)) return undefined;
  return { minSequence, image, term, records };
}

/** The header as records, as many as its origins need. */
export function headerRecords(header: SnapshotHeader): Uint8Array[] {
  const records = [encodeHeader({ ...header, origins: header.origins.slice(0, ORIGINS_PER_RECORD) })];
  for (let at = ORIGINS_PER_RECORD; at < header.origins.length; at += ORIGINS_PER_RECORD) {
    records.push(recordOf(RecordKind.origins, namesOf(header.origins.slice(at, at + ORIGINS_PER_RECORD))));
  }
  for (let at = 0; at < header.lineage.length; at += TERMS_PER_RECORD) {
    const entries = header.lineage.slice(at, at + TERMS_PER_RECORD);
    const fields = entries.flatMap(({ number, node, sequence }) => [number, node, sequence]);
    records.push(recordOf(RecordKind.lineage, fields));
  }
  return records;
}

export function encodeHeader(header: SnapshotHeader): Uint8Array {
  const { image, termNumber, termNode, sequence, told, origins } = header;
  return recordOf(RecordKind.header, [image, termNumber, termNode, sequence, told, namesOf(origins)]);
}

function recordOf(kind: RecordKind, fields: readonly unknown[]): Uint8Array {
  const body = packFields(fields);
  const record = new Uint8Array(body.length + 1);
  record[0] = kind;
  record.set(body, 1);
  return record;
}

function namesOf(origins: SnapshotHeader["origins"]): string[] {
  return origins.flatMap((origin) => [origin.node, origin.surface]);
}

export function decodeHeader(bytes: Uint8Array): SnapshotHeader | undefined {
  const [image, termNumber, termNode, sequence, told, names] = decodeFields(bytes, bytes.length) ?? [];
  if (!isWhole(image) || !isWhole(termNumber) || !isWhole(sequence) || !isWhole(told)) return undefined;
  if (!isNode(termNode) || told > sequence) return undefined;
  const origins = originsOf(names);
  return origins === undefined ? undefined : { image, termNumber, termNode, sequence, told, origins, lineage: [] };
}

/** More of a header's origins. */
export function decodeOrigins(bytes: Uint8Array): SnapshotHeader["origins"] | undefined {
  return originsOf(decodeFields(bytes, bytes.length));
}

/** More of a header's lineage. */
export function decodeLineage(bytes: Uint8Array): SnapshotHeader["lineage"] | undefined {
  const fields = decodeFields(bytes, bytes.length);
  if (fields === undefined || fields.length % 3 !== 0) return undefined;
  const lineage = [];
  for (let index = 0; index < fields.length; index += 3) {
    const [number, node, sequence] = fields.slice(index, index + 3);
    if (!isWhole(number, 2 ** 32) || !isNode(node) || !isWhole(sequence)) return undefined;
    lineage.push({ number, node, sequence });
  }
  return lineage;
}

function originsOf(names: unknown): SnapshotHeader["origins"] | undefined {
  if (!Array.isArray(names) || !names.every((name) => isText(name, NAME_LIMIT))) return undefined;
  const origins = [];
  for (let index = 0; index + 1 < names.length; index += 2) {
    origins.push({ node: names[index] as string, surface: names[index + 1] as string });
  }
  return origins;
}

/** `standings` as `encodeStandings` makes them. */
export function standingsRecord(standings: Uint8Array): Uint8Array {
  const record = new Uint8Array(standings.length + 1);
  record[0] = RecordKind.standings;
  record.set(standings, 1);
  return record;
}

/** Cuts a chunk into records. */
export function piecesOf(chunk: Uint8Array, limitBytes: number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < chunk.length; at += limitBytes - 1) {
    const end = Math.min(at + limitBytes - 1, chunk.length);
    const record = new Uint8Array(end - at + 1);
    record[0] = end === chunk.length ? RecordKind.lastPiece : RecordKind.piece;
    record.set(chunk.subarray(at, end), 1);
    pieces.push(record);
  }
  return pieces;
}
