/**
 * Quiet mesh: a controller and a follower in one process, as they ship but for the sockets. Datagrams go where the
 * benchmark wants them; time passes when it says so. For what is measured in nanoseconds and in bytes.
 */
import type { HanaNode } from "../../src/node/node.js";
import type { DatagramPort } from "../../src/node/ports.js";
import { ViewCache } from "../../src/security/view-cache.js";
import { completeDeclaration } from "../../src/state/declaration.js";
import { Role } from "../../src/sync/roles.js";
import { DATAGRAM_MAX_BYTES } from "../../src/wire/envelope.js";
import { loadPath } from "./load.js";
import { QuietNode, snapshotOf } from "./quiet-node.js";

const START_US = 1_700_000_000_000_000;
const STEP_US = 10_000;
const STEPS_MAX = 1_000;
const ADDRESS = "127.0.0.1";

/** What a datagram is handed to. */
export type Carrier = (datagram: Uint8Array) => void;

export class QuietMesh {
  readonly controller: HanaNode;
  readonly follower: HanaNode;
  /** The id of each path, in the order of `loadPath`. */
  readonly ids: Int32Array;
  /** What the controller multicasts goes here; to the follower until it is changed. */
  carry: Carrier;
  private readonly receiveBuffer = new Uint8Array(DATAGRAM_MAX_BYTES);
  private readonly views = new ViewCache(this.receiveBuffer);

  /** `more`: room for paths beyond those. */
  constructor(paths: number, redundancy: number, more?: number) {
    const follower = new QuietNode(2, paths, redundancy, this.toController(), more);
    const toFollower: DatagramPort = {
      multicast: (datagram) => this.carry(datagram),
      announce: (datagram) => this.carry(datagram),
      unicast: (datagram) => this.deliver(datagram),
    };
    const controller = new QuietNode(1, paths, redundancy, toFollower, more);
    this.controller = controller.hana;
    this.follower = follower.hana;
    this.carry = (datagram) => this.deliver(datagram);
    follower.onSnapshotWanted = () => this.follower.snapshotArrived(snapshotOf(this.controller));
    this.setTime(START_US);
    this.controller.start();
    this.passUntil(() => this.controller.roles.role === Role.controlling);
    this.ids = declare(this.controller, paths);
    this.follower.start();
    this.passUntil(() => this.follower.roles.role === Role.following);
    // The declarations are still being published.
    this.passUntil(() => this.controller.controller.publisher.isIdle);
  }

  /** A datagram as it comes out of a socket: in a buffer that is not the sender's. */
  deliver(datagram: Uint8Array): void {
    this.receiveBuffer.set(datagram);
    this.follower.receive(this.views.of(datagram.length), ADDRESS, 1);
  }

  private toController(): DatagramPort {
    const receive = (datagram: Uint8Array): void => this.controller.receive(datagram.slice(), ADDRESS, 2);
    return { multicast: receive, announce: receive, unicast: receive };
  }

  /** Lets time pass on both nodes, without a timer's tick. Allocates nothing: it stands in measured loops. */
  pass(microseconds: number): void {
    const mine = this.controller.core.clock.register;
    const theirs = this.follower.core.clock.register;
    mine[0] = (mine[0] as number) + microseconds;
    theirs[0] = mine[0];
  }

  private setTime(nowUs: number): void {
    for (const { core } of [this.controller, this.follower]) core.clock.set(nowUs);
  }

  private passUntil(isDone: () => boolean): void {
    for (let step = 0; !isDone(); step++) {
      if (step > STEPS_MAX) throw new Error("the quiet mesh did not come about");
      this.pass(STEP_US);
      this.controller.tick();
      this.controller.settle();
      if (this.controller.roles.role !== Role.controlling) continue;
      this.follower.tick();
      this.follower.settle();
    }
  }
}

function declare({ writes, core }: HanaNode, paths: number): Int32Array {
  const declaration = completeDeclaration({ type: "float", range: { min: -1e9, max: 1e9 } });
  for (let index = 0; index < paths; index++) {
    const reject = writes.declare(loadPath(index), declaration, 0);
    if (reject !== 0) throw new Error(`refused: ${reject}`);
  }
  return Int32Array.from({ length: paths }, (_, index) => core.state.idOf(loadPath(index)));
}
