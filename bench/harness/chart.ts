/**
 * Chart: latency distributions as an SVG, written by hand. Percentiles to the right, each step one nine more; time
 * upwards, each step ten times more. The gap between two lines is the price, from the median to the tail.
 */
import type { Latencies } from "./bench.js";
import { SHARES } from "./report.js";

const WIDTH = 720;
const HEIGHT = 360;
const LEFT = 70;
const TOP = 40;
const PLOT_WIDTH = 480;
const PLOT_HEIGHT = 260;
const NINES = 4;
const COLORS = ["#888888", "#d6336c", "#1971c2", "#2f9e44"];
const TICKS: readonly (readonly [string, number])[] = [
  ["0", 0],
  ["50 %", Math.log10(2)],
  ["90 %", 1],
  ["99 %", 2],
  ["99.9 %", 3],
  ["99.99 %", 4],
];

/** All charts below each other in one picture. */
export function charts(all: readonly Latencies[], about: string): string {
  const height = HEIGHT * all.length + 24;
  const parts = all.map((latencies, index) => chart(latencies, index * HEIGHT));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="100%" height="100%" fill="white"/>`,
    ...parts,
    `<text x="${LEFT}" y="${height - 8}" fill="#666">${escape(about)}</text>`,
    "</svg>",
    "",
  ].join("\n");
}

function chart({ title, series }: Latencies, offset: number): string {
  const decades = decadesOf(series.map(({ distribution }) => [distribution.at(0), distribution.at(0.9999)]));
  const lines = series.map(({ name, distribution }, index) => {
    const color = COLORS[index % COLORS.length] ?? "black";
    // What never came has no place on the paper: the line leaves at the top.
    const points = SHARES.map((share) => [share, distribution.at(share)] as const)
      .filter(([, us]) => Number.isFinite(us))
      .map(([share, us]) => `${x(-Math.log10(1 - share))},${y(us, decades)}`);
    const label = `${name}: p50 ${Math.round(distribution.at(0.5))}, p99 ${Math.round(distribution.at(0.99))} µs`;
    const legend = `<text x="${LEFT + 12}" y="${TOP + 18 + index * 16}" fill="${color}">${escape(label)}</text>`;
    return `<polyline fill="none" stroke="${color}" stroke-width="1.5" points="${points.join(" ")}"/>${legend}`;
  });
  const heading = `<text x="${LEFT}" y="24" font-size="14">${escape(title)}</text>`;
  return `<g transform="translate(0 ${offset})">${heading}${grid(decades)}${lines.join("")}</g>`;
}

/** The powers of ten (µs) that hold all values. */
function decadesOf(ranges: readonly (readonly [number, number])[]): readonly [number, number] {
  const finite = ranges.flat().filter((us) => Number.isFinite(us) && us > 0);
  const low = Math.floor(Math.log10(Math.min(...finite, 1_000)));
  const high = Math.ceil(Math.log10(Math.max(...finite, 10)));
  return [low, Math.max(high, low + 1)];
}

function grid([low, high]: readonly [number, number]): string {
  const across = Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index)).map((us) => {
    const at = y(us, [low, high]);
    const label = us >= 1_000 ? `${us / 1_000} ms` : `${us} µs`;
    return `<path d="M${LEFT} ${at}h${PLOT_WIDTH}" stroke="#ddd"/><text x="${LEFT - 6}" y="${at + 4}" text-anchor="end">${label}</text>`;
  });
  const up = TICKS.map(
    ([label, nines]) =>
      `<path d="M${x(nines)} ${TOP}v${PLOT_HEIGHT}" stroke="#ddd"/><text x="${x(nines)}" y="${TOP + PLOT_HEIGHT + 18}" text-anchor="middle">${label}</text>`,
  );
  return [...across, ...up].join("");
}

function x(nines: number): number {
  return round(LEFT + (nines / NINES) * PLOT_WIDTH);
}

function y(us: number, [low, high]: readonly [number, number]): number {
  const share = (Math.log10(Math.max(us, 1e-3)) - low) / (high - low);
  return round(TOP + PLOT_HEIGHT * (1 - Math.min(1, Math.max(0, share))));
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
