/**
 * Show: a show file's text to declarations and values, or every complaint at once.
 *
 * A show file is TOML whose tables are the tree: the table `[viz.tunnel.camera]` is `/viz/tunnel/camera`.
 *
 * - A key with a table that has a `type` declares a path: `zoom = { type = "float", range = [0.1, 10], smooth = 80 }`.
 *   Its fields are never tables, so a table inside it is a path below it.
 * - Any other key is the value of a path that exists: because `/global`, `/environment` and `/transport` always have
 *   it, because `[displays.left]` makes a display with all that its template says, or because every visualization may
 *   have it (`kind`, `active`, `opacity`).
 * - `[values]` holds the values of declared paths by their whole path: `"/viz/tunnel/camera/zoom" = 2.5`.
 * - `[declare]` holds declarations by their whole path, for what tables cannot say: part of a template, or a path
 *   both with a value and with paths below it.
 * - `format = 1` is the version of all this; it may be left out. `/system` is the node's own and in no show.
 *
 * What comes out is in normal form: sorted, without the paths that always exist unless the file changes them. Nothing
 * is declared half: one complaint and there is no show. It never throws on a text, however hostile.
 */
import { COMPONENTS, componentOf } from "../state/component.js";
import type { Declaration, Value } from "../state/declaration.js";
import { validatePath, validateSegment } from "../state/path.js";
import { type DeclaredPath, entityOf, fixedDeclaration, instantiate, templateDeclaration } from "../state/templates.js";
import { type Complaint, FileComplaints } from "./complaint.js";
import { parseDeclaration } from "./declarations.js";
import { isTable, parseToml, type TomlDocument, type TomlTable, tomlPath } from "./toml.js";
import { checkValue } from "./values.js";

export interface ShowValue {
  readonly path: string;
  readonly value: Value;
}

/** What a show file says. Entities, mappings and routes are paths like any other. */
export interface Show {
  readonly declarations: readonly DeclaredPath[];
  /** At most one per path; each path is declared above or exists always. Never an impulse. */
  readonly values: readonly ShowValue[];
}

export type ParsedShow = { readonly show: Show } | { readonly complaints: readonly Complaint[] };

export interface ShowLimits {
  /** Most declarations that a show may have. Default 100,000. */
  readonly paths?: number | undefined;
}

/** Longest show file. */
export const SHOW_MAX_BYTES = 16 * 1024 * 1024;
export const SHOW_FORMAT = 1;
const PATHS_MAX = 100_000;

export function parseShow(text: string, fileName: string, limits: ShowLimits = {}): ParsedShow {
  const complaints = new FileComplaints(fileName);
  const document = parseToml(text, SHOW_MAX_BYTES);
  if ("problem" in document) {
    complaints.add("", document.problem, () => document.line, document.column);
    return { complaints: complaints.list() };
  }
  const show = new ShowReader(document, complaints).read(limits.paths ?? PATHS_MAX);
  return complaints.isEmpty ? { show } : { complaints: complaints.list() };
}

/** Shows and files list components in the order in which they are restored: what is stood on before what stands. */
export const SHOW_ORDER = [
  "environment",
  "groups",
  "displays",
  "windows",
  "viz",
  "modulation",
  "mappings",
  "transport",
  "global",
] as const;
const ranks = COMPONENTS.map((component) => (SHOW_ORDER as readonly string[]).indexOf(component));

/** Compares by component, then by path. */
export function comparePaths(left: { readonly path: string }, right: { readonly path: string }): number {
  const byComponent = (ranks[componentOf(left.path)] as number) - (ranks[componentOf(right.path)] as number);
  if (byComponent !== 0) return byComponent;
  return left.path < right.path ? -1 : left.path > right.path ? 1 : 0;
}

/** Where in the file something was written, as keys. */
type Place = readonly string[];

interface Found {
  readonly path: string;
  readonly value: unknown;
  readonly place: Place;
}

