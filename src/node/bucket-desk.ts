/**
 * BucketDesk: the controller's answers to followers whose digests differ. It compares bucket by bucket and sends what it
 * holds where they differ, by unicast and to who asked alone.
 *
 * What an answer may cost is bounded: so many datagrams an ask, and so many a second for all who ask. What is left over
 * is asked for again. It reads the state and changes nothing.
 */
import { BUCKETS, bucketOf } from "../state/digest.js";
import { ImageEncoder } from "../state/image.js";
import type { SendBudget } from "../sync/send-budget.js";
import type { FrameTarget } from "../sync/stream-frames.js";
import { type BucketAsk, rangePartBytes, readBucketAsk, writeRangePart } from "../wire/bucket-message.js";
import { FrameType } from "../wire/frame.js";
import type { NodeCore } from "./core.js";
import type { FrameIo } from "./frame-io.js";

/** Some 70 kB. */
const DATAGRAMS_PER_ASK = 64;
const DATAGRAMS_PER_SECOND = 1_000;
const DATAGRAMS_BURST = 256;

/** Where the answers' contents belong in the stream. */
export interface StreamPlace {
  readonly term: number;
  readonly frame: number;
  readonly sequence: number;
}

/** A range of a component's paths: the hashes of their names from the first to the last. */
interface Range extends StreamPlace {
  readonly component: number;
  readonly firstHash: number;
  readonly lastHash: number;
}

export class BucketDesk {
  private readonly core: NodeCore;
  private readonly io: FrameIo;
  private readonly budget: SendBudget;
  private readonly own = new Int32Array(BUCKETS * 2);
  private encoder: ImageEncoder | undefined;
  /** [0] datagrams that may be sent, [1] when they were counted. */
  private readonly tokens = new Float64Array([DATAGRAMS_BURST, 0]);
  private left = 0;
  asks = 0;
  answers = 0;

  constructor(core: NodeCore, io: FrameIo, budget: SendBudget) {
    this.core = core;
    this.io = io;
    this.budget = budget;
  }

  /** Answers an ask. The digests must be those of `place`. */
  onAsk(plain: Uint8Array, length: number, place: StreamPlace, from: FrameTarget): void {
    const ask = readBucketAsk(plain, length);
    if (ask === undefined) {
      this.core.counters.messagesMalformed++;
      return;
    }
    this.asks++;
    this.refill();
    if (ask.term !== place.term || (this.tokens[0] as number) < 1) return;
    this.left = Math.min(DATAGRAMS_PER_ASK, Math.floor(this.tokens[0] as number));
    this.core.digests.buckets(ask.component, this.own);
    const ids = this.differing(ask);
    for (let bucket = 0; bucket < BUCKETS && this.left > 0; bucket++) {
      const inBucket = ids[bucket];
      if (inBucket !== undefined)
        this.answerBucket(bucket, inBucket, { ...place, ...RANGE, component: ask.component }, from);
    }
  }

  private refill(): void {
    const now = this.core.clock.nowUs;
    const { tokens } = this;
    const filled = (tokens[0] as number) + ((now - (tokens[1] as number)) * DATAGRAMS_PER_SECOND) / 1e6;
    tokens[0] = Math.min(DATAGRAMS_BURST, filled);
    tokens[1] = now;
  }

  /** The ids in each bucket whose digests differ, in the order of their hashes; undefined for the other buckets. */
  private differing({ component, digests: theirs }: BucketAsk): (number[] | undefined)[] {
    const { digests, state } = this.core;
    const { own } = this;
    const ids = Array.from({ length: BUCKETS }, (_, bucket): number[] | undefined => {
      const at = bucket * 2;
      return own[at] === theirs[at] && own[at + 1] === theirs[at + 1] ? undefined : [];
    });
    for (let id = 0; id < state.nextId; id++) {
      if (digests.isCounted(id, component)) ids[bucketOf(digests.pathHash(id))]?.push(id);
    }
    for (const list of ids) list?.sort((one, other) => this.hashOf(one) - this.hashOf(other));
    return ids;
  }

  private hashOf(id: number): number {
    return this.core.digests.pathHash(id) >>> 0;
  }

  /** Cuts a bucket into ranges, each as long as a datagram holds, and sends them. */
  private answerBucket(bucket: number, ids: readonly number[], blank: Range, from: FrameTarget): void {
    this.encoder ??= new ImageEncoder(this.core);
    const { encoder } = this;
    const room = rangePartBytes(this.io.plain.length);
    let firstHash = bucket * BUCKET_HASHES;
    let length = 0;
    encoder.begin();
    ids.forEach((id, place) => {
      const before = ids[place - 1];
      const end = encoder.add(id);
      // Paths whose hashes are equal stay together: a range could not be told from the next one.
      const isTooLong = end > room && before !== undefined && this.hashOf(before) !== this.hashOf(id);
      if (isTooLong && length > 0) {
        const lastHash = this.hashOf(before);
        this.send({ ...blank, firstHash, lastHash }, encoder.bytes(length), from);
        firstHash = lastHash + 1;
        encoder.begin();
        length = encoder.add(id);
      } else length = end;
    });
    const lastHash = (bucket + 1) * BUCKET_HASHES - 1;
    if (firstHash <= lastHash) this.send({ ...blank, firstHash, lastHash }, encoder.bytes(length), from);
  }

  /** Sends a range whole or not at all. */
  private send(range: Range, bytes: Uint8Array, from: FrameTarget): void {
    const size = rangePartBytes(this.io.plain.length);
    const parts = Math.max(1, Math.ceil(bytes.length / size));
    // One that is longer than an ask may have goes out alone.
    if (parts > this.left && this.left < DATAGRAMS_PER_ASK) this.left = 0;
    if (this.left <= 0) return;
    this.left -= parts;
    this.tokens[0] = (this.tokens[0] as number) - parts;
    this.answers++;
    for (let part = 0; part < parts; part++) {
      const piece = bytes.subarray(part * size, (part + 1) * size);
      const length = writeRangePart(this.io.plain, { ...range, part, parts, bytes: piece });
      this.budget.spend(this.io.unicast(FrameType.buckets, length, from));
    }
  }
}

const RANGE = { firstHash: 0, lastHash: 0 };
/** How many hashes fall into one bucket. */
const BUCKET_HASHES = 2 ** 32 / BUCKETS;
