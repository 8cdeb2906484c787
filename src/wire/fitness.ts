/**
 * Fitness: how a node fares, as it says in its report and as the controller repeats it in its list of peers.
 *
 * A few numbers, because every node sends them once a second and every node hears all of them. It holds no judgement
 * of one node about another: that is made where it is shown.
 *
 *   measures = proven sequence u48, loss u16, differs u16, NAKs varint, round trip + 1 varint, clock bound + 1 varint,
 *              clock offset zigzag
 */
import { ByteReader, type ByteWriter } from "../base/bytes.js";
import { COMPONENTS } from "../state/component.js";

/** The worst of a node's own findings. */
export const FitnessLevel = { green: 0, yellow: 1, red: 2 } as const;
export type FitnessLevel = (typeof FitnessLevel)[keyof typeof FitnessLevel];

export interface Fitness {
  /** Frames that did not come by themselves, of the last second's, in 1/1000. */
  readonly lossPermille: number;
  /** How often it asked for frames again, since its start. */
  readonly naks: number;
  /** The newest change sequence at which its digests were those of its controller; 0 for none in this term. */
  readonly provenSequence: number;
  /** One bit per component, the first is the lowest: its digest differed when it was compared last. */
  readonly differs: number;
  readonly level: FitnessLevel;
  /** The network interface that it uses, such as `eth0`. */
  readonly interfaceName: string;
  /** To the controller and back, in microseconds; -1 while it is not measured. */
  readonly roundTripUs: number;
  /** How far its clock is ahead of the mesh's time, and how wrong that may be, in microseconds; bound -1: unknown. */
  readonly clockOffsetUs: number;
  readonly clockBoundUs: number;
}

export const NAME_LIMIT = 64;
export const INTERFACE_NAME_LIMIT = 32;
/** Half an hour: what is more is shown as that. */
export const MEASURE_LIMIT_US = 0x7fff_ffff;
export const PRIORITY_MAX = 1_000;
/** Three bytes a character. */
const TEXT_LIMIT_BYTES = NAME_LIMIT * 3;

/** What moves of it; level and interface go where there is room for them. */
export function writeMeasures(out: ByteWriter, fitness: Fitness): void {
  out.u48(fitness.provenSequence);
  out.u16(fitness.lossPermille);
  out.u16(fitness.differs);
  out.varint(fitness.naks);
  out.varint(fitness.roundTripUs + 1);
  out.varint(fitness.clockBoundUs + 1);
  out.zigzag(fitness.clockOffsetUs);
}

/** Reads messages that say how a node fares into its own fields: a hundred nodes do once a second. */
export class FitnessReader implements Fitness {
  protected readonly input = new ByteReader();
  private readonly decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  provenSequence = 0;
  lossPermille = 0;
  differs = 0;
  level: FitnessLevel = 0;
  naks = 0;
  roundTripUs = -1;
  clockBoundUs = -1;
  clockOffsetUs = 0;
  interfaceName = "";

  protected measures(): void {
    const { input } = this;
    this.provenSequence = input.u48();
    this.lossPermille = input.u16();
    this.differs = input.u16();
    this.naks = input.varint();
    this.roundTripUs = input.varint() - 1;
    this.clockBoundUs = input.varint() - 1;
    this.clockOffsetUs = input.zigzag();
  }

  protected text(limit: number): string {
    const { input } = this;
    const bytes = input.blob(TEXT_LIMIT_BYTES);
    try {
      const text = this.decoder.decode(bytes);
      if (text.length <= limit) return text;
    } catch {
      // Not UTF-8: no such message.
    }
    input.failed = true;
    return "";
  }

  protected get areMeasuresSound(): boolean {
    if (!isLevel(this.level) || this.lossPermille > 1_000 || this.differs >= 2 ** COMPONENTS.length) return false;
    return this.roundTripUs <= MEASURE_LIMIT_US && this.clockBoundUs <= MEASURE_LIMIT_US;
  }
}

function isLevel(value: number): boolean {
  return value === FitnessLevel.green || value === FitnessLevel.yellow || value === FitnessLevel.red;
}