class ShowReader {
  private readonly document: TomlDocument;
  private readonly complaints: FileComplaints;
  private readonly declared = new Map<string, Declaration>();
  /** Declared, but wrongly: complained about already, so not again as undeclared. */
  private readonly misdeclared = new Set<string>();
  /** Paths of entities that were named and have their whole template. */
  private readonly entities = new Set<string>();
  private readonly found: Found[] = [];
  private readonly values = new Map<string, Value>();

  constructor(document: TomlDocument, complaints: FileComplaints) {
    this.document = document;
    this.complaints = complaints;
  }

  read(pathsMax: number): Show {
    for (const [key, value] of Object.entries(this.document.table)) this.top(key, value);
    this.declareEntities();
    for (const entry of this.found) {
      if (this.complaints.isFull) break;
      this.value(entry);
    }
    this.checkAliases();
    if (this.declared.size > pathsMax) this.complaints.add("", `declares more than ${pathsMax} paths`);
    return {
      declarations: [...this.declared].map(([path, declaration]) => ({ path, declaration })).sort(comparePaths),
      values: [...this.values].map(([path, value]) => ({ path, value })).sort(comparePaths),
    };
  }

  private fail(place: Place, message: string): void {
    this.complaints.add(tomlPath(place), message, () => this.document.lineOf(place));
  }

  private top(key: string, value: unknown): void {
    if (key === "format") this.format(value);
    else if (key === "system") this.fail([key], "is written by the node itself and is in no show");
    else if (!isTopKey(key)) this.fail([key], `is none of format, declare, values, ${SHOW_ORDER.join(", ")}`);
    else if (!isTable(value)) this.fail([key], "is not a table");
    else if (key === "declare") this.flatDeclarations(value);
    else if (key === "values") this.flatValues(value);
    else this.table(value, [key]);
  }

  private format(value: unknown): void {
    if (value !== SHOW_FORMAT) this.fail(["format"], `is not ${SHOW_FORMAT}, the only format this version reads`);
  }

  /** A table of the tree, or a declaration, or both. */
  private table(table: TomlTable, place: Place): void {
    const path = `/${place.join("/")}`;
    const isDeclaration = Object.hasOwn(table, "type") && !isTable(table["type"]);
    if (isDeclaration) this.declare(path, fieldsOf(table), place);
    else this.noteEntity(path);
    for (const [key, value] of Object.entries(table)) this.entry(key, value, place, isDeclaration);
  }

  private entry(key: string, value: unknown, above: Place, isDeclaration: boolean): void {
    if (isDeclaration && !isTable(value)) return;
    const place = [...above, key];
    const problem = validateSegment(key);
    if (problem !== "") this.fail(place, `is no part of a path: it ${problem}`);
    else if (isTable(value)) this.below(value, place, isDeclaration);
    else this.found.push({ path: `/${place.join("/")}`, value, place });
  }

  private below(table: TomlTable, place: Place, isInDeclaration: boolean): void {
    if (isInDeclaration && isBounds(table)) this.fail(place, "is written [min, max] in a show");
    else this.table(table, place);
  }

  private noteEntity(path: string): void {
    const entity = entityOf(path);
    if (entity?.kind.whole && entity.parameter === "") this.entities.add(path);
  }

  private flatDeclarations(table: TomlTable): void {
    for (const [path, value] of Object.entries(table)) this.declare(path, value, ["declare", path]);
  }

  private flatValues(table: TomlTable): void {
    for (const [path, value] of Object.entries(table)) this.found.push({ path, value, place: ["values", path] });
  }

