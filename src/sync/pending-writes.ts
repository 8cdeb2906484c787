/**
 * PendingWrites: a node's own writes that the controller has not confirmed. The overlay over the confirmed state.
 *
 * A write shows at once and stays shown until its own id comes back or is refused, so a fader never jumps back to an
 * older value that the stream still carries. Values are held once per path, the newest (what it replaced counts as
 * confirmed with it), but for one that an event came after: what is triggered finds what was set before. Triggers and
 * structure are held one by one. Bounded; a write that finds no room is refused.
 * It knows no socket and decides no conflict: the controller does.
 */
import type { Clock } from "../base/clock.js";
import { isText, lanesOf, type ValueType } from "../state/declaration.js";
import { Reject } from "../state/reject.js";
import { StagedKind, type Staging } from "../state/staging.js";
import type { State } from "../state/state.js";
import { WriteKind, type WriteRecord } from "../wire/write-frame.js";

export const PENDING_MAX = 16_384;
/** With less room than this a value is replaced wherever it stands. */
const ROOM_MIN = PENDING_MAX / 2;
const RETRY_FIRST_US = 20_000;
const RETRY_MAX_US = 100_000;
const NOT_ACKNOWLEDGED = -1;
/** More than any id. */
const LIFTED = 0x4000_0000;
const EMPTY = new Uint8Array(0);

/** Told when a write is confirmed or refused. */
export type WriteDone = (reject: Reject, sequence: number) => void;

interface Waiter {
  write: number;
  id: number;
  readonly isValue: boolean;
  readonly done: WriteDone;
  refusal: Reject;
}

export class PendingWrites {
  private readonly state: State;
  private readonly clock: Clock;
  private readonly encoder = new TextEncoder();
  /** The slot (plus one) that holds a path's pending value; 0 for none. */
  readonly slotOf: Int32Array;
  private readonly ids = new Int32Array(PENDING_MAX);
  private readonly kinds = new Uint8Array(PENDING_MAX);
  private readonly grouped = new Uint8Array(PENDING_MAX);
  private readonly surfaces = new Uint16Array(PENDING_MAX);
  private readonly gestures = new Int32Array(PENDING_MAX);
  private readonly numbers = new Float64Array(PENDING_MAX * 4);
  private readonly texts: (string | Uint8Array | undefined)[] = new Array<string | Uint8Array | undefined>(
    PENDING_MAX,
  ).fill(undefined);
  private readonly writes = new Float64Array(PENDING_MAX);
  private readonly timesUs = new Float64Array(PENDING_MAX);
  /** The frame by which the controller has published it; NOT_ACKNOWLEDGED until then. */
  private readonly frames = new Float64Array(PENDING_MAX);
  private readonly free = new Int32Array(PENDING_MAX);
  private freeCount = PENDING_MAX;
  /** Slots in the order of their writes; a slot that was given up or used anew no longer has the write noted here. */
  private readonly order = new Int32Array(PENDING_MAX * 2);
  private readonly orderWrites = new Float64Array(PENDING_MAX * 2);
  private head = 0;
  private tail = 0;
  private waiters: Waiter[] = [];
  /**
   * [0] last write given, [1] acknowledged through, [2] retry due, [3] retry delay, [4] sent through, [5] settled,
   * [6] the frame by which all that is acknowledged is published, [7] the last event.
   */
  private readonly registers = new Float64Array([0, 0, Number.POSITIVE_INFINITY, RETRY_FIRST_US, 0, 0, 0, 0]);
  /** The path of the last write, and what it was. */
  private lastId = -1;
  private lastKind: WriteKind = WriteKind.void;
  /** Writes held now. */
  size = 0;
  /** Values that a newer write of the same path replaced before they were confirmed. */
  conflated = 0;
  retries = 0;

  constructor(state: State, clock: Clock) {
    this.state = state;
    this.clock = clock;
    this.slotOf = new Int32Array(state.capacity);
    for (let slot = 0; slot < PENDING_MAX; slot++) this.free[slot] = PENDING_MAX - 1 - slot;
  }

  get lastWrite(): number {
    return this.registers[0] as number;
  }

  /** The first write that the controller may lack: what a frame that begins at the first held write begins with. */
  get firstUnanswered(): number {
    return (this.registers[1] as number) + 1;
  }

  get acknowledgedThrough(): number {
    return this.registers[1] as number;
  }

  get retryDueUs(): number {
    return this.registers[2] as number;
  }

