/**
 * Build: a copy of the sources and of the simulator with some text replaced, as JavaScript, ready to be run.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import type { Edit } from "./list.js";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
/** Inside the checkout, so that packages are found. */
const OUTPUT = join(ROOT, "dist-sim/mutants");
const OPTIONS: ts.CompilerOptions = { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ES2022 };

const sources = new Map<string, string>();
const compiled = new Map<string, string>();

function readSources(): void {
  if (sources.size > 0) return;
  const folders = [...readdirSync(join(ROOT, "src")).map((name) => `src/${name}`), "test/sim"];
  for (const folder of folders) {
    if (folder.endsWith(".ts")) continue;
    for (const name of readdirSync(join(ROOT, folder))) {
      const isSource = name.endsWith(".ts") && !name.endsWith(".d.ts") && !name.endsWith(".test.ts");
      if (isSource) readSource(`${folder}/${name}`);
    }
  }
  readSource("test/unit/node/event-queue.ts");
}

function readSource(file: string): void {
  sources.set(file, readFileSync(join(ROOT, file), "utf8"));
}

function compile(text: string): string {
  return ts.transpileModule(text, { compilerOptions: OPTIONS }).outputText;
}

function patched(file: string, text: string, edits: readonly Edit[]): string {
  let result = text;
  for (const { file: edited, find, replace } of edits) {
    if (`src/${edited}` !== file) continue;
    if (result.split(find).length !== 2) throw new Error(`${file} does not hold exactly once: ${find}`);
    result = result.replace(find, () => replace);
  }
  return result;
}

/** Answers the file to run. */
export function build(name: string, edits: readonly Edit[]): string {
  readSources();
  const folder = join(OUTPUT, name.replaceAll(" ", "-"));
  for (const [file, text] of sources) {
    const isEdited = edits.some((edit) => `src/${edit.file}` === file);
    const code = isEdited ? compile(patched(file, text, edits)) : (compiled.get(file) ?? compile(text));
    if (!isEdited) compiled.set(file, code);
    const target = join(folder, file.replace(/\.ts$/, ".js"));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, code);
  }
  return join(folder, "test/sim/run.js");
}
