/**
 * Desk: a machine's second thread, as far as it keeps a copy of what the node shows (`manage/replica.ts`). It looks at the
 * ring now and then, asks for an image when it needs one, and gets that in pieces while the node goes on.
 *
 * Whenever it has read all that is in the ring it must hold what the node holds: paths, declarations, values, versions.
 */
import type { HanaNode } from "../../src/node/node.js";
import { Replica } from "../../src/manage/replica.js";
import type { Term } from "../../src/state/change.js";
import type { Declaration } from "../../src/state/declaration.js";
import { sameDeclaration } from "../../src/state/declaration-bytes.js";
import { ImageEncoder } from "../../src/state/image.js";
import { Staging } from "../../src/state/staging.js";
import type { State } from "../../src/state/state.js";
import { pendingOf } from "../../src/edge/node-reports.js";
import type { Machine } from "./machine.js";

/** As edge/desk-follower.ts. */
const IMAGE_PAUSE_US = 500_000;
/** All paths are compared this often, when it has read everything: that costs more than following does. */
const LOOK_US = 500_000;
/** From one thread to the other, and the turn that makes a piece of an image. */
const POST_US = 50;
const CHUNK_US = 200;

export class Desk {
  readonly replica: Replica;
  private readonly machine: Machine;
  private readonly hana: HanaNode;
  private readonly staging = new Staging();
  private askedUs = Number.NEGATIVE_INFINITY;
  private lookUs = Number.NEGATIVE_INFINITY;

  constructor(machine: Machine, hana: HanaNode) {
    this.machine = machine;
    this.hana = hana;
    this.replica = new Replica(hana.core.memory, hana.core.state.capacity);
  }

  /** Reads what is in the ring, and asks for an image if it must. */
  pump(): void {
    while (this.replica.pump());
    const now = this.machine.localUs;
    if (this.replica.phase !== "stale" || now - this.askedUs < IMAGE_PAUSE_US) return;
    this.askedUs = now;
    this.replica.prepareForImage();
    this.machine.later(POST_US, () => this.beginImage());
  }

  private beginImage(): void {
    const { core } = this.hana;
    this.replica.beginImage(core.terms.list(), core.origins.list(), core.sequence[0] as number);
    this.machine.turn((hana) => hana.tellStandings());
    this.continueImage(new ImageEncoder(core));
  }

  private continueImage(encoder: ImageEncoder): void {
    this.machine.later(CHUNK_US, () => {
      const chunk = encoder.next();
      if (chunk === undefined) {
        this.replica.endImage(pendingOf(this.hana));
        this.pump();
      } else {
        this.replica.pushImage(chunk);
        this.continueImage(encoder);
      }
    });
  }

  /** What it holds otherwise than the node, or "". `isSpoilt`: what changed in the node's memory by itself is in no ring. */
  difference(isSpoilt: (path: string) => boolean): string {
    this.pump();
    const now = this.machine.localUs;
    if (this.replica.phase !== "current" || now < this.lookUs) return "";
    this.lookUs = now + LOOK_US;
    const { state, sequence } = this.hana.core;
    // Joiners fetch it from there.
    if (this.hana.controller.takesWrites && this.replica.sequence !== sequence[0]) {
      return `sequence ${this.replica.sequence}, not ${sequence[0]}`;
    }
    for (const id of this.replica.state.ids()) {
      if (!state.exists(id)) return `it has ${this.replica.state.pathOf(id)} (${id}), which the node has not`;
    }
    for (const id of state.ids()) {
      const text = isSpoilt(state.pathOf(id)) ? "" : this.differenceOf(id);
      if (text !== "") return `${state.pathOf(id)} (${id}): ${text}`;
    }
    return "";
  }

  private differenceOf(id: number): string {
    const { core, pending } = this.hana;
    const { state } = core;
    const { state: copy } = this.replica;
    if (!copy.exists(id)) return "missing";
    if (copy.pathOf(id) !== state.pathOf(id)) return `it is called ${copy.pathOf(id)}`;
    if (!sameDeclaration(copy.declarationOf(id) as Declaration, state.declarationOf(id))) return "another declaration";
    const isPending = pending.isPending(id);
    if ((this.replica.pending[id] === 1) !== isPending) return isPending ? "not pending" : "still pending";
    if (isPending || state.isProvisional(id)) return "";
    state.load(id, this.staging);
    if (copy.differs(id, this.staging)) return `value ${String(copy.valueOf(id))}, not ${String(state.valueOf(id))}`;
    const [known, version] = [versionText(copy, this.replica.terms, id), versionText(state, core.terms, id)];
    return known === version ? "" : `version ${known}, not ${version}`;
  }
}

function versionText(state: State, terms: { at(index: number): Term }, id: number): string {
  const { number, node } = terms.at(state.terms[id] as number);
  return `${number}/${node}/${state.sequences[id]}`;
}
