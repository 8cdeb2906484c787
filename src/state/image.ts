/**
 * Image: the whole state as bytes, at one place in the stream.
 *
 * A late joiner, the desk worker and a resync all take the same image, in chunks, so that no chunk is large and each
 * can be sealed and sent by itself. Paths are written with the length that they share with the one before; equal
 * declarations are written once. Behind the paths come the tombstones of those that are gone. An image comes from outside: a chunk that does not decode exactly is refused whole,
 * and nothing of it is kept. `loadImage` never throws on bytes.
 */
import { ByteReader, ByteWriter } from "../base/bytes.js";
import { type Declaration, isText, lanesOf, ValueType } from "./declaration.js";
import { DECLARATION_LIMIT_BYTES, readDeclaration, writeDeclaration } from "./declaration-bytes.js";
import { validatePath } from "./path.js";
import { LANES, type State } from "./state.js";
import { type Tombstone, TOMBSTONES_MAX } from "./tombstones.js";
import { ORIGINS_MAX, type OriginTable, type TermTable } from "./tables.js";
import { TEXT_LIMIT_BYTES } from "./coerce.js";

/** A chunk is closed once it is longer than this; the longest value and declaration still fit behind. */
const CHUNK_TARGET_BYTES = 32_768;
export const CHUNK_LIMIT_BYTES = CHUNK_TARGET_BYTES + DECLARATION_LIMIT_BYTES + TEXT_LIMIT_BYTES + 1_024;
const PATH_LIMIT_BYTES = 255;
/** In place of a path's id plus one. */
const TOMBSTONE = 0;

/** What the tables say, which an image carries beside the values. */
export interface ImageTables {
  readonly state: State;
  readonly terms: TermTable;
  readonly origins: OriginTable;
}

/** One image's encoder: call `next` until it answers undefined. The state must not change in between. */
export class ImageEncoder {
  private readonly tables: ImageTables;
  private readonly out = new ByteWriter(new Uint8Array(CHUNK_LIMIT_BYTES));
  private readonly known = new Map<Declaration, number>();
  private readonly originsSent = new Map<number, number>();
  private readonly termsSent = new Map<number, number>();
  private id = 0;
  private stones: readonly Tombstone[] | undefined;
  private stone = 0;
  private lastPath = "";

  constructor(tables: ImageTables) {
    this.tables = tables;
  }

  next(): Uint8Array | undefined {
    const { out } = this;
    const { state } = this.tables;
    out.reset(0, CHUNK_LIMIT_BYTES);
    for (; this.id < state.capacity && out.offset < CHUNK_TARGET_BYTES; this.id = nextExisting(state, this.id + 1)) {
      if (state.exists(this.id)) this.path(this.id);
    }
    if (this.id >= state.capacity) this.tombstones();
    return out.offset === 0 ? undefined : out.buffer.slice(0, out.offset);
  }

  private tombstones(): void {
    const { out } = this;
    this.stones ??= [...this.tables.state.tombstones.values()];
    for (; this.stone < this.stones.length && out.offset < CHUNK_TARGET_BYTES; this.stone++) {
      const stone = this.stones[this.stone] as Tombstone;
      const { path, term, sequence, timeUs, origin, renamedTo, wasTerm, wasSequence } = stone;
      out.varint(TOMBSTONE);
      this.name(path);
      this.term(term);
      out.varint(sequence);
      out.f64(timeUs);
      this.origin(origin);
      out.text(renamedTo);
      this.term(wasTerm);
      out.varint(wasSequence);
    }
  }

  /** Begins a chunk that stands for itself: for some paths and not all, each given to `add`. */
  begin(): void {
    this.known.clear();
    this.originsSent.clear();
    this.termsSent.clear();
    this.lastPath = "";
    this.out.reset(0, CHUNK_LIMIT_BYTES);
  }

  /** Adds a path to the chunk that was begun. Answers its length; what passes `CHUNK_LIMIT_BYTES` is cut off. */
  add(id: number): number {
    this.path(id);
    return this.out.offset;
  }

