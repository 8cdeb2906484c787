/**
 * Twin: that of two nodes with one id, as when a data folder was copied to another machine, exactly one goes on.
 *
 * A node that starts asks before it says anything else, because the others would take its first word for a restart and
 * no longer hear the one that is there. Who holds the id refuses it. Where that did not come in time (loss, a node that
 * was held up, a cut cable) both hold the id when they meet, and the one that has held it longer goes on. Only one of
 * them judges that, by the random half of their sessions: so never both end, and never none. Who goes on while the
 * others hear its twin raises the number of its session above the twin's; to them it stays the same boot.
 *
 * It must never end a node because of a recording: only what names the session of this boot does.
 */
import type { FrameTarget } from "../sync/stream-frames.js";
import { readWord, SESSION_BYTES, SESSION_OFFSET } from "../wire/envelope.js";
import { FrameType } from "../wire/frame.js";
import { HELD_MAX_MS, readTwin, TwinKind, type TwinMessage, writeTwin } from "../wire/twin.js";
import type { Reachability } from "./controller.js";
import type { NodeCore } from "./core.js";
import type { FrameIo } from "./frame-io.js";
import type { NodePorts } from "./ports.js";

/** An answer takes a millisecond, on a busy machine some tens. */
const ASK_US = 100_000;
const ASK_STEP_US = 20_000;
/** So that a start that was held up does not count as asking. */
const ASKS_MIN = 3;
/** Who holds the id says so, for whoever was not heard at its start or comes back: the first time after this, */
const CLAIM_US = 500_000;
/** then twice as long after each time, up to this. */
const CLAIM_MAX_US = 10_000_000;
/** What is answered may be recorded: it costs no more than this. */
const ANSWER_US = 10_000;
/** Long enough for the twin to be refused first, and far below the silence after which a controller is replaced. */
const RAISE_US = 100_000;
/** One of them gets there. */
const LAST_WORDS = 3;
/** A twin that was not heard for this long is none any more. */
const FORGET_US = 10_000_000;
/** The last session number stays unused: nothing could follow it. */
const NUMBER_LIMIT = 2 ** 32 - 2;
const NOBODY = new Uint8Array(SESSION_BYTES);

const ASK_BEGUN = 0;
const CLAIM_DUE = 1;
const HELD_SINCE = 2;
const ANSWER_DUE = 3;
const RAISE_DUE = 4;
const HEARD = 5;
const CLAIM_EVERY = 6;

const Verdict = { none: 0, claim: 1, refuse: 2, end: 3 } as const;
type Verdict = (typeof Verdict)[keyof typeof Verdict];

export interface TwinParts {
  readonly core: NodeCore;
  readonly io: FrameIo;
  readonly ports: Pick<NodePorts, "onTwin" | "raiseSession">;
  readonly reachability: Reachability;
  readonly session: Uint8Array;
}

export class Twin {
  private readonly parts: TwinParts;
  /** The random half of this boot's session. */
  private readonly boot: number;
  private readonly registers = new Float64Array([0, 0, 0, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, 0, 0]);
  private asks = 0;
  private isAsking = false;
  private isHolding = false;
  private isEnded = false;
  private isRaising = false;
  /** The random half of the session that was told to end: it is not judged again. */
  private refused: number | undefined;
  /** The number of this node's session, and the highest that another node speaks in. */
  private number: number;
  private above = 0;
  private address = "";

  constructor(parts: TwinParts) {
    this.parts = parts;
    this.boot = bootOf(parts.session, 0);
    this.number = readWord(parts.session, 0) >>> 0;
  }

  /** It says nothing but this, and listens to nothing else. */
  get isSilent(): boolean {
    return this.isAsking || this.isEnded;
  }

  /** Whether it has asked for long enough to speak. */
  get hasAsked(): boolean {
    const { registers } = this;
    return (
      this.isAsking && !this.isEnded && this.asks >= ASKS_MIN && this.nowUs - (registers[ASK_BEGUN] as number) >= ASK_US
    );
  }

  /** When `tick` is wanted while it asks. */
  get dueUs(): number {
    return this.registers[CLAIM_DUE] as number;
  }

  /** What is to be said of a twin that was heard lately; "" for none. */
  get finding(): string {
    const isRecent = this.address !== "" && this.nowUs - (this.registers[HEARD] as number) < FORGET_US;
    return isRecent ? `another node at ${this.address} was started with this node's id: ${REMEDY}` : "";
  }

  private get nowUs(): number {
    return this.parts.core.clock.nowUs;
  }

  /** Begins to ask whether somebody has this node's id. */
  ask(): void {
    this.isAsking = true;
    this.registers[ASK_BEGUN] = this.nowUs;
    this.registers[CLAIM_DUE] = this.nowUs;
    this.tick();
  }

  /** The id is this node's from now on. */
  hold(): void {
    this.isAsking = false;
    this.isHolding = true;
    this.registers[HELD_SINCE] = this.nowUs;
    this.meet();
  }

  /** It may be heard by others now than before. */
  meet(): void {
    this.registers[CLAIM_EVERY] = CLAIM_US;
    this.registers[CLAIM_DUE] = this.nowUs + CLAIM_US;
  }

  tick(): void {
    const { registers, nowUs } = this;
    if (this.isEnded) return;
    if (nowUs >= (registers[CLAIM_DUE] as number)) this.claim();
    if (nowUs < (registers[RAISE_DUE] as number)) return;
    registers[RAISE_DUE] = Number.POSITIVE_INFINITY;
    this.isRaising = true;
    this.parts.ports.raiseSession(this.above);
  }

