/**
 * Conflicts: what both sides of a divided network had changed; decides the open ones, acknowledges the others.
 *
 * `mine` is the side that stayed when the two became one, `theirs` the side that joined it.
 */
import type { ConflictReport, ConflictSideReport } from "../manage/conflict-records.js";
import { NodeClient, type NodeOptions } from "./node-client.js";
import { plainText, printLine, tableText } from "./output.js";

interface ConflictOptions extends NodeOptions {
  readonly json?: boolean;
}

export async function conflicts(options: ConflictOptions): Promise<void> {
  const text = await new NodeClient(options).get("/-/conflicts");
  printLine(options.json === true ? text.trimEnd() : conflictsText(JSON.parse(text) as ConflictReport[]));
}

const HEAD = ["id", "path", "kind", "mine", "theirs", "taken", "decided"];

export function conflictsText(reports: readonly ConflictReport[]): string {
  if (reports.length === 0) return "no conflicts";
  return tableText([HEAD, ...reports.map(rowOf)]);
}

function rowOf({ id, path, kind, mine, theirs, taken, open }: ConflictReport): string[] {
  return [id, path, kind, sideText(mine, path), sideText(theirs, path), taken, open ? "no: it is open" : "yes"];
}

const VALUE_SHOWN = 40;

function sideText(side: ConflictSideReport | null, path: string): string {
  if (side === null) return "(removed)";
  const text = plainText(side.value);
  const shown = text.length > VALUE_SHOWN ? `${text.slice(0, VALUE_SHOWN)}…` : text;
  return side.path === path ? shown : `${shown} as ${side.path}`;
}

/** `words`: `mine`, `theirs`, or the words of another value. */
export async function resolveConflict(id: string, words: readonly string[], options: ConflictOptions): Promise<void> {
  const [first = ""] = words;
  const isSide = words.length === 1 && (first === "mine" || first === "theirs");
  const text = await new NodeClient(options).post("/-/conflicts", { id, ...(isSide ? { take: first } : { words }) });
  if (options.json === true) printLine(text.trimEnd());
}

/** `id`: a conflict's, or `all` that are decided. */
export async function acknowledgeConflicts(id: string, options: ConflictOptions): Promise<void> {
  const text = await new NodeClient(options).post("/-/conflicts", { id, acknowledge: true });
  const { acknowledged } = JSON.parse(text) as { acknowledged: number };
  printLine(options.json === true ? text.trimEnd() : `${acknowledged} acknowledged`);
}
