/**
 * Fitness: how a node fares, as it says in its report and as the controller repeats it in its list of peers.
 *
 * A few numbers, because every node sends them once a second and every node hears all of them. It holds no judgement
 * of one node about another: that is made where it is shown.
 */
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

export const INTERFACE_NAME_LIMIT = 32;
/** Half an hour: what is more is shown as that. */
export const MEASURE_LIMIT_US = 0x7fff_ffff;
const DIFFERS_LIMIT = 2 ** COMPONENTS.length;

/** Measures go as whole numbers from 0 on, so that a field below 0 is none. */
export function fitnessFields(fitness: Fitness): unknown[] {
  return [
    fitness.lossPermille,
    fitness.naks,
    fitness.provenSequence,
    fitness.differs,
    fitness.level,
    fitness.interfaceName,
    fitness.roundTripUs + 1,
    fitness.clockOffsetUs + MEASURE_LIMIT_US,
    fitness.clockBoundUs + 1,
  ];
}

/** Undefined when the fields from `from` on are none. */
export function decodeFitness(fields: readonly unknown[], from: number): Fitness | undefined {
  const [lossPermille, naks, provenSequence, differs, level, interfaceName, ...times] = fields.slice(from, from + 9);
  const [roundTrip, clockOffset, clockBound] = times;
  if (!isWithin(lossPermille, 0, 1_000) || !isWithin(naks, 0, 2 ** 53) || !isWithin(provenSequence, 0, 2 ** 48 - 1)) {
    return undefined;
  }
  if (!isWithin(differs, 0, DIFFERS_LIMIT - 1) || !isLevel(level)) return undefined;
  if (typeof interfaceName !== "string" || interfaceName.length > INTERFACE_NAME_LIMIT) return undefined;
  if (!isWithin(roundTrip, 0, MEASURE_LIMIT_US + 1) || !isWithin(clockBound, 0, MEASURE_LIMIT_US + 1)) return undefined;
  if (!isWithin(clockOffset, 0, 2 * MEASURE_LIMIT_US)) return undefined;
  return {
    lossPermille,
    naks,
    provenSequence,
    differs,
    level,
    interfaceName,
    roundTripUs: roundTrip - 1,
    clockOffsetUs: clockOffset - MEASURE_LIMIT_US,
    clockBoundUs: clockBound - 1,
  };
}

export function isLevel(value: unknown): value is FitnessLevel {
  return value === FitnessLevel.green || value === FitnessLevel.yellow || value === FitnessLevel.red;
}

function isWithin(value: unknown, least: number, most: number): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= least && value <= most;
}
