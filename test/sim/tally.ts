/** Tally: what a run had, in numbers. Only the counts; whoever sees something counts it here. */
export class Tally {
  writes = 0;
  confirmed = 0;
  refused = 0;
  died = 0;
  triggers = 0;
  fired = 0;
  /** Confirmed, and not in what the mesh ended with: a controller took over without them, or a fork was given up. */
  lostByTakeover = 0;
  /** Confirmed on a side that became part of another: taken, or on record as a conflict. */
  merged = 0;
  /** Sides that became part of another, and the paths that both had changed. */
  merges = 0;
  conflicts = 0;
  /** Triggers that were fired again by a controller that had not seen them fire. */
  firedAcrossForks = 0;
  /** Refused because another node moved the path, or had written later. */
  held = 0;
  superseded = 0;
  takeovers = 0;
  stepDowns = 0;
  snapshots = 0;
  digestMismatches = 0;
  impulsesLate = 0;
}
