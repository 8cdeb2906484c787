/**
 * Surface profiles: which hardware profile a device has, and which alias that gives it.
 *
 * A port that a profile knows gets the profile's id as alias, so that a show can be made and read where the device is
 * not plugged in; any other gets its own name. What a user adopted on this machine wins over both. Pure data: it opens
 * nothing, and where no profile is known it says so.
 */
import type { Profile, ProfileInput } from "../config/profile.js";
import type { System } from "../config/profile-ports.js";
import { aliasOf } from "./midi-port.js";

/** A profile and its id: the name of its file. */
export interface KnownProfile {
  readonly id: string;
  readonly profile: Profile;
}

/** What a layout says about an OSC message. */
export interface LayoutInput {
  /** Under which its controls are bound. */
  readonly alias: string;
  readonly input: ProfileInput;
}

/** A device that a user gave an alias on this machine. */
export interface Adoption {
  readonly alias: string;
  /** The port's own name. */
  readonly own: string;
  /** What tells it apart from an equal device, `serial@socket`; "" for nothing. */
  readonly place: string;
  /** Id of the profile that was chosen for it; "" for the one that its port's name says. */
  readonly profile: string;
}

export class SurfaceProfiles {
  private readonly system: System;
  private known: readonly KnownProfile[] = [];
  private adoptions = new Map<string, Adoption>();

  constructor(system: System) {
    this.system = system;
  }

  /** Sets the profiles that there are; of several that fit, the first counts. */
  set(known: readonly KnownProfile[]): void {
    this.known = known;
  }

  /** Sets what was adopted on this machine. */
  adopt(adoptions: readonly Adoption[]): void {
    this.adoptions = new Map(adoptions.map((adoption) => [adoption.alias, adoption]));
  }

  get all(): readonly KnownProfile[] {
    return this.known;
  }

  has(id: string): boolean {
    return this.byId(id) !== undefined;
  }

  /** The alias for a port's own name, without the number that a second equal device gets. */
  aliasOfPort(own: string, isInput: boolean): string {
    return aliasOf(this.ofPort(own, isInput)?.id ?? own);
  }

  /** The profile of the device with an alias; undefined when none is known. */
  of(alias: string): KnownProfile | undefined {
    const adoption = this.adoptions.get(alias);
    if (adoption === undefined) return this.byAlias(alias) ?? this.byAlias(alias.replace(/-\d+$/, ""));
    if (adoption.profile !== "") return this.byId(adoption.profile);
    return this.ofPort(adoption.own, true) ?? this.ofPort(adoption.own, false);
  }

  /** What the layout says that knows this OSC message. Undefined also when several do: nobody can tell which it is. */
  ofOsc(address: string, argument: number): LayoutInput | undefined {
    const found = this.known.flatMap(({ id, profile }) => {
      const input = profile.inputs.osc(address, argument);
      return input === undefined ? [] : [{ alias: aliasOf(id), input }];
    });
    return found.length === 1 ? found[0] : undefined;
  }

  private byAlias(alias: string): KnownProfile | undefined {
    return this.known.find(({ id }) => aliasOf(id) === alias);
  }

  private byId(id: string): KnownProfile | undefined {
    return this.known.find((entry) => entry.id === id);
  }

  private ofPort(own: string, isInput: boolean): KnownProfile | undefined {
    // Windows puts a number before the name of a second equal device.
    const name = this.system === "windows" ? own.replace(/^\d+- /, "") : own;
    return this.known.find(({ profile }) => {
      const patterns = profile.ports[this.system];
      return (isInput ? patterns.in : patterns.out).some((pattern) => pattern.test(name));
    });
  }
}
