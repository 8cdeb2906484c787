/**
 * Node client: talks to a node's control API for the other commands.
 *
 * `node:http` and not `fetch`, which costs some 40 ms to load: `hana get` should be there at once. Every failure
 * becomes a `CommandError` that says what to do.
 */
import { Agent, type IncomingMessage, request } from "node:http";
import { CommandError, ExitCode } from "./command-error.js";

export const DEFAULT_NODE = "http://127.0.0.1:7700";
/** How long an answer may take beyond what the request itself waits for. */
const ANSWER_LIMIT_MS = 15_000;

export interface NodeOptions {
  /** `--node`. */
  readonly node?: string;
}

export class NodeClient {
  private readonly url: URL;
  private readonly agent: Agent | undefined;

  /** `keepAlive`: for commands that ask again and again; `close` then ends the connection. */
  constructor(options: NodeOptions, keepAlive = false) {
    this.url = nodeUrl(options.node ?? nonEmpty(process.env["HANA_NODE"]) ?? DEFAULT_NODE);
    this.agent = keepAlive ? new Agent({ keepAlive: true, maxSockets: 1 }) : undefined;
  }

  close(): void {
    this.agent?.destroy();
  }

  /** The answer's text; a refusal is thrown with the node's own reason. */
  async get(path: string): Promise<string> {
    return textOf(await this.ask("GET", path));
  }

  /** `waitMs`: how long the node may wait before it answers. */
  async post(path: string, body: unknown, waitMs = 0): Promise<string> {
    return textOf(await this.ask("POST", path, JSON.stringify(body), "application/json", waitMs));
  }

  async postText(path: string, body: string, contentType: string): Promise<string> {
    return textOf(await this.ask("POST", path, body, contentType));
  }

  /** An answer without end. */
  async stream(path: string): Promise<IncomingMessage> {
    const response = await this.ask("GET", path);
    if (response.statusCode !== 200) await textOf(response);
    return response;
  }

  private ask(method: string, path: string, body?: string, contentType = "", waitMs = 0): Promise<IncomingMessage> {
    const { url } = this;
    return new Promise((resolve, reject) => {
      const sent = request(
        {
          host: url.hostname.replace(/^\[|\]$/g, ""),
          port: url.port === "" ? 80 : url.port,
          path,
          method,
          agent: this.agent ?? false,
          headers: {
            host: url.host,
            ...(body === undefined ? {} : { "content-type": contentType, "content-length": Buffer.byteLength(body) }),
          },
        },
        (response) => {
          clearTimeout(timer);
          resolve(response);
        },
      );
      const timer = setTimeout(() => sent.destroy(new Error("it does not answer")), ANSWER_LIMIT_MS + waitMs);
      sent.on("error", (error) => {
        clearTimeout(timer);
        reject(new CommandError(this.failureText(error)));
      });
      sent.end(body);
    });
  }

  private failureText(error: NodeJS.ErrnoException): string {
    if (error.code === "ECONNREFUSED") {
      return `no node at ${this.url.origin}: start one with \`hana run\`, or choose another with --node URL`;
    }
    return `the node at ${this.url.origin} cannot be asked: ${error.message}`;
  }
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}

function nodeUrl(text: string): URL {
  const withScheme = text.includes("://") ? text : `http://${text}`;
  const url = URL.canParse(withScheme) ? new URL(withScheme) : undefined;
  if (url?.protocol === "http:" && url.hostname !== "") return url;
  throw new CommandError(`--node ${text}: is not a URL such as ${DEFAULT_NODE}`, ExitCode.usage);
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = "";
  response.setEncoding("utf8");
  try {
    for await (const chunk of response) text += chunk as string;
  } catch (error) {
    throw new CommandError(`the node broke off its answer: ${(error as Error).message}`);
  }
  if ((response.statusCode ?? 500) < 400) return text;
  throw new CommandError(reasonsOf(text));
}

/** The `complaints` or the `reason` of an error answer. */
function reasonsOf(text: string): readonly string[] {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    return ["the answer is not that of a hana node"];
  }
  const { complaints, reason } = answer as { complaints?: unknown; reason?: unknown };
  if (Array.isArray(complaints) && complaints.length > 0) return complaints.map(String);
  return [typeof reason === "string" ? reason : "the node refused"];
}
