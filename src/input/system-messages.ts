/**
 * System messages: a device's clock, time code and machine control, to events like those of its controls.
 *
 * One for each device, behind its parser. It says nothing of what has no meaning for a show (active sensing, tune
 * request, song numbers), allocates nothing and never throws on what a device sends.
 */
import { MidiClock } from "./midi-clock.js";
import { FULL_FRAME_BYTES, MidiTimeCode } from "./midi-time-code.js";
import { FIRST_MACHINE_CONTROL, isSystemControl, partsOf, SystemControl } from "./system-control.js";

const [QUARTER_FRAME, SONG_POSITION] = [0xf1, 0xf2];
const [CLOCK, START, CONTINUE, STOP, RESET] = [0xf8, 0xfa, 0xfb, 0xfc, 0xff];
/** Universal real-time SysEx: `F0 7F device sub-id ...`. */
const REAL_TIME_ID = 0x7f;
const [TIME_CODE, MACHINE_CONTROL] = [0x01, 0x06];
/** `F0 7F device 06 command F7`: longer ones carry what no command of ours has. */
const COMMAND_BYTES = 6;
const TEMPO = partsOf(SystemControl.tempo);
const TIME = partsOf(SystemControl.time);

/** Gets what system messages come to. `value` of a command is 1 of 1; of a measure so many parts of `max`. */
export type SystemEvent = (control: SystemControl, value: number, max: number) => void;

export class SystemMessages {
  private readonly tell: SystemEvent;
  /** [0] when the message in hand was sent. */
  private readonly heard: Float64Array;
  private readonly clock = new MidiClock();
  private readonly timeCode = new MidiTimeCode();

  constructor(heard: Float64Array, tell: SystemEvent) {
    this.heard = heard;
    this.tell = tell;
  }

  realTime(status: number): void {
    const { clock } = this;
    if (status === CLOCK) this.pulse();
    else if (status === START) {
      clock.start();
      this.command(SystemControl.start);
    } else if (status === CONTINUE) {
      clock.resume();
      this.command(SystemControl.continue);
    } else if (status === STOP) {
      clock.stop();
      this.command(SystemControl.stop);
    } else if (status === RESET) this.forget();
  }

  private pulse(): void {
    const { clock } = this;
    if (clock.pulse(this.heard)) this.measure(SystemControl.tempo, clock.tempo, TEMPO);
    if (clock.takeBeat()) this.command(SystemControl.beat);
  }

  common(status: number, value: number): void {
    if (status === SONG_POSITION) this.clock.locate(value);
    else if (status === QUARTER_FRAME && this.timeCode.quarterFrame(value)) this.tellTime();
  }

  /** A whole SysEx, 0xF0 and 0xF7 included. */
  sysex(bytes: Uint8Array, length: number): void {
    if (bytes[1] !== REAL_TIME_ID || length < COMMAND_BYTES) return;
    if (bytes[3] === TIME_CODE && bytes[4] === TIME_CODE && length === FULL_FRAME_BYTES) {
      if (this.timeCode.fullFrame(bytes)) this.tellTime();
    } else if (bytes[3] === MACHINE_CONTROL && length === COMMAND_BYTES) {
      const control = FIRST_MACHINE_CONTROL + (bytes[4] as number);
      if (isSystemControl(control)) this.command(control);
    }
  }

  /** The device is gone. */
  forget(): void {
    this.clock.forget();
    this.timeCode.forget();
  }

  private tellTime(): void {
    this.measure(SystemControl.time, this.timeCode.seconds[0] as number, TIME);
  }

  private command(control: SystemControl): void {
    this.tell(control, 1, 1);
  }

  private measure(control: SystemControl, value: number, { parts, max }: { parts: number; max: number }): void {
    this.tell(control, Math.min(max, Math.round(value * parts)), max);
  }
}
