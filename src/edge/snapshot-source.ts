/**
 * Snapshot source: the images that joiners fetch, made from the desk's replica while others may fetch it.
 *
 * An image is made whole in one go and kept a while, so that a hundred joiners at once cost one. It is given to a
 * joiner only if it holds everything that the joiner's first frame presupposes: every change, every origin, and where the
 * writers stood by then.
 */
import { LRUCache } from "lru-cache";
import type { FrozenHeader } from "../manage/desk-messages.js";
import type { Replica } from "../manage/replica.js";
import type { Term } from "../state/change.js";
import { ImageEncoder } from "../state/image.js";
import { isBegun, makeImage, type SnapshotImage } from "../sync/snapshot-transfer.js";
import type { LineageEntry } from "../sync/lineage.js";
import type { SnapshotRequestRecord } from "../wire/snapshot-records.js";

const IMAGES_KEPT = 4;
const KEPT_MS = 10_000;

/** What an image is made of. */
export type SnapshotContents = Pick<Replica, "state" | "terms" | "origins" | "sequence" | "standings">;

interface KeptImage {
  readonly image: SnapshotImage;
  /** How many origins it tells of: a new one is no change, so its sequence does not say whether it is there. */
  readonly origins: number;
}

export class SnapshotSource {
  /** The term that the contents here are of; no image is given without. */
  term: Term | undefined;
  private lineage: readonly LineageEntry[] = [];
  private readonly current: () => SnapshotContents | undefined;
  private readonly images = new LRUCache<number, KeptImage>({ max: IMAGES_KEPT, ttl: KEPT_MS });
  private newest = 0;
  /** An image of a state that stands still, and what of it is here. */
  private frozen: SnapshotImage | undefined;
  private frozenHeader: FrozenHeader | undefined;
  private frozenChunks: Uint8Array[] = [];
  /** Begins anywhere: a joiner whose transfer broke must not go on with the image of an earlier desk. */
  private nextImage = 1 + Math.floor(Math.random() * 0x4000_0000);

  /** `current` answers the replica after it took in everything that the ring holds. */
  constructor(current: () => SnapshotContents | undefined) {
    this.current = current;
  }

  /** Images of another term are of no use to anybody. */
  setTerm(term: Term | undefined, lineage: readonly LineageEntry[]): void {
    this.term = term;
    this.lineage = lineage;
    this.images.clear();
  }

  beginFrozen(header: FrozenHeader | undefined): void {
    this.frozen = undefined;
    this.frozenHeader = header;
    this.frozenChunks = [];
  }

  pushFrozen(chunk: Uint8Array): void {
    if (this.frozenHeader !== undefined) this.frozenChunks.push(chunk);
  }

  endFrozen(): void {
    const { frozenHeader } = this;
    if (frozenHeader === undefined) return;
    const { standings, ...header } = frozenHeader;
    this.frozen = makeImage({ ...header, image: this.nextImage++ }, this.frozenChunks, standings);
    this.frozenChunks = [];
  }

  image(request: SnapshotRequestRecord): SnapshotImage | undefined {
    const { frozen } = this;
    if (this.frozenHeader !== undefined) {
      return frozen !== undefined && frozen.sequence >= request.minSequence ? frozen : undefined;
    }
    const contents = this.current();
    if (this.term === undefined || contents === undefined) return undefined;
    const { minSequence } = request;
    const begun = this.kept(request.image, contents, minSequence);
    if (begun !== undefined && isBegun(request, begun)) return begun;
    return this.kept(this.newest, contents, minSequence) ?? this.make(this.term, contents, minSequence);
  }

  private kept(image: number, { origins }: SnapshotContents, minSequence: number): SnapshotImage | undefined {
    const kept = this.images.get(image);
    const isEnough = kept !== undefined && kept.image.sequence >= minSequence && kept.origins === origins.size;
    return isEnough ? kept.image : undefined;
  }

  private make(term: Term, contents: SnapshotContents, minSequence: number): SnapshotImage | undefined {
    const { state, terms, origins, sequence, standings } = contents;
    if (sequence < minSequence || standings === undefined || standings.sequence < minSequence) return undefined;
    const encoder = new ImageEncoder({ state, terms, origins });
    const chunks: Uint8Array[] = [];
    for (let chunk = encoder.next(); chunk !== undefined; chunk = encoder.next()) chunks.push(chunk);
    const { lineage } = this;
    const { number: termNumber, node: termNode } = term;
    const told = Math.min(sequence, standings.sequence);
    const header = { image: this.nextImage++, termNumber, termNode, sequence, told, origins: origins.list(), lineage };
    const image = makeImage(header, chunks, standings.bytes);
    this.images.set(image.image, { image, origins: origins.size });
    this.newest = image.image;
    return image;
  }
}
