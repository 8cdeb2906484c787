/**
 * MPE zones: which channel of a device is which voice, as the device says by RPN 6.
 *
 * A voice is an indexed control of a profile (`press3`), not a channel: of the lower zone, voice 1 is channel 2 and so
 * on up; of the upper zone, voice 1 is channel 15 and so on down. Until the device speaks, its profile's zone counts.
 * Source: MIDI Polyphonic Expression 1.0 (RP-053), MPE Configuration Message.
 */
import type { Profile } from "../config/profile.js";

export const MPE_CONFIGURATION = 6;
const LOWER_MANAGER = 1;
const UPPER_MANAGER = 16;
const MEMBERS_MAX = 15;
/** A zone needs one channel of its own. */
const CHANNELS_SHARED = 14;

export type MpeZone = NonNullable<Profile["mpe"]>;

/** Member channels of both zones; 0: there is no such zone. */
interface Zones {
  lower: number;
  upper: number;
}

export class MpeZones {
  /** By alias; of devices that said something. */
  private readonly told = new Map<string, Zones>();

  /** A device sent RPN 6 on a channel, with this many members. True when that changes its voices. */
  heard(alias: string, channel: number, members: number): boolean {
    if ((channel !== LOWER_MANAGER && channel !== UPPER_MANAGER) || members > MEMBERS_MAX) return false;
    const zones = this.told.get(alias) ?? { lower: 0, upper: 0 };
    const isLower = channel === LOWER_MANAGER;
    const before = `${zones.lower} ${zones.upper}`;
    if (isLower) zones.lower = members;
    else zones.upper = members;
    // The zone that was set last takes what it needs from the other.
    if (isLower) zones.upper = Math.max(0, Math.min(zones.upper, CHANNELS_SHARED - members));
    else zones.lower = Math.max(0, Math.min(zones.lower, CHANNELS_SHARED - members));
    const isNew = !this.told.has(alias);
    this.told.set(alias, zones);
    return isNew || before !== `${zones.lower} ${zones.upper}`;
  }

  /** The device is gone: when it comes back, it says again what it is. */
  forget(alias: string): boolean {
    return this.told.delete(alias);
  }

  /** The channel that a voice of the profile's zone has now; 0 when the device has not so many. `channel`: the profile's. */
  channelOf(alias: string, channel: number, profile: MpeZone): number {
    const voice = profile.zone === "lower" ? channel - LOWER_MANAGER : UPPER_MANAGER - channel;
    const zones = this.told.get(alias);
    if (zones === undefined) return voice <= profile.members ? channel : 0;
    if (voice <= zones.lower) return LOWER_MANAGER + voice;
    return voice - zones.lower <= zones.upper ? UPPER_MANAGER - (voice - zones.lower) : 0;
  }
}
