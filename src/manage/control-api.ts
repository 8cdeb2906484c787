/**
 * Control API: a request under `/-/` to its answer. What the command line, pages and scripts talk to.
 *
 *   GET  /-/status                       StatusReport, with the desk's counters
 *   GET  /-/peers                        PeerReport[]
 *   GET  /-/health                       { healthy, findings }; status 503 while there is an alarm
 *   GET  /-/get?path=P                   PathReport; 404 for an unknown path
 *   GET  /-/list?pattern=P               PathReport[], by an OSC pattern (default: everything)
 *   GET  /-/watch?pattern=P[&initial=1]  ChangeReport, one a line, without end; `initial` begins with what is there
 *   GET  /-/show                         the show as TOML, as `--show` reads it
 *   POST /-/set       { path, value | words, wait?, timeoutMs?, surface? }
 *   POST /-/trigger   { path, wait?, timeoutMs?, surface? }
 *   POST /-/rename    { path, to, ... }        POST /-/remove  { path, ... }
 *   POST /-/declare   { declarations: { path: declaration }, values?: { path: value } }, or a show as application/toml
 *   POST /-/control   { action: "take" } or { action: "give", node }: passes control to this node, or to the one named
 *                     (name or id); answers { controller, term, tookMs }
 *   GET  /-/conflicts                    ConflictReport[]
 *   POST /-/conflicts { id, take: "mine" | "theirs" } or { id, value | words }: decides one; { id | "all", acknowledge: true }
 *   POST /-/log-level { level }
 *   and what `SurfaceApi` says about bindings and devices, and `InputApi` about what they say
 *
 * A write answers { path, confirmed, version }: 200 when confirmed, 202 when it was not waited for. One to a critical
 * path is confirmed when another node has it too, and says so: `replicated`, false where nobody else is. Everything else is
 * { error, reason }: `error` a stable name, `reason` a sentence. The rest of the name space is kept for OSCQuery.
 * Pure: what changes the node goes through `ApiBackend`; it opens nothing and knows no socket.
 */
import { fromBase64 } from "../config/base64.js";
import { formatComplaint } from "../config/complaint.js";
import { parseDeclared } from "../config/declarations.js";
import type { LivePath } from "../config/show-text.js";
import { type ParsedValue, parseJsonValue, parseValue } from "../config/value-text.js";
import { textProblem } from "../config/values.js";
import { compilePattern, type OscPattern } from "../input/osc-pattern.js";
import type { Declaration, Value } from "../state/declaration.js";
import { Reject, rejectText } from "../state/reject.js";
import { fixedDeclaration } from "../state/templates.js";
import { refuseAccess } from "./api-access.js";
import {
  type ApiAnswer,
  ApiError,
  type ApiRequest,
  errorAnswer,
  type Fields,
  fieldsOf,
  JSON_TYPE,
  jsonAnswer,
  outcomeAnswer,
  pathField,
  refused,
  tableField,
  writeOptions,
} from "./api-exchange.js";
import type { ApiBackend } from "./api-backend.js";
import { reportPath } from "./change-report.js";
import { type ConflictReport, conflictPath, conflictReports, decide } from "./conflict-records.js";
import { InputApi } from "./input-api.js";
import type { LineSource } from "./line-source.js";
import type { Replica } from "./replica.js";
import { type DeclareEntry, LOG_LEVELS, type WriteOptions } from "./reports.js";
import { SurfaceApi } from "./surface-api.js";
import { WatchQueue } from "./watch-queue.js";

/** An answer without end: whoever sends it takes lines after every pump of the replica, and closes it in the end. */
export interface ApiStream {
  readonly lines: LineSource;
  readonly close: () => void;
}

const SMALL_BODY_BYTES = 1024 * 1024;
/** The longest show (`SHOW_MAX_BYTES`). */
const SHOW_BODY_BYTES = 16 * 1024 * 1024;
const WATCHES_MAX = 64;
/** Paths between two parts of a long answer. */
const PART_PATHS = 512;

/** How long a body may be, by the request target. */
export function bodyLimitBytes(target: string): number {
  return routeOf(target) === "/-/declare" ? SHOW_BODY_BYTES : SMALL_BODY_BYTES;
}

