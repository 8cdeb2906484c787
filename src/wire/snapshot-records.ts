/**
 * Snapshot records: what travels inside the sealed TCP stream of a late join. A request, then a header, pieces of the
 * image's chunks, and an end. Checked field by field: a member of the mesh may still be wrong.
 */
import { Packr, Unpackr } from "msgpackr";

const OPTIONS = { useRecords: false, variableMapSize: true, copyBuffers: true } as const;
const packr = new Packr(OPTIONS);
const unpackr = new Unpackr(OPTIONS);

export const RecordKind = { header: 1, piece: 2, lastPiece: 3, end: 4, refused: 5 } as const;
export type RecordKind = (typeof RecordKind)[keyof typeof RecordKind];

export interface SnapshotRequestRecord {
  /** The image must hold every change up to this sequence. */
  readonly minSequence: number;
  /** The image that was begun, 0 for none, and how many of its records are here. */
  readonly image: number;
  readonly records: number;
}

export interface SnapshotHeader {
  readonly image: number;
  readonly termNumber: number;
  readonly termNode: string;
  readonly sequence: number;
  readonly origins: readonly { readonly node: string; readonly surface: string }[];
}

export function encodeRequest(request: SnapshotRequestRecord): Uint8Array {
  return new Uint8Array(packr.pack([request.minSequence, request.image, request.records]));
}

export function decodeRequest(bytes: Uint8Array): SnapshotRequestRecord | undefined {
  const fields = decode(bytes);
  if (fields?.length !== 3 || !fields.every(isWhole)) return undefined;
  const [minSequence, image, records] = fields as [number, number, number];
  return { minSequence, image, records };
}

export function encodeHeader(header: SnapshotHeader): Uint8Array {
  const origins = header.origins.flatMap((origin) => [origin.node, origin.surface]);
  const body = packr.pack([header.image, header.termNumber, header.termNode, header.sequence, origins]);
  const record = new Uint8Array(body.length + 1);
  record[0] = RecordKind.header;
  record.set(body, 1);
  return record;
}

export function decodeHeader(bytes: Uint8Array): SnapshotHeader | undefined {
  const [image, termNumber, termNode, sequence, names] = decode(bytes) ?? [];
  if (!isWhole(image) || !isWhole(termNumber) || !isWhole(sequence)) return undefined;
  if (typeof termNode !== "string" || !/^[0-9a-f]{16}$/.test(termNode)) return undefined;
  if (!Array.isArray(names) || !names.every((name) => typeof name === "string" && name.length <= 255)) return undefined;
  const origins = [];
  for (let index = 0; index + 1 < names.length; index += 2) {
    origins.push({ node: names[index] as string, surface: names[index + 1] as string });
  }
  return { image, termNumber, termNode, sequence, origins };
}

function decode(bytes: Uint8Array): unknown[] | undefined {
  try {
    const value: unknown = unpackr.unpack(bytes.slice());
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isWhole(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
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
