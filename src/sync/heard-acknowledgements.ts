/**
 * HeardAcknowledgements: where all writers stand in this node's state, for the day it becomes controller.
 *
 * A writer that never heard its acknowledgement writes again to the next controller, and an impulse would fire twice.
 * Where writers stand comes with the changes and acts in their order, or with the snapshot that took their place; so it
 * is always what the state here holds, no more and no less. Bounded; allocates nothing per acknowledgement.
 */
import { ORIGINS_MAX, type OriginTable } from "../state/tables.js";
import { type Refusal, type Standing, WRITERS_MAX } from "../wire/standing.js";
import type { WriteIntake } from "./write-intake.js";

const NO_REFUSALS: readonly Refusal[] = [];
/** The place of this node itself, which is never given away. */
const OWN = 0;

export class HeardAcknowledgements {
  private readonly origins: OriginTable;
  /** The place (plus one) of an origin's node; 0 while it is not known. */
  private readonly places = new Uint16Array(ORIGINS_MAX + 1);
  private readonly byNode = new Map<string, number>();
  private readonly nodes: string[] = [];
  private readonly sessions = new Uint32Array(WRITERS_MAX);
  private readonly writes = new Float64Array(WRITERS_MAX);
  private readonly refusals = new Array<readonly Refusal[]>(WRITERS_MAX).fill(NO_REFUSALS);
  /** The place that is given away next when all are taken. */
  private oldest = OWN;

  constructor(origins: OriginTable, ownNode: string) {
    this.origins = origins;
    this.take(ownNode, OWN);
  }

  /** Whether an origin (by this node's index) is of this node. */
  isOwn(origin: number): boolean {
    return this.placeOf(origin) === OWN;
  }

  /** A writer stands there in what has acted here. */
  hear(origin: number, session: number, write: number, refusals: readonly Refusal[]): void {
    this.put(this.placeOf(origin), session, write, refusals);
  }

  private put(place: number, session: number, write: number, refusals: readonly Refusal[]): void {
    if (this.sessions[place] === session && write < (this.writes[place] as number)) return;
    this.sessions[place] = session;
    this.writes[place] = write;
    this.refusals[place] = refusals;
  }

  private placeOf(origin: number): number {
    const known = this.places[origin] as number;
    if (known !== 0) return known - 1;
    const place = this.placeOfNode(this.origins.at(origin).node);
    this.places[origin] = place + 1;
    return place;
  }

  private placeOfNode(node: string): number {
    const known = this.byNode.get(node);
    if (known !== undefined) return known;
    const place = this.nodes.length < WRITERS_MAX ? this.nodes.length : this.giveAway();
    this.take(node, place);
    return place;
  }

  private take(node: string, place: number): void {
    this.byNode.set(node, place);
    this.nodes[place] = node;
    this.sessions[place] = 0;
    this.writes[place] = 0;
    this.refusals[place] = NO_REFUSALS;
  }

  private giveAway(): number {
    this.oldest = (this.oldest % (WRITERS_MAX - 1)) + 1;
    const place = this.oldest;
    this.byNode.delete(this.nodes[place] as string);
    for (let origin = 0; origin < this.places.length; origin++) {
      if (this.places[origin] === place + 1) this.places[origin] = 0;
    }
    return place;
  }

  /** Where all writers stand. */
  list(): Standing[] {
    const standings: Standing[] = [];
    for (const [place, node] of this.nodes.entries()) {
      const write = this.writes[place] as number;
      const refusals = this.refusals[place] as readonly Refusal[];
      if (write > 0) standings.push({ node, session: this.sessions[place] as number, write, refusals });
    }
    return standings;
  }

  /** Another state takes the place of the one that these were about. */
  replace(standings: readonly Standing[]): void {
    for (let place = 0; place < this.nodes.length; place++) this.take(this.nodes[place] as string, place);
    for (const { node, session, write, refusals } of standings) {
      this.put(this.placeOfNode(node), session, write, refusals);
    }
  }

  /** This node is controller: its intake knows from here on. */
  handOver(intake: WriteIntake): void {
    for (const standing of this.list()) intake.learn(standing);
  }
}
