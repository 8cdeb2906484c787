/**
 * OSC bundle times: when each bundle of a packet is to be applied, in epoch microseconds of the wall clock.
 *
 * A bundle inside another is never earlier than that one. OSC 1.0 forbids senders to ask for it, so some will. This
 * reads time tags and no clock: what is late or too far ahead is for the caller to say.
 */
import { OSC_NO_BUNDLE, type OscPacket } from "./osc-packet.js";
import { isImmediate, timetagEpochUs } from "./osc-timetag.js";

export class OscBundleTimes {
  private readonly timesUs: Float64Array;
  private immediateUs = 0;

  constructor(packet: OscPacket) {
    this.timesUs = new Float64Array(packet.bundleParents.length);
  }

  /** Reads a packet's time tags; "immediately" is taken for `immediateUs`. */
  read(packet: OscPacket, immediateUs: number): void {
    this.immediateUs = immediateUs;
    for (let bundle = 0; bundle < packet.bundleCount; bundle++) {
      const parent = packet.bundleParents[bundle];
      const high = packet.bundleTimetagHighs[bundle];
      const low = packet.bundleTimetagLows[bundle];
      const ownUs = isImmediate(high, low) ? immediateUs : timetagEpochUs(high, low);
      this.timesUs[bundle] = parent === OSC_NO_BUNDLE ? ownUs : Math.max(ownUs, this.timesUs[parent]);
    }
  }

  /** The time of a message. */
  of(packet: OscPacket, message: number): number {
    const bundle = packet.bundles[message];
    return bundle === OSC_NO_BUNDLE ? this.immediateUs : this.timesUs[bundle];
  }

  /** The first time after `afterUs` that a message has; infinity when there is none. */
  next(packet: OscPacket, afterUs: number): number {
    let nextUs = Number.POSITIVE_INFINITY;
    for (let message = 0; message < packet.messageCount; message++) {
      const timeUs = this.of(packet, message);
      if (timeUs > afterUs && timeUs < nextUs) nextUs = timeUs;
    }
    return nextUs;
  }
}

/** Whether a packet has a time tag other than "immediately". */
export function hasTimes(packet: OscPacket): boolean {
  for (let bundle = 0; bundle < packet.bundleCount; bundle++) {
    if (!isImmediate(packet.bundleTimetagHighs[bundle], packet.bundleTimetagLows[bundle])) return true;
  }
  return false;
}
