/**
 * HeardAcknowledgements: what a follower hears of all writers' acknowledgements, for the day it becomes controller.
 *
 * A writer that never heard its acknowledgement writes again to the next controller, and an impulse would fire twice.
 * An acknowledgement counts only once every frame up to the one that said it is here: what it confirms may have been
 * in one that is missing, and then it is to be written again. Bounded; allocates nothing after it is made.
 */
import type { StreamFrameReader } from "../wire/frame.js";
import { type WriteIntake, WRITERS_MAX } from "./write-intake.js";

/** Per writer: writes taken up to, those up to which a later frame said so, and that frame (0: none). */
const FIELDS = 3;

export class HeardAcknowledgements {
  private readonly nodes = new Int32Array(WRITERS_MAX * 2);
  private readonly sessions = new Uint32Array(WRITERS_MAX);
  private readonly numbers = new Float64Array(WRITERS_MAX * FIELDS);
  private count = 0;
  /** The place that is given away next when all are taken. */
  private oldest = 0;

  /** Takes in what a frame acknowledges; `complete`: all frames up to this one have acted here, -1 for none. */
  hear(frame: StreamFrameReader, complete: number): void {
    while (frame.nextAck()) this.note(this.placeOf(frame), frame, complete);
  }

  private note(place: number, frame: StreamFrameReader, complete: number): void {
    const { numbers } = this;
    const at = place * FIELDS;
    this.settle(at, complete);
    if (frame.ackWrite <= (numbers[at] as number)) return;
    numbers[at + 1] = frame.ackWrite;
    numbers[at + 2] = frame.doubles[1] as number;
    this.settle(at, complete);
  }

  private settle(at: number, complete: number): void {
    const { numbers } = this;
    const frame = numbers[at + 2] as number;
    if (frame === 0 || frame > complete) return;
    numbers[at] = numbers[at + 1] as number;
    numbers[at + 2] = 0;
  }

  /** The place of a frame's acknowledgement; a writer that boots anew begins anew. */
  private placeOf(frame: StreamFrameReader): number {
    const { nodes, sessions } = this;
    const high = frame.ackNode[0];
    const low = frame.ackNode[1];
    let place = 0;
    while (place < this.count && (nodes[place * 2] !== high || nodes[place * 2 + 1] !== low)) place++;
    if (place < this.count && sessions[place] === frame.ackSession) return place;
    if (place === this.count) place = this.freePlace();
    nodes.set(frame.ackNode, place * 2);
    sessions[place] = frame.ackSession;
    this.numbers.fill(0, place * FIELDS, (place + 1) * FIELDS);
    return place;
  }

  private freePlace(): number {
    if (this.count < WRITERS_MAX) return this.count++;
    this.oldest = (this.oldest + 1) % WRITERS_MAX;
    return this.oldest;
  }

  /** The stream that was followed is over, whole up to `complete`: later frames of it will never be here. */
  end(complete: number): void {
    for (let at = 0; at < this.count * FIELDS; at += FIELDS) {
      this.settle(at, complete);
      this.numbers[at + 2] = 0;
    }
  }

  /** Another term's state takes the place of what these were about. */
  clear(): void {
    this.count = 0;
  }

  /** This node is controller: its intake knows from here on. */
  handOver(intake: WriteIntake): void {
    for (let place = 0; place < this.count; place++) {
      const write = this.numbers[place * FIELDS] as number;
      if (write > 0) intake.learn(this.nodeAt(place), this.sessions[place] as number, write);
    }
    this.count = 0;
  }

  private nodeAt(place: number): string {
    const words = [this.nodes[place * 2] as number, this.nodes[place * 2 + 1] as number];
    return words.map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
  }
}
