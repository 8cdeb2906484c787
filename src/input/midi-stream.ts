/**
 * MIDI stream: bytes to whole messages, whatever pieces they come in.
 *
 * RtMidi hands over one message at a time, but not always a whole one: a clock tick inside a long SysEx makes two pieces
 * of it. So everything is read as the one stream of bytes that MIDI 1.0 defines: running status, real time inside
 * anything, SysEx that any status ends. Bytes from outside never throw; what is wrong is counted and the next status
 * byte begins anew. A SysEx is kept up to a bound and passed over beyond it. Allocates nothing per message.
 */
import { MidiCounter, type MidiCounters } from "./midi-counters.js";
import { MidiReject } from "./midi-reject.js";

/** The longest SysEx that is told, 0xF0 and 0xF7 included: the largest preset dumps of surfaces are below 10 KiB. */
export const MIDI_SYSEX_LIMIT_BYTES = 65_536;

const SYSEX = 0xf0;
const SYSEX_END = 0xf7;
const FIRST_SYSTEM = 0xf0;
const FIRST_REAL_TIME = 0xf8;
const FIRST_STATUS = 0x80;

/** The data bytes of a status, by status - 0x80; -1 for what MIDI 1.0 leaves undefined. */
const DATA_BYTES = dataBytesTable();

/** Gets whole messages. What is handed over is valid only during the call. */
export interface MidiMessageSink {
  /** `status` 0x80..0xEF; `second` is 0 for program change and channel pressure. */
  channelMessage(status: number, first: number, second: number): void;
  sysex(bytes: Uint8Array, length: number): void;
  /** 0xF1 time code (value 0..127), 0xF2 song position (0..16383), 0xF3 song (0..127), 0xF6 tune request (0). */
  common(status: number, value: number): void;
  /** 0xF8 clock, 0xFA start, 0xFB continue, 0xFC stop, 0xFE active sensing, 0xFF reset. */
  realTime(status: number): void;
}

export class MidiStream {
  private readonly sink: MidiMessageSink;
  private readonly counters: MidiCounters;
  /** The message in hand, or the running status; 0 when data bytes have no meaning. */
  private status = 0;
  /** A message has begun and is not whole yet. */
  private isOpen = false;
  /** Data bytes of it that have come. */
  private have = 0;
  private first = 0;
  /** What interrupted a SysEx does not run on: the data behind it are the rest of the SysEx more often than notes. */
  private runs = true;
  private isSysex = false;
  /** Bytes of the SysEx in hand; it is passed over once it does not fit. */
  private sysexLength = 0;
  /** Grows to what SysEx needs, for most devices send none. */
  private sysexBytes = new Uint8Array(256);

  constructor(sink: MidiMessageSink, counters: MidiCounters) {
    this.sink = sink;
    this.counters = counters;
  }

  /** Takes the next piece of the stream and hands over every message that it makes whole. */
  push(bytes: Uint8Array): void {
    this.counters.count(MidiCounter.bytesIn, bytes.length);
    for (let index = 0; index < bytes.length; index++) {
      const byte = bytes[index];
      if (byte < FIRST_STATUS) this.data(byte);
      else if (byte >= FIRST_REAL_TIME) this.realTime(byte);
      else this.begin(byte);
    }
  }

  /** Forgets what has begun: the port was opened anew. */
  reset(): void {
    this.status = 0;
    this.isOpen = false;
    this.have = 0;
    this.runs = true;
    this.isSysex = false;
  }

  private data(byte: number): void {
    if (this.isSysex) this.keep(byte);
    else if (this.status === 0) this.counters.reject(MidiReject.dataWithoutStatus);
    else if (this.have === 0 && DATA_BYTES[this.status - FIRST_STATUS] === 2) this.keepFirst(byte);
    else this.finish(byte);
  }

  private keepFirst(byte: number): void {
    this.first = byte;
    this.have = 1;
    this.isOpen = true;
  }

