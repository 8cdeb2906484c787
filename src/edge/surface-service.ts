/**
 * Surface service: what the desk asks about devices and bindings, on the live thread.
 *
 * A binding is a handful of paths; it is made and removed by ordinary writes, so it travels and is saved like any other
 * state. What stands here beyond that is local: whether its device is plugged in.
 */
import type { Bindings, BindingState } from "../input/bindings.js";
import { boundPaths, readBindings } from "../input/binding-records.js";
import { ControlCurve } from "../input/control-curve.js";
import { isSameSource } from "../input/control-source.js";
import type { MidiDeviceReport } from "../input/midi-devices.js";
import { TakeoverMode } from "../input/takeover.js";
import { optionsOf } from "../manage/binding-options.js";
import { type DeclareEntry, refusal, type WriteOptions, type WriteOutcome } from "../manage/reports.js";
import { type FeedWish, NO_WISH } from "../manage/input-feed.js";
import type { ReplayPart, ReplayReport } from "../manage/replay-reports.js";
import type { LearnOutcome, LearnRequest } from "../manage/learn-reports.js";
import type {
  AdoptOutcome,
  AdoptRequest,
  BindingReport,
  BindOutcome,
  BindRequest,
  DeviceReport,
} from "../manage/surface-reports.js";
import type { HanaNode } from "../node/node.js";
import type { Value } from "../state/declaration.js";
import { Reject } from "../state/reject.js";
import { entityKind, everyPath, isLayer, isOptional, layerDeclaration, MAPPINGS_PREFIX } from "../state/templates.js";
import { adoptDevice, forgetDevice } from "./device-adoption.js";
import { LearnService } from "./learn-service.js";
import type { LiveLoop } from "./live-loop.js";
import type { NodeService } from "./node-service.js";
import type { Surfaces } from "./surfaces.js";

export interface SurfaceServiceParts {
  readonly node: HanaNode;
  readonly loop: LiveLoop;
  readonly service: NodeService;
  readonly surfaces: Surfaces;
}

const SEGMENT = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;
const NO_OUTCOME: WriteOutcome = { reject: Reject.none, confirmed: false };

export class SurfaceService {
  private readonly parts: SurfaceServiceParts;
  private readonly lessons: LearnService;
  private wish: FeedWish = NO_WISH;

  constructor(parts: SurfaceServiceParts) {
    this.parts = parts;
    this.lessons = new LearnService({
      state: parts.node.core.state,
      monitor: parts.surfaces.monitor,
      devices: () => parts.surfaces.midi.list(),
      bind: (request, options) => this.bind(request, options),
    });
  }

  replay(part: ReplayPart): ReplayReport {
    return this.parts.surfaces.replays.take(part);
  }

  /** Tells the desk of the inputs what is wished, from now on. */
  feed(wish: FeedWish): void {
    const { catalog, monitor } = this.parts.surfaces;
    this.wish = wish;
    if (wish !== NO_WISH || catalog.isLoaded) void catalog.load().then(() => monitor.feed(this.wish));
  }

  /** Waits for a control to be moved, and says how it would be bound. */
  async learn(request: LearnRequest, options: WriteOptions): Promise<LearnOutcome> {
    await this.parts.surfaces.catalog.load();
    return this.lessons.learn(request, options);
  }

  async devices(): Promise<readonly DeviceReport[]> {
    await this.parts.surfaces.catalog.load();
    return this.parts.surfaces.midi.list().map((device) => this.deviceReport(device));
  }

  private deviceReport({ alias, input, output, state, reason }: MidiDeviceReport): DeviceReport {
    const { profiles, adoptions } = this.parts.surfaces.catalog;
    const profile = profiles.of(alias)?.id ?? "";
    return { alias, profile, adopted: adoptions.some((one) => one.alias === alias), input, output, state, reason };
  }

  /** Gives a device of this machine an alias; what had it gets the other's. */
  async adopt(request: AdoptRequest): Promise<AdoptOutcome> {
    await this.parts.surfaces.catalog.load();
    return this.named(await adoptDevice(request, this.parts.surfaces.catalog, this.parts.surfaces.midi));
  }

  /** Lets an alias be what profiles and ports say again. */
  async forget(alias: string): Promise<AdoptOutcome> {
    await this.parts.surfaces.catalog.load();
    return this.named(forgetDevice(alias, this.parts.surfaces.catalog, this.parts.surfaces.midi));
  }

  /** What aliases mean has changed, unless there was a problem. */
  private async named(problem: string): Promise<AdoptOutcome> {
    if (problem !== "") return { problem, devices: [] };
    this.parts.surfaces.bindings.refresh();
    return { problem, devices: await this.devices() };
  }

  /** Lets a device blink, and then show again what it showed. */
  async blink(alias: string): Promise<AdoptOutcome> {
    const { catalog, midi } = this.parts.surfaces;
    await catalog.load();
    midi.list();
    const problem = await midi.blink(alias, catalog.profiles.of(alias)?.profile);
    if (problem === "") this.repaint(alias);
    return { problem: problem === "" ? "" : `${alias}: ${problem}`, devices: [] };
  }

  async bindings(): Promise<readonly BindingReport[]> {
    await this.parts.surfaces.catalog.load();
    this.parts.surfaces.bindings.pump();
    return this.parts.surfaces.bindings.list().map((state) => this.report(state));
  }

