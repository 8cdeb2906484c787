/**
 * Blackhole watch: while multicast is lost and nothing else is wrong, everybody has the stream again within 5 s.
 *
 * It looks only where a black hole is the only fault of a run. Whoever had the time must be in sync with the one controller and have all frames that were sent a second ago.
 */
import type { Machine } from "./machine.js";
import type { Network } from "./network.js";
import type { Timeline } from "./timeline.js";

/** protocol.md: data back within 5 s. */
const HEALED_US = 5_000_000;
const LAG_US = 1_000_000;

interface Sent {
  readonly atUs: number;
  readonly term: unknown;
  readonly newest: number;
}

export class BlackholeWatch {
  private readonly timeline: Timeline;
  private readonly network: Network;
  private readonly fail: (machine: Machine | undefined, text: string) => void;
  private readonly sent: Sent[] = [];
  /** How often everybody was looked at in a black hole that had lasted. */
  looks = 0;

  constructor(timeline: Timeline, network: Network, fail: (machine: Machine | undefined, text: string) => void) {
    this.timeline = timeline;
    this.network = network;
    this.fail = fail;
  }

  look(machines: readonly Machine[]): void {
    const { nowUs } = this.timeline;
    const controllers = machines.filter((machine) => machine.isController);
    const [controller] = controllers;
    const hana = controller?.hana;
    if (hana !== undefined) this.sent.push({ atUs: nowUs, term: hana.roles.term, newest: hana.controller.sent.newest });
    while ((this.sent[0]?.atUs ?? nowUs) < nowUs - LAG_US * 2) this.sent.shift();
    if (this.network.reshapedUs === 0 || nowUs - this.network.reshapedUs < HEALED_US) return;
    this.looks++;
    if (controllers.length !== 1 || hana === undefined) {
      this.fail(undefined, `${controllers.length} controllers 5 s after multicast was lost`);
      return;
    }
    const { term } = hana.roles;
    const then = this.sent.find(({ atUs, term: of }) => of === term && atUs >= nowUs - LAG_US);
    for (const machine of machines) {
      const own = machine.hana;
      if (own === undefined || own === hana) continue;
      const isHere = machine.isInSync && own.roles.term.number === term.number && own.roles.term.node === term.node;
      const missing = (then?.newest ?? 0) - own.follower.window.complete;
      if (!isHere) this.fail(machine, "is not in sync 5 s after multicast was lost");
      else if (missing > 0) this.fail(machine, `lacks ${missing} frames 5 s after multicast was lost`);
    }
  }
}