function routeOf(target: string): string {
  const end = target.indexOf("?");
  return end < 0 ? target : target.slice(0, end);
}

type Handler = (query: URLSearchParams, request: ApiRequest) => Promise<ApiAnswer | ApiStream> | ApiStream;

export class ControlApi {
  private readonly backend: ApiBackend;
  private readonly routes: ReadonlyMap<string, Handler>;

  constructor(backend: ApiBackend) {
    this.backend = backend;
    const surfaces = new SurfaceApi(backend);
    const inputs = new InputApi(backend);
    this.routes = new Map<string, Handler>([
      ["GET /-/status", () => this.status()],
      ["GET /-/peers", () => this.peers()],
      ["GET /-/health", () => this.health()],
      ["GET /-/get", (query) => this.get(query)],
      ["GET /-/list", (query) => this.list(query)],
      ["GET /-/watch", (query) => this.watch(query)],
      ["GET /-/show", () => this.show()],
      ["POST /-/set", (_, request) => this.set(fieldsOf(request))],
      ["POST /-/trigger", (_, request) => this.trigger(fieldsOf(request))],
      ["POST /-/rename", (_, request) => this.rename(fieldsOf(request))],
      ["POST /-/remove", (_, request) => this.remove(fieldsOf(request))],
      ["POST /-/declare", (_, request) => this.declare(request)],
      ["POST /-/control", (_, request) => this.control(fieldsOf(request))],
      ["GET /-/conflicts", () => this.conflicts()],
      ["POST /-/conflicts", (_, request) => this.onConflict(fieldsOf(request))],
      ["POST /-/log-level", (_, request) => this.logLevel(fieldsOf(request))],
      ["GET /-/bindings", () => surfaces.list()],
      ["POST /-/bindings", (_, request) => surfaces.bind(fieldsOf(request))],
      ["POST /-/unbind", (_, request) => surfaces.unbind(fieldsOf(request))],
      ["POST /-/learn", (_, request) => surfaces.learn(fieldsOf(request))],
      ["GET /-/record", () => inputs.record()],
      ["POST /-/replay", (_, request) => inputs.replay(fieldsOf(request))],
      ["GET /-/trace", (query) => inputs.trace(query)],
      ["GET /-/midi", () => surfaces.devices()],
      ["POST /-/midi/adopt", (_, request) => surfaces.adopt(fieldsOf(request))],
      ["POST /-/midi/forget", (_, request) => surfaces.forget(fieldsOf(request))],
      ["POST /-/midi/blink", (_, request) => surfaces.blink(fieldsOf(request))],
      ["POST /-/surface/repaint", (_, request) => surfaces.repaint(fieldsOf(request))],
    ]);
  }

  /** Why the request must not be answered, as the answer that says so; undefined when it may. Needs no body. */
  refuse(request: Pick<ApiRequest, "method" | "target" | "host" | "origin" | "localAddress">): ApiAnswer | undefined {
    const reason = refuseAccess(request, this.backend.rules);
    if (reason !== "") return errorAnswer(403, "forbidden", reason);
    const route = routeOf(request.target);
    if (this.routes.has(`${request.method} ${route}`)) return undefined;
    if (!this.isRoute(route)) return errorAnswer(404, "notFound", "there is nothing at this address");
    return errorAnswer(405, "method", `${route} does not take ${request.method}`);
  }

  /** The answer to a request that `refuse` lets through. Never rejects. */
  async handle(request: ApiRequest): Promise<ApiAnswer | ApiStream> {
    const route = routeOf(request.target);
    const handler = this.routes.get(`${request.method} ${route}`) as Handler;
    try {
      return await handler(new URLSearchParams(request.target.slice(route.length)), request);
    } catch (error) {
      if (error instanceof ApiError) return error.answer;
      return errorAnswer(500, "failed", error instanceof Error ? error.message : String(error));
    }
  }

  private isRoute(route: string): boolean {
    return this.routes.has(`GET ${route}`) || this.routes.has(`POST ${route}`);
  }

  private async status(): Promise<ApiAnswer> {
    const report = await this.backend.command({ kind: "status" });
    return jsonAnswer(200, { ...report, counters: { ...report.counters, ...this.backend.counters() } });
  }

