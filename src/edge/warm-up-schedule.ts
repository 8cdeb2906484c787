/**
 * Warm-up schedule: runs the warm-up in the pauses of a node's first seconds, a few milliseconds at a time.
 */
import { WarmUp } from "../node/warm-up.js";

/** After this many the engine has compiled what matters (measured: 156 µs a change at first, 6.5 µs then). */
const CHANGES = 4_000;
const SLICE_MS = 3;
const PAUSE_MS = 6;
const BATCH = 5;

/** Begins after `delayMs`. Answers what stops it. */
export function scheduleWarmUp(delayMs: number): () => void {
  let warmUp: WarmUp | undefined;
  const next = (): void => {
    warmUp ??= new WarmUp();
    const endMs = performance.now() + SLICE_MS;
    while (performance.now() < endMs && warmUp.carried < CHANGES) warmUp.run(BATCH);
    if (warmUp.carried < CHANGES) timer = setTimeout(next, PAUSE_MS);
    else warmUp = undefined;
  };
  let timer = setTimeout(next, delayMs);
  return () => clearTimeout(timer);
}
