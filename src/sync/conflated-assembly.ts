/**
 * ConflatedAssembly: the parts of a round that are here, until all are. One round at a time: a newer one replaces it.
 */
import { PART_HEADER_BYTES, type RoundPart } from "../wire/conflated.js";

export class ConflatedAssembly {
  private head: RoundPart | undefined;
  private parts: (Uint8Array | undefined)[] = [];
  private missing = 0;
  /** One bit per part of the present round. */
  here = 0;

  /** Takes a part in. Answers the parts' entries in their order once all are here, and once only. */
  add(head: RoundPart, plain: Uint8Array, length: number): readonly Uint8Array[] | undefined {
    if (!this.isSame(head)) this.begin(head);
    if ((this.here & (1 << head.part)) !== 0) return undefined;
    this.here |= 1 << head.part;
    this.parts[head.part] = plain.slice(PART_HEADER_BYTES, length);
    this.missing--;
    if (this.missing > 0) return undefined;
    const whole = this.parts as readonly Uint8Array[];
    this.parts = [];
    return whole;
  }

  private isSame({ term, round, since, through, parts }: RoundPart): boolean {
    const { head } = this;
    if (head === undefined || head.term !== term || head.round !== round) return false;
    return head.since === since && head.through === through && head.parts === parts;
  }

  private begin(head: RoundPart): void {
    this.head = head;
    this.parts = new Array<Uint8Array | undefined>(head.parts);
    this.missing = head.parts;
    this.here = 0;
  }
}
