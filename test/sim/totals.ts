/** Totals: what many runs had together, for the last lines that are printed. */
import type { SimulationResult } from "./simulation.js";

export class Totals {
  private virtualS = 0;
  private cpuS = 0;
  private pokes = 0;
  private repaired = 0;
  private slowestUs = 0;
  private confirmed = 0;
  private lost = 0;
  private takeovers = 0;
  private replicated = 0;
  private alone = 0;
  private buried = 0;

  add({ virtualS, cpuS, pokes, tally, critical }: SimulationResult): void {
    this.virtualS += virtualS;
    this.cpuS += cpuS;
    this.pokes += pokes.made;
    this.repaired += pokes.repaired;
    this.slowestUs = Math.max(this.slowestUs, pokes.slowestUs);
    this.confirmed += tally.confirmed;
    this.lost += tally.lostByTakeover;
    this.takeovers += tally.takeovers;
    this.replicated += critical.replicated;
    this.alone += critical.alone;
    this.buried += critical.buried;
  }

  lines(runs: number, failed: number): string[] {
    const lines = [
      `writes: ${this.confirmed} confirmed, ${this.lost} of them lost by ${this.takeovers} takeovers`,
      `critical writes: ${this.replicated} acknowledged as replicated (${this.buried} died with all that had them, none was lost but those), ${this.alone} as not replicated`,
      `${runs} runs, ${failed} failed; ${this.time}`,
    ];
    if (this.pokes === 0) return lines;
    const { pokes, repaired, slowestUs } = this;
    return [`memory: ${pokes} changed, ${repaired} right again, the slowest after ${slowestUs / 1e6} s`, ...lines];
  }

  private get time(): string {
    const { virtualS, cpuS } = this;
    return `${(virtualS / 60).toFixed(1)} virtual minutes in ${cpuS.toFixed(1)} s of one core, ${(virtualS / cpuS).toFixed(0)} x real time`;
  }
}
