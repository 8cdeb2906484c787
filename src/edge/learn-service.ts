/**
 * Learn service: what the desk asks when somebody teaches a path its control, on the live thread.
 *
 * It waits for the control, proposes a binding that fits the path, and makes it if that was asked for.
 */
import { unmovable } from "../input/binding.js";
import type { LearnFinding } from "../input/learn.js";
import { proposalOf, remarksOf } from "../input/learn-proposal.js";
import type { LearnOutcome, LearnReport, LearnRequest } from "../manage/learn-reports.js";
import type { WriteOptions, WriteOutcome } from "../manage/reports.js";
import type { BindOutcome, BindRequest } from "../manage/surface-reports.js";
import { Reject } from "../state/reject.js";
import type { State } from "../state/state.js";
import { type HeardDevice, type InputMonitor, LearnEnd } from "./input-monitor.js";

export interface LearnServiceParts {
  readonly state: State;
  readonly monitor: InputMonitor;
  readonly devices: () => readonly HeardDevice[];
  readonly bind: (request: BindRequest, options: WriteOptions) => Promise<BindOutcome>;
}

const NO_OUTCOME: WriteOutcome = { reject: Reject.none, confirmed: false };
const NOTHING_YET = { problem: "", silence: "", outcome: NO_OUTCOME };

export class LearnService {
  private readonly parts: LearnServiceParts;

  constructor(parts: LearnServiceParts) {
    this.parts = parts;
  }

  async learn(request: LearnRequest, options: WriteOptions): Promise<LearnOutcome> {
    const problem = this.problemOf(request);
    if (problem !== "") return { ...NOTHING_YET, problem };
    const finding = await this.parts.monitor.learn(request.limitMs);
    if (finding === LearnEnd.superseded) return { ...NOTHING_YET, silence: "somebody else began to learn" };
    if (finding === LearnEnd.silence) return { ...NOTHING_YET, silence: this.silenceOf(request) };
    return this.answer(finding, request, options);
  }

  private async answer(finding: LearnFinding, request: LearnRequest, options: WriteOptions): Promise<LearnOutcome> {
    const { state } = this.parts;
    const { path, accept, options: chosen = {} } = request;
    const id = state.idOf(path);
    const declaration = id < 0 ? undefined : state.declarationOf(id);
    const isChosen = chosen.mode !== undefined;
    const proposed = proposalOf(path, declaration, finding, isChosen);
    const isSaid = Object.keys(chosen).length > 0;
    const proposal = isSaid ? { ...proposed, options: { ...proposed.options, ...chosen } } : proposed;
    const remarks = remarksOf(path, declaration, finding, isChosen);
    const { kind, encoding = null, others } = finding;
    const report: LearnReport = { proposal, kind, encoding, remarks, others, binding: null };
    if (!accept) return { ...NOTHING_YET, report };
    const { problem, outcome, binding } = await this.parts.bind(proposal, options);
    if (problem !== "" || outcome.reject !== Reject.none) return { problem, silence: "", outcome };
    return { ...NOTHING_YET, report: { ...report, binding: binding ?? null } };
  }

  private problemOf({ path }: LearnRequest): string {
    const { state } = this.parts;
    const id = state.idOf(path);
    const because = id < 0 ? "" : unmovable(state.typeOf(id));
    return because === "" ? "" : `${path}: it ${because}`;
  }

  /** What could not be heard is the likeliest reason. */
  private silenceOf({ limitMs }: LearnRequest): string {
    const devices = this.parts.devices().filter(({ input }) => input !== "");
    const deaf = devices.filter(({ reason }) => reason !== "").map(({ alias, reason }) => `${alias}: ${reason}`);
    const heard = `nothing was moved in ${limitMs / 1_000} s`;
    if (deaf.length > 0) return `${heard}; ${deaf.join("; ")}`;
    return devices.length > 0 ? heard : `${heard}, and no MIDI device is there`;
  }
}
