/**
 * Shared port: OSC's UDP port and the control API's TCP port have one number. Where the system chooses the UDP port, the
 * number may be taken for TCP, so another one is tried before anything else is opened.
 */
import { createServer } from "node:net";
import { OscSocket, type OscSocketOptions } from "./osc-socket.js";

const TRIES = 16;

/** Opens the OSC socket; with port 0 on a number that is free for TCP too. Rejects with `ResourceUnavailable`. */
export async function openSharedPort(options: OscSocketOptions): Promise<OscSocket> {
  for (let tries = 1; ; tries++) {
    const socket = await OscSocket.open(options);
    if (options.port !== 0 || tries >= TRIES || (await isFreeForTcp(socket.port))) return socket;
    await socket.close();
  }
}

function isFreeForTcp(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen(port, () => probe.close(() => resolve(true)));
  });
}
