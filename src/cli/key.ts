/**
 * Key: makes a mesh key, shows it as a join code, and installs one from a join code.
 *
 * The key is in a file of its own for each mesh; a running node reads it when it starts. A join code is the key: it is
 * printed on stdout on request, and never anywhere else.
 */
import { randomBytes } from "node:crypto";
import { installMeshKey, KeyInstall, readMeshKey } from "../edge/mesh-key-file.js";
import { meshKeyPath, userFolders } from "../edge/user-folders.js";
import { decodeJoinCode, encodeJoinCode } from "../security/join-code.js";
import { MESH_KEY_BYTES } from "../security/mesh-identity.js";
import { CommandError, ExitCode } from "./command-error.js";
import { printJson, printLine } from "./output.js";
import { loadSettings, type SettingOptions } from "./settings-loader.js";
import { readInput } from "./show.js";

interface KeyOptions extends SettingOptions {
  readonly json?: boolean;
  readonly force?: boolean;
}

interface JoinOptions {
  readonly keyFile?: string;
  readonly json?: boolean;
  readonly force?: boolean;
}

export function newKey(options: KeyOptions): void {
  const { mesh, file } = keyPlace(options);
  install(file, mesh, new Uint8Array(randomBytes(MESH_KEY_BYTES)), options.force === true);
  if (options.json) printJson({ mesh, file });
  else printLine(file);
}

export function showKey(options: KeyOptions): void {
  const { mesh, file } = keyPlace(options);
  const code = encodeJoinCode({ mesh, key: readMeshKey(file) });
  if (options.json) printJson({ mesh, file, code });
  else printLine(code);
}

/** `words`: a code may have been pasted with spaces in it. */
export function join(words: readonly string[], options: JoinOptions): void {
  const text = words.length === 1 && words[0] === "-" ? readInput("-") : words.join(" ");
  const decoded = decodeJoinCode(text);
  if (!decoded.ok) throw new CommandError(decoded.message, ExitCode.failure);
  const { mesh, key } = decoded.secret;
  const file = options.keyFile ?? meshKeyPath(userFolders(), mesh);
  install(file, mesh, key, options.force === true);
  if (options.json) printJson({ mesh, file });
  else printLine(`joined the mesh ${mesh}: a node started with --mesh ${mesh} belongs to it`);
}

function keyPlace(options: KeyOptions): { mesh: string; file: string } {
  const { mesh, keyFile } = loadSettings(options);
  return { mesh, file: keyFile ?? meshKeyPath(userFolders(), mesh) };
}

function install(file: string, mesh: string, key: Uint8Array, isForced: boolean): void {
  if (installMeshKey(file, mesh, key, isForced) !== KeyInstall.refused) return;
  throw new CommandError(`${file}: another key of the mesh ${mesh} is there; --force replaces it`);
}
