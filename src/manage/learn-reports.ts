/**
 * Learn reports: which control was moved for a path, and the binding that is proposed, as plain data.
 *
 * Everything here survives `postMessage` and `JSON.stringify` unchanged, like the other reports.
 */
import type { LearnedKind } from "../input/learn-candidate.js";
import type { BindingOptions } from "./binding-options.js";
import type { WriteOutcome } from "./reports.js";
import type { BindingReport, BindRequest } from "./surface-reports.js";

export interface LearnRequest {
  readonly path: string;
  /** Binds what is proposed. */
  readonly accept: boolean;
  /** How long to wait for a control to be moved. */
  readonly limitMs: number;
  /** What the binding is to say, instead of what fits. */
  readonly options?: BindingOptions;
}

export interface LearnReport {
  /** What `POST /-/bindings` takes. */
  readonly proposal: BindRequest;
  readonly kind: LearnedKind;
  /** How an encoder says a turn; null for anything else. */
  readonly encoding: string | null;
  /** What a person should know about it, a sentence each. */
  readonly remarks: readonly string[];
  /** Sources of what else moved, the likeliest first. */
  readonly others: readonly string[];
  /** The binding that was made of it, if that was asked for; else null. */
  readonly binding: BindingReport | null;
}

/**
 * `problem`: what is wrong with the request. `silence`: why nothing was learned, when time ran out. Both are sentences,
 * "" when there is a report or `outcome` says why its binding was not made.
 */
export interface LearnOutcome {
  readonly problem: string;
  readonly silence: string;
  readonly outcome: WriteOutcome;
  readonly report?: LearnReport;
}
