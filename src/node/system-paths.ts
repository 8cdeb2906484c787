/**
 * System paths: what a controller writes about itself into the state, so that every surface and renderer can show it.
 */
import { Reject } from "../state/reject.js";
import { coerce } from "../state/coerce.js";
import type { Applier } from "./applier.js";
import type { NodeCore } from "./core.js";

/** Writes who is controller, and of which term. Only the controller may call this. */
export function writeController(core: NodeCore, applier: Applier, term: number): void {
  const { staging } = core;
  staging.string(core.identity.id);
  put(core, applier, "/system/controller");
  staging.number(term);
  put(core, applier, "/system/term");
}

function put(core: NodeCore, applier: Applier, path: string): void {
  const id = core.state.idOf(path);
  if (id < 0 || coerce(core.state, id, core.staging) !== Reject.none) return;
  applier.commit(id, applier.origin(core.identity.id, ""), 0);
}
