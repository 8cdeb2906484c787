/**
 * Input recorder: writes down what devices and OSC senders say, as lines that can be heard again.
 *
 * It begins with the wall clock's time, so that time tags can be moved to when they are played, and numbers its times
 * from there. What is handed to it is written down at once: it keeps no bytes.
 */
import type { Clock } from "../base/clock.js";
import { headerLine, type InputRecord, recordLine } from "./input-record.js";

export class InputRecorder {
  private readonly clock: Clock;
  private readonly tell: (line: string, atUs: number) => void;
  private readonly times = new Float64Array(1);

  constructor(clock: Clock, wallUs: number, tell: (line: string, atUs: number) => void) {
    this.clock = clock;
    this.tell = tell;
    this.times[0] = clock.nowUs;
    tell(headerLine({ wallUs }), 0);
  }

  /** `sentUs`: by the clock of whoever sent it. */
  midi(alias: string, bytes: Uint8Array, sentUs: number): void {
    this.write({ kind: "midi", atUs: this.atUs, alias, sentUs, bytes });
  }

  due(alias: string): void {
    this.write({ kind: "due", atUs: this.atUs, alias });
  }

  port(alias: string, isOpen: boolean): void {
    this.write({ kind: "port", atUs: this.atUs, alias, isOpen });
  }

  packet(bytes: Uint8Array, address: string, port: number): void {
    this.write({ kind: "osc", atUs: this.atUs, address, port, bytes });
  }

  private write(record: InputRecord): void {
    this.tell(recordLine(record), record.atUs);
  }

  private get atUs(): number {
    return Math.max(0, this.clock.nowUs - (this.times[0] as number));
  }
}
