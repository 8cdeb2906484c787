/**
 * Crowd: a controller and any number of followers in one process, on one virtual clock. It tells how long the
 * controller's own turns took: frames to and from it are copied once, as a socket would, and that is all of a network
 * that there is. Nothing is lost, and a datagram is there a millisecond later.
 */
import type { HanaNode } from "../../src/node/node.js";
import { completeDeclaration } from "../../src/state/declaration.js";
import { Role } from "../../src/sync/roles.js";
import { QuietNode, snapshotOf } from "./quiet-node.js";

const START_US = 1_700_000_000_000_000;
const STEP_US = 1_000;
const STEPS_MAX = 20_000;
const REDUNDANCY = 3;
const PATHS = 100;
const FADER = "/viz/load/fader";

/** Places of nodes begin with 1. */
const ALL = 0;

interface Datagram {
  readonly bytes: Uint8Array;
  readonly from: number;
  readonly to: number;
}

/** One of the crowd, and what is on its way to it. */
interface Member {
  readonly hana: HanaNode;
  inbox: Datagram[];
}

export class Crowd {
  private readonly members: Member[] = [];
  private readonly fader: number;
  private posted: Datagram[] = [];
  private nowUs = START_US;
  private value = 0;
  private readonly surface: number;
  /** What the controller's turns took, in milliseconds. */
  tookMs = 0;
  changes = 0;
  /** Datagrams that the controller sent and took. */
  datagrams = 0;

  constructor(followers: number) {
    for (let place = 1; place <= followers + 1; place++) this.members.push(this.member(place));
    for (const { hana } of this.members) hana.core.clock.set(this.nowUs);
    const { hana } = this.controller;
    hana.start();
    this.passUntil(() => hana.roles.role === Role.controlling);
    hana.writes.declare(FADER, completeDeclaration({ type: "float", range: { min: 0, max: 1e9 } }), 0);
    this.fader = hana.core.state.idOf(FADER);
    this.surface = hana.writes.surface("");
    for (const follower of this.followers) follower.hana.start();
    this.passUntil(() => this.followers.every((member) => member.hana.roles.role === Role.following));
  }

  private get controller(): Member {
    return this.members[0] as Member;
  }

  private get followers(): readonly Member[] {
    return this.members.slice(1);
  }

  private member(place: number): Member {
    const post = (datagram: Uint8Array, to: number): void => {
      this.posted.push({ bytes: datagram.slice(), from: place, to });
    };
    const node = new QuietNode(place, PATHS, REDUNDANCY, {
      multicast: (datagram) => post(datagram, ALL),
      // Its own comes back to it: by that it knows that its multicast works.
      announce: (datagram) => {
        post(datagram, ALL);
        post(datagram, place);
      },
      unicast: (datagram, _address, port) => post(datagram, port),
    });
    node.onSnapshotWanted = () => node.hana.snapshotArrived(snapshotOf(this.controller.hana));
    return { hana: node.hana, inbox: [] };
  }

  /** Brings what was sent to those it was sent to: nobody's time. */
  private bring(): void {
    for (const datagram of this.posted) {
      if (datagram.from === 1) this.datagrams++;
      for (const [index, { inbox }] of this.members.entries()) {
        const place = index + 1;
        const isOthers = datagram.from !== place;
        if (datagram.to === place || (datagram.to === ALL && isOthers)) inbox.push(datagram);
      }
    }
    this.posted = [];
  }

  /** The followers take what has come to them, and do what is due. */
  follow(): void {
    this.nowUs += STEP_US;
    this.bring();
    for (const member of this.followers) this.turn(member);
  }

  /** The controller does the same and moves its fader, and the time that it takes is counted. */
  control(): void {
    const startMs = performance.now();
    const { controller } = this;
    this.datagrams += controller.inbox.length;
    this.turn(controller, true);
    this.tookMs += performance.now() - startMs;
  }

  private turn(member: Member, moves = false): void {
    const { hana, inbox } = member;
    member.inbox = [];
    hana.core.clock.set(this.nowUs);
    for (const { bytes, from } of inbox) hana.receive(bytes, "10.0.0.1", from);
    if (moves) this.move(hana);
    if (hana.dueUs() <= this.nowUs) hana.tick();
    hana.settle();
  }

  private move({ core, writes }: HanaNode): void {
    core.staging.value(++this.value);
    const reject = writes.write(this.fader, this.surface);
    if (reject !== 0) throw new Error(`refused: ${reject}`);
    this.changes++;
  }

  private passUntil(isDone: () => boolean): void {
    for (let step = 0; !isDone(); step++) {
      if (step > STEPS_MAX) throw new Error("the crowd did not come about");
      this.nowUs += STEP_US;
      this.bring();
      for (const member of this.members) this.turn(member);
    }
  }

  /** Whether all have what the controller wrote last. */
  get isEqual(): boolean {
    this.passUntil(() => this.controller.hana.controller.publisher.isIdle);
    let steps = 0;
    this.passUntil(() => steps++ > 10);
    return this.members.every(({ hana }) => hana.core.state.valueOf(hana.core.state.idOf(FADER)) === this.value);
  }

  begin(): void {
    this.tookMs = 0;
    this.changes = 0;
    this.datagrams = 0;
  }
}
