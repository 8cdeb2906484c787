/**
 * Learn session: one `hana learn` at work, from the question to the control that was moved or the time that ran out.
 *
 * While there is one, everything that is plugged in is heard; before and after, only what is bound. What it hears still
 * moves what it is bound to: a show does not stop because somebody teaches.
 */
import { Learn, type LearnFinding, type LearnParts } from "../input/learn.js";
import type { MidiEvent } from "../input/midi-event.js";

/** How often it is asked; and how often new devices are looked for. */
const LOOK_MS = 20;
const DEVICES_MS = 500;

export interface LearnSessionParts extends LearnParts {
  /** Tells the clock the time: nothing else may, when nothing happens. */
  readonly enter: () => void;
  /** Looks for devices that are new. */
  readonly lookForDevices: () => void;
}

export class LearnSession {
  private readonly parts: LearnSessionParts;
  private readonly learn: Learn;
  private readonly looking: NodeJS.Timeout;
  private readonly scanning: NodeJS.Timeout;
  private readonly ending: NodeJS.Timeout;
  private readonly done: (finding: LearnFinding | undefined) => void;

  /** `done` is called once: with what was found, or with undefined after `limitMs` or when it was ended. */
  constructor(parts: LearnSessionParts, limitMs: number, done: (finding: LearnFinding | undefined) => void) {
    this.parts = parts;
    this.done = done;
    parts.enter();
    this.learn = new Learn(parts);
    this.looking = setInterval(() => this.look(), LOOK_MS);
    this.scanning = setInterval(parts.lookForDevices, DEVICES_MS);
    this.ending = setTimeout(() => this.end(), limitMs);
  }

  onMidi(alias: string, event: MidiEvent): void {
    this.learn.onMidi(alias, event);
  }

  onInput(alias: string, name: string, value: number): void {
    this.learn.onInput(alias, name, value);
  }

  onOsc(address: string, argument: number, value: number | undefined): void {
    this.learn.onOsc(address, argument, value);
  }

  end(finding?: LearnFinding): void {
    clearInterval(this.looking);
    clearInterval(this.scanning);
    clearTimeout(this.ending);
    this.done(finding);
  }

  private look(): void {
    this.parts.enter();
    const finding = this.learn.decide();
    if (finding !== undefined) this.end(finding);
  }
}
