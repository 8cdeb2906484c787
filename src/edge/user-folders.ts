/**
 * User folders: where this user's keys lie, and where a node keeps what is its own.
 *
 * Keys are in the configuration folder, shared by all nodes of the user on this machine, one file for each mesh.
 * Node id, session number and lock are in the data folder, which belongs to one node: its default name holds mesh,
 * name and port, so a second node on another port gets a folder of its own. Nothing here touches the disk.
 */
import { homedir } from "node:os";
import { join } from "node:path";

export interface UserFolders {
  /** Configuration: holds `keys/`. */
  readonly config: string;
  /** State: holds a data folder for each node. */
  readonly state: string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Linux: the XDG base directories. macOS: Application Support. Windows: APPDATA and LOCALAPPDATA. */
export function userFolders(
  environment: Environment = process.env,
  platform: string = process.platform,
  home: string = homedir(),
): UserFolders {
  if (platform === "win32") {
    const roaming = environment["APPDATA"] ?? join(home, "AppData", "Roaming");
    const local = environment["LOCALAPPDATA"] ?? join(home, "AppData", "Local");
    return { config: join(roaming, "hana"), state: join(local, "hana", "nodes") };
  }
  if (platform === "darwin") {
    const support = join(home, "Library", "Application Support", "hana");
    return { config: support, state: join(support, "nodes") };
  }
  const config = absolute(environment["XDG_CONFIG_HOME"]) ?? join(home, ".config");
  const data = absolute(environment["XDG_STATE_HOME"]) ?? absolute(environment["XDG_DATA_HOME"]);
  return { config: join(config, "hana"), state: join(data ?? join(home, ".local", "state"), "hana") };
}

/** The XDG specification: a relative path in these variables is to be ignored. */
function absolute(path: string | undefined): string | undefined {
  return path?.startsWith("/") === true ? path : undefined;
}

export function meshKeyPath(folders: UserFolders, mesh: string): string {
  return join(folders.config, "keys", `${safeFileName(mesh)}.key`);
}

export function defaultDataFolder(folders: UserFolders, mesh: string, name: string, port: number): string {
  return join(folders.state, safeFileName(mesh), `${safeFileName(name)}-${port}`);
}

const encoder = new TextEncoder();

/** A file name for any text, never "." or "..", never with a separator; two texts never share one. */
export function safeFileName(text: string): string {
  let name = "";
  for (const byte of encoder.encode(text)) {
    const letter = String.fromCharCode(byte);
    const isPlain = /[A-Za-z0-9_-]/.test(letter) || (letter === "." && name !== "");
    name += isPlain ? letter : `%${byte.toString(16).padStart(2, "0")}`;
  }
  return name === "" ? "%" : name;
}
