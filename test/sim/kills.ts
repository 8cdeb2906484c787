/**
 * Kills: the controller of a mesh ends without a word, again and again, amid writes of all nodes to critical paths. What
 * is measured: how long until another one takes writes that all show, and what was acknowledged and is gone.
 *
 *     npm run kills -- --count 1000 --nodes 5 --seed 1       prints the figures; `figures.test.ts` runs it in CI
 *
 * Also --loss (a share of all datagrams) and --rest (milliseconds that the mesh is whole before the next one; by then
 * every node has heard how the others fare, and its place in the order of succession), --victims (how many die at once,
 * the controller one of them), --hold (all are electors) and --again 200..900 (the successor dies as well, so many
 * milliseconds after it took over: the second takeover is measured).
 */
import { Random } from "../../src/base/random.js";
import type { Machine } from "./machine.js";
import { CRITICAL, ownPath } from "./show.js";
import { percentile, Stage } from "./stage.js";

export interface KillOptions {
  readonly nodes: number;
  readonly count: number;
  readonly seed: number;
  readonly loss?: number;
  /** 1,500 unless told. */
  readonly restMs?: number;
  /** How many die at once, the controller one of them: 1 unless told. */
  readonly victims?: number;
  /** All nodes are electors of policy `hold`. */
  readonly isHold?: boolean;
  /** The successor dies as well, this long after it took over, in milliseconds: from, to; its takeover is measured. */
  readonly againMs?: readonly [number, number];
}

export interface KillFigures {
  /** Milliseconds from the end of the controller until all that live show a new write. */
  readonly tookMs: readonly number[];
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly worstMs: number;
  /** Critical writes acknowledged as replicated; of those, died with all that had them; acknowledged as not replicated. */
  readonly replicated: number;
  readonly buried: number;
  readonly alone: number;
  readonly virtualS: number;
}

/** Mean time between two writes of a node, and how long they last at most before the kill. */
const PACE_US = 10_000;
const AMID_US = 100_000;
const LIMIT_US = 20e6;
const REST_MS = 1_500;

/** Throws on whatever the oracle finds, a lost write among it. */
export function killControllers(options: KillOptions): KillFigures {
  const { nodes, count, seed, loss = 0, isHold = false } = options;
  const stage = Stage.settled(nodes, seed, isHold);
  const random = new Random(seed);
  if (loss > 0) stage.bend((link) => (link.loss = loss));
  const tookMs = Array.from({ length: count }, () => killOnce(stage, random, options));
  const { critical } = stage.simulation.oracle;
  return {
    tookMs,
    p50Ms: percentile(tookMs, 0.5),
    p99Ms: percentile(tookMs, 0.99),
    worstMs: Math.max(...tookMs),
    replicated: critical.replicated,
    buried: critical.buried,
    alone: critical.alone,
    virtualS: stage.elapsedS,
  };
}

function killOnce(stage: Stage, random: Random, { restMs = REST_MS, victims = 1, againMs }: KillOptions): number {
  stage.wait(restMs);
  const { machines } = stage;
  const dying = [stage.controller];
  while (dying.length < victims) {
    const other = machines[Math.floor(random.next() * machines.length)] as Machine;
    if (!dying.includes(other)) dying.push(other);
  }
  writeAmid(stage, random);
  for (const machine of dying) machine.kill();
  let alive = machines.filter((machine) => !dying.includes(machine));
  let took = takenOver(stage, alive);
  if (againMs !== undefined) {
    stage.wait(againMs[0] + random.next() * (againMs[1] - againMs[0]));
    const successor = stage.controller;
    successor.kill();
    dying.push(successor);
    alive = alive.filter((machine) => machine !== successor);
    took = takenOver(stage, alive);
  }
  for (const machine of dying) machine.start();
  stage.until(() => stage.isWhole && stage.isAnswered, LIMIT_US);
  const lost = stage.simulation.oracle.critical.lostAt(stage.controller);
  if (lost !== undefined) throw new Error(`lost write ${lost.number} of ${lost.path}, acknowledged as replicated`);
  return took;
}

/** Milliseconds until somebody else takes a write that all who live show. */
function takenOver(stage: Stage, alive: readonly Machine[]): number {
  const took = stage.until(() => alive.some((machine) => machine.isController), LIMIT_US);
  const next = alive.find((machine) => machine.isController) as Machine;
  return took + stage.spread(stage.write(next), alive);
}

/** Everybody writes, for a time that chance decides; the last of it is on its way when this ends. */
function writeAmid(stage: Stage, random: Random): void {
  const { machines } = stage;
  for (let leftUs = Math.floor(random.next() * AMID_US); leftUs > 0; ) {
    const machine = machines[Math.floor(random.next() * machines.length)] as Machine;
    stage.write(machine, random.next() < 0.8 ? ownPath(machine.index) : CRITICAL);
    const pauseUs = Math.min(leftUs, 1 + Math.floor((random.next() * 2 * PACE_US) / machines.length));
    stage.wait(pauseUs / 1_000);
    leftUs -= pauseUs;
  }
}
