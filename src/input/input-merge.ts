/**
 * Input merge: what a path becomes when several controls of this node have a say in it at a time.
 *
 * Every control keeps what it last asked for; a move of one makes the path what the policy says of all. A control rests
 * while it asks for its low end. Pure; three doubles a control, and nothing is allocated when one moves.
 */

/** In the order of the values of `/mappings/{id}/merge`. */
export const InputMerge = { last: 0, max: 1, sum: 2, priority: 3 } as const;
export type InputMerge = (typeof InputMerge)[keyof typeof InputMerge];

/** Doubles per control, in one array for all. */
export const MERGE_DOUBLES = 3;
/** The value that it last asked for; NaN before it moved. */
const ASKED = 0;
/** What it asks for at rest. */
const REST = 1;
/** Counts moves: the latest of them has the highest. */
const MOVED = 2;

/** Controls that share a path by one policy. */
export class MergedInputs {
  readonly policy: InputMerge;
  private readonly memory: Float64Array;
  /** Where their doubles begin in `memory`, and how much each has to say. */
  private readonly places: number[] = [];
  private readonly priorities: number[] = [];
  private moves = 0;

  constructor(policy: InputMerge, memory: Float64Array) {
    this.policy = policy;
    this.memory = memory;
  }

  add(place: number, priority: number, rest: number): void {
    const { memory } = this;
    this.places.push(place);
    this.priorities.push(priority);
    memory[place + REST] = rest;
    this.moves = Math.max(this.moves, memory[place + MOVED] as number);
  }

  /** The control at `place` asks for the value in `values[0]`: puts there what the path is to be. */
  take(place: number, values: Float64Array): void {
    const { memory, policy } = this;
    this.moves++;
    memory[place + ASKED] = values[0] as number;
    memory[place + MOVED] = this.moves;
    if (policy === InputMerge.max) this.highest(values);
    else if (policy === InputMerge.sum) this.sum(place, values);
    else this.foremost(values);
  }

  private highest(values: Float64Array): void {
    for (const place of this.places) {
      const asked = this.memory[place + ASKED] as number;
      if (asked > (values[0] as number)) values[0] = asked;
    }
  }

  /** Each adds how far it is from its rest. */
  private sum(place: number, values: Float64Array): void {
    const { memory } = this;
    values[0] = memory[place + REST] as number;
    for (const one of this.places) {
      const asked = memory[one + ASKED] as number;
      if (!Number.isNaN(asked)) values[0] = (values[0] as number) + asked - (memory[one + REST] as number);
    }
  }

  /** The one with the highest priority that does not rest; of equals the one that moved last. Else the one that moved. */
  private foremost(values: Float64Array): void {
    const { memory, places } = this;
    let first = -1;
    for (let index = 0; index < places.length; index++) {
      const place = places[index] as number;
      const asked = memory[place + ASKED] as number;
      if (Number.isNaN(asked) || asked === memory[place + REST]) continue;
      if (first < 0 || this.isBefore(index, first)) first = index;
    }
    if (first >= 0) values[0] = memory[(places[first] as number) + ASKED] as number;
  }

  private isBefore(index: number, other: number): boolean {
    const { memory, places, priorities } = this;
    const more = (priorities[index] as number) - (priorities[other] as number);
    if (more !== 0) return more > 0;
    return (
      (memory[(places[index] as number) + MOVED] as number) > (memory[(places[other] as number) + MOVED] as number)
    );
  }
}

/** The control has not moved yet. */
export function resetMerge(memory: Float64Array, place: number): void {
  memory[place + ASKED] = Number.NaN;
  memory[place + REST] = 0;
  memory[place + MOVED] = 0;
}