  /** Session time was moved by this much: what waits was stamped before. */
  moveTimes(byUs: number): void {
    for (let slot = 0; slot < PENDING_MAX; slot++) this.timesUs[slot] = (this.timesUs[slot] as number) + byUs;
  }

  isPending(id: number): boolean {
    return this.slotOf[id] !== 0;
  }

  /** Holds a value (coerced, in hand). False when there is no room. */
  addValue(id: number, staging: Staging, surface: number, gesture: number, isGrouped: boolean): boolean {
    const held = (this.slotOf[id] as number) - 1;
    if (held >= 0 && this.mayReplace(held)) {
      this.conflated++;
      if (isGrouped && this.grouped[held] === 1) this.dropEndAfter(held);
      if (this.waiters.length > 0) this.passOn(this.writes[held] as number);
      this.release(held);
    }
    const slot = this.take(WriteKind.value, id, surface, gesture, isGrouped);
    if (slot < 0) return false;
    this.slotOf[id] = slot + 1;
    const at = slot * 4;
    this.texts[slot] = staging.kind === StagedKind.numbers ? undefined : staging.text;
    for (let lane = 0; lane < 4; lane++) this.numbers[at + lane] = staging.numbers[lane] as number;
    return true;
  }

  /** Not what an event came after. */
  private mayReplace(slot: number): boolean {
    return (this.writes[slot] as number) > (this.registers[7] as number) || this.freeCount < ROOM_MIN;
  }

  /** Whether a held value is the one that its path shows. */
  isShown(slot: number): boolean {
    return this.slotOf[this.ids[slot] as number] === slot + 1;
  }

  /** Who waits for a write that is replaced before the controller could take it waits for what replaces it. */
  private passOn(replaced: number): void {
    if (replaced <= this.sentThrough) return;
    const waiting = this.waiters.filter(({ write }) => write === replaced);
    if (waiting.length === 0) return;
    this.waiters = this.waiters.filter(({ write }) => write !== replaced);
    for (const waiter of waiting) {
      waiter.write = this.lastWrite + 1;
      this.waiters.push(waiter);
    }
  }

  /** All is sent again, without what was replaced meanwhile: who waits for that waits for what replaced it. */
  passOnReplaced(): void {
    if (this.waiters.length === 0) return;
    for (const waiter of this.waiters) {
      const slot = (this.slotOf[waiter.id] ?? 0) - 1;
      if (!waiter.isValue || slot < 0 || waiter.write <= this.acknowledgedThrough) continue;
      waiter.write = Math.max(waiter.write, this.writes[slot] as number);
    }
    this.waiters.sort((left, right) => left.write - right.write);
  }

  /**
   * A group that lost a member to a newer one must not end before it: the controller would apply what is left of it.
   * Where that group's mark is gone already, the next group joins in, which is later than it might be and still whole.
   */
  private dropEndAfter(member: number): void {
    const write = this.writes[member] as number;
    for (let place = this.head; place < this.tail; place++) {
      const at = place % this.order.length;
      const slot = this.order[at] as number;
      if (this.writes[slot] !== this.orderWrites[at] || (this.orderWrites[at] as number) < write) continue;
      if (this.kinds[slot] !== WriteKind.groupEnd) continue;
      this.release(slot);
      return;
    }
  }

  /** Holds a trigger or a change of structure. False when there is no room. */
  addEvent(kind: WriteKind, id: number, payload: Uint8Array, surface: number, isGrouped: boolean): boolean {
    const slot = this.take(kind, id, surface, 0, isGrouped);
    if (slot < 0) return false;
    this.texts[slot] = payload;
    if (kind !== WriteKind.release) this.registers[7] = this.writes[slot] as number;
    return true;
  }

  /** Ends a group: a mark after its writes, if any are held. */
  endGroup(): void {
    const last = this.tail === this.head ? -1 : (this.order[(this.tail - 1) % this.order.length] as number);
    if (last >= 0 && this.grouped[last] === 1) this.take(WriteKind.groupEnd, 0, 0, 0, false);
  }