  /** The first bytes of the chunk that was begun. */
  bytes(length: number): Uint8Array {
    return this.out.buffer.slice(0, length);
  }

  private path(id: number): void {
    const { out } = this;
    const { state } = this.tables;
    out.varint(id + 1);
    this.name(state.pathOf(id));
    this.declaration(state.declarationOf(id) as Declaration);
    this.term(state.terms[id] as number);
    out.varint(state.sequences[id] as number);
    out.f64(state.timesUs[id] as number);
    this.origin(state.origins[id] as number);
    this.value(id);
  }

  private name(path: string): void {
    let shared = 0;
    const limit = Math.min(path.length, this.lastPath.length);
    while (shared < limit && path.charCodeAt(shared) === this.lastPath.charCodeAt(shared)) shared++;
    this.out.u8(shared);
    this.out.text(path, shared);
    this.lastPath = path;
  }

  private declaration(declaration: Declaration): void {
    const index = this.known.get(declaration);
    this.out.varint(index === undefined ? 0 : index + 1);
    if (index !== undefined) return;
    this.known.set(declaration, this.known.size);
    writeDeclaration(this.out, declaration);
  }

  private term(index: number): void {
    const known = this.termsSent.get(index);
    this.out.varint(known === undefined ? 0 : known + 1);
    if (known !== undefined) return;
    this.termsSent.set(index, this.termsSent.size);
    const term = this.tables.terms.at(index);
    this.out.varint(term.number);
    this.out.text(term.node);
  }

  private origin(index: number): void {
    const known = this.originsSent.get(index);
    this.out.varint(known === undefined ? 0 : known + 1);
    if (known !== undefined) return;
    this.originsSent.set(index, this.originsSent.size);
    const origin = this.tables.origins.at(index);
    this.out.text(origin.node);
    this.out.text(origin.surface);
  }

  private value(id: number): void {
    const { out } = this;
    const { state } = this.tables;
    const type = state.types[id] as ValueType;
    if (isText(type)) {
      const text = state.texts[id] ?? "";
      if (typeof text === "string") out.text(text);
      else out.blob(text);
      return;
    }
    const lanes = lanesOf(type);
    for (let lane = 0; lane < lanes; lane++) {
      const number = state.numbers[id * LANES + lane] as number;
      if (type === ValueType.double || type === ValueType.int || type === ValueType.enum) out.f64(number);
      else out.f32(number);
    }
  }
}

function nextExisting(state: State, from: number): number {
  let id = from;
  while (id < state.capacity && state.types[id] === 0) id++;
  return id;
}

/** One image's decoder: give it the chunks in order. */
export class ImageDecoder {
  private readonly tables: ImageTables;
  private readonly input = new ByteReader();
  private readonly known: Declaration[] = [];
  private readonly termIndexes: number[] = [];
  private readonly originIndexes: number[] = [];
  private readonly decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  /** In bytes, which a path has as many of as characters. */
  private readonly lastPath = new Uint8Array(PATH_LIMIT_BYTES);
  private lastPathBytes = 0;
  /** Called after each path is in place. */
  onPath: (id: number) => void = () => {};
  paths = 0;

  constructor(tables: ImageTables) {
    this.tables = tables;
  }

  /** False when the chunk is not what an encoder makes; the state must then be cleared. */
  push(chunk: Uint8Array): boolean {
    this.input.reset(chunk, 0, chunk.length);
    try {
      while (this.input.remaining > 0) if (!this.record()) return false;
    } catch {
      // The fatal UTF-8 decoder throws; nothing else here can.
      return false;
    }
    return true;
  }

  private record(): boolean {
    const first = this.input.varint();
    return first === TOMBSTONE ? this.tombstone() : this.path(first - 1);
  }

