/**
 * TOML: text in, plain data or one complaint out.
 *
 * The only place that calls the parser, so that what a hostile file can do is bounded once: its size, how deep it
 * nests, how many objects it makes. Nothing here throws on a text.
 */
import { parse, TomlError } from "smol-toml";
import { measureToml, TomlLines } from "./toml-scan.js";

/** A table has no prototype, so a key `__proto__` is a key like any other. */
export type TomlTable = Readonly<Record<string, unknown>>;

export interface TomlDocument {
  readonly table: TomlTable;
  /** The line, from 1, of a key or of the nearest table around it. Reads the text again when first asked. */
  lineOf(parts: readonly string[]): number | undefined;
}

export interface TomlProblem {
  readonly problem: string;
  readonly line: number | undefined;
  readonly column: number | undefined;
}

const DEPTH_MAX = 32;

/** `limit` is in UTF-16 units, so a text of that many bytes always passes. */
export function parseToml(text: string, limit: number): TomlDocument | TomlProblem {
  if (text.length > limit) return problemOf(`is longer than ${limit.toLocaleString("en")} bytes`);
  const excess = measureToml(text);
  if (excess !== undefined) return problemOf(excess.problem, excess.line);
  try {
    return documentOf(text, parse(text, { maxDepth: DEPTH_MAX }));
  } catch (error) {
    if (error instanceof TomlError) return problemOf(firstLine(error.message), error.line, error.column);
    return problemOf(`cannot be read: ${String(error)}`);
  }
}

function documentOf(text: string, table: TomlTable): TomlDocument {
  let lines: TomlLines | undefined;
  return {
    table,
    lineOf(parts) {
      lines ??= new TomlLines(text);
      return lines.lineOf(parts);
    },
  };
}

function problemOf(problem: string, line?: number, column?: number): TomlProblem {
  return { problem, line, column };
}

/** The parser's message goes on with a drawing of the place. */
function firstLine(message: string): string {
  return message.slice(0, message.indexOf("\n")).replace("Invalid TOML document: ", "");
}

/** True for a table and for nothing else: not for an array, not for a date. */
export function isTable(value: unknown): value is TomlTable {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === null;
}

const BARE_KEY = /^[A-Za-z0-9_-]+$/;

/** A key as TOML writes it: bare where that is allowed, else quoted. */
export function tomlKey(key: string): string {
  return BARE_KEY.test(key) ? key : tomlString(key);
}

/** A dotted key, such as `viz.tunnel."a.b"`. */
export function tomlPath(parts: readonly string[]): string {
  return parts.map(tomlKey).join(".");
}

/**
 * A basic string. JSON's escapes are TOML's, except that TOML escapes DEL too, and that neither UTF-8 nor TOML can
 * hold half of a surrogate pair, which becomes the replacement character.
 */
export function tomlString(text: string): string {
  return JSON.stringify(text.replace(/\p{Cs}/gu, "\ufffd")).replaceAll("\u007f", "\\u007f");
}

/** A number that the parser reads back exactly; `text` is its shortest form. */
export function tomlNumber(text: string): string {
  if (text === "-0") return "-0.0";
  const isInteger = /^-?\d+$/.test(text);
  return isInteger && !Number.isSafeInteger(Number(text)) ? `${text}.0` : text;
}
