/**
 * Node home: what a node keeps on disk and must have before it may speak. Its folder, id, session and mesh key.
 */
import type { Settings } from "../config/settings.js";
import { FolderLock } from "./folder-lock.js";
import { readMeshKey, readOrMakeMeshKey } from "./mesh-key-file.js";
import { guarded, hasNodeId, keepSession, readOrMakeNodeId, takeNextSession } from "./node-identity.js";
import { readTermFile, type TermFileContents } from "./term-file.js";
import { defaultDataFolder, meshKeyPath, userFolders } from "./user-folders.js";

export class NodeHome {
  readonly dataDir: string;
  /** 8 bytes each. */
  readonly nodeId: Uint8Array;
  readonly session: Uint8Array;
  /** What an earlier boot promised about terms. */
  readonly terms: TermFileContents;
  /** 32 bytes. */
  readonly meshKey: Uint8Array;
  /** Whether the key was made now. */
  readonly isKeyNew: boolean;
  private readonly lock: FolderLock;

  private constructor(dataDir: string, lock: FolderLock, key: { key: Uint8Array; isNew: boolean }) {
    this.dataDir = dataDir;
    this.lock = lock;
    const isNew = !hasNodeId(dataDir);
    this.terms = guarded(dataDir, () => readTermFile(dataDir, isNew));
    this.nodeId = readOrMakeNodeId(dataDir);
    this.session = takeNextSession(dataDir, Date.now() / 1_000);
    this.meshKey = key.key;
    this.isKeyNew = key.isNew;
  }

  /** Throws `ResourceUnavailable` when another node runs in the folder, `BadUserFile` when a file is damaged. */
  static open(settings: Settings, name: string, port: number, key: Uint8Array | undefined): NodeHome {
    const folders = userFolders();
    const dataDir = settings.dataDir ?? defaultDataFolder(folders, settings.mesh, name, port);
    const lock = FolderLock.take(dataDir);
    try {
      return new NodeHome(dataDir, lock, keyFor(settings, key, meshKeyPath(folders, settings.mesh)));
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /** 16 hex digits. */
  get id(): string {
    return Buffer.from(this.nodeId).toString("hex");
  }

  /** The random half of the session, which tells this boot from the others. */
  get boot(): number {
    return new DataView(this.session.buffer, this.session.byteOffset).getUint32(4);
  }

  /** Puts a higher session number on disk. */
  keepSession(number: number): Promise<void> {
    return keepSession(this.dataDir, number);
  }

  close(): void {
    this.lock.release();
  }
}

function keyFor(settings: Settings, key: Uint8Array | undefined, path: string): { key: Uint8Array; isNew: boolean } {
  if (key !== undefined) return { key, isNew: false };
  if (settings.keyFile !== undefined) return { key: readMeshKey(settings.keyFile), isNew: false };
  return readOrMakeMeshKey(path, settings.mesh);
}
