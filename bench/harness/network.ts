/** Network: ports, groups and folders that nothing else on this machine uses. Everything stays on loopback. */
import { randomBytes, randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const LOOPBACK = "127.0.0.1";

/** A UDP port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const socket = createSocket("udp4");
  socket.bind(0, LOOPBACK);
  await once(socket, "listening");
  const { port } = socket.address();
  socket.close();
  await once(socket, "close");
  return port;
}

/** A group for the floors, away from those of meshes (239.77.x.y). */
export function randomGroup(): string {
  return `239.255.${randomInt(1, 255)}.${randomInt(1, 255)}`;
}

/** A mesh of the benchmark's own: random name and key, a folder that is removed at the end. */
export class BenchMesh {
  readonly name = `bench-${randomBytes(6).toString("hex")}`;
  readonly key = new Uint8Array(randomBytes(32));
  readonly folder = mkdtempSync(join(tmpdir(), "hana-bench-"));
  readonly meshPort: number;

  private constructor(meshPort: number) {
    this.meshPort = meshPort;
  }

  static async make(): Promise<BenchMesh> {
    return new BenchMesh(await freePort());
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
