/** What Linux tells of MIDI in its files, read from files that are laid out like its own. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AlsaSequencer } from "../../../src/edge/alsa-sequencer.js";

let root: string;
let sequencer: AlsaSequencer;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "hana-alsa-"));
  sequencer = new AlsaSequencer({ device: join(root, "seq"), proc: join(root, "proc"), sys: join(root, "sys") });
});

afterEach(() => rmSync(root, { recursive: true }));

function file(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

/** A card on a USB device in that socket, as sysfs lays it out. */
function usbCard(card: number, socket: string, serial?: string): void {
  file(`sys/devices/usb1/${socket}/idVendor`, "1d6b\n");
  if (serial !== undefined) file(`sys/devices/usb1/${socket}/serial`, `${serial}\n`);
  mkdirSync(join(root, `sys/devices/usb1/${socket}/${socket}:1.0`), { recursive: true });
  mkdirSync(join(root, `sys/class/sound/card${card}`), { recursive: true });
  symlinkSync(join(root, `sys/devices/usb1/${socket}/${socket}:1.0`), join(root, `sys/class/sound/card${card}/device`));
}

describe("a sequencer", () => {
  it("that is missing, or may not be used, is named with what to do", () => {
    expect(sequencer.trouble()).toMatch(/no ALSA sequencer: .* is missing \(try `modprobe snd-seq`\)/);
    file("seq", "");
    expect(sequencer.trouble()).toBe("");
    // Root may do everything, but nobody can go through a file.
    const forbidden = new AlsaSequencer({ device: join(root, "seq/x"), proc: root, sys: root });
    expect(forbidden.trouble()).toMatch(/no permission to use .*: add this user to the group audio/);
  });

  it("whose list cannot be read is unknown, and so is the place of a card that has none", () => {
    expect(sequencer.clients()).toBeUndefined();
    expect(sequencer.placeOf(24)).toBe("");
    expect(sequencer.placeOf(128)).toBe("");
    mkdirSync(join(root, "sys/class/sound/card2/device"), { recursive: true });
    expect(sequencer.placeOf(24)).toBe("");
  });

  it("knows a USB device by its serial number and its socket", () => {
    usbCard(2, "1-1", "ACME1");
    usbCard(3, "1-2");
    expect(sequencer.placeOf(24)).toBe("ACME1@1-1");
    expect(sequencer.placeOf(28)).toBe("@1-2");
  });

  it("names the program that has a raw port open, unless it is shared through the sequencer", () => {
    const list = (connection: string): string =>
      `Client  24 : "Pad" [Kernel]\n  Port   0 : "Pad MIDI 1" (RWeX)\n${connection}  Port  33 : "Pad MIDI 2" (RWeX)\n`;
    const raw = (owner: number): string => `Pad\n\nInput 0\n  Rx bytes     : 0\nInput 1\n  Owner PID    : ${owner}\n`;
    file("proc/asound/seq/clients", list(""));
    file("proc/asound/card2/midi0", "Pad\n\nInput 0\n  Owner PID    : 41\n");
    file("proc/asound/card2/midi1", raw(42));
    file("proc/41/comm", "amidi\n");
    const [client] = sequencer.clients() ?? [];
    if (client === undefined) throw new Error("no client");
    expect(sequencer.holderOf(client, 0, true)).toBe("amidi, process 41");
    expect(sequencer.holderOf(client, 0, false)).toBe("");
    expect(sequencer.holderOf(client, 33, true)).toBe("another program, process 42");
    file("proc/asound/seq/clients", list("    Connecting To: 130:0\n"));
    const [shared] = sequencer.clients() ?? [];
    if (shared === undefined) throw new Error("no client");
    expect(sequencer.holderOf(shared, 0, true)).toBe("");
  });
});
