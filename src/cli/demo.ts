/**
 * Demo: a small moving show, written through the control API as any program could.
 *
 * It declares a visualization of its own under `/viz/demo` and moves it until it is interrupted, so that somebody who
 * has just started a node sees changes in `hana watch`, on another machine or in a renderer.
 */
import { NodeClient, type NodeOptions } from "./node-client.js";
import { printLine } from "./output.js";

interface DemoOptions extends NodeOptions {
  readonly seconds?: number;
  /** Writes a second to each parameter. */
  readonly rate?: number;
}

const DECLARATIONS = {
  "/viz/demo/wave": { type: "float", range: [-1, 1], description: "a sine of 4 s" },
  "/viz/demo/orbit": { type: "vec2", range: [-1, 1], description: "a circle of 8 s" },
  "/viz/demo/tint": { type: "color", description: "once round the hues in 12 s" },
  "/viz/demo/bar": { type: "int", range: [0, 1_000_000], description: "counts the beats" },
  "/viz/demo/beat": { type: "impulse", description: "twice a second" },
};
const BEAT_MS = 500;

export async function demo(options: DemoOptions): Promise<void> {
  const client = new NodeClient(options, true);
  try {
    await client.post("/-/declare", { declarations: DECLARATIONS, surface: "demo" }, 5_000);
    printLine("moving /viz/demo; see it with:  hana watch '/viz/demo/*'");
    await move(client, 1_000 / (options.rate ?? 20), options.seconds);
  } finally {
    client.close();
  }
}

async function move(client: NodeClient, pauseMs: number, seconds: number | undefined): Promise<void> {
  const startMs = performance.now();
  const endMs = seconds === undefined ? Number.POSITIVE_INFINITY : startMs + seconds * 1_000;
  const interruption = nextInterruption();
  let beats = 0;
  for (let nextMs = startMs; nextMs < endMs; nextMs += pauseMs) {
    const isInterrupted = await Promise.race([interruption, pauseUntil(nextMs)]);
    if (isInterrupted) return;
    const elapsedMs = performance.now() - startMs;
    for (const [path, value] of frameAt(elapsedMs / 1_000)) await write(client, path, value);
    if (elapsedMs < beats * BEAT_MS) continue;
    await write(client, "/viz/demo/bar", beats++);
    await write(client, "/viz/demo/beat", null);
  }
}

async function write(client: NodeClient, path: string, value: unknown): Promise<void> {
  await client.post("/-/set", { path, value, wait: false, surface: "demo" });
}

/** What moves without a beat, `seconds` after the start. */
function frameAt(seconds: number): [path: string, value: unknown][] {
  const turn = (period: number) => (2 * Math.PI * seconds) / period;
  return [
    ["/viz/demo/wave", Math.sin(turn(4))],
    ["/viz/demo/orbit", [Math.cos(turn(8)), Math.sin(turn(8))]],
    ["/viz/demo/tint", hueColor(seconds / 12)],
  ];
}

/** A full colour of the given hue, in turns. */
function hueColor(hue: number): number[] {
  const channel = (offset: number) => {
    const place = (((hue + offset) % 1) + 1) % 1;
    return Math.min(1, Math.max(0, Math.abs(place * 6 - 3) - 1));
  };
  return [channel(0), channel(2 / 3), channel(1 / 3), 1];
}

function pauseUntil(timeMs: number): Promise<false> {
  return new Promise((resolve) => setTimeout(() => resolve(false), Math.max(0, timeMs - performance.now())));
}

function nextInterruption(): Promise<true> {
  return new Promise((resolve) => {
    process.once("SIGINT", () => resolve(true));
    process.once("SIGTERM", () => resolve(true));
  });
}