  private report({ record, standing, reason, alias }: BindingState): BindingReport {
    const { id, source, path, isEnabled, range, curve, isInverted, takeover } = record;
    const plugged = alias === "" ? undefined : this.parts.surfaces.midi.stateOf(alias);
    const device = plugged === undefined ? null : this.deviceReport(plugged);
    const ends = range[0] === range[1] ? null : range;
    return {
      id,
      source,
      path,
      enabled: isEnabled,
      range: ends,
      curve,
      invert: isInverted,
      takeover,
      options: optionsOf(record),
      standing,
      gap: this.parts.surfaces.bindings.gapOf(record),
      reason,
      device,
    };
  }

  /** Sends a device everything that it shows. False when nothing is shown on such a device. */
  repaint(alias: string): boolean {
    const { loop } = this.parts;
    const { feedback } = this.parts.surfaces;
    loop.enter();
    const isDone = feedback.repaint(alias);
    loop.requestSettle();
    return isDone;
  }

  /** Binds a control to a path. Answers when the binding is confirmed and its port is open, or known not to be. */
  async bind(request: BindRequest, options: WriteOptions): Promise<BindOutcome> {
    await this.parts.surfaces.catalog.load();
    const problem = problemOf(request, this.parts.surfaces.bindings);
    if (problem !== "") return { problem, outcome: NO_OUTCOME };
    for (const path of boundPaths(request.path)) {
      const declared = this.declareTarget(path, request, options);
      if (declared !== Reject.none) return { problem: "", outcome: refusal(declared) };
    }
    const id = request.id ?? this.idFor(request);
    const { state } = this.parts.node.core;
    const entries = entriesOf(id, request, (path) => state.idOf(path) >= 0);
    const { refused } = await this.parts.service.declare(entries, options);
    const [first] = refused;
    if (first !== undefined) return { problem: "", outcome: refusal(first.reject, first.detail) };
    const binding = (await this.bindings()).find((one) => one.id === id);
    return { problem: "", outcome: NO_OUTCOME, ...(binding === undefined ? {} : { binding }) };
  }

  /** A path under `/viz` that is not there yet declares itself, with the range of the binding; so does a layer. */
  private declareTarget(path: string, { range, options: { mode } = {} }: BindRequest, options: WriteOptions): Reject {
    const { node, loop } = this.parts;
    if (node.core.state.idOf(path) >= 0) return Reject.none;
    loop.enter();
    if (isLayer(path)) {
      const declaration = layerDeclaration(typeof mode === "string" ? mode : "");
      return node.writes.declare(path, declaration, node.writes.surface(options.surface));
    }
    const ends = range === undefined ? undefined : { min: Math.min(...range), max: Math.max(...range) };
    const id = node.writes.declareAuto(path, "float", node.writes.surface(options.surface), ends);
    return id >= 0 || -id === Reject.unknownPath || -id === Reject.strict ? Reject.none : (-id as Reject);
  }

  /** The id of the binding of this source to this path, or a new one that is named after the source. */
  private idFor({ source, path }: BindRequest): string {
    const records = readBindings(this.parts.node.core.state);
    const known = records.find(
      (record) =>
        isSameSource(record.source, source) &&
        path === records.flatMap((one) => (one.id === record.id ? [one.path] : [])).join(" "),
    );
    if (known !== undefined) return known.id;
    const name = source
      .replace(/[^A-Za-z0-9]+/g, "-")
      .replace(/^-+|-+$/g, "")
      .slice(0, 48);
    const taken = new Set(records.map(({ id }) => id));
    let id = name;
    for (let number = 2; taken.has(id); number++) id = `${name}-${number}`;
    return id;
  }

  async unbind(id: string, options: WriteOptions): Promise<WriteOutcome> {
    const { node, service } = this.parts;
    const paths = pathsOf(id).filter((path) => node.core.state.idOf(path) >= 0);
    let outcome = refusal(Reject.unknownPath);
    for (const path of paths) outcome = await service.remove(path, options);
    this.parts.surfaces.bindings.pump();
    return outcome;
  }
}

function problemOf({ id, source, curve, takeover }: BindRequest, bindings: Bindings): string {
  const problem = bindings.problemOf(source);
  if (problem !== "") return `${source}: ${problem}`;
  if (id !== undefined && !SEGMENT.test(id)) return `${id}: is no name of a binding: letters, digits, . _ -`;
  if (curve !== undefined && !Object.hasOwn(ControlCurve, curve)) {
    return `${curve}: is no curve: ${Object.keys(ControlCurve).join(", ")}`;
  }
  if (takeover !== undefined && !Object.hasOwn(TakeoverMode, takeover)) {
    return `${takeover}: is no takeover: ${Object.keys(TakeoverMode).join(", ")}`;
  }
  return "";
}

function pathsOf(id: string): string[] {
  return everyPath(entityKind(MAPPINGS_PREFIX), id).map(({ path }) => path);
}

/**
 * The paths of a binding, with the values that are asked for; of the rest, the template's defaults. Optional ones are
 * only made when they are asked for; such as are there already get their default.
 */
function entriesOf(id: string, request: BindRequest, exists: (path: string) => boolean): DeclareEntry[] {
  const { source, path, range = [0, 0], curve, invert, takeover, options } = request;
  const values: Readonly<Record<string, Value | undefined>> = {
    ...options,
    source,
    path,
    range: [...range],
    curve,
    invert,
    takeover,
  };
  return everyPath(entityKind(MAPPINGS_PREFIX), id).flatMap((entry) => {
    const value = values[entry.path.slice(entry.path.lastIndexOf("/") + 1)];
    if (value === undefined && isOptional(entry.path) && !exists(entry.path)) return [];
    return [{ ...entry, value: value ?? entry.declaration.default }];
  });
}
