/**
 * Merge refusals: what another side had and this one could not take, because its tree is full or something else stands in
 * that place. No list could name it there, so the health does: how many, which first and why, for ten minutes.
 *
 * Told what was refused and the time. It never forgets one without having told it.
 */
import { type Reject, rejectText } from "../state/reject.js";
import { HealthCode } from "./health.js";
import type { NodeParts } from "./parts.js";

const TOLD_US = 600_000_000;

interface Refusal {
  readonly path: string;
  readonly reject: Reject;
}

export class MergeRefusals {
  private readonly node: NodeParts;
  /** Of the side that is being merged. */
  private readonly refused: Refusal[] = [];
  /** How many are told of now, and one of them. */
  private told = 0;
  private first: Refusal | undefined;
  /** [0] until when they are told. */
  private readonly toldUntil = new Float64Array(1);

  constructor(node: NodeParts) {
    this.node = node;
  }

  note(path: string, reject: Reject): void {
    this.refused.push({ path, reject });
  }

  /** The side was not merged to its end, and is offered again. */
  drop(): void {
    this.refused.length = 0;
  }

  /** The side is merged: what was refused of it is told, with what still is of another. */
  tell(): void {
    const { node, refused } = this;
    if (refused.length === 0) return;
    node.core.counters.mergesRefused += refused.length;
    this.told += refused.length;
    this.first ??= refused[0] as Refusal;
    this.toldUntil[0] = node.core.clock.nowUs + TOLD_US;
    node.setHealth(HealthCode.mergeRefused, textOf(this.told, this.first));
  }

  tick(): void {
    if (this.told === 0 || this.node.core.clock.nowUs < (this.toldUntil[0] as number)) return;
    this.told = 0;
    this.first = undefined;
    this.node.setHealth(HealthCode.mergeRefused, "");
  }
}

function textOf(count: number, { path, reject }: Refusal): string {
  const changes = count === 1 ? "a change" : `${count} changes`;
  const paths = count === 1 ? path : `${path} and others`;
  return `${changes} of the other side of a divided network could not be taken over: ${paths}: ${rejectText(reject)}`;
}
