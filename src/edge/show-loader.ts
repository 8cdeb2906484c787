/**
 * Show loader: what a node begins with. The paths that always exist, the show's, and the values on the command line.
 */
import type { Settings } from "../config/settings.js";
import type { Show } from "../config/show.js";
import { parseValue } from "../config/value-text.js";
import type { HanaNode } from "../node/node.js";
import { ValueType } from "../state/declaration.js";
import { Reject, rejectText } from "../state/reject.js";
import { FIXED_PATHS } from "../state/templates.js";

/** Declares and sets; answers a complaint for everything that could not be. Before the node starts. */
export function loadShow(node: HanaNode, show: Show | undefined): string[] {
  const { writes, core } = node;
  const complaints: string[] = [];
  for (const { path, declaration } of [...FIXED_PATHS, ...(show?.declarations ?? [])]) {
    const reject = writes.declare(path, declaration, 0);
    if (reject !== Reject.none) complaints.push(`${path}: ${rejectText(reject)}`);
  }
  for (const { path, value } of show?.values ?? []) {
    const id = core.state.idOf(path);
    core.staging.value(value);
    const reject = id < 0 ? Reject.unknownPath : writes.begin(id);
    if (reject !== Reject.none) complaints.push(`${path}: ${rejectText(reject)}`);
  }
  return complaints;
}

/** Writes the `--set` values: they wait as pending until there is a controller. */
export function applyInitialValues(node: HanaNode, values: Settings["set"]): string[] {
  const { writes, core } = node;
  const surface = writes.surface("set");
  const complaints: string[] = [];
  for (const { path, text } of values) {
    const known = core.state.idOf(path);
    const declaration = core.state.declarationOf(known);
    const parsed = parseValue(text.split(" "), declaration);
    if ("problem" in parsed) {
      complaints.push(`--set ${path}: ${parsed.problem}`);
      continue;
    }
    const id = known >= 0 ? known : writes.declareAuto(path, parsed.type, surface);
    if (id < 0) {
      complaints.push(`--set ${path}: ${rejectText(-id as Reject)}`);
      continue;
    }
    core.staging.value(parsed.value);
    const isImpulse = core.state.types[id] === ValueType.impulse;
    const reject = isImpulse ? writes.trigger(id, surface) : writes.write(id, surface);
    if (reject !== Reject.none) complaints.push(`--set ${path}: ${rejectText(reject)}`);
  }
  return complaints;
}
