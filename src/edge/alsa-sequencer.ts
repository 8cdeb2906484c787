/**
 * ALSA sequencer: what Linux tells of MIDI in its files, without a call into native code.
 *
 * Native code prints a line of its own to stderr whenever something is missing, taken or gone, and never says what. So
 * whether there is MIDI, which ports there are and who holds them is read here first. Every file may be missing, in a
 * container for example: what cannot be read is unknown, never an error.
 */
import { accessSync, constants, existsSync, readFileSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { type AlsaClient, cardOf, parseAlsaClients, rawPortOwner } from "../input/alsa-clients.js";
import { codeOf } from "./trouble.js";

/** Where the system keeps what is read here; another root in tests. */
export interface AlsaPlaces {
  readonly device: string;
  readonly proc: string;
  readonly sys: string;
}

const PLACES: AlsaPlaces = { device: "/dev/snd/seq", proc: "/proc", sys: "/sys" };
/** A sequencer port's number holds that of the card's raw device: 32 substreams each. */
const SUBSTREAMS = 32;

export class AlsaSequencer {
  private readonly places: AlsaPlaces;

  constructor(places: AlsaPlaces = PLACES) {
    this.places = places;
  }

  /** Why there is no MIDI; "" when there is. */
  trouble(): string {
    const { device } = this.places;
    try {
      accessSync(device, constants.R_OK | constants.W_OK);
      return "";
    } catch (error) {
      return codeOf(error) === "ENOENT"
        ? `this machine has no ALSA sequencer: ${device} is missing (try \`modprobe snd-seq\`)`
        : `no permission to use ${device}: add this user to the group audio`;
    }
  }

  /** Undefined when the system does not list them. */
  clients(): AlsaClient[] | undefined {
    const text = read(join(this.places.proc, "asound/seq/clients"));
    return text === undefined ? undefined : parseAlsaClients(text);
  }

  /** Where a client's card is plugged in: its serial number and socket; "" for programs and cards that are built in. */
  placeOf(client: number): string {
    const card = cardOf(client);
    if (card === undefined) return "";
    try {
      // The card's device is an interface of a USB device, which is the folder above.
      const device = dirname(realpathSync(join(this.places.sys, `class/sound/card${card}/device`)));
      if (!existsSync(join(device, "idVendor"))) return "";
      return `${read(join(device, "serial"))?.trim() ?? ""}@${basename(device)}`;
    } catch {
      return "";
    }
  }

  /** Who has the raw port of a card's client open, as words: the sequencer cannot have it meanwhile. "" if nobody. */
  holderOf(client: AlsaClient, portNumber: number, isInput: boolean): string {
    const card = cardOf(client.number);
    const port = client.ports.find(({ number }) => number === portNumber);
    // What others have opened through the sequencer is shared.
    if (card === undefined || port === undefined || (isInput ? port.readers : port.writers).length > 0) return "";
    const device = Math.floor(portNumber / SUBSTREAMS);
    const text = read(join(this.places.proc, `asound/card${card}/midi${device}`)) ?? "";
    const owner = rawPortOwner(text, isInput, portNumber % SUBSTREAMS);
    if (owner === undefined) return "";
    const program = read(join(this.places.proc, `${owner}/comm`))?.trim() ?? "another program";
    return `${program}, process ${owner}`;
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