  private take(kind: WriteKind, id: number, surface: number, gesture: number, isGrouped: boolean): number {
    if (this.freeCount === 0) return -1;
    if (this.tail - this.head >= this.order.length) this.compact();
    if (this.tail - this.head >= this.order.length) return -1;
    const slot = this.free[--this.freeCount] as number;
    const { registers } = this;
    registers[0] = (registers[0] as number) + 1;
    this.clock.tickHybrid();
    this.lastId = id;
    this.lastKind = kind;
    this.ids[slot] = id;
    this.kinds[slot] = kind;
    this.grouped[slot] = isGrouped ? 1 : 0;
    this.surfaces[slot] = surface;
    this.gestures[slot] = gesture;
    this.writes[slot] = registers[0] as number;
    this.timesUs[slot] = this.clock.register[1] as number;
    this.frames[slot] = NOT_ACKNOWLEDGED;
    const place = this.tail % this.order.length;
    this.order[place] = slot;
    this.orderWrites[place] = registers[0] as number;
    this.tail++;
    this.size++;
    return slot;
  }

  private release(slot: number): void {
    const id = this.ids[slot] as number;
    if (this.slotOf[id] === slot + 1) this.slotOf[id] = 0;
    this.writes[slot] = 0;
    this.texts[slot] = undefined;
    this.free[this.freeCount++] = slot;
    this.size--;
    if (this.size === 0) {
      this.head = 0;
      this.tail = 0;
      this.registers[2] = Number.POSITIVE_INFINITY;
    }
  }

  /** Drops places whose slot was given up. */
  private compact(): void {
    let to = this.head;
    for (let place = this.head; place < this.tail; place++) {
      const from = place % this.order.length;
      const slot = this.order[from] as number;
      if (this.writes[slot] !== this.orderWrites[from]) continue;
      this.order[to % this.order.length] = slot;
      this.orderWrites[to % this.order.length] = this.orderWrites[from] as number;
      to++;
    }
    this.tail = to;
  }

  /** Puts a path's pending value in hand. */
  load(id: number, staging: Staging): void {
    const slot = (this.slotOf[id] as number) - 1;
    const text = this.texts[slot];
    if (typeof text === "string") staging.string(text);
    else if (text !== undefined) staging.bytes(text);
    else {
      staging.number(this.numbers[slot * 4] as number);
      staging.count = lanesOf(this.state.types[id] as ValueType);
      for (let lane = 1; lane < 4; lane++) staging.numbers[lane] = this.numbers[slot * 4 + lane] as number;
    }
  }

  surfaceOf(id: number): number {
    return this.surfaces[(this.slotOf[id] as number) - 1] ?? 0;
  }

  /**
   * Calls back when the newest write is confirmed or refused. Values of one path take one place however many wait for
   * them: of too many who wait the one that has waited longest is not told. Whoever asks gives up by itself.
   */
  whenDone(done: WriteDone): void {
    if (this.waiters.length >= PENDING_MAX) this.waiters.shift();
    const isValue = this.lastKind === WriteKind.value;
    this.waiters.push({ write: this.lastWrite, id: this.lastId, isValue, done, refusal: Reject.none });
  }

  /** Hands over who waits for a value of a path: the write is given up here and made again elsewhere. */
  takeWaiting(id: number): WriteDone[] {
    const isOf = (waiter: Waiter): boolean => waiter.isValue && waiter.id === id && waiter.refusal === Reject.none;
    const taken = this.waiters.filter(isOf);
    if (taken.length > 0) this.waiters = this.waiters.filter((waiter) => !isOf(waiter));
    return taken.map(({ done }) => done);
  }

  /** Walks the writes in order, from the first that the controller has not acknowledged; the walk ends on false. */
  forEach(visit: (slot: number) => boolean): void {
    for (let place = this.head; place < this.tail; place++) {
      const at = place % this.order.length;
      const slot = this.order[at] as number;
      if (this.writes[slot] === this.orderWrites[at] && !visit(slot)) return;
    }
  }

  isAcknowledged(slot: number): boolean {
    return this.frames[slot] !== NOT_ACKNOWLEDGED;
  }

  writeOf(slot: number): number {
    return this.writes[slot] as number;
  }

  idOf(slot: number): number {
    return this.ids[slot] as number;
  }

  kindOf(slot: number): WriteKind {
    return this.kinds[slot] as WriteKind;
  }

