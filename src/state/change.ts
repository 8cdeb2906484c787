/**
 * Change: one write, as every follower sees it. The closed sets that the ring, the wire and the journal share.
 */

/** What an event of the event lane is. The numbers are on the wire: never renumber one. */
export const EventKind = {
  impulse: 1,
  declare: 2,
  rename: 3,
  remove: 4,
  /** An origin (node and surface) got its index. In a ring the index is this node's, on the wire the controller's. */
  origin: 5,
  /** A term got its index in this node's table. Rings only. */
  term: 6,
  /** Several values that change together and do not fit one frame. Wire only. */
  group: 7,
  /** Where the writers stood at this sequence, for snapshots (`encodeStandings`). Rings only. */
  standings: 8,
  /** The term's contents are made of another's too, up to a sequence: two sides were merged. */
  lineage: 9,
} as const;
export type EventKind = (typeof EventKind)[keyof typeof EventKind];

/** How a change came to be shown. */
export const ChangeFlag = {
  /** Written here, not confirmed by the controller yet. It has no version. */
  pending: 1,
  /** A pending write was refused: this is the confirmed value again. */
  rolledBack: 2,
  /** It came with a snapshot or a resync, not as a fresh change. */
  resync: 4,
  /** One of several changes that become visible together. */
  grouped: 8,
  /** The controller confirmed what is shown already: only the version is new. */
  confirmed: 16,
} as const;

/** A term: its number and the id (16 hex digits) of the node that is its controller, so that two sides never share one. */
export interface Term {
  readonly number: number;
  readonly node: string;
}

/** Where a change came from: the node it was written on, and the surface there ("" for the node itself). */
export interface Origin {
  readonly node: string;
  readonly surface: string;
}