  private async peers(): Promise<ApiAnswer> {
    return jsonAnswer(200, await this.backend.command({ kind: "peers" }));
  }

  private async health(): Promise<ApiAnswer> {
    const findings = await this.backend.command({ kind: "health" });
    const healthy = !findings.some((finding) => finding.level === "alarm");
    return jsonAnswer(healthy ? 200 : 503, { healthy, findings });
  }

  private async get(query: URLSearchParams): Promise<ApiAnswer> {
    const path = query.get("path");
    if (path === null) throw new ApiError(400, "request", "the query has no path");
    const replica = await this.backend.current();
    const id = replica.state.idOf(path);
    if (id < 0) throw new ApiError(404, "unknownPath", `${path}: ${rejectText(Reject.unknownPath)}`);
    return jsonAnswer(200, reportPath(replica, id));
  }

  private async list(query: URLSearchParams): Promise<ApiAnswer> {
    const pattern = patternOf(query);
    const replica = await this.backend.current();
    return { status: 200, contentType: JSON_TYPE, body: listParts(replica, (path) => pattern.matches(path)) };
  }

  private async watch(query: URLSearchParams): Promise<ApiStream> {
    const pattern = patternOf(query);
    const replica = await this.backend.current();
    if (replica.watcherCount >= WATCHES_MAX) {
      throw new ApiError(503, "tooMany", `there are ${WATCHES_MAX} watches, the most at a time`);
    }
    const watch = new WatchQueue(replica, pattern);
    replica.addWatcher(watch);
    if (isTrue(query.get("initial"))) watch.addAll();
    return { lines: watch, close: () => replica.removeWatcher(watch) };
  }

  private async show(): Promise<ApiAnswer> {
    const replica = await this.backend.current();
    const { collectShow, formatShow } = await import("../config/show-text.js");
    const body = formatShow(collectShow(livePaths(replica)));
    return { status: 200, contentType: "application/toml; charset=utf-8", body };
  }

  private async set(fields: Fields): Promise<ApiAnswer> {
    const path = pathField(fields, "path");
    const options = writeOptions(fields);
    const replica = await this.backend.current();
    const declaration = replica.declarationOf(path);
    const parsed = "words" in fields ? parseValue(wordsField(fields), declaration) : valueField(fields, declaration);
    if ("problem" in parsed) throw refused(path, Reject.wrongType, parsed.problem);
    if (parsed.type === "impulse") return this.fire(path, options);
    const auto = declaration === undefined ? { ...options, autoType: parsed.type } : options;
    const outcome = await this.backend.command({ kind: "write", path, value: parsed.value, options: auto });
    return outcomeAnswer(path, outcome, options);
  }

  private trigger(fields: Fields): Promise<ApiAnswer> {
    return this.fire(pathField(fields, "path"), { ...writeOptions(fields), autoType: "impulse" });
  }

  private async fire(path: string, options: WriteOptions): Promise<ApiAnswer> {
    return outcomeAnswer(path, await this.backend.command({ kind: "trigger", path, options }), options);
  }

  private async rename(fields: Fields): Promise<ApiAnswer> {
    const path = pathField(fields, "path");
    const to = pathField(fields, "to");
    const options = writeOptions(fields);
    return outcomeAnswer(path, await this.backend.command({ kind: "rename", path, to, options }), options);
  }

  private async remove(fields: Fields): Promise<ApiAnswer> {
    const path = pathField(fields, "path");
    const options = writeOptions(fields);
    return outcomeAnswer(path, await this.backend.command({ kind: "remove", path, options }), options);
  }

  private async declare(request: ApiRequest): Promise<ApiAnswer> {
    const isToml = request.contentType.startsWith("application/toml");
    const fields = isToml ? {} : fieldsOf(request);
    const replica = await this.backend.current();
    const entries = isToml ? await showEntries(request.body, replica) : jsonEntries(fields, replica);
    const options = writeOptions(fields);
    const { declared, refused } = await this.backend.command({ kind: "declare", entries, options });
    if (refused.length === 0) return jsonAnswer(200, { declared, refused });
    const complaints = refused.map(({ path, reject, detail }) => `${path}: ${detail ?? rejectText(reject)}`);
    const reason = complaints[0] as string;
    return jsonAnswer(409, { error: "refused", reason, declared, complaints });
  }