  /** Puts a held write into a record, for the wire. */
  record(slot: number, write: WriteRecord): void {
    const id = this.ids[slot] as number;
    write.kind = this.kinds[slot] as WriteKind;
    write.isGrouped = this.grouped[slot] === 1;
    write.id = id;
    write.surface = this.surfaces[slot] as number;
    write.gesture = this.gestures[slot] as number;
    write.doubles[0] = this.writes[slot] as number;
    write.doubles[1] = this.timesUs[slot] as number;
    const type = this.state.types[id] as ValueType | 0;
    write.type = type;
    const text = this.texts[slot];
    write.bytes = text === undefined ? EMPTY : typeof text === "string" ? this.encoder.encode(text) : text;
    if (write.kind !== WriteKind.value || (type !== 0 && isText(type))) return;
    for (let lane = 0; lane < 4; lane++) write.numbers[lane] = this.numbers[slot * 4 + lane] as number;
  }

  /** Puts a held value in hand, as `load` does for a path. */
  stage(slot: number, staging: Staging): void {
    const id = this.ids[slot] as number;
    const held = this.slotOf[id] as number;
    this.slotOf[id] = slot + 1;
    this.load(id, staging);
    this.slotOf[id] = held;
  }

  payload(slot: number): Uint8Array {
    const text = this.texts[slot];
    return text instanceof Uint8Array ? text : EMPTY;
  }

  surfaceAt(slot: number): number {
    return this.surfaces[slot] as number;
  }

  /** When held writes were made, in hybrid time, by slot. */
  get madeUs(): Float64Array {
    return this.timesUs;
  }

  gestureAt(slot: number): number {
    return this.gestures[slot] as number;
  }

  isGroupedAt(slot: number): boolean {
    return this.grouped[slot] === 1;
  }

  /** Writes went out up to `write`: asks again if no acknowledgement comes. */
  onSent(write: number): void {
    const { registers } = this;
    registers[4] = write;
    if (registers[2] === Number.POSITIVE_INFINITY) {
      registers[3] = RETRY_FIRST_US;
      registers[2] = this.clock.nowUs + RETRY_FIRST_US;
    }
  }

  get sentThrough(): number {
    return this.registers[4] as number;
  }

  /** Whether it is time to send everything unacknowledged again; if so the next time is later. */
  takeRetry(): boolean {
    const { registers } = this;
    if (this.clock.nowUs < (registers[2] as number)) return false;
    this.retries++;
    this.passOnReplaced();
    registers[3] = Math.min((registers[3] as number) * 1.5, RETRY_MAX_US);
    registers[2] = this.clock.nowUs + (registers[3] as number);
    return true;
  }

  /** A new controller, or none: everything unacknowledged is to be sent anew. */
  resend(): void {
    this.registers[1] = this.registers[5] as number;
    this.registers[4] = 0;
    this.registers[2] = Number.POSITIVE_INFINITY;
    for (let slot = 0; slot < PENDING_MAX; slot++) this.frames[slot] = NOT_ACKNOWLEDGED;
    this.passOnReplaced();
  }

  /**
   * The controller has taken all writes up to `write`; they are published by the frame `frame`. One that a gap held back
   * comes after a later one, and says of the earlier writes that they were published earlier: whoever takes control then
   * must not take them again.
   */
  acknowledge(write: number, frame: number): void {
    const { registers } = this;
    if (write <= (registers[5] as number)) return;
    for (let place = this.head; place < this.tail; place++) {
      const at = place % this.order.length;
      if ((this.orderWrites[at] as number) > write) break;
      const slot = this.order[at] as number;
      const known = this.frames[slot] as number;
      const isEarlier = known === NOT_ACKNOWLEDGED || frame < known;
      if (isEarlier && this.writes[slot] === this.orderWrites[at]) this.frames[slot] = frame;
    }
    if (write <= (registers[1] as number)) return;
    registers[1] = write;
    registers[6] = frame;
    registers[2] = write >= (registers[4] as number) ? Number.POSITIVE_INFINITY : this.clock.nowUs + RETRY_FIRST_US;
  }

  /** Notes that a write was refused; it is given up when it is settled. */
  refuse(write: number, reject: Reject): void {
    const id = this.idOfWrite(write);
    for (const waiter of this.waiters) {
      // What this write replaced before it was confirmed is refused with it.
      const isReplaced = id >= 0 && waiter.id === id && waiter.write < write && this.idOfWrite(waiter.write) < 0;
      const isSame = waiter.write === write || isReplaced;
      if (isSame && waiter.refusal === Reject.none) waiter.refusal = reject;
    }
  }

  private idOfWrite(write: number): number {
    let found = -1;
    this.forEach((slot) => {
      if (this.writes[slot] === write) found = this.ids[slot] as number;
      return found < 0;
    });
    return found;
  }

