/**
 * Counters: what happened, as numbers. A closed set, plain fields, read by status and metrics.
 */
export class NodeCounters {
  changesApplied = 0;
  changesUnchanged = 0;
  writesRefused = 0;
  framesReceived = 0;
  framesJournaled = 0;
  framesRepaired = 0;
  framesMalformed = 0;
  framesOfLowerTerm = 0;
  termsRefused = 0;
  deltasOld = 0;
  deltasWaited = 0;
  deltasMisfit = 0;
  impulsesLate = 0;
  snapshotsTaken = 0;
  snapshotsFailed = 0;
  digestMismatches = 0;
  /** Paths whose memory changed with no change of the stream. */
  memoryChanged = 0;
  bucketAsks = 0;
  pathsRepaired = 0;
  /** Differences that were repaired without a snapshot. */
  bucketRepairs = 0;
  takeovers = 0;
  stepDowns = 0;
  messagesMalformed = 0;
  autoDeclared = 0;
  pathsRefused = 0;
}