  /** The last data byte of the message in hand. */
  private finish(byte: number): void {
    const { status, have } = this;
    this.have = 0;
    this.isOpen = false;
    if (status >= FIRST_SYSTEM) {
      this.status = 0;
      this.common(status, have === 0 ? byte : this.first | (byte << 7));
      return;
    }
    if (!this.runs) this.endRunning();
    this.counters.count(MidiCounter.messagesIn);
    if (have === 0) this.sink.channelMessage(status, byte, 0);
    else this.sink.channelMessage(status, this.first, byte);
  }

  private endRunning(): void {
    this.status = 0;
    this.runs = true;
  }

  private realTime(status: number): void {
    if (DATA_BYTES[status - FIRST_STATUS] < 0) {
      this.counters.reject(MidiReject.undefinedStatus);
      return;
    }
    this.counters.count(MidiCounter.systemIn);
    this.sink.realTime(status);
  }

  /** A status byte that ends what has begun. */
  private begin(status: number): void {
    const wasSysex = this.isSysex;
    if (wasSysex) {
      this.isSysex = false;
      if (status === SYSEX_END) {
        this.endSysex();
        return;
      }
      this.counters.reject(MidiReject.truncatedSysex);
    } else if (this.isOpen) {
      this.counters.reject(MidiReject.truncated);
    }
    this.have = 0;
    this.isOpen = true;
    this.runs = !wasSysex;
    this.status = status;
    if (status >= FIRST_SYSTEM) this.beginSystem(status);
  }

  private beginSystem(status: number): void {
    const dataBytes = DATA_BYTES[status - FIRST_STATUS];
    if (dataBytes > 0) return;
    this.status = 0;
    this.isOpen = false;
    if (status === SYSEX) this.beginSysex();
    else if (status === SYSEX_END) this.counters.reject(MidiReject.straySysexEnd);
    else if (dataBytes < 0) this.counters.reject(MidiReject.undefinedStatus);
    else this.common(status, 0);
  }

  private common(status: number, value: number): void {
    this.counters.count(MidiCounter.systemIn);
    this.sink.common(status, value);
  }

  private beginSysex(): void {
    this.isSysex = true;
    this.sysexBytes[0] = SYSEX;
    this.sysexLength = 1;
  }

  /** One place is left for the 0xF7. */
  private keep(byte: number): void {
    if (this.sysexLength >= MIDI_SYSEX_LIMIT_BYTES - 1) {
      if (this.sysexLength === MIDI_SYSEX_LIMIT_BYTES - 1) this.counters.reject(MidiReject.sysexTooLong);
      this.sysexLength = MIDI_SYSEX_LIMIT_BYTES;
      return;
    }
    if (this.sysexLength >= this.sysexBytes.length - 1) this.grow();
    this.sysexBytes[this.sysexLength++] = byte;
  }

  private grow(): void {
    const larger = new Uint8Array(this.sysexBytes.length * 2);
    larger.set(this.sysexBytes);
    this.sysexBytes = larger;
  }

  private endSysex(): void {
    this.status = 0;
    if (this.sysexLength >= MIDI_SYSEX_LIMIT_BYTES) return;
    this.sysexBytes[this.sysexLength++] = SYSEX_END;
    this.counters.count(MidiCounter.sysexIn);
    this.sink.sysex(this.sysexBytes, this.sysexLength);
  }
}

function dataBytesTable(): Int8Array {
  const table = new Int8Array(0x80);
  for (let status = FIRST_STATUS; status < FIRST_SYSTEM; status++) {
    const kind = status & 0xf0;
    table[status - FIRST_STATUS] = kind === 0xc0 || kind === 0xd0 ? 1 : 2;
  }
  table[0xf1 - FIRST_STATUS] = 1;
  table[0xf2 - FIRST_STATUS] = 2;
  table[0xf3 - FIRST_STATUS] = 1;
  for (const status of [0xf4, 0xf5, 0xf9, 0xfd]) table[status - FIRST_STATUS] = -1;
  return table;
}