  /**
   * Gives up the writes that are published by a frame up to `complete`: the stream's own value shows from here on.
   * `settled` is told each slot just before it is given up.
   */
  settle(complete: number, sequence: number, settled: (slot: number) => void): void {
    let through = 0;
    for (let place = this.head; place < this.tail; place++) {
      const at = place % this.order.length;
      const slot = this.order[at] as number;
      const write = this.orderWrites[at] as number;
      if (this.writes[slot] === write) {
        const frame = this.frames[slot] as number;
        if (frame === NOT_ACKNOWLEDGED || frame > complete) break;
        settled(slot);
        this.head = place + 1;
        this.release(slot);
      } else {
        // A write that a newer one replaced is confirmed when the controller has taken it, or what replaced it: by all
        // that was acknowledged, or with the next one that is held.
        if (write > this.acknowledgedThrough) break;
        if ((this.registers[6] as number) > complete) continue;
        this.head = place + 1;
      }
      through = write;
    }
    if (through === 0) return;
    this.registers[5] = through;
    this.callBack(through, sequence);
  }

  private callBack(through: number, sequence: number): void {
    while (this.waiters.length > 0 && (this.waiters[0] as Waiter).write <= through) {
      const waiter = this.waiters.shift() as Waiter;
      waiter.done(waiter.refusal, sequence);
    }
  }

  /** Moves what is pending on one id to another: the controller gave a path its id. */
  move(from: number, to: number): void {
    this.forEach((slot) => {
      if (this.ids[slot] === from) this.ids[slot] = to;
      return true;
    });
    for (const waiter of this.waiters) if (waiter.id === from) waiter.id = to;
    const held = this.slotOf[from] as number;
    if (held === 0) return;
    this.slotOf[from] = 0;
    this.slotOf[to] = held;
  }

  /** Gives up the values held for a path that is no more what they were written to; their order stays. */
  forget(id: number, reject: Reject): void {
    if (this.size === 0) return;
    this.slotOf[id] = 0;
    this.forEach((slot) => {
      if (this.ids[slot] !== id || this.kinds[slot] !== WriteKind.value) return true;
      this.kinds[slot] = WriteKind.void;
      this.texts[slot] = undefined;
      this.refuse(this.writes[slot] as number, reject);
      return true;
    });
  }

  /**
   * Lets `change` give paths other ids, and then every held write the one that its path has now; -1, for a path that is
   * no more, refuses the write. Meanwhile nothing is pending on any id: the same number is another path before and after.
   */
  remap(change: () => void, idOf: (id: number) => number): void {
    this.slotOf.fill(0);
    this.lift(LIFTED);
    change();
    this.lift(-LIFTED);
    this.forEach((slot) => {
      const kind = this.kinds[slot];
      const isMark = kind === WriteKind.groupEnd || kind === WriteKind.void;
      const id = isMark ? 0 : idOf(this.ids[slot] as number);
      // Nothing is left to let go of, which is what was asked.
      if (id < 0 && kind !== WriteKind.release) this.refuse(this.writes[slot] as number, Reject.unknownPath);
      this.ids[slot] = Math.max(0, id);
      if (id < 0) this.kinds[slot] = WriteKind.void;
      else if (kind === WriteKind.value) this.slotOf[id] = slot + 1;
      return true;
    });
    for (const waiter of this.waiters) waiter.id = idOf(waiter.id);
  }

  private lift(by: number): void {
    this.forEach((slot) => {
      this.ids[slot] = (this.ids[slot] as number) + by;
      return true;
    });
    for (const waiter of this.waiters) waiter.id += by;
  }

  /** Gives everything up with a reason: the node closes, or what was pending has been committed here. */
  clear(reject: Reject, sequence = 0): void {
    this.slotOf.fill(0);
    this.writes.fill(0);
    this.texts.fill(undefined);
    this.freeCount = PENDING_MAX;
    for (let slot = 0; slot < PENDING_MAX; slot++) this.free[slot] = PENDING_MAX - 1 - slot;
    this.head = 0;
    this.tail = 0;
    this.size = 0;
    this.registers[2] = Number.POSITIVE_INFINITY;
    for (const through of [1, 4, 5]) this.registers[through] = this.lastWrite;
    const { waiters } = this;
    this.waiters = [];
    for (const { done, refusal } of waiters) done(refusal === Reject.none ? reject : refusal, sequence);
  }
}
