/**
 * Surface API: the requests about devices and bindings.
 *
 *   GET  /-/bindings                     BindingReport[], as they stand on this node
 *   POST /-/bindings   { source, path, id?, range?: [low, high], curve?, invert?, takeover?, options?, wait?, timeoutMs? }:
 *                      binds a control to a path or several; `options` are optional parameters of `/mappings/{id}/`;
 *                      answers the BindingReport, when its port is open or known to be absent
 *   POST /-/unbind     { id, wait?, timeoutMs? }
 *   POST /-/learn      { path, accept?, options?, limitMs?, wait?, timeoutMs? }: waits until a control is moved; answers
 *                      a LearnReport, the binding to propose, and with `accept` makes it; 504 when nothing was moved
 *   GET  /-/midi                         DeviceReport[]: what is plugged in, and what bindings name
 *   POST /-/midi/adopt { alias, device?, profile?, identify? }: says which device of this machine an alias means; DeviceReport[]
 *   POST /-/midi/forget { alias }        ends that; DeviceReport[]
 *   POST /-/midi/blink { alias }         lets its lights blink for two seconds; []
 *   POST /-/surface/repaint { alias }    sends a device everything that it shows; 404 when nothing is shown on it
 *
 * Pure, like the rest of the control API; it decides nothing about a binding.
 */
import { BOUND_PATHS_MAX } from "../input/binding-records.js";
import { Reject } from "../state/reject.js";
import {
  type ApiAnswer,
  ApiError,
  type Fields,
  jsonAnswer,
  outcomeAnswer,
  pathField,
  tableField,
  writeOptions,
} from "./api-exchange.js";
import type { ApiBackend } from "./api-backend.js";
import { readOptions } from "./binding-options.js";
import type { LearnRequest } from "./learn-reports.js";
import type { AdoptOutcome, BindRequest } from "./surface-reports.js";

export class SurfaceApi {
  private readonly backend: ApiBackend;

  constructor(backend: ApiBackend) {
    this.backend = backend;
  }

  async list(): Promise<ApiAnswer> {
    return jsonAnswer(200, await this.backend.command({ kind: "bindings" }));
  }

  async devices(): Promise<ApiAnswer> {
    return jsonAnswer(200, await this.backend.command({ kind: "devices" }));
  }

  async adopt(fields: Fields): Promise<ApiAnswer> {
    const alias = textField(fields, "alias");
    const identify = fields["identify"] === true;
    const request = { alias, identify, ...optionalText(fields, "device"), ...optionalText(fields, "profile") };
    return adoptAnswer(await this.backend.command({ kind: "adopt", request }));
  }

  async forget(fields: Fields): Promise<ApiAnswer> {
    return adoptAnswer(await this.backend.command({ kind: "forget", alias: textField(fields, "alias") }));
  }

  async blink(fields: Fields): Promise<ApiAnswer> {
    return adoptAnswer(await this.backend.command({ kind: "blink", alias: textField(fields, "alias") }));
  }

  async bind(fields: Fields): Promise<ApiAnswer> {
    const request = bindRequest(fields);
    const options = writeOptions(fields);
    const { problem, outcome, binding } = await this.backend.command({ kind: "bind", request, options });
    if (problem !== "") throw new ApiError(422, "badBinding", problem);
    if (outcome.reject !== Reject.none) outcomeAnswer(request.path, outcome, options);
    return jsonAnswer(200, binding);
  }

  async repaint(fields: Fields): Promise<ApiAnswer> {
    const alias = textField(fields, "alias");
    const isDone = await this.backend.command({ kind: "repaint", alias });
    if (!isDone) throw new ApiError(404, "unknownSurface", `${alias}: no binding shows anything on such a device`);
    return jsonAnswer(200, { alias });
  }

  async unbind(fields: Fields): Promise<ApiAnswer> {
    const id = textField(fields, "id");
    const options = writeOptions(fields);
    const outcome = await this.backend.command({ kind: "unbind", id, options });
    if (outcome.reject === Reject.unknownPath)
      throw new ApiError(404, "unknownBinding", `${id}: there is no such binding`);
    return outcomeAnswer(id, outcome, options);
  }

  async learn(fields: Fields): Promise<ApiAnswer> {
    const request = learnRequest(fields);
    const options = writeOptions(fields);
    const { problem, silence, outcome, report } = await this.backend.command({ kind: "learn", request, options });
    if (problem !== "") throw new ApiError(422, "badBinding", problem);
    if (silence !== "") throw new ApiError(504, "nothingMoved", silence);
    if (outcome.reject !== Reject.none) outcomeAnswer(request.path, outcome, options);
    return jsonAnswer(200, report);
  }
}

const LEARN_DEFAULT_MS = 30_000;
const LEARN_MAX_MS = 600_000;

function learnRequest(fields: Fields): LearnRequest {
  const { accept = false, limitMs = LEARN_DEFAULT_MS } = fields;
  if (typeof accept !== "boolean") throw new ApiError(400, "request", "accept is not true or false");
  if (typeof limitMs !== "number" || !(limitMs >= 0 && limitMs <= LEARN_MAX_MS)) {
    throw new ApiError(400, "request", `limitMs is not a number from 0 to ${LEARN_MAX_MS}`);
  }
  return { path: pathField(fields, "path"), accept, limitMs, options: readOptions(tableField(fields, "options")) };
}

function adoptAnswer({ problem, devices }: AdoptOutcome): ApiAnswer {
  if (problem !== "") throw new ApiError(422, "badAdoption", problem);
  return jsonAnswer(200, devices);
}

function bindRequest(fields: Fields): BindRequest {
  const request = {
    source: textField(fields, "source"),
    path: pathsField(fields),
    options: readOptions(tableField(fields, "options")),
  };
  const { range, invert } = fields;
  if (invert !== undefined && typeof invert !== "boolean")
    throw new ApiError(400, "request", "invert is not true or false");
  if (range !== undefined && !isRange(range)) throw new ApiError(400, "request", "range is not two different numbers");
  return {
    ...request,
    ...(range === undefined ? {} : { range }),
    ...(invert === undefined ? {} : { invert }),
    ...optionalText(fields, "id"),
    ...optionalText(fields, "curve"),
    ...optionalText(fields, "takeover"),
  };
}

/** A path, or several with spaces between. */
function pathsField(fields: Fields): string {
  const paths = textField(fields, "path").trim().split(/ +/);
  if (paths.length > BOUND_PATHS_MAX) throw new ApiError(400, "request", `path is more than ${BOUND_PATHS_MAX} paths`);
  for (const path of paths) pathField({ path }, "path");
  return paths.join(" ");
}

function isRange(value: unknown): value is [number, number] {
  return (
    Array.isArray(value) && value.length === 2 && value.every((end) => Number.isFinite(end)) && value[0] !== value[1]
  );
}

function textField(fields: Fields, name: string): string {
  const text = fields[name];
  if (typeof text !== "string" || text === "") throw new ApiError(400, "request", `${name} is not a text`);
  return text;
}

function optionalText<Name extends string>(fields: Fields, name: Name): Partial<Record<Name, string>> {
  return fields[name] === undefined ? {} : ({ [name]: textField(fields, name) } as Record<Name, string>);
}