  private declare(path: string, fields: unknown, place: Place): void {
    this.misdeclared.add(path);
    const problem = validatePath(path);
    if (problem !== "") return this.fail(place, `is no path: it ${problem}`);
    if (componentOf(path) === COMPONENTS.indexOf("system")) return this.fail(place, "lies in /system, the node's own");
    if (this.declared.has(path)) return this.fail(place, `declares ${path} a second time`);
    const parsed = parseDeclaration(fields);
    if ("problems" in parsed) {
      for (const { field, message } of parsed.problems) this.fail(field === "" ? place : [...place, field], message);
      return;
    }
    const fixedType = (fixedDeclaration(path) ?? templateDeclaration(path))?.type;
    if (fixedType !== undefined && fixedType !== parsed.declaration.type) {
      return this.fail([...place, "type"], `must be ${fixedType}, as everywhere`);
    }
    this.misdeclared.delete(path);
    this.declared.set(path, parsed.declaration);
  }

  private declareEntities(): void {
    for (const path of this.entities) {
      const entity = entityOf(path);
      if (entity === undefined) continue;
      for (const parameter of instantiate(entity.kind, entity.id)) {
        if (!this.declared.has(parameter.path)) this.declared.set(parameter.path, parameter.declaration);
      }
    }
  }

  private value({ path, value, place }: Found): void {
    if (this.misdeclared.has(path)) return;
    const declaration = this.declarationOf(path, place);
    if (declaration === undefined) return this.undeclared(path, value, place);
    if (this.values.has(path)) return this.fail(place, `gives ${path} a second value`);
    const checked = checkValue(value, declaration);
    if ("problem" in checked) return this.fail(place, checked.problem);
    this.values.set(path, checked.value);
  }

  /** A table that names a parameter which every visualization may have declares it; `[values]` does not. */
  private declarationOf(path: string, place: Place): Declaration | undefined {
    const known = this.declared.get(path) ?? fixedDeclaration(path);
    if (known !== undefined || place[0] === "values") return known;
    const template = templateDeclaration(path);
    if (template !== undefined) this.declared.set(path, template);
    return template;
  }

  private undeclared(path: string, value: unknown, place: Place): void {
    const problem = validatePath(path);
    if (problem !== "") return this.fail(place, `is no path: it ${problem}`);
    const entity = place[0] === "values" ? undefined : entityOf(path);
    if (entity?.kind.whole === true && entity.parameter !== "") {
      const names = entity.kind.parameters.map((parameter) => parameter.name).join(", ");
      return this.fail(place, `is not declared; a ${entity.kind.name} has ${names}`);
    }
    this.fail(place, `is not declared; declare it as { type = "${likelyType(value)}", default = ... }`);
  }

  /** Two paths behind one address: which of them a fader moves would be chance. */
  private checkAliases(): void {
    const owners = new Map<string, string>();
    for (const [path, { oscAlias }] of this.declared) {
      if (oscAlias === "") continue;
      const owner = this.declared.has(oscAlias) || fixedDeclaration(oscAlias) ? oscAlias : owners.get(oscAlias);
      if (owner !== undefined) this.fail(path.slice(1).split("/"), `has the alias ${oscAlias}, which is ${owner}'s`);
      owners.set(oscAlias, path);
    }
  }
}

function isTopKey(key: string): boolean {
  return key === "declare" || key === "values" || (SHOW_ORDER as readonly string[]).includes(key);
}

/** The fields of a declaration: everything in its table that is no table, which most often is all of it. */
function fieldsOf(table: TomlTable): TomlTable {
  for (const key in table) if (isTable(table[key])) return withoutTables(table);
  return table;
}

function withoutTables(table: TomlTable): TomlTable {
  return Object.fromEntries(Object.entries(table).filter(([, value]) => !isTable(value)));
}

/** `{ min = 0, max = 1 }`: what the library calls a range. */
function isBounds(table: TomlTable): boolean {
  const keys = Object.keys(table);
  return keys.length > 0 && keys.every((key) => (key === "min" || key === "max") && typeof table[key] === "number");
}

function likelyType(value: unknown): string {
  if (typeof value === "boolean") return "bool";
  if (typeof value === "string") return "string";
  const length = Array.isArray(value) ? value.length : 1;
  return length > 1 && length <= 4 ? `vec${length}` : "float";
}
