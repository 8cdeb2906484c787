/**
 * Until: asks again and again until the answer is the wanted one, for what a running node brings about in its own time.
 *
 * The last answer is in the error, so that a test which runs out of time says what it saw.
 */
import { setTimeout as pause } from "node:timers/promises";

const PAUSE_MS = 20;

export async function until<T>(
  ask: () => T | Promise<T>,
  isWanted: (answer: T) => boolean,
  what: string,
  timeoutMs = 10_000,
): Promise<T> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (isWanted(answer)) return answer;
    if (Date.now() > end)
      throw new Error(`${timeoutMs} ms passed while waiting for ${what}: ${JSON.stringify(answer)}`);
    await pause(PAUSE_MS);
  }
}

/** Prints a figure that a test measured; the test itself asserts only a bound far above it. */
export function record(what: string, figures: Readonly<Record<string, number | string>>): void {
  const text = Object.entries(figures).map(([name, figure]) => `${name} ${figure}`);
  console.info(`measured: ${what}: ${text.join(", ")}`);
}
