/**
 * Show text: a show to the text of a show file, such that reading it gives the same show.
 *
 * It writes what a person would: tables as the tree, templates by their header alone, only the fields and values that
 * say something. What the tables cannot say goes to `[declare]` and `[values]` (see `show.ts` for the format). The
 * same show always gives the same text, so two saved shows can be compared line by line.
 */
import { assert } from "../base/assert.js";
import { componentOf, COMPONENTS } from "../state/component.js";
import type { Declaration, Value } from "../state/declaration.js";
import { segmentsOf } from "../state/path.js";
import {
  type DeclaredPath,
  type EntityPlace,
  entityOf,
  fixedDeclaration,
  instantiate,
  isOptional,
  templateDeclaration,
} from "../state/templates.js";
import { toBase64 } from "./base64.js";
import { impliedDefault } from "./declarations.js";
import { comparePaths, SHOW_FORMAT, type Show, type ShowValue } from "./show.js";
import { tomlKey, tomlNumber, tomlPath, tomlString } from "./toml.js";
import { formatValue, numberText } from "./value-text.js";

/** One path of a running node. */
export interface LivePath {
  readonly path: string;
  readonly declaration: Declaration;
  readonly value: Value;
}

/**
 * What of a running node belongs in its show: nothing of `/system`, nothing that every node has anyway, no value that
 * is not to be kept, no impulse, and no value equal to its default.
 */
export function collectShow(paths: Iterable<LivePath>): Show {
  const declarations: DeclaredPath[] = [];
  const values: ShowValue[] = [];
  for (const { path, declaration, value } of paths) {
    if (isSystem(path)) continue;
    if (!isFixed(path, declaration)) declarations.push({ path, declaration });
    if (!declaration.persist || declaration.type === "impulse") continue;
    if (formatValue(value, declaration) !== formatValue(declaration.default, declaration)) values.push({ path, value });
  }
  return { declarations: declarations.sort(comparePaths), values: values.sort(comparePaths) };
}

/** Every value's path must be declared in the show or exist always. */
export function formatShow(show: Show): string {
  return new ShowWriter(show).write();
}

/** A value as a show file writes it. */
export function tomlValue(value: Value, declaration: Pick<Declaration, "type">): string {
  const { type } = declaration;
  if (typeof value === "number") return tomlNumber(numberText(value, type));
  if (typeof value === "boolean") return String(value);
  if (typeof value === "string") return tomlString(value);
  assert(value !== null, "an impulse has no value to write");
  if (value instanceof Uint8Array) return tomlString(toBase64(value));
  const hex = type === "color" ? hexColor(value) : undefined;
  return hex ?? `[${value.map((number) => tomlNumber(numberText(number, type))).join(", ")}]`;
}

/** A color as `"#rrggbb"`, where eight bits a channel hold it exactly. */
function hexColor(color: readonly number[]): string | undefined {
  let text = "";
  for (const channel of color) {
    const byte = Math.round(channel * 255);
    if (!Object.is(Math.fround(byte / 255), channel)) return undefined;
    text += byte.toString(16).padStart(2, "0");
  }
  return `"#${text.endsWith("ff") ? text.slice(0, 6) : text}"`;
}

/** The inline table of a declaration: its type, and the fields that are not what they would be anyway. */
export function tomlDeclaration(declaration: Declaration): string {
  const { type, range } = declaration;
  const fields = [`type = ${tomlString(type)}`];
  if (range !== undefined) fields.push(`range = ${tomlValue([range.min, range.max], declaration)}`);
  if (declaration.clip !== "both") fields.push(`clip = ${tomlString(declaration.clip)}`);
  if (declaration.values.length > 0) fields.push(`values = [${declaration.values.map(tomlString).join(", ")}]`);
  if (hasOwnDefault(declaration)) fields.push(`default = ${tomlValue(declaration.default, declaration)}`);
  for (const field of ["unit", "description", "group"] as const) {
    if (declaration[field] !== "") fields.push(`${field} = ${tomlString(declaration[field])}`);
  }
  if (declaration.smoothMs !== 0) fields.push(`smooth = ${tomlNumber(numberText(declaration.smoothMs, "float"))}`);
  if (declaration.easing !== "none") fields.push(`easing = ${tomlString(declaration.easing)}`);
  if (declaration.oscAlias !== "") fields.push(`alias = ${tomlString(declaration.oscAlias)}`);
  for (const field of ["persist", "undo", "recall"] as const) if (!declaration[field]) fields.push(`${field} = false`);
  if (declaration.critical) fields.push("critical = true");
  return `{ ${fields.join(", ")} }`;
}

/** Compared as texts: they tell -0 from 0 and one blob from another, and are equal only if the values are. */
function hasOwnDefault(declaration: Declaration): boolean {
  if (declaration.type === "impulse") return false;
  return formatValue(declaration.default, declaration) !== formatValue(impliedDefault(declaration), declaration);
}

function isSystem(path: string): boolean {
  return componentOf(path) === COMPONENTS.indexOf("system");
}

function isFixed(path: string, declaration: Declaration): boolean {
  const fixed = fixedDeclaration(path);
  return fixed !== undefined && isSameDeclaration(fixed, declaration);
}

