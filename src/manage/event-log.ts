/**
 * Event log: the seam between the node and whatever writes its log.
 *
 * Every line has an `event`, a stable name for programs; the message is for people. Nothing per packet is ever logged:
 * counters are for that. Fields hold no secret.
 */
export interface LogFields {
  /** Such as `ready`, `peer-joined`: lower case, words joined by hyphens. */
  readonly event: string;
  readonly [field: string]: unknown;
}

export interface EventLog {
  /** The lowest level that is written; may be changed at any time. */
  level: string;
  trace(fields: LogFields, message: string): void;
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  fatal(fields: LogFields, message: string): void;
}