  private tombstone(): boolean {
    const { input } = this;
    const { tombstones } = this.tables.state;
    const path = this.name();
    const term = this.term();
    const sequence = input.varint();
    const timeUs = input.f64();
    const origin = this.origin();
    const renamedTo = this.decoder.decode(input.blob(PATH_LIMIT_BYTES));
    const wasTerm = this.term();
    const wasSequence = input.varint();
    if (input.failed || term < 0 || wasTerm < 0 || origin < 0 || !Number.isFinite(timeUs)) return false;
    const isNamed = renamedTo === "" || validatePath(renamedTo) === "";
    if (!isNamed || validatePath(path) !== "" || tombstones.size >= TOMBSTONES_MAX) return false;
    tombstones.add({ path, term, sequence, timeUs, origin, renamedTo, wasTerm, wasSequence });
    return true;
  }

  private path(id: number): boolean {
    const { input } = this;
    const { state } = this.tables;
    const path = this.name();
    const declaration = this.declaration();
    const term = this.term();
    const sequence = input.varint();
    const timeUs = input.f64();
    const origin = this.origin();
    if (input.failed || declaration === undefined || term < 0 || origin < 0 || !Number.isFinite(timeUs)) return false;
    if (id >= state.capacity || state.exists(id) || state.idOf(path) >= 0 || validatePath(path) !== "") return false;
    state.declare(id, path, declaration);
    state.terms[id] = term;
    state.sequences[id] = sequence;
    state.timesUs[id] = timeUs;
    state.origins[id] = origin;
    if (!this.value(id)) return false;
    this.paths++;
    this.onPath(id);
    return true;
  }

  private name(): string {
    const { input, lastPath } = this;
    const shared = Math.min(input.u8(), this.lastPathBytes);
    const rest = input.varint();
    if (shared + rest > PATH_LIMIT_BYTES) input.failed = true;
    else input.copy(rest, lastPath, shared);
    if (input.failed) return "";
    this.lastPathBytes = shared + rest;
    return this.decoder.decode(lastPath.subarray(0, this.lastPathBytes));
  }

  private declaration(): Declaration | undefined {
    const index = this.input.varint();
    if (index > 0) return this.known[index - 1];
    const declaration = readDeclaration(this.input);
    if (declaration !== undefined) this.known.push(declaration);
    return declaration;
  }

  private term(): number {
    const index = this.input.varint();
    if (index > 0) return this.termIndexes[index - 1] ?? -1;
    const number = this.input.varint();
    const node = this.decoder.decode(this.input.blob(16));
    if (this.input.failed) return -1;
    const interned = number === 0 ? 0 : this.tables.terms.hear(number, node);
    this.termIndexes.push(interned);
    return interned;
  }

  private origin(): number {
    const index = this.input.varint();
    if (index > 0) return this.originIndexes[index - 1] ?? -1;
    const node = this.decoder.decode(this.input.blob(16));
    const surface = this.decoder.decode(this.input.blob(PATH_LIMIT_BYTES));
    if (this.input.failed || this.originIndexes.length >= ORIGINS_MAX) return -1;
    const interned = node === "" ? 0 : this.tables.origins.intern(node, surface);
    this.originIndexes.push(interned);
    return interned;
  }

  private value(id: number): boolean {
    const { input } = this;
    const { state } = this.tables;
    const type = state.types[id] as ValueType;
    if (isText(type)) {
      const bytes = input.blob(TEXT_LIMIT_BYTES);
      state.texts[id] = type === ValueType.string ? this.decoder.decode(bytes) : bytes;
      return !input.failed;
    }
    const lanes = lanesOf(type);
    for (let lane = 0; lane < lanes; lane++) {
      const isWide = type === ValueType.double || type === ValueType.int || type === ValueType.enum;
      const number = isWide ? input.f64() : input.f32();
      if (!holds(type, number, state.declarationOf(id)?.values.length ?? 0)) return false;
      state.numbers[id * LANES + lane] = number;
    }
    return !input.failed;
  }
}

/** Whether a number is one that a type holds. A default may lie outside its path's range, so ranges are not asked. */
function holds(type: ValueType, number: number, names: number): boolean {
  if (type === ValueType.bool) return number === 0 || number === 1;
  if (type === ValueType.int) return (number | 0) === number;
  if (type === ValueType.enum) return Number.isInteger(number) && number >= 0 && number < names;
  return Number.isFinite(number);
}
