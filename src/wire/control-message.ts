/**
 * Control message: how control passes from one node to another while both are well.
 *
 *   ask    anybody → controller    hand over to this node
 *   offer  controller → successor  it takes no more writes; this is where its stream ends
 *   ready  successor → controller  everything up to there is here, and the new term's number is on disk; said with the
 *                                  offer's last change, for a question that comes again has the same nonce
 *   go     controller → successor  it is yours
 *   no     controller → who asked  it stays as it is, for this reason
 *
 * Each carries the nonce of the handover, so that what comes late is none.
 */
import { decodeFields, isNode, isText, isWhole } from "./fields.js";

export const ControlKind = { ask: 1, offer: 2, ready: 3, go: 4, no: 5 } as const;
export type ControlKind = (typeof ControlKind)[keyof typeof ControlKind];

export type ControlMessage =
  | { readonly kind: typeof ControlKind.ask; readonly nonce: number; readonly to: string }
  | {
      readonly kind: typeof ControlKind.offer;
      readonly nonce: number;
      /** The term that ends, its last frame and its last change. */
      readonly term: number;
      readonly frame: number;
      readonly sequence: number;
    }
  | {
      readonly kind: typeof ControlKind.ready;
      readonly nonce: number;
      /** The last change of the offer that is answered. */
      readonly sequence: number;
    }
  | {
      readonly kind: typeof ControlKind.go;
      readonly nonce: number;
      /** How much longer the controller could have written, in microseconds. */
      readonly leaseUs: number;
    }
  | { readonly kind: typeof ControlKind.no; readonly nonce: number; readonly reason: string };

const NUMBER_LIMIT = 2 ** 32;
const REASON_LIMIT = 64;

export function controlFields(message: ControlMessage): unknown[] {
  const { kind, nonce } = message;
  switch (kind) {
    case ControlKind.ask:
      return [kind, nonce, message.to];
    case ControlKind.offer:
      return [kind, nonce, message.term, message.frame, message.sequence];
    case ControlKind.ready:
      return [kind, nonce, message.sequence];
    case ControlKind.go:
      return [kind, nonce, message.leaseUs];
    case ControlKind.no:
      return [kind, nonce, message.reason];
  }
}

export function decodeControl(plain: Uint8Array, length: number): ControlMessage | undefined {
  const [kind, nonce, ...rest] = decodeFields(plain, length) ?? [];
  if (!isWhole(nonce, NUMBER_LIMIT)) return undefined;
  const [first, frame, sequence] = rest;
  switch (kind) {
    case ControlKind.ask:
      return rest.length === 1 && isNode(first) ? { kind, nonce, to: first } : undefined;
    case ControlKind.offer:
      if (rest.length !== 3 || !isWhole(first, NUMBER_LIMIT) || !isWhole(frame) || !isWhole(sequence)) return undefined;
      return { kind, nonce, term: first, frame, sequence };
    case ControlKind.ready:
      return rest.length === 1 && isWhole(first) ? { kind, nonce, sequence: first } : undefined;
    case ControlKind.go:
      return rest.length === 1 && isWhole(first, NUMBER_LIMIT) ? { kind, nonce, leaseUs: first } : undefined;
    case ControlKind.no:
      return rest.length === 1 && isText(first, REASON_LIMIT) ? { kind, nonce, reason: first } : undefined;
    default:
      return undefined;
  }
}
