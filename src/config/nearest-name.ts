/**
 * Nearest name: which of the right names a wrong one was probably meant to be.
 *
 * For complaints only. It guesses from letters alone and answers nothing rather than something far away.
 */

/** Longer words are no slip of the finger, and comparing them would cost more than they are worth. */
const LENGTH_MAX = 64;

/** The right name with the fewest slips, if there are at most a third as many slips as letters (one at least). */
export function nearestName(wrong: string, names: Iterable<string>): string | undefined {
  if (wrong.length > LENGTH_MAX) return undefined;
  let nearest: string | undefined;
  let fewest = Math.max(1, Math.floor(wrong.length / 3)) + 1;
  for (const name of names) {
    if (Math.abs(name.length - wrong.length) >= fewest) continue;
    const count = slips(wrong.toLowerCase(), name.toLowerCase());
    if (count < fewest) [nearest, fewest] = [name, count];
  }
  return nearest;
}

/** Letters left out, put in, exchanged, or swapped with their neighbour (restricted Damerau-Levenshtein distance). */
function slips(left: string, right: string): number {
  let before: number[] = [];
  let last = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let row = 1; row <= left.length; row++) {
    const next = [row];
    for (let column = 1; column <= right.length; column++) {
      const isSame = left[row - 1] === right[column - 1];
      let count = Math.min(last[column]! + 1, next[column - 1]! + 1, last[column - 1]! + (isSame ? 0 : 1));
      const isSwapped =
        row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      if (isSwapped) count = Math.min(count, before[column - 2]! + 1);
      next.push(count);
    }
    [before, last] = [last, next];
  }
  return last[right.length]!;
}
