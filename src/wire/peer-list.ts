/**
 * Peer list: the controller's rows about the nodes that it knows, as bytes. Every node reads every row once a second,
 * so a row says only what moves; what stays (names, addresses, ports) comes in whole rows, now and then and whenever it
 * changes. Nothing is allocated for a row that is not whole, but the node's id.
 *
 *   list  = row x n, until the end of the message
 *   row   = flags u8 (1 whole, 2 in sync, level << 2, 16 conflated), node 8 B, sequence u48, silent ms u16,
 *           measures (fitness.ts),
 *           [whole: name text, address text, interface text, unicast port u16, snapshot port u16, priority u16]
 */
import type { ByteWriter } from "../base/bytes.js";
import {
  type Fitness,
  type FitnessLevel,
  FitnessReader,
  INTERFACE_NAME_LIMIT,
  NAME_LIMIT,
  PRIORITY_MAX,
  writeMeasures,
} from "./fitness.js";
import { readNode, writeNode } from "./frame.js";

export interface PeerRow extends Fitness {
  readonly node: string;
  /** Until `interfaceName`: told by whole rows only. */
  readonly name: string;
  readonly address: string;
  readonly unicastPort: number;
  readonly snapshotPort: number;
  readonly priority: number;
  readonly isInSync: boolean;
  /** It loses much more than the others, and gets only the newest values. */
  readonly isConflated: boolean;
  /** The newest change sequence that it said to have. */
  readonly sequence: number;
  /** How long the controller has not heard it, in milliseconds, 65,535 at most. */
  readonly silentMs: number;
}

const WHOLE = 1;
const IN_SYNC = 2;
const LEVEL_SHIFT = 2;
const LEVEL_MASK = 3;
const CONFLATED = 16;
const FLAGS_MAX = 31;
const SILENT_MAX_MS = 0xffff;
const ADDRESS_LIMIT = 45;

/** Adds a row. Where it does not fit, the writer says `overflow`. */
export function writePeerRow(out: ByteWriter, row: PeerRow, isWhole: boolean): void {
  const standing = (isWhole ? WHOLE : 0) | (row.isInSync ? IN_SYNC : 0) | (row.isConflated ? CONFLATED : 0);
  out.u8(standing | (row.level << LEVEL_SHIFT));
  writeNode(out, row.node);
  out.u48(row.sequence);
  out.u16(Math.min(SILENT_MAX_MS, row.silentMs));
  writeMeasures(out, row);
  if (isWhole) writeStanding(out, row);
}

function writeStanding(out: ByteWriter, row: PeerRow): void {
  out.text(row.name);
  out.text(row.address);
  out.text(row.interfaceName);
  out.u16(row.unicastPort);
  out.u16(row.snapshotPort);
  out.u16(row.priority);
}

/** Reads a list row by row: its fields are the row that `next` came to. */
export class PeerListReader extends FitnessReader implements PeerRow {
  node = "";
  isWhole = false;
  isInSync = false;
  isConflated = false;
  sequence = 0;
  silentMs = 0;
  name = "";
  address = "";
  unicastPort = 0;
  snapshotPort = 0;
  priority = 0;

  begin(plain: Uint8Array, length: number): void {
    this.input.reset(plain, 0, length);
  }

  /** Goes to the next row. False at the end, or where the bytes are no row: then `failed`. */
  next(): boolean {
    const { input } = this;
    if (input.failed || input.remaining === 0) return false;
    this.moving();
    if (this.isWhole) this.standing();
    if (this.node === "" || !this.areMeasuresSound) input.failed = true;
    return !input.failed;
  }

  get failed(): boolean {
    return this.input.failed;
  }

  private moving(): void {
    const { input } = this;
    const flags = input.u8();
    this.isWhole = (flags & WHOLE) !== 0;
    this.isInSync = (flags & IN_SYNC) !== 0;
    this.isConflated = (flags & CONFLATED) !== 0;
    this.level = ((flags >> LEVEL_SHIFT) & LEVEL_MASK) as FitnessLevel;
    if (flags > FLAGS_MAX) input.failed = true;
    this.node = readNode(input);
    this.sequence = input.u48();
    this.silentMs = input.u16();
    this.measures();
  }

  private standing(): void {
    const { input } = this;
    this.name = this.text(NAME_LIMIT);
    this.address = this.text(ADDRESS_LIMIT);
    this.interfaceName = this.text(INTERFACE_NAME_LIMIT);
    this.unicastPort = input.u16();
    this.snapshotPort = input.u16();
    this.priority = input.u16();
    if (this.priority > PRIORITY_MAX) input.failed = true;
  }
}