function isSameDeclaration(left: Declaration, right: Declaration): boolean {
  return left === right || tomlDeclaration(left) === tomlDeclaration(right);
}

class ShowWriter {
  private readonly show: Show;
  private readonly declared: ReadonlyMap<string, Declaration>;
  /** Paths that have paths below them: a key cannot be both a value and a table. */
  private readonly containers = new Set<string>();
  /** Entities whose header says their whole template. */
  private readonly whole = new Set<string>();
  private readonly tables = new Map<string, string[]>();
  private readonly flatDeclarations: string[] = [];
  private readonly flatValues: string[] = [];

  constructor(show: Show) {
    this.show = show;
    this.declared = new Map(show.declarations.map(({ path, declaration }) => [path, declaration]));
    this.findContainers();
    this.findWholeEntities();
  }

  write(): string {
    for (const entity of [...this.whole].map((path) => ({ path })).sort(comparePaths)) this.lines(entity.path);
    const values = new Map(this.show.values.map(({ path, value }) => [path, value]));
    for (const declared of [...this.show.declarations].sort(comparePaths)) this.declaration(declared, values);
    for (const value of [...this.show.values].sort(comparePaths)) this.value(value);
    return `${[`format = ${SHOW_FORMAT}`, ...this.sections()].join("\n")}\n`;
  }

  private findContainers(): void {
    for (const { path } of [...this.show.declarations, ...this.show.values]) {
      for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) {
        this.containers.add(path.slice(0, end));
      }
    }
  }

  private findWholeEntities(): void {
    for (const { path } of this.show.declarations) {
      const entity = entityOf(path);
      if (entity !== undefined && this.isWhole(entity)) this.whole.add(rootOf(entity));
    }
  }

  private isWhole(entity: EntityPlace): boolean {
    if (!entity.kind.whole || this.whole.has(rootOf(entity))) return false;
    return instantiate(entity.kind, entity.id).every(({ path }) => this.declared.has(path));
  }

  /** Inside an entity that is not whole, a table would add what is missing. */
  private isInTable(path: string): boolean {
    const entity = entityOf(path);
    if (entity?.kind.whole === true && !this.whole.has(rootOf(entity))) return false;
    return !this.containers.has(path);
  }

  /** Whether the path's table or header declares it without a word. */
  private isImplied(path: string, declaration: Declaration): boolean {
    const entity = entityOf(path);
    if (entity?.kind.whole !== true || !this.whole.has(rootOf(entity)) || isOptional(path)) return false;
    return isTemplate(path, declaration);
  }

  private declaration({ path, declaration }: DeclaredPath, values: ReadonlyMap<string, Value>): void {
    if (isSystem(path) || isFixed(path, declaration) || this.isImplied(path, declaration)) return;
    if (this.isNamedByValue(path, declaration) && values.has(path)) return;
    const text = tomlDeclaration(declaration);
    if (this.isInTable(path)) this.line(path, text);
    else this.flatDeclarations.push(`${tomlKey(path)} = ${text}`);
  }

  /** A visualization's own parameters, and optional ones, are declared by giving them a value. */
  private isNamedByValue(path: string, declaration: Declaration): boolean {
    const entity = entityOf(path);
    if (entity === undefined || this.containers.has(path) || !isTemplate(path, declaration)) return false;
    return !entity.kind.whole || (isOptional(path) && this.whole.has(rootOf(entity)));
  }

  private value({ path, value }: ShowValue): void {
    if (isSystem(path)) return;
    const declaration = this.declared.get(path) ?? fixedDeclaration(path);
    assert(declaration !== undefined, "a show gives no value to a path that is not declared");
    const text = tomlValue(value, declaration);
    const isBare =
      isFixed(path, declaration) || this.isImplied(path, declaration) || this.isNamedByValue(path, declaration);
    if (isBare && !this.containers.has(path)) this.line(path, text);
    else this.flatValues.push(`${tomlKey(path)} = ${text}`);
  }

  private lines(table: string): string[] {
    const known = this.tables.get(table);
    if (known !== undefined) return known;
    const lines: string[] = [];
    this.tables.set(table, lines);
    return lines;
  }

  private line(path: string, text: string): void {
    const end = path.lastIndexOf("/");
    this.lines(path.slice(0, end)).push(`${tomlKey(path.slice(end + 1))} = ${text}`);
  }

  private sections(): string[] {
    const sections = [...this.tables].map(([path, lines]) => ({ path, lines })).sort(comparePaths);
    const text = sections.flatMap(({ path, lines }) => ["", `[${tomlPath(segmentsOf(path))}]`, ...lines]);
    if (this.flatDeclarations.length > 0) text.push("", "[declare]", ...this.flatDeclarations);
    if (this.flatValues.length > 0) text.push("", "[values]", ...this.flatValues);
    return text;
  }
}

function rootOf(entity: EntityPlace): string {
  return `${entity.kind.prefix}/${entity.id}`;
}

function isTemplate(path: string, declaration: Declaration): boolean {
  const template = templateDeclaration(path);
  return template !== undefined && isSameDeclaration(template, declaration);
}