  private async control(fields: Fields): Promise<ApiAnswer> {
    const { action, node = "" } = fields;
    if (action !== "take" && action !== "give") throw new ApiError(400, "request", "action is neither take nor give");
    if (typeof node !== "string" || (action === "give") !== (node !== "")) {
      throw new ApiError(400, "request", "give needs a node, and take has none");
    }
    const { reason, controller, term, tookMs } = await this.backend.command({ kind: "control", to: node });
    if (reason !== "") throw new ApiError(409, "refused", reason, { controller, term });
    return jsonAnswer(200, { controller, term, tookMs });
  }

  private async conflicts(): Promise<ApiAnswer> {
    return jsonAnswer(200, conflictReports(await this.backend.current()));
  }

  private async onConflict(fields: Fields): Promise<ApiAnswer> {
    const { id, acknowledge } = fields;
    if (typeof id !== "string") throw new ApiError(400, "request", "id is not a string");
    const all = conflictReports(await this.backend.current());
    const found = all.filter((report) => report.id === id);
    if (acknowledge === true) {
      return this.acknowledge(id === "all" ? all.filter(({ open }) => !open) : found, id, fields);
    }
    const [report] = found;
    if (report === undefined) throw new ApiError(404, "unknownConflict", `${id}: there is no such conflict`);
    return this.resolveConflict(report, fields);
  }

  private async acknowledge(reports: readonly ConflictReport[], id: string, fields: Fields): Promise<ApiAnswer> {
    if (reports.length === 0 && id !== "all") {
      throw new ApiError(404, "unknownConflict", `${id}: there is no such conflict`);
    }
    const { state } = await this.backend.current();
    // Of a path that is gone by now there is nothing to decide.
    const open = reports.find((report) => report.open && state.idOf(report.path) >= 0);
    if (open !== undefined) throw new ApiError(409, "refused", `${open.id}: it is open: decide it first`);
    for (const report of reports) await this.remove({ ...fields, path: conflictPath(report.id) });
    return jsonAnswer(200, { acknowledged: reports.length });
  }

  private async resolveConflict(report: ConflictReport, fields: Fields): Promise<ApiAnswer> {
    const { path } = report;
    const { take } = fields;
    if (take !== "mine" && take !== "theirs") await this.set({ ...fields, path });
    else {
      const decision = decide(report, take);
      if ("problem" in decision) throw new ApiError(409, "refused", `${path}: ${decision.problem}`);
      if ("removes" in decision) await this.removeIfThere(path, fields);
      else await this.put(path, decision.value, writeOptions(fields));
    }
    return this.remove({ ...fields, path: conflictPath(report.id) });
  }

  private async removeIfThere(path: string, fields: Fields): Promise<void> {
    const replica = await this.backend.current();
    if (replica.state.idOf(path) >= 0) await this.remove({ ...fields, path });
  }

  private async put(path: string, value: Value, options: WriteOptions): Promise<void> {
    outcomeAnswer(path, await this.backend.command({ kind: "write", path, value, options }), options);
  }

  private async logLevel(fields: Fields): Promise<ApiAnswer> {
    const level = LOG_LEVELS.find((name) => name === fields["level"]);
    if (level === undefined) throw new ApiError(400, "request", `level is none of ${LOG_LEVELS.join(", ")}`);
    await this.backend.command({ kind: "logLevel", level });
    return jsonAnswer(200, { level });
  }
}

function isTrue(text: string | null): boolean {
  return text === "1" || text === "true";
}

function patternOf(query: URLSearchParams): OscPattern {
  const text = query.get("pattern") ?? "//";
  const pattern = compilePattern(text);
  if (pattern === null) throw new ApiError(400, "badPattern", `${text}: is not an OSC address pattern`);
  return pattern;
}

function wordsField(fields: Fields): readonly string[] {
  const { words } = fields;
  if (Array.isArray(words) && words.every((word) => typeof word === "string")) return words;
  throw new ApiError(400, "request", "words is not a list of strings");
}

