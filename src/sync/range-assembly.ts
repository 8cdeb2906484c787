/**
 * RangeAssembly: the ranges of a component that a controller sent, until they may be used. Parts are put together; a
 * range waits until the stream is as far as it. Bounded in bytes and in number; the oldest asked-for is dropped first.
 */
import type { RangePart } from "../wire/bucket-message.js";

/** A range that is whole: `bytes` is a chunk of an image. */
export type WholeRange = Omit<RangePart, "part" | "parts">;

interface Partial {
  readonly first: RangePart;
  readonly parts: (Uint8Array | undefined)[];
  missing: number;
}

const BYTES_MAX = 1_048_576;
const RANGES_MAX = 512;

export class RangeAssembly {
  private readonly partials = new Map<string, Partial>();
  private readonly whole: WholeRange[] = [];
  private bytes = 0;

  /** Takes a part in. False when there is no room, or it does not fit what is here. */
  add(part: RangePart): boolean {
    if (this.bytes + part.bytes.length > BYTES_MAX || this.whole.length + this.partials.size >= RANGES_MAX)
      return false;
    if (part.parts === 1) {
      this.bytes += part.bytes.length;
      this.whole.push(part);
      return true;
    }
    return this.addTo(part, `${part.component}/${part.firstHash}/${part.lastHash}/${part.frame}`);
  }

  private addTo(part: RangePart, key: string): boolean {
    const known = this.partials.get(key);
    const partial = known ?? {
      first: part,
      parts: new Array<undefined>(part.parts).fill(undefined),
      missing: part.parts,
    };
    if (partial.parts.length !== part.parts) return false;
    this.partials.set(key, partial);
    if (partial.parts[part.part] !== undefined) return true;
    partial.parts[part.part] = part.bytes;
    partial.missing--;
    this.bytes += part.bytes.length;
    if (partial.missing === 0) {
      this.partials.delete(key);
      this.whole.push({ ...partial.first, bytes: joined(partial.parts as Uint8Array[]) });
    }
    return true;
  }

  /** The next range that holds nothing from after `frame`; undefined when there is none. */
  take(frame: number): WholeRange | undefined {
    const index = this.whole.findIndex((range) => range.frame <= frame);
    if (index < 0) return undefined;
    const [range] = this.whole.splice(index, 1);
    this.bytes -= range?.bytes.length ?? 0;
    return range;
  }

  get isEmpty(): boolean {
    return this.whole.length === 0;
  }

  clear(): void {
    this.partials.clear();
    this.whole.length = 0;
    this.bytes = 0;
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
