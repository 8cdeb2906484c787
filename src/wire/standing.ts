/**
 * Standing: up to where a writer's writes are in somebody's state, and which of them were refused.
 *
 * It goes wherever the state goes, in the stream beside the changes and in snapshots, so that whoever becomes
 * controller with that state takes no write twice. Standings come from other nodes: bytes that are none are refused.
 *
 *   standings = (node 8 B, session u32, write varint, refusals u8 x (write varint, reject u8)) ...
 */
import { ByteReader, ByteWriter } from "../base/bytes.js";
import { type Reject, rejectOf } from "../state/reject.js";
import { NODE_ID_BYTES } from "./envelope.js";
import { readNode, writeNode } from "./frame.js";

export interface Refusal {
  readonly write: number;
  readonly reject: Reject;
}

export interface Standing {
  /** 16 hex digits. */
  readonly node: string;
  /** Which boot of that node counted these writes. */
  readonly session: number;
  /** All writes of that boot up to this one were taken. */
  readonly write: number;
  /** Those that were refused, as far as the writer may not know it. */
  readonly refusals: readonly Refusal[];
}

/** Refusals that are kept of one writer; it is heard no further until it knows of them. */
export const REFUSALS_MAX = 64;
/** Writers known at once; the one that wrote longest ago is forgotten first. */
export const WRITERS_MAX = 256;
/** What one record of a snapshot holds, and a little less. */
const STANDINGS_LIMIT_BYTES = 60_000;
const STANDING_MAX_BYTES = NODE_ID_BYTES + 4 + 8 + 1;
const REFUSAL_MAX_BYTES = 9;

export function encodeStandings(standings: readonly Standing[]): Uint8Array {
  const bytes = standings.reduce((sum, { refusals }) => sum + sizeOf(refusals.length), 0);
  const out = new ByteWriter(new Uint8Array(Math.min(bytes, STANDINGS_LIMIT_BYTES)));
  for (const [index, standing] of standings.entries()) {
    const left = (standings.length - index - 1) * STANDING_MAX_BYTES;
    const fits = out.offset + sizeOf(standing.refusals.length) + left <= out.limit;
    writeStanding(out, fits ? standing : withoutRefusals(standing));
  }
  return out.buffer.slice(0, out.offset);
}

function sizeOf(refusals: number): number {
  return STANDING_MAX_BYTES + refusals * REFUSAL_MAX_BYTES;
}

/** Where nothing more can be told of refusals the writer stands before the first of them: it asks for the rest again. */
function withoutRefusals(standing: Standing): Standing {
  const write = Math.min(standing.write, ...standing.refusals.map((refusal) => refusal.write - 1));
  return { ...standing, write, refusals: [] };
}

function writeStanding(out: ByteWriter, { node, session, write, refusals }: Standing): void {
  writeNode(out, node);
  out.u32(session);
  out.varint(write);
  out.u8(refusals.length);
  for (const refusal of refusals) {
    out.varint(refusal.write);
    out.u8(refusal.reject);
  }
}

/** Undefined when the bytes are no standings, or more than there are writers. */
export function decodeStandings(bytes: Uint8Array): Standing[] | undefined {
  const input = new ByteReader(bytes);
  const standings: Standing[] = [];
  while (input.remaining > 0) {
    const node = readNode(input);
    const session = input.u32();
    const write = input.varint();
    const refusals = readRefusals(input);
    if (input.failed || node === "" || standings.length >= WRITERS_MAX) return undefined;
    standings.push({ node, session, write, refusals });
  }
  return standings;
}

const NO_REFUSALS: readonly Refusal[] = [];

/** A count and as many refusals; fails the input when there are more than a writer has. */
export function readRefusals(input: ByteReader): readonly Refusal[] {
  const count = input.u8();
  if (count === 0) return NO_REFUSALS;
  if (count > REFUSALS_MAX) input.failed = true;
  const refusals: Refusal[] = [];
  for (let index = 0; index < count && !input.failed; index++) {
    refusals.push({ write: input.varint(), reject: rejectOf(input.u8()) });
  }
  return refusals;
}
