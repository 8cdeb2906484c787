/**
 * Warm-up schedule: runs the warm-ups when there is time for them, a few milliseconds at a time: that of the hot path
 * in the pauses of a node's first seconds, that of a joiner while the start waits for something else.
 */
import { setTimeout as delay, setImmediate as nextTurn } from "node:timers/promises";
import { JoinWarmUp } from "../node/join-warm-up.js";
import { WarmUp } from "../node/warm-up.js";

/** After this many the engine has compiled what matters (measured: 156 µs a change at first, 6.5 µs then). */
const CHANGES = 4_000;
const SLICE_MS = 3;
const PAUSE_MS = 6;
const BATCH = 5;
/** A wait that ends sooner would be made longer: the command's desk is all but open by then, the library's is not. */
const PATIENCE_MS = 40;

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

/** Uses the time until `awaited` settles, if that is long, and answers or throws what it does. */
export async function warmJoinDuring<Result>(awaited: Promise<Result>): Promise<Result> {
  const wait = { isOver: false };
  const end = (): void => {
    wait.isOver = true;
  };
  const settled = awaited.then(end, end);
  await Promise.race([settled, delay(PATIENCE_MS, undefined, { ref: false })]);
  let warmUp: JoinWarmUp | undefined;
  for (; !wait.isOver && warmUp?.isDone !== true; await nextTurn()) {
    warmUp ??= new JoinWarmUp();
    warmUp.step();
  }
  return awaited;
}
