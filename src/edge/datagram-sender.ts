/**
 * Datagram sender: sends at once, and lets the caller overwrite its buffer as soon as the call returns.
 *
 * `send` of node:dgram tries the system call first, but when the kernel has no room (EAGAIN) libuv queues the
 * datagram *by reference* and sends it later, with whatever the buffer then holds (seen on a veth with a full send
 * buffer). So each datagram is copied into a slot, and a slot is used again only once libuv's queue is empty. In
 * steady state that is always slot 0. When all slots are waiting the datagram is dropped and counted: it is UDP.
 *
 * Without a callback node:dgram swallows send errors, and a callback for each datagram costs a tick object; one
 * datagram in eight carries it, and each one while there is an error. No error here ever becomes an exception.
 */
import { ViewCache } from "../security/view-cache.js";

/** What a sender needs of a `dgram.Socket`. Its `lookup` must be synchronous, or unicast waits for a tick. */
export interface SendingSocket {
  send(bytes: Uint8Array, callback?: SendCallback): void;
  send(bytes: Uint8Array, port: number, address: string, callback?: SendCallback): void;
  getSendQueueCount(): number;
}
export type SendCallback = (error: Error | null) => void;

export interface DatagramSenderOptions {
  /** The longest datagram. */
  readonly datagramMaxBytes: number;
  /** Datagrams that may wait in libuv. Default 64. */
  readonly slots?: number;
  /** The first error, and each that differs from the one before. */
  readonly onError: (error: Error) => void;
  /** The first success after an error. */
  readonly onRecovered: () => void;
}

interface Slot {
  readonly bytes: Uint8Array;
  readonly views: ViewCache;
}

const DEFAULT_SLOTS = 64;
/** A power of two. */
const CHECKED_OF = 8;

export class DatagramSender {
  /** Handed to the system. */
  sent = 0;
  /** Not handed over: no slot free, too long, bad port, or closed. */
  dropped = 0;

  private readonly socket: SendingSocket;
  private readonly options: DatagramSenderOptions;
  /** Made when they are first needed: a kernel with room never needs more than one. */
  private readonly slots: Slot[] = [];
  private readonly slotsMax: number;
  /** Slots below this one may still be read by libuv. */
  private waiting = 0;
  private lastError = "";
  private isClosed = false;

  constructor(socket: SendingSocket, options: DatagramSenderOptions) {
    this.socket = socket;
    this.options = options;
    this.slotsMax = options.slots ?? DEFAULT_SLOTS;
    this.addSlot();
  }

  private addSlot(): Slot | undefined {
    if (this.slots.length >= this.slotsMax) return undefined;
    const bytes = new Uint8Array(this.options.datagramMaxBytes);
    const slot = { bytes, views: new ViewCache(bytes) };
    this.slots.push(slot);
    return slot;
  }

  /** On a connected socket. False when the datagram was dropped. */
  send(datagram: Uint8Array): boolean {
    const bytes = this.stow(datagram);
    if (bytes === undefined) return false;
    if (this.isCheckDue) this.socket.send(bytes, this.onSent);
    else this.socket.send(bytes);
    this.settle();
    return true;
  }

  /** `address`: an IP literal. False when the datagram was dropped. */
  sendTo(datagram: Uint8Array, address: string, port: number): boolean {
    // A peer's port is a claim of the peer's: node:dgram throws on 0 and on more than 16 bits.
    const isPort = Number.isInteger(port) && port > 0 && port <= 0xffff && address !== "";
    const bytes = isPort ? this.stow(datagram) : this.drop();
    if (bytes === undefined) return false;
    if (this.isCheckDue) this.socket.send(bytes, port, address, this.onSent);
    else this.socket.send(bytes, port, address);
    this.settle();
    return true;
  }

  /** The socket is about to close: everything later is dropped. */
  close(): void {
    this.isClosed = true;
  }

  private stow(datagram: Uint8Array): Uint8Array | undefined {
    if (this.isClosed || datagram.length > this.options.datagramMaxBytes) return this.drop();
    if (this.waiting > 0 && this.socket.getSendQueueCount() === 0) this.waiting = 0;
    const slot = this.slots[this.waiting] ?? this.addSlot();
    if (slot === undefined) return this.drop();
    // Not `set`: a call out of compiled code, which costs 1.6 µs after an idle millisecond (measured).
    const { bytes } = slot;
    for (let index = 0; index < datagram.length; index++) bytes[index] = datagram[index] as number;
    return slot.views.of(datagram.length);
  }

  private drop(): undefined {
    this.dropped++;
    return undefined;
  }

  private settle(): void {
    this.sent++;
    this.waiting = this.socket.getSendQueueCount() === 0 ? 0 : this.waiting + 1;
  }

  private get isCheckDue(): boolean {
    return (this.sent & (CHECKED_OF - 1)) === 0 || this.lastError !== "";
  }

  private readonly onSent = (error: Error | null): void => {
    if (this.isClosed) return;
    const text = error === null ? "" : error.message;
    if (text === this.lastError) return;
    this.lastError = text;
    if (error === null) this.options.onRecovered();
    else this.options.onError(error);
  };
}
