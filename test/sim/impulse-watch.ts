/**
 * Impulse watch: each trigger fires once at every node that is there, in its place in the stream and not late. It may fire
 * again across a fork only, by a controller that had not seen it fire.
 */
import { IMPULSES } from "./show.js";
import type { Ledger, TermRecord, Version } from "./ledger.js";
import type { Machine } from "./machine.js";
import { saysItHas } from "./claims.js";
import type { Tally } from "./tally.js";
import type { View } from "./view.js";

/** protocol.md: an impulse later than this is not fired. */
const IMPULSE_LATE_US = 250_000;
/** What the clock of a turn may differ. */
const SLACK_US = 2_000;

export const SURFACES = 8;

export function tagOf(node: number, surface: string, path: string): number {
  return (node * SURFACES + (Number.parseInt(surface.slice(1), 10) || 0)) * 2 + (path === IMPULSES[0] ? 0 : 1);
}

export class ImpulseWatch {
  private readonly ledger: Ledger;
  private readonly tally: Tally;
  private readonly fail: (machine: Machine, text: string) => void;
  /** Triggers so far by tag; and how often each was made a change, and where. */
  private readonly triggers = new Map<number, number>();
  /** How many of those stand for a trigger that was made a change again. */
  private readonly repeats = new Map<number, number>();
  private readonly commits = new Map<number, Version[]>();

  constructor(ledger: Ledger, tally: Tally, fail: (machine: Machine, text: string) => void) {
    this.ledger = ledger;
    this.tally = tally;
    this.fail = fail;
  }

  /** A trigger is known by its origin, its surface and its path. */
  triggered(tag: number): void {
    this.tally.triggers++;
    this.triggers.set(tag, (this.triggers.get(tag) ?? 0) + 1);
  }

  untriggered(tag: number): void {
    this.tally.triggers--;
    this.triggers.set(tag, (this.triggers.get(tag) ?? 0) - 1);
  }

  on(view: View): void {
    const { reader, machine } = view;
    const { core } = view.hana;
    const path = core.state.pathOf(reader.id);
    const record = view.recordAt(reader.term, this.ledger);
    if (!(IMPULSES as readonly string[]).includes(path)) return;
    const { node, surface } = core.origins.at(reader.origin);
    const tag = tagOf(Number.parseInt(node, 16) - 1, surface, path);
    const sequence = reader.doubles[0] as number;
    this.tally.fired++;
    const key = `${reader.term}/${sequence}`;
    if (view.fired.has(key) && !record.isReused) this.fail(machine, `fired ${path} of ${key} twice`);
    view.fired.add(key);
    if (record.node === machine.id && record.boot === view.boot) this.commitImpulse(view, record, path, sequence, tag);
    else this.judgeImpulse(view, record, path, sequence);
    const fired = (view.firedTags.get(tag) ?? 0) + 1;
    view.firedTags.set(tag, fired);
    const most = Math.max(this.triggers.get(tag) ?? 0, this.commits.get(tag)?.length ?? 0);
    if (fired > most && !record.isReused) this.fail(machine, `fired ${path} more often than it was triggered`);
  }

  private commitImpulse(view: View, record: TermRecord, path: string, sequence: number, tag: number): void {
    const entry = { path, sequence, value: tag, timeUs: 0, isImpulse: true, firstFrame: 0, lastFrame: 0 };
    record.add(entry);
    view.unpublished.push(entry);
    const commits = this.commits.get(tag) ?? [];
    this.commits.set(tag, commits);
    if (commits.length >= (this.triggers.get(tag) ?? 0) && !record.isReused) this.judgeRepeat(view, record, path, tag);
    commits.push({ term: record, sequence });
  }

  /**
   * More changes than triggers: only across a fork, by one who had not seen it fire. Which of the changes of a tag came
   * twice cannot be told, so all of those before must be known to this controller to blame it. Impulses act in order:
   * what a node has beyond a gap, or from an image that holds more than it tells of, it has not seen fire.
   */
  private judgeRepeat(view: View, record: TermRecord, path: string, tag: number): void {
    const commits = this.commits.get(tag) ?? [];
    const base = record.base.get(path);
    const earlier = commits.filter(({ term }) => term !== record);
    const isKnown = (commit: Version): boolean =>
      !commit.term.isReused &&
      saysItHas(view.machine, commit) &&
      base !== undefined &&
      this.ledger.supersedes(path, base, commit);
    const most = (this.triggers.get(tag) ?? 0) - (this.repeats.get(tag) ?? 0);
    const isTwiceHere = commits.length - earlier.length >= most;
    if (isTwiceHere || earlier.every(isKnown)) {
      this.fail(view.machine, `fires ${path} again, which it had seen fire`);
    } else this.tally.firedAcrossForks++;
    this.triggers.set(tag, (this.triggers.get(tag) ?? 0) + 1);
    this.repeats.set(tag, (this.repeats.get(tag) ?? 0) + 1);
  }

  notePublished(view: View): void {
    const { publisher, sent } = view.hana.controller;
    const newest = sent.newest;
    const first = Math.min(view.sentNewest + 1, newest);
    view.sentNewest = newest;
    if (view.unpublished.length === 0) return;
    view.unpublished = view.unpublished.filter((entry) => {
      if (entry.sequence > publisher.publishedSequence || publisher.itemsTaken > publisher.itemsPublished) return true;
      entry.firstFrame = entry.firstFrame === 0 ? first : entry.firstFrame;
      entry.lastFrame = newest;
      return false;
    });
    for (const entry of view.unpublished) if (entry.firstFrame === 0) entry.firstFrame = first;
  }

  private judgeImpulse(view: View, record: TermRecord, path: string, sequence: number): void {
    if (record.isReused) return;
    const entry = record.at(sequence);
    if (entry?.path !== path || !entry.isImpulse) {
      this.fail(view.machine, `fired ${path} of ${record.number}/${sequence}, which its controller never did`);
      return;
    }
    if (entry.lastFrame === 0) return;
    const { window } = view.hana.follower;
    if (window.complete < entry.firstFrame) {
      this.fail(view.machine, `fired ${path} of frame ${entry.firstFrame} with only ${window.complete} whole`);
    }
    const ageUs = view.hana.core.clock.nowUs - view.heardAtUs(entry.lastFrame);
    if (ageUs > IMPULSE_LATE_US + SLACK_US) this.fail(view.machine, `fired ${path} ${Math.round(ageUs / 1e3)} ms late`);
  }

  forget(): void {
    this.triggers.clear();
    this.repeats.clear();
    this.commits.clear();
  }
}
