/** Counts: numbers on a typed array, indexed by the codes of a closed set, told by the names of those codes. */

/** All counts of a closed set by name, for metrics and `status`. Allocates. */
export function byName<Name extends string>(
  codes: Readonly<Record<Name, number>>,
  counts: ArrayLike<number>,
): Record<Name, number> {
  const entries = Object.entries<number>(codes).map(([name, code]) => [name, counts[code] ?? 0]);
  return Object.fromEntries(entries) as Record<Name, number>;
}