  private claim(): void {
    const { registers } = this;
    if (this.isAsking) this.asks++;
    const everyUs = this.isAsking ? ASK_STEP_US : (registers[CLAIM_EVERY] as number) * 2;
    registers[CLAIM_EVERY] = Math.min(CLAIM_MAX_US, everyUs);
    registers[CLAIM_DUE] = this.nowUs + (registers[CLAIM_EVERY] as number);
    this.send(TwinKind.claim, NOBODY, undefined);
  }

  /** This number is on disk: what this node says from now on is of that session. */
  raised(number: number): void {
    this.isRaising = false;
    if (this.isEnded) return;
    this.number = number;
    this.parts.core.counters.sessionsRaised++;
    this.parts.io.raiseSession(number);
  }

  /** A verified frame of this node's id was heard, of a session that the others hear instead of this one's. */
  onSpeech(header: Uint8Array, address: string): void {
    if (!this.isHolding || this.isEnded) return;
    this.note(address);
    this.answer(TwinKind.claim, header, undefined);
    this.riseAbove(readWord(header, SESSION_OFFSET) >>> 0);
  }

  /** Another node has spoken in a session of this number. */
  private riseAbove(number: number): void {
    const { registers } = this;
    if (this.isRaising || number < this.number || number >= NUMBER_LIMIT) return;
    this.above = Math.max(this.above, number);
    if (registers[RAISE_DUE] === Number.POSITIVE_INFINITY) registers[RAISE_DUE] = this.nowUs + RAISE_US;
  }

  /** A verified frame of this kind, of this node's id and another session number, was opened. */
  onFrame(plain: Uint8Array, length: number, header: Uint8Array, address: string): void {
    const message = readTwin(plain, length);
    if (message === undefined) {
      this.parts.core.counters.messagesMalformed++;
      return;
    }
    const other = bootOf(header, SESSION_OFFSET);
    if (this.isEnded || other === this.boot) return;
    const verdict = this.judge(message, other);
    if (verdict === Verdict.end) {
      this.end(header, address);
    } else if (verdict !== Verdict.none) {
      this.note(address);
      if (this.isHolding && message.heldMs > 0) this.riseAbove(readWord(header, SESSION_OFFSET) >>> 0);
      const target = message.unicastPort === 0 ? undefined : { address, port: message.unicastPort };
      this.answer(verdict === Verdict.refuse ? TwinKind.refusal : TwinKind.claim, header, target);
    }
  }

  private judge({ kind, session, heldMs }: TwinMessage, other: number): Verdict {
    const isForMe = bootOf(session, 0) === this.boot;
    const isStarting = heldMs === 0;
    if (kind === TwinKind.refusal) return isForMe ? this.judgeRefusal(other) : Verdict.none;
    if (!this.isHolding) return isStarting ? this.judgeStarts(other, isForMe) : Verdict.none;
    if (isStarting) return this.refuse(other);
    if (!this.isJudgeOf(other) || !isForMe) return Verdict.claim;
    return this.refused === other || this.heldMs >= heldMs ? this.refuse(other) : Verdict.end;
  }

  /** Where both hold the id only one of them judges, and takes no word from the other. */
  private isJudgeOf(other: number): boolean {
    return this.boot < other;
  }

  private judgeRefusal(other: number): Verdict {
    return this.isHolding && this.isJudgeOf(other) ? Verdict.claim : Verdict.end;
  }

  /** Of two that start at once the lower one goes on. The other ends itself: it may hold the id by now. */
  private judgeStarts(other: number, isForMe: boolean): Verdict {
    if (this.boot < other) return Verdict.claim;
    return isForMe ? Verdict.end : Verdict.none;
  }

  /** If it has spoken the other one must know: it may have heard nothing of it but what it was asked before. */
  private end(header: Uint8Array, address: string): void {
    const words = this.isHolding ? LAST_WORDS : 0;
    for (let word = 0; word < words; word++) this.send(TwinKind.claim, sessionIn(header), undefined);
    this.isEnded = true;
    this.parts.ports.onTwin(address);
  }

  private refuse(other: number): Verdict {
    if (this.refused !== other) this.parts.core.counters.twinsRefused++;
    this.refused = other;
    return Verdict.refuse;
  }

  private note(address: string): void {
    this.address = address;
    this.registers[HEARD] = this.nowUs;
  }

  private get heldMs(): number {
    if (!this.isHolding) return 0;
    const heldUs = this.nowUs - (this.registers[HELD_SINCE] as number);
    return Math.min(HELD_MAX_MS, 1 + Math.floor(heldUs / 1_000));
  }

  private answer(kind: TwinKind, header: Uint8Array, target: FrameTarget | undefined): void {
    const { registers, nowUs } = this;
    if (nowUs < (registers[ANSWER_DUE] as number)) return;
    registers[ANSWER_DUE] = nowUs + ANSWER_US;
    this.send(kind, sessionIn(header), target);
  }

  /** To all, and beside that to where it is answered, in case that no group gets there. */
  private send(kind: TwinKind, session: Uint8Array, target: FrameTarget | undefined): void {
    const { io, reachability } = this.parts;
    const message = { kind, session, heldMs: this.heldMs, unicastPort: reachability.unicastPort };
    io.announce(FrameType.twin, writeTwin(io.plain, message));
    if (target !== undefined) io.unicast(FrameType.twin, writeTwin(io.plain, message), target);
  }
}

function sessionIn(header: Uint8Array): Uint8Array {
  return header.subarray(SESSION_OFFSET, SESSION_OFFSET + SESSION_BYTES);
}

const REMEDY = "of two the later one ends; give it another data folder";

function bootOf(session: Uint8Array, offset: number): number {
  return readWord(session, offset + 4) >>> 0;
}
