/**
 * Surface reports: bindings and devices as plain data, and what is asked for when one is bound.
 *
 * Everything here survives `postMessage` and `JSON.stringify` unchanged, like the other reports.
 */
import type { BindingStanding } from "../input/bindings.js";
import type { BindingOptions } from "./binding-options.js";
import type { WriteOutcome } from "./reports.js";

/** `open`: its port is open. `absent`: no such port. `failed`: it cannot be opened. `unused`: nothing is bound to it. */
export type DeviceState = "open" | "absent" | "failed" | "unused";

export interface DeviceReport {
  readonly alias: string;
  /** Id of its hardware profile; "" when none is known. */
  readonly profile: string;
  /** A user gave it its alias on the machine that was asked. */
  readonly adopted: boolean;
  /** Names of the ports as the system has them; "" for none. */
  readonly input: string;
  readonly output: string;
  readonly state: DeviceState;
  /** Why it failed, as a sentence; else "". */
  readonly reason: string;
}

export interface BindingReport {
  readonly id: string;
  readonly source: string;
  readonly path: string;
  readonly enabled: boolean;
  /** Values at the control's two ends; null: the path's own range. */
  readonly range: readonly [number, number] | null;
  readonly curve: string;
  readonly invert: boolean;
  readonly takeover: string;
  /** What it says beyond that, by the names of `/mappings/{id}/`: `mode`, `when`, ... Defaults are left out. */
  readonly options: BindingOptions;
  /** How it stands on the node that was asked. `dormant`: its path does not exist yet. */
  readonly standing: BindingStanding;
  /** How far the control has to go until it finds the value, as a part of its way: up when above 0. 0 when it has it. */
  readonly gap: number;
  /** Why it is dormant or refused, as a sentence's end; of one at work, what it misses; else "". */
  readonly reason: string;
  /** The device that it listens to, on the node that was asked; null for OSC. */
  readonly device: DeviceReport | null;
}

/** What a binding is to be. What is not given is the template's default. */
export interface BindRequest {
  readonly source: string;
  /** One, or several with a space between: then each is reported by itself. */
  readonly path: string;
  /** Default: the one of the binding of this source to this path, else a name made of the source. */
  readonly id?: string;
  readonly range?: readonly [number, number];
  readonly curve?: string;
  readonly invert?: boolean;
  readonly takeover?: string;
  readonly options?: BindingOptions;
}

/** `problem`: what is wrong with the request, "" when it was carried out or `outcome` says why not. */
export interface BindOutcome {
  readonly problem: string;
  readonly outcome: WriteOutcome;
  readonly binding?: BindingReport;
}

/** Which device of this machine is meant by an alias. */
export interface AdoptRequest {
  readonly alias: string;
  /** Its alias until now, or its input's name. Default: the one that is plugged in and not bound, if it is the only one. */
  readonly device?: string;
  /** Id of a profile. Default: the one that knows its port's name. */
  readonly profile?: string;
  /** Asks the device who it is, and takes the profile that knows its answer. */
  readonly identify?: boolean;
}

/** `problem`: why it was not done; else "". */
export interface AdoptOutcome {
  readonly problem: string;
  readonly devices: readonly DeviceReport[];
}
