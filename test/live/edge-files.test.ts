/** The files of user and node, on a real disk, with real processes racing for them. */
import { spawn, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { FolderLock } from "../../src/edge/folder-lock.js";
import { installMeshKey, KeyInstall, readMeshKey, readOrMakeMeshKey } from "../../src/edge/mesh-key-file.js";
import { readOrMakeNodeId, takeNextSession } from "../../src/edge/node-identity.js";
import { readTermFile, TermFile } from "../../src/edge/term-file.js";
import { BadUserFile } from "../../src/edge/trouble.js";
import { defaultDataFolder, meshKeyPath, safeFileName, userFolders } from "../../src/edge/user-folders.js";
import { replaceUserFile } from "../../src/edge/whole-file.js";
import { rootFolder } from "../harness/process.js";

const root = fs.mkdtempSync(join(tmpdir(), "hana-files-"));
afterAll(() => fs.rmSync(root, { recursive: true, force: true }));
let folder = "";
let count = 0;
beforeEach(() => {
  folder = join(root, `case${++count}`);
});

const edge = (file: string): string => JSON.stringify(join(rootFolder, "dist/edge", file));

/** Runs a script in a process of its own once `go` exists, so that all of them start at the same moment. */
function racer(script: string, go: string): Promise<string> {
  const waiting = `import fs from "node:fs"; while (!fs.existsSync(${JSON.stringify(go)})); ${script}`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", waiting], { stdio: ["ignore", "pipe", 2] });
  let output = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  return new Promise((resolve) => child.on("close", () => resolve(output.trim())));
}

async function race(script: string, racers: number): Promise<string[]> {
  const go = join(root, `go${count}`);
  const outputs = Array.from({ length: racers }, () => racer(script, go));
  await new Promise((resolve) => setTimeout(resolve, 600));
  fs.writeFileSync(go, "");
  return await Promise.all(outputs);
}

const mode = (path: string): number => fs.statSync(path).mode & 0o777;
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

describe("a mesh key file", () => {
  const path = (): string => join(folder, "keys", "demo.key");

  it("is made on first use, for its owner alone, and the same ever after", () => {
    const made = readOrMakeMeshKey(path(), "demo");
    expect([made.isNew, made.key.length]).toEqual([true, 32]);
    expect([mode(path()), mode(join(folder, "keys"))]).toEqual([0o600, 0o700]);
    expect(readOrMakeMeshKey(path(), "demo")).toEqual({ key: made.key, isNew: false });
    expect(readMeshKey(path())).toEqual(made.key);
    expect(fs.readdirSync(join(folder, "keys"))).toEqual(["demo.key"]);
  });

  it("is one and whole, however many first starts race for it", async () => {
    const script = `const { readOrMakeMeshKey } = await import(${edge("mesh-key-file.js")});
      const { key, isNew } = readOrMakeMeshKey(${JSON.stringify(path())}, "demo");
      console.log(isNew, Buffer.from(key).toString("hex"));`;
    const outputs = await race(script, 6);
    const keys = new Set(outputs.map((output) => output.split(" ")[1]));
    expect([...keys]).toEqual([hex(readMeshKey(path()))]);
    expect(outputs.filter((output) => output.startsWith("true")).length).toBe(1);
    expect(fs.readdirSync(join(folder, "keys"))).toEqual(["demo.key"]);
  });

  it("needs a folder that can be made", { timeout: 5_000 }, () => {
    // Nothing can be made there, and asked for the whole path at once Node tries for ever.
    const place = process.platform === "linux" ? "/proc/hana/keys/demo.key" : join(folder, "file/keys/demo.key");
    fs.mkdirSync(folder, { recursive: true });
    fs.writeFileSync(join(folder, "file"), "");
    expect(() => readOrMakeMeshKey(place, "demo")).toThrow();
    expect(() => readOrMakeMeshKey(join(folder, "file/demo.key"), "demo")).toThrow();
  });

  it("that others may read is refused, with the command that mends it", () => {
    readOrMakeMeshKey(path(), "demo");
    for (const loose of [0o644, 0o640, 0o604, 0o620]) {
      fs.chmodSync(path(), loose);
      expect(() => readOrMakeMeshKey(path(), "demo")).toThrow(BadUserFile);
      expect(() => readMeshKey(path())).toThrow(`chmod 600 '${path()}'`);
    }
    fs.chmodSync(path(), 0o400);
    expect(readMeshKey(path()).length).toBe(32);
  });

  it("that is missing, damaged or no file is refused by name, and never replaced", () => {
    expect(() => readMeshKey(path())).toThrow(/demo\.key: there is no such key file/);
    const digits = "ab".repeat(32);
    fs.mkdirSync(join(folder, "keys"), { recursive: true });
    for (const text of [`${digits}ff`, digits.slice(1), `${digits}\n${digits}`, "# only a comment\n", "key!"]) {
      fs.writeFileSync(path(), text, { mode: 0o600 });
      expect(() => readOrMakeMeshKey(path(), "demo")).toThrow(expect.objectContaining({ exitCode: 78 }));
      expect(fs.readFileSync(path(), "utf8")).toBe(text);
    }
    fs.rmSync(path());
    fs.mkdirSync(path());
    expect(() => readMeshKey(path())).toThrow(BadUserFile);
  });

  it("may be written by hand: 64 digits are enough", () => {
    fs.mkdirSync(folder);
    fs.writeFileSync(join(folder, "own.key"), `\n# mine\n  ${"AB".repeat(32)}  \r\n`, { mode: 0o600 });
    expect(hex(readMeshKey(join(folder, "own.key")))).toBe("ab".repeat(32));
  });

  it("in a folder that cannot be made is trouble of the disk: exit code 69", () => {
    fs.writeFileSync(folder, "a file where a folder should be");
    expect(() => installMeshKey(path(), "demo", new Uint8Array(32), true)).toThrow(
      expect.objectContaining({ exitCode: 69, resource: "folder" }),
    );
  });

  it("is installed by join, but not over another key unless forced", () => {
    const [first, second] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
    expect(installMeshKey(path(), "demo", first, false)).toBe(KeyInstall.installed);
    expect(installMeshKey(path(), "demo", first, false)).toBe(KeyInstall.unchanged);
    expect(installMeshKey(path(), "demo", second, false)).toBe(KeyInstall.refused);
    expect(readMeshKey(path())).toEqual(first);
    expect(installMeshKey(path(), "demo", second, true)).toBe(KeyInstall.installed);
    expect(readMeshKey(path())).toEqual(second);
    expect([mode(path()), fs.readdirSync(join(folder, "keys"))]).toEqual([0o600, ["demo.key"]]);
  });

  it("that others may read is made private by a forced install", () => {
    readOrMakeMeshKey(path(), "demo");
    fs.chmodSync(path(), 0o644);
    expect(() => installMeshKey(path(), "demo", new Uint8Array(32), false)).toThrow(BadUserFile);
    expect(installMeshKey(path(), "demo", new Uint8Array(32), true)).toBe(KeyInstall.installed);
    expect(mode(path())).toBe(0o600);
  });
});

describe("a node's identity", () => {
  it("is 8 random bytes, the same at every start", () => {
    const made = readOrMakeNodeId(folder);
    expect(made.length).toBe(8);
    expect(readOrMakeNodeId(folder)).toEqual(made);
    expect(hex(readOrMakeNodeId(join(root, "another")))).not.toBe(hex(made));
  });

  it("that is damaged is refused, not replaced: it says which file to delete", () => {
    readOrMakeNodeId(folder);
    for (const text of ["", "12345", "zz".repeat(8), "0".repeat(16)]) {
      fs.writeFileSync(join(folder, "node-id"), text);
      expect(() => readOrMakeNodeId(folder)).toThrow(/node-id: .*delete the file/);
    }
  });

  it("has a session number that rises at every start, and random bytes behind it", () => {
    const numberOf = (session: Uint8Array): number => new DataView(session.buffer).getUint32(0);
    const sessions = [1_000, 1_000, 999, 5_000].map((seconds) => takeNextSession(folder, seconds));
    expect(sessions.map(numberOf)).toEqual([1_000, 1_001, 1_002, 5_000]);
    expect(new Set(sessions.map((session) => hex(session.subarray(4)))).size).toBe(4);
  });

  it("is on disk before it is used", () => {
    takeNextSession(folder, 42);
    expect(fs.readFileSync(join(folder, "session"), "utf8")).toBe("42\n");
    expect(fs.readdirSync(folder)).toEqual(["session"]);
  });

  it("survives a lost or damaged session file by the clock, and a clock gone wild by the file", () => {
    const next = (seconds: number): number => new DataView(takeNextSession(folder, seconds).buffer).getUint32(0);
    expect(next(100)).toBe(100);
    for (const text of ["", "x", "99999999999", "-5", "4294967296"]) {
      fs.writeFileSync(join(folder, "session"), text);
      expect(next(200)).toBe(200);
    }
    fs.rmSync(join(folder, "session"));
    expect(next(1e12)).toBe(0xf000_0000);
    expect(next(300)).toBe(0xf000_0001);
    expect(next(Number.NEGATIVE_INFINITY)).toBe(0xf000_0002);
  });
});

describe("a data folder's lock", () => {
  it("keeps a second node out, names the first one, and is free after release", () => {
    const lock = FolderLock.take(folder);
    expect(() => FolderLock.take(folder)).toThrow(expect.objectContaining({ exitCode: 69, resource: "folder" }));
    expect(() => FolderLock.take(folder)).toThrow(`process ${process.pid}`);
    lock.release();
    lock.release();
    FolderLock.take(folder).release();
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  it("of a process that died is taken over", async () => {
    const script = `const { FolderLock } = await import(${edge("folder-lock.js")});
      FolderLock.take(${JSON.stringify(folder)}); console.log("taken");`;
    expect(await race(script, 1)).toEqual(["taken"]);
    expect(fs.existsSync(join(folder, "lock"))).toBe(true);
    FolderLock.take(folder).release();
  });

  it.runIf(process.platform === "linux")("of an earlier process with the same id is taken over", () => {
    FolderLock.take(folder);
    const lockFile = join(folder, "lock");
    const text = fs.readFileSync(lockFile, "utf8");
    fs.writeFileSync(lockFile, text.replace(/:\d+ /, ":1 "));
    FolderLock.take(folder).release();
  });

  it("that is damaged is taken over; released by its old holder, it stays with the new one", () => {
    const old = FolderLock.take(folder);
    fs.writeFileSync(join(folder, "lock"), "garbage");
    const lock = FolderLock.take(folder);
    old.release();
    expect(() => FolderLock.take(folder)).toThrow("already runs");
    lock.release();
  });

  it("goes to exactly one of many that find the same stale lock", async () => {
    fs.mkdirSync(folder);
    fs.writeFileSync(join(folder, "lock"), `999999999 - ${Date.now()} 0011223344556677\n`);
    const script = `const { FolderLock } = await import(${edge("folder-lock.js")});
      try { FolderLock.take(${JSON.stringify(folder)}); console.log("taken"); setTimeout(() => {}, 1500); }
      catch (error) { console.log(error.resource); }`;
    const outputs = await race(script, 6);
    expect(outputs.sort()).toEqual([...Array<string>(5).fill("folder"), "taken"]);
  });

  it("left half taken over by a crash is taken over later", () => {
    fs.mkdirSync(folder);
    fs.writeFileSync(join(folder, "lock"), `999999999 - ${Date.now()} 0011223344556677\n`);
    const guard = join(folder, "lock.takeover");
    fs.writeFileSync(guard, "");
    fs.utimesSync(guard, 1, 1);
    FolderLock.take(folder).release();
    expect(fs.readdirSync(folder)).toEqual([]);
  });
});

describe("user folders", () => {
  it("follow XDG on Linux, ignoring relative paths", () => {
    expect(userFolders({}, "linux", "/home/ann")).toEqual({
      config: "/home/ann/.config/hana",
      state: "/home/ann/.local/state/hana",
    });
    const environment = { XDG_CONFIG_HOME: "/c", XDG_STATE_HOME: "/s", XDG_DATA_HOME: "/d" };
    expect(userFolders(environment, "linux", "/home/ann")).toEqual({ config: "/c/hana", state: "/s/hana" });
    expect(userFolders({ XDG_DATA_HOME: "/d" }, "linux", "/home/ann").state).toBe("/d/hana");
    expect(userFolders({ XDG_CONFIG_HOME: "here" }, "linux", "/home/ann").config).toBe("/home/ann/.config/hana");
  });

  it("follow the habits of macOS and Windows", () => {
    expect(userFolders({}, "darwin", "/Users/ann").config).toBe("/Users/ann/Library/Application Support/hana");
    const { config, state } = userFolders({ APPDATA: "/roaming", LOCALAPPDATA: "/local" }, "win32", "/Users/ann");
    expect([config, state]).toEqual(["/roaming/hana", "/local/hana/nodes"]);
  });

  it("hold a key for each mesh, and a data folder for each mesh, name and port", () => {
    const folders = { config: "/c/hana", state: "/s/hana" };
    expect(meshKeyPath(folders, "demo")).toBe("/c/hana/keys/demo.key");
    expect(defaultDataFolder(folders, "demo", "stage left", 7700)).toBe("/s/hana/demo/stage%20left-7700");
  });

  it("stay where they are, whatever a mesh or node is called", () => {
    for (const name of ["..", ".", "", "../../etc", "a/b", "a\\b", "C:", "nul\0", ".hidden"]) {
      expect(safeFileName(name)).toMatch(/^[A-Za-z0-9_%-][A-Za-z0-9_.%-]*$/);
    }
    const names = ["a b", "a%20b", "a_b", "", "%", "A", "ä", "a\u0308"];
    expect(new Set(names.map(safeFileName)).size).toBe(names.length);
  });
});

describe("a term file", () => {
  const path = (): string => join(folder, "term");

  function open(): { file: TermFile; saved: number[]; failed: number[] } {
    const saved: number[] = [];
    const failed: number[] = [];
    const file = new TermFile(folder, {
      onSaved: (revision) => saved.push(revision),
      onFailed: (revision) => failed.push(revision),
    });
    return { file, saved, failed };
  }

  beforeEach(() => fs.mkdirSync(folder, { recursive: true }));

  it("promises nothing in a new folder, and is told of in one that had it", () => {
    expect(readTermFile(folder, true)).toEqual({ record: { known: 0, granted: 0, grantee: "" }, problem: "" });
    expect(readTermFile(folder, false).problem).toBe("");
    fs.unlinkSync(path());
    expect(readTermFile(folder, false).problem).toContain(path());
  });

  it("holds the newest promise once it says so, alone in its folder", async () => {
    const { file, saved } = open();
    for (let revision = 1; revision <= 50; revision++) {
      file.save({ known: revision + 1, granted: revision, grantee: "0123456789abcdef" }, revision);
    }
    await file.close();
    expect([saved.at(-1), saved.length < 50]).toEqual([50, true]);
    expect(readTermFile(folder, false)).toEqual({
      record: { known: 51, granted: 50, grantee: "0123456789abcdef" },
      problem: "",
    });
    expect(fs.readdirSync(folder)).toEqual(["term"]);
    expect(mode(path())).toBe(0o600);
  });

  it("that is torn anywhere or changed is none, and says so", async () => {
    const { file } = open();
    file.save({ known: 51, granted: 50, grantee: "0123456789abcdef" }, 1);
    await file.close();
    const text = fs.readFileSync(path(), "utf8");
    const damaged = Array.from({ length: text.length }, (_, end) => text.slice(0, end));
    for (const wrong of [...damaged, text.replace("51", "52"), `${text}x`]) {
      fs.writeFileSync(path(), wrong);
      const { record, problem } = readTermFile(folder, false);
      expect([record, problem.includes(path())]).toEqual([undefined, true]);
    }
  });

  it("that cannot be written is reported, and what comes later is tried again", async () => {
    const { file, saved, failed } = open();
    fs.rmSync(folder, { recursive: true });
    file.save({ known: 1, granted: 1, grantee: "0123456789abcdef" }, 1);
    await file.close();
    fs.mkdirSync(folder);
    file.save({ known: 2, granted: 2, grantee: "0123456789abcdef" }, 2);
    await file.close();
    expect([saved, failed]).toEqual([[2], [1]]);
  });
});

describe("a file that the user named", () => {
  const modeOf = (path: string): number => fs.statSync(path).mode & 0o777;

  it("is readable by whom new files are, and keeps who may read it when it is replaced", () => {
    fs.mkdirSync(folder);
    const [show, plain] = [join(folder, "show.toml"), join(folder, "plain")];
    fs.writeFileSync(plain, "");
    replaceUserFile(show, "one");
    expect(modeOf(show)).toBe(modeOf(plain));
    fs.rmSync(plain);
    fs.chmodSync(show, 0o664);
    replaceUserFile(show, "two");
    expect([fs.readFileSync(show, "utf8"), modeOf(show), fs.readdirSync(folder)]).toEqual([
      "two",
      0o664,
      ["show.toml"],
    ]);
  });

  it("is replaced where a link leads to", () => {
    fs.mkdirSync(folder);
    const [show, link] = [join(folder, "show.toml"), join(folder, "link.toml")];
    replaceUserFile(show, "one");
    fs.symlinkSync("show.toml", link);
    replaceUserFile(link, "two");
    expect([fs.readFileSync(show, "utf8"), fs.lstatSync(link).isSymbolicLink()]).toEqual(["two", true]);
  });

  it.skipIf(process.platform === "win32")("is written into when it is no file", () => {
    const script = `import { replaceUserFile } from ${edge("whole-file.js")}; replaceUserFile("/dev/fd/1", "one");`;
    // The shell's pipe can be opened by its name; the socket that Node makes for a child cannot.
    const command = ["-c", '"$0" --input-type=module -e "$1" | cat', process.execPath, script];
    const { stdout } = spawnSync("sh", command, { encoding: "utf8" });
    expect(stdout).toBe("one");
  });
});
