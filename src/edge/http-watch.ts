/**
 * HTTP watch: one client's endless answer, line by line.
 *
 * Writes what the source holds after each pump, and stops when the client does not read; what the source then keeps is
 * its own to say. A client that reads nothing for a minute is let go.
 */
import type { ServerResponse } from "node:http";
import type { LineSource } from "../manage/line-source.js";

/** Text on its way to a client before it counts as slow. */
const WAITING_LIMIT_BYTES = 1_048_576;
const STALLED_LIMIT_MS = 60_000;
const KEEP_ALIVE_MS = 30_000;

export class HttpWatch {
  private readonly queue: LineSource;
  private readonly response: ServerResponse;
  private stalled: NodeJS.Timeout | undefined;

  constructor(queue: LineSource, response: ServerResponse) {
    this.queue = queue;
    this.response = response;
    response.on("drain", () => this.onDrain());
    response.on("close", () => clearTimeout(this.stalled));
  }

  begin(): void {
    this.response.socket?.setKeepAlive(true, KEEP_ALIVE_MS);
    this.response.socket?.setNoDelay(true);
    this.response.flushHeaders();
    this.flush();
  }

  flush(): void {
    const { queue, response } = this;
    while (!queue.isSlow && !queue.isEmpty) {
      response.write(queue.take());
      if (response.writableLength > WAITING_LIMIT_BYTES) this.stall();
    }
  }

  end(): void {
    this.response.end();
  }

  private stall(): void {
    this.queue.isSlow = true;
    this.stalled = setTimeout(() => this.response.destroy(), STALLED_LIMIT_MS);
  }

  private onDrain(): void {
    clearTimeout(this.stalled);
    this.queue.isSlow = false;
    this.flush();
  }
}
