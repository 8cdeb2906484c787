/**
 * API exchange: a request and an answer of the control API, and how the parts of a body are read.
 *
 * What a body lacks or has wrong ends the request with an error answer that names the field. Pure; it opens nothing.
 */
import { validatePath } from "../state/path.js";
import { Reject } from "../state/reject.js";
import { outcomeText, type WriteOptions, type WriteOutcome } from "./reports.js";

export interface ApiRequest {
  readonly method: string;
  /** The request target as it came: path and query. */
  readonly target: string;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly contentType: string;
  readonly localAddress: string;
  /** Not longer than `bodyLimitBytes(target)`. */
  readonly body: string;
}

/** A finished answer; a body in parts is made while it is sent. */
export interface ApiAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string | Iterable<string>;
}

export type Fields = Readonly<Record<string, unknown>>;

const TIMEOUT_DEFAULT_MS = 5_000;
const TIMEOUT_MAX_MS = 600_000;
const SURFACE = /^[!-~]{1,64}$/;
export const JSON_TYPE = "application/json; charset=utf-8";

/** Ends a request with an error answer; whoever handles requests catches it. */
export class ApiError extends Error {
  readonly answer: ApiAnswer;

  constructor(status: number, error: string, reason: string, more: Readonly<Record<string, unknown>> = {}) {
    super(reason);
    this.answer = jsonAnswer(status, { error, reason, ...more });
  }
}

export function fieldsOf(request: ApiRequest): Fields {
  let value: unknown;
  try {
    value = JSON.parse(request.body);
  } catch {
    throw new ApiError(400, "request", "the body is not JSON");
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Fields;
  throw new ApiError(400, "request", "the body is not a JSON object");
}

export function pathField(fields: Fields, name: string): string {
  const path = fields[name];
  if (typeof path !== "string") throw new ApiError(400, "request", `${name} is not a string`);
  const problem = validatePath(path);
  if (problem !== "") throw new ApiError(422, "badPath", `${path}: ${problem}`);
  return path;
}

export function tableField(fields: Fields, name: string): Fields {
  const table = fields[name] ?? {};
  if (typeof table === "object" && !Array.isArray(table)) return table as Fields;
  throw new ApiError(400, "request", `${name} is not an object`);
}

export function writeOptions(fields: Fields): WriteOptions {
  const { wait = true, timeoutMs = TIMEOUT_DEFAULT_MS, surface = "api" } = fields;
  if (typeof wait !== "boolean") throw new ApiError(400, "request", "wait is not true or false");
  if (typeof timeoutMs !== "number" || !(timeoutMs >= 0 && timeoutMs <= TIMEOUT_MAX_MS)) {
    throw new ApiError(400, "request", "timeoutMs is not a number from 0 to 600000");
  }
  if (typeof surface !== "string" || !SURFACE.test(surface)) {
    throw new ApiError(400, "request", "surface is not 1 to 64 printable characters");
  }
  return { wait, timeoutMs, surface };
}

/** The status of each reason why a write was not taken; 422, "understood and refused", for those not listed. */
const STATUS: Partial<Record<Reject, number>> = {
  [Reject.unknownPath]: 404,
  [Reject.readOnly]: 403,
  [Reject.strict]: 403,
  [Reject.superseded]: 409,
  [Reject.held]: 409,
  [Reject.alreadyDeclared]: 409,
  [Reject.pathTaken]: 409,
  [Reject.aliasTaken]: 409,
  [Reject.queueFull]: 503,
  [Reject.pathsFull]: 507,
  [Reject.autoFull]: 507,
  [Reject.timedOut]: 504,
  [Reject.closed]: 503,
};

const REJECT_NAMES = new Map(Object.entries(Reject).map(([name, code]) => [code, name]));

export function refused(path: string, reject: Reject, text: string): ApiError {
  return new ApiError(STATUS[reject] ?? 422, REJECT_NAMES.get(reject) ?? "refused", `${path}: ${text}`);
}

export function outcomeAnswer(path: string, outcome: WriteOutcome, options: WriteOptions): ApiAnswer {
  if (outcome.reject !== Reject.none) throw refused(path, outcome.reject, outcomeText(outcome));
  const { confirmed, version = null, replicated } = outcome;
  // Undefined is left out: only critical paths have it.
  return jsonAnswer(confirmed || options.wait ? 200 : 202, { path, confirmed, version, replicated });
}

export function jsonAnswer(status: number, value: unknown): ApiAnswer {
  return { status, contentType: JSON_TYPE, body: `${JSON.stringify(value)}\n` };
}

export function errorAnswer(status: number, error: string, reason: string): ApiAnswer {
  return jsonAnswer(status, { error, reason });
}
