/**
 * HTTP server: carries requests to the control API and its answers back, over sockets that somebody else accepted.
 *
 * It listens nowhere itself: the port server hands it every connection that begins with a letter and may speak HTTP.
 * Bodies, headers, times and a slow reader's memory are bounded here; what a request means is the API's.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { type ApiAnswer, type ApiRequest, errorAnswer } from "../manage/api-exchange.js";
import { type ApiStream, bodyLimitBytes, type ControlApi } from "../manage/control-api.js";
import type { DeskFollower } from "./desk-follower.js";
import { HttpWatch } from "./http-watch.js";

const HEADERS_LIMIT_MS = 10_000;
const REQUEST_LIMIT_MS = 30_000;
const KEEP_ALIVE_MS = 5_000;
const HEADER_LIMIT_BYTES = 16_384;

export class HttpServer {
  /** Answers by class: [2] counts 2xx, [4] 4xx, ... */
  readonly answered = new Float64Array(6);
  private readonly api: ControlApi;
  private readonly follower: DeskFollower;
  private readonly server: Server;
  private readonly watches = new Set<HttpWatch>();

  constructor(api: ControlApi, follower: DeskFollower) {
    this.api = api;
    this.follower = follower;
    this.server = createServer(
      {
        headersTimeout: HEADERS_LIMIT_MS,
        requestTimeout: REQUEST_LIMIT_MS,
        keepAliveTimeout: KEEP_ALIVE_MS,
        maxHeaderSize: HEADER_LIMIT_BYTES,
        connectionsCheckingInterval: 5_000,
      },
      (request, response) => void this.serve(request, response),
    );
    this.server.on("clientError", (_, socket) => socket.destroy());
    // Node checks its time limits from this event on; there is no socket of the server's own that would send it.
    this.server.emit("listening");
  }

  /** Takes over a connection whose first bytes were put back with `unshift`. */
  accept(socket: Socket): void {
    this.server.emit("connection", socket);
  }

  get watchCount(): number {
    return this.watches.size;
  }

  /** Ends the watches; answers under way are finished by their sockets' owner. */
  close(): void {
    for (const watch of this.watches) watch.end();
    this.server.closeIdleConnections();
    // Not listening, so this only stops the checks; it says so as an error that means nothing here.
    this.server.close(() => {});
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A socket that breaks in the middle of an answer ends that answer and nothing else.
    response.on("error", () => {});
    const head = headOf(request);
    const refusal = this.api.refuse(head);
    if (refusal !== undefined) return this.refuse(refusal, response);
    const body = await readBody(request, bodyLimitBytes(head.target));
    if (body === undefined) return this.refuse(errorAnswer(413, "tooLong", "the body is too long"), response);
    const result = await this.api.handle({ ...head, body });
    if ("lines" in result) this.watch(result, response);
    else await this.send(result, response);
  }

  /** The rest of the request is not read, so the connection cannot be used again. */
  private async refuse(answer: ApiAnswer, response: ServerResponse): Promise<void> {
    response.setHeader("connection", "close");
    await this.send(answer, response);
  }

  private async send(answer: ApiAnswer, response: ServerResponse): Promise<void> {
    this.count(answer.status);
    writeHead(response, answer.status, answer.contentType);
    if (typeof answer.body === "string") response.end(answer.body);
    else await sendParts(answer.body, response);
  }

  private watch({ lines, close }: ApiStream, response: ServerResponse): void {
    if (response.closed) {
      close();
      return;
    }
    this.count(200);
    writeHead(response, 200, "application/x-ndjson; charset=utf-8");
    const stream = new HttpWatch(lines, response);
    const flush = () => stream.flush();
    response.on("close", () => {
      this.watches.delete(stream);
      close();
      this.follower.afterPump.delete(flush);
    });
    this.watches.add(stream);
    this.follower.afterPump.add(flush);
    stream.begin();
  }

  private count(status: number): void {
    const index = Math.floor(status / 100);
    this.answered[index] = (this.answered[index] as number) + 1;
  }
}

function headOf(request: IncomingMessage): Omit<ApiRequest, "body"> {
  return {
    method: request.method ?? "",
    target: request.url ?? "",
    host: request.headers.host,
    origin: request.headers.origin,
    contentType: request.headers["content-type"] ?? "",
    localAddress: request.socket.localAddress ?? "",
  };
}

function writeHead(response: ServerResponse, status: number, contentType: string): void {
  response.writeHead(status, {
    "content-type": contentType,
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
  });
}

/** Undefined when it is longer than the limit. A request that breaks off rejects nothing: it counts as empty. */
function readBody(request: IncomingMessage, limitBytes: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let length = 0;
    request.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length <= limitBytes) chunks.push(chunk);
      else resolve(undefined);
    });
    request.on("end", () => resolve(Buffer.concat(chunks).toString("utf8")));
    request.on("error", () => resolve(""));
  });
}

async function sendParts(parts: Iterable<string>, response: ServerResponse): Promise<void> {
  for (const part of parts) {
    if (response.destroyed) return;
    if (!response.write(part)) await drained(response);
  }
  response.end();
}

/** Resolves when there is room again, or nobody left to read. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off("drain", done);
      response.off("close", done);
      resolve();
    };
    response.on("drain", done);
    response.on("close", done);
  });
}
