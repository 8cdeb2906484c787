/**
 * Show: what every node of a run declares when it boots, and how a value tells which write it came from.
 *
 * Each write has a number of its own, and its value holds that number, so that wherever a value is seen it is known who
 * wrote it and when. Paths that come and go beside these are compared by their contents only.
 */
import { completeDeclaration, type Declaration, type Value, ValueType } from "../../src/state/declaration.js";

export interface ShownPath {
  readonly path: string;
  readonly declaration: Declaration;
}

const OWN_PATHS_MAX = 10;
/** Written as a pair: equal wherever one looks. */
export const PAIR = ["/groups/one", "/groups/two"] as const;
export const IMPULSES = ["/global/go", "/global/stop"] as const;
/** In a range; its values say nothing of their writes. */
export const LEVEL = "/viz/level";
export const LEVEL_RANGE = { min: 0, max: 1 };
/** Critical, as the nodes' own paths are. */
export const CRITICAL = "/viz/double";
export const SHARED = ["/viz/int", CRITICAL, "/viz/text", "/viz/vec"] as const;

export function ownPath(node: number): string {
  return `/transport/n${node % OWN_PATHS_MAX}`;
}

export function showFor(nodes: number): ShownPath[] {
  const own = Array.from({ length: Math.min(nodes, OWN_PATHS_MAX) }, (_, node) => ({
    path: ownPath(node),
    declaration: completeDeclaration({ type: "int", critical: true }),
  }));
  return [
    shown("/viz/int", "int"),
    { path: CRITICAL, declaration: completeDeclaration({ type: "double", critical: true }) },
    shown("/viz/text", "string"),
    shown("/viz/vec", "vec3"),
    { path: LEVEL, declaration: completeDeclaration({ type: "float", range: LEVEL_RANGE }) },
    ...own,
    ...PAIR.map((path) => shown(path, "int")),
    ...IMPULSES.map((path) => shown(path, "impulse")),
  ];
}

function shown(path: string, type: "int" | "double" | "string" | "vec3" | "impulse"): ShownPath {
  return { path, declaration: completeDeclaration({ type }) };
}

/** The value that write `number` gives to a path of this type. */
export function valueFor(declaration: Declaration, number: number): Value {
  if (declaration.type === "string") return `v${number} \u20ac`.padEnd(8 + (number % 97) * 7, ".");
  if (declaration.type === "vec3") return [number, Math.fround(number / 2), -1];
  if (declaration.type === "double") return number + 0.5;
  if (declaration.range !== undefined) return ((number * 37) % 150) / 100 - 0.25;
  return number;
}

/** The number of the write that a value came from; 0 for the value that a path begins with. */
export function numberOf(type: ValueType | 0, first: number, text: string | Uint8Array | undefined): number {
  if (type === ValueType.string) return typeof text === "string" ? Number.parseInt(text.slice(1), 10) || 0 : Number.NaN;
  return type === ValueType.double ? Math.floor(first) : first;
}
