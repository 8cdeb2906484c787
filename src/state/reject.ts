/**
 * Reject: why a write was not taken. A closed set, counted and shown to whoever wrote; never thrown.
 */
export const Reject = {
  none: 0,
  unknownPath: 1,
  notANumber: 2,
  wrongType: 3,
  wrongCount: 4,
  outOfRange: 5,
  unknownName: 6,
  tooLong: 7,
  readOnly: 8,
  badPath: 9,
  badDeclaration: 10,
  pathsFull: 11,
  alreadyDeclared: 12,
  superseded: 13,
  queueFull: 14,
  timedOut: 15,
  closed: 16,
  strict: 17,
  autoFull: 18,
  pathTaken: 19,
  aliasTaken: 20,
  held: 21,
} as const;
export type Reject = (typeof Reject)[keyof typeof Reject];

export const REJECT_COUNT = 22;

const TEXTS: Record<Reject, string> = {
  [Reject.none]: "accepted",
  [Reject.unknownPath]: "no such path",
  [Reject.notANumber]: "not a finite number",
  [Reject.wrongType]: "the value does not fit the declared type",
  [Reject.wrongCount]: "the wrong number of components",
  [Reject.outOfRange]: "outside what the type can hold",
  [Reject.unknownName]: "not one of the enum's names",
  [Reject.tooLong]: "longer than 60,000 bytes",
  [Reject.readOnly]: "this path cannot be written from here",
  [Reject.badPath]: "not a valid path",
  [Reject.badDeclaration]: "not a valid declaration",
  [Reject.pathsFull]: "the limit of paths is reached",
  [Reject.alreadyDeclared]: "already declared as something else",
  [Reject.superseded]: "superseded by a newer write",
  [Reject.queueFull]: "too many writes are waiting",
  [Reject.timedOut]: "not confirmed in time",
  [Reject.closed]: "the node is closing",
  [Reject.strict]: 'not declared, and declare = "strict"',
  [Reject.autoFull]: "the limit of automatically declared paths is reached",
  [Reject.pathTaken]: "another path has that name",
  [Reject.aliasTaken]: "that OSC alias leads to another path",
  [Reject.held]: "another control is moving this path",
};

export function rejectText(reject: Reject): string {
  return TEXTS[reject];
}

/** Reads a reject code that came over the wire; anything unknown counts as a wrong type. */
export function rejectOf(code: number): Reject {
  return code >= 0 && code < REJECT_COUNT ? (code as Reject) : Reject.wrongType;
}
