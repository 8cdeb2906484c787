/**
 * Component: a subtree that is versioned, digested, saved and restored as one. There are ten, the top subtrees.
 */
export const COMPONENTS = [
  "global",
  "viz",
  "environment",
  "groups",
  "displays",
  "windows",
  "modulation",
  "mappings",
  "transport",
  "system",
] as const;
export type Component = (typeof COMPONENTS)[number];

/** The index of the component that a path lies in, or -1. */
export function componentOf(path: string): number {
  const end = path.indexOf("/", 1);
  return (COMPONENTS as readonly string[]).indexOf(path.slice(1, end < 0 ? path.length : end));
}
