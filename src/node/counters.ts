/**
 * Counters: what happened, as numbers. A closed set, plain fields, read by status and metrics.
 */
export class NodeCounters {
  /** Starts of another node with this one's id that were told to end. */
  twinsRefused = 0;
  /** How often the session's number was raised above a twin's. */
  sessionsRaised = 0;
  changesApplied = 0;
  changesUnchanged = 0;
  writesRefused = 0;
  framesReceived = 0;
  framesJournaled = 0;
  framesRepaired = 0;
  /** That came by conflated rounds, or had nothing left in them. */
  framesConflated = 0;
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
  /** Questions for a vote that went to one node, because it may not hear the group. */
  votesAskedByUnicast = 0;
  stepDowns = 0;
  messagesMalformed = 0;
  /** Of known senders that asked for more than is given. */
  messagesThrottled = 0;
  /** Terms of other sides that were heard and not followed. */
  termsForeign = 0;
  /** Times that this side yielded, that nothing came of it, and that it took another side in. */
  yields = 0;
  yieldsGivenUp = 0;
  merges = 0;
  /** Paths that both sides had changed, those of them that found no place in the list, and what could not be taken. */
  conflicts = 0;
  conflictsUnlisted = 0;
  mergesRefused = 0;
  /** Times that this node held what its controller did not, and that nobody took it. */
  orphaned = 0;
  headsGivenUp = 0;
  autoDeclared = 0;
  pathsRefused = 0;
}
