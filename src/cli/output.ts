/**
 * Output: what goes to stdout, and what happens when nobody reads it.
 *
 * A pipe that is closed at the other end (`hana watch | head`) ends a command quietly and successfully: the reader has
 * all it wanted.
 */
import { ExitCode } from "./command-error.js";

export function endQuietlyOnClosedPipe(): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE" || error.code === "ECONNRESET") process.exit(ExitCode.success);
    process.stderr.write(`hana: cannot write: ${error.message}\n`);
    process.exit(ExitCode.failure);
  });
  // Nobody is left to be told.
  process.stderr.on("error", () => {});
}

export function printLine(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Something that a person should know, beside the answer. */
export function printWarning(text: string): void {
  process.stderr.write(`hana: ${text}\n`);
}

/** As JSON on one line. */
export function printJson(value: unknown): void {
  printLine(JSON.stringify(value));
}

/** A value from JSON as `hana get` prints it: components separated by one space, an impulse as nothing. */
export function plainText(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (Array.isArray(value)) return value.map(plainText).join(" ");
  return typeof value === "object" ? JSON.stringify(value) : String(value as string | number | boolean);
}

/** Rows of cells as aligned columns, without trailing spaces. */
export function tableText(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, column) => (widths[column] = Math.max(widths[column] ?? 0, cell.length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] as number))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** `1 d 3 h`, `12 min 5 s`, `0.4 s`: the two largest units. */
export function durationText(milliseconds: number): string {
  const seconds = milliseconds / 1_000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const units: [string, number][] = [
    ["d", 86_400],
    ["h", 3_600],
    ["min", 60],
    ["s", 1],
  ];
  let rest = Math.floor(seconds);
  const parts: string[] = [];
  for (const [name, size] of units) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0 || parts.length > 0) parts.push(`${count} ${name}`);
  }
  return parts.slice(0, 2).join(" ");
}

export function percentText(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

export function mebibytesText(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(0)} MiB`;
}