/** A JSON value as it may be written: what the state can make of it, it does, as of an OSC argument. */
function valueField(fields: Fields, declaration: Declaration | undefined): ParsedValue {
  if (!("value" in fields)) throw new ApiError(400, "request", "the body has neither value nor words");
  const { value } = fields;
  if (declaration === undefined) return parseJsonValue(JSON.stringify(value), undefined);
  const { type } = declaration;
  if (type === "impulse") {
    const fires = value === null || value === true || (typeof value === "number" && value !== 0);
    return fires ? { type, value: null } : { problem: "an impulse has no value" };
  }
  if (type === "blob") {
    const bytes = typeof value === "string" ? fromBase64(value) : undefined;
    return bytes === undefined ? { problem: "is not base64" } : { type, value: bytes };
  }
  if (typeof value === "string") {
    const problem = textProblem(value);
    return problem === "" ? { type, value } : { problem };
  }
  if (typeof value === "number" || typeof value === "boolean" || isNumbers(value)) return { type, value };
  return { problem: "is no value of any type" };
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.length <= 4 && value.every((lane) => typeof lane === "number");
}

/** The parser of shows is loaded when one comes: a node is ready some 20 ms sooner without it. */
async function showEntries(text: string, replica: Replica): Promise<DeclareEntry[]> {
  const { parseShow } = await import("../config/show.js");
  const parsed = parseShow(text, "show", { paths: replica.state.capacity });
  if ("complaints" in parsed) throw badDeclarations(parsed.complaints.map(formatComplaint));
  const entries = new Map<string, DeclareEntry>(parsed.show.declarations.map((entry) => [entry.path, entry]));
  for (const { path, value } of parsed.show.values) entries.set(path, withValue(path, value, entries, replica));
  return [...entries.values()];
}

/** A value of a path that the show does not declare is one that always exists. */
function withValue(path: string, value: Value, entries: ReadonlyMap<string, DeclareEntry>, replica: Replica) {
  const declaration = entries.get(path)?.declaration ?? replica.declarationOf(path) ?? fixedDeclaration(path);
  if (declaration === undefined) throw badDeclarations([`${path}: ${rejectText(Reject.unknownPath)}`]);
  return { path, declaration, value };
}

function jsonEntries(fields: Fields, replica: Replica): DeclareEntry[] {
  const complaints: string[] = [];
  const entries = new Map<string, DeclareEntry>();
  for (const [path, input] of Object.entries(tableField(fields, "declarations"))) {
    const parsed = parseDeclared(path, input);
    if ("declaration" in parsed) entries.set(path, { path, declaration: parsed.declaration });
    else for (const { field, message } of parsed.problems) complaints.push(`${path}: ${field} ${message}`);
  }
  for (const [path, value] of Object.entries(tableField(fields, "values"))) {
    const declaration = entries.get(path)?.declaration ?? replica.declarationOf(path);
    const parsed = valueField({ value }, declaration);
    if (declaration === undefined) complaints.push(`${path}: ${rejectText(Reject.unknownPath)}`);
    else if ("problem" in parsed) complaints.push(`${path}: ${parsed.problem}`);
    else entries.set(path, { path, declaration, value: parsed.value });
  }
  if (complaints.length > 0) throw badDeclarations(complaints);
  return [...entries.values()];
}

function badDeclarations(complaints: readonly string[]): ApiError {
  return new ApiError(422, "badDeclaration", complaints[0] ?? "", { complaints: complaints.slice(0, 200) });
}

function* listParts(replica: Replica, isWanted: (path: string) => boolean): Generator<string> {
  let part = "[";
  let count = 0;
  for (const id of replica.state.ids()) {
    // The tree may have become another between two parts.
    if (!replica.state.exists(id) || !isWanted(replica.state.pathOf(id))) continue;
    part += `${count === 0 ? "" : ","}\n${JSON.stringify(reportPath(replica, id))}`;
    count++;
    if (count % PART_PATHS !== 0) continue;
    yield part;
    part = "";
  }
  yield `${part}\n]\n`;
}

function* livePaths(replica: Replica): Generator<LivePath> {
  const { state } = replica;
  for (const id of state.ids()) {
    const declaration = state.declarationOf(id);
    if (declaration !== undefined) yield { path: state.pathOf(id), declaration, value: state.valueOf(id) };
  }
}
