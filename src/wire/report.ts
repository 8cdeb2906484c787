/**
 * Report: what a follower says to its controller once a second, and five times while it loses frames: who it is, where
 * it is reached, which term it follows and how it fares.
 *
 * A controller of a hundred takes a hundred of them a second, beside the stream: so it is bytes of fixed places, read
 * into one reader's fields, with nothing to be built or unpacked. Whatever is no report is refused as a whole.
 *
 *   report = flags u8 (1 in sync, level << 1), term u32, sequence u48, unicast port u16, snapshot port u16, priority u16,
 *            measures (fitness.ts), name text, interface text
 */
import { ByteWriter } from "../base/bytes.js";
import {
  type Fitness,
  type FitnessLevel,
  FitnessReader,
  INTERFACE_NAME_LIMIT,
  NAME_LIMIT,
  PRIORITY_MAX,
  writeMeasures,
} from "./fitness.js";
import type { NodeNotice } from "./messages.js";

export interface Report extends NodeNotice, Fitness {
  /** The newest change sequence applied. */
  readonly sequence: number;
}

const IN_SYNC = 1;
const LEVEL_SHIFT = 1;

/** Answers the message's length; 0 when it does not fit. */
export function writeReport(plain: Uint8Array, report: Report): number {
  const out = new ByteWriter(plain);
  out.u8((report.isInSync ? IN_SYNC : 0) | (report.level << LEVEL_SHIFT));
  out.u32(report.term);
  out.u48(report.sequence);
  out.u16(report.unicastPort);
  out.u16(report.snapshotPort);
  out.u16(report.priority);
  writeMeasures(out, report);
  out.text(report.name);
  out.text(report.interfaceName);
  return out.overflow ? 0 : out.offset;
}

/** Its fields are those of the report that was read last. */
export class ReportReader extends FitnessReader implements Report {
  isInSync = false;
  term = 0;
  sequence = 0;
  unicastPort = 0;
  snapshotPort = 0;
  priority = 0;
  name = "";

  /** False when the bytes are none: then the fields mean nothing. */
  read(plain: Uint8Array, length: number): boolean {
    const { input } = this;
    input.reset(plain, 0, length);
    const flags = input.u8();
    this.isInSync = (flags & IN_SYNC) !== 0;
    this.level = (flags >> LEVEL_SHIFT) as FitnessLevel;
    this.term = input.u32();
    this.sequence = input.u48();
    this.unicastPort = input.u16();
    this.snapshotPort = input.u16();
    this.priority = input.u16();
    this.measures();
    this.name = this.text(NAME_LIMIT);
    this.interfaceName = this.text(INTERFACE_NAME_LIMIT);
    const isWhole = !input.failed && input.remaining === 0;
    return isWhole && this.priority <= PRIORITY_MAX && this.areMeasuresSound;
  }
}
