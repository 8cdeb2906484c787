/**
 * Healing: two sides of a mesh become one. Carries out what `sync/healing.ts` decides.
 *
 * The side that yields freezes and shows what it holds (`yielding.ts`); the side that stays fetches it
 * (`incoming-side.ts`), opens a term above both, and commits there what the other had changed (`merging.ts`). Nothing
 * that was confirmed is dropped without a word: it is in the new term, or in a conflict, or counted as given up.
 */
import type { Term } from "../state/change.js";
import type { MergePolicies } from "../state/merge-policy.js";
import { Followers } from "../sync/followers.js";
import { HealingSchedule, type SideFigures, YieldState } from "../sync/healing.js";
import { Role } from "../sync/roles.js";
import type { FrameTarget } from "../sync/stream-frames.js";
import { StreamFlag, type StreamFrameReader } from "../wire/frame.js";
import { decodeYield, type YieldMessage, YieldStage } from "../wire/yield.js";
import type { Snapshot } from "./adoption.js";
import { IncomingSide } from "./incoming-side.js";
import { Merging } from "./merging.js";
import type { HealingPart, NodeParts } from "./parts.js";
import type { NodePorts } from "./ports.js";
import { type Head, sameHead } from "./side.js";
import { YieldPost } from "./yield-post.js";
import { Yielding } from "./yielding.js";

/** A side that is merged. */
interface Merged {
  readonly head: Head;
  /** Nothing of it was missing where it was fetched. */
  readonly isWhole: boolean;
  readonly from: FrameTarget | undefined;
}

export class Healing implements HealingPart {
  private readonly node: NodeParts;
  readonly schedule: HealingSchedule;
  readonly followers: Followers;
  private readonly post: YieldPost;
  private readonly yielding: Yielding;
  private readonly incoming: IncomingSide;
  private readonly merging: Merging;
  /** What was merged last. */
  private merged: Merged | undefined;

  constructor(node: NodeParts, ports: NodePorts, policies: MergePolicies) {
    this.node = node;
    this.schedule = new HealingSchedule(node.core.clock);
    this.followers = new Followers(node.core.clock);
    this.post = new YieldPost(node);
    this.yielding = new Yielding(node, ports, this.schedule, this.post);
    this.incoming = new IncomingSide(node, ports);
    this.merging = new Merging(node, ports, policies);
  }

  /** The term whose contents others may fetch here. */
  get serving(): Term | undefined {
    const { roles, core } = this.node;
    if (roles.role === Role.controlling) return roles.term;
    return this.schedule.state === YieldState.orphan ? core.terms.at(core.lineage.present) : undefined;
  }

  /** Whether a snapshot that comes now is another side's. */
  get isFetching(): boolean {
    return this.node.controller.isOpen && this.incoming.isFetching;
  }

  private get figures(): SideFigures {
    const { core, controller } = this.node;
    const { id, priority } = core.identity;
    return {
      hasMajority: controller.hasMajority,
      nodes: controller.nodes,
      priority,
      sequence: controller.publisher.publishedSequence,
      node: id,
    };
  }

  /** This controller hears another one. True when it is to be followed: it has all that is here. */
  onRival(frame: StreamFrameReader, sender: string, address: string): boolean {
    const { info } = frame;
    const { roles, core } = this.node;
    const term = frame.doubles[0] as number;
    if (info === undefined || sender === core.identity.id) return false;
    roles.highest = Math.max(roles.highest, term);
    const isChild = info.parentNumber === roles.term.number && info.parentNode === roles.term.node;
    if (isChild && term > roles.term.number && info.forkSequence >= (core.sequence[0] as number)) return true;
    const { hasMajority, nodes, priority, sequence, unicastPort: port } = info;
    // It could not answer.
    if (info.isDeaf) return false;
    this.schedule.hear({
      ...{ hasMajority, nodes, priority, sequence, node: sender, term },
      target: { address, port },
      isYielding: (frame.flags & StreamFlag.yielding) !== 0,
      heardUs: core.clock.nowUs,
    });
    return false;
  }

  isHeldBy(snapshot: Snapshot): boolean {
    return this.yielding.isHeldBy(snapshot);
  }

  handedOverAt(term: Term): number {
    return this.yielding.handedOverAt(term);
  }

  mayAdopt(snapshot: Snapshot, controller: string): boolean {
    const mayAdopt = this.yielding.mayAdopt(snapshot, controller);
    if (!mayAdopt) this.tick();
    return mayAdopt;
  }

  /** The node follows a controller, with all that it had. */
  onInSync(): void {
    this.schedule.end();
    this.yielding.onInSync();
    // Whatever was on its way to be merged here is not any more: its side offers it again.
    this.incoming.drop();
    this.merging.drop();
  }

  tick(): void {
    const { node } = this;
    this.yielding.tick();
    this.merging.tick();
    if (node.controller.isOpen) this.tickController();
    else if (node.roles.role === Role.joining) this.yielding.act(this.schedule.tickOrphan());
  }

  private tickController(): void {
    const { node, incoming } = this;
    node.controller.nodes = this.followers.sideOf(node.roles.term.number);
    if (this.yielding.isThawing || this.isWaitingForTerm) node.elections.raise();
    else if (this.merging.isBusy) this.drain();
    else if (incoming.isNone) this.yielding.act(this.schedule.tickController(this.figures));
    else incoming.tick();
  }

  /** The other side's contents are here, and the term for them is not. */
  private get isWaitingForTerm(): boolean {
    return this.incoming.side !== undefined && !this.merging.isBusy;
  }

  onMessage(plain: Uint8Array, length: number, from: string, address: string): YieldMessage | undefined {
    const message = decodeYield(plain, length);
    if (message === undefined) {
      this.node.core.counters.messagesMalformed++;
      return undefined;
    }
    const target = { address, port: message.unicastPort };
    if (message.stage === YieldStage.ask) this.onAsk(from, target);
    else if (message.stage === YieldStage.accept) this.onAccept(from);
    else if (message.stage === YieldStage.frozen) this.onFrozen(message, target);
    else if (message.stage === YieldStage.merged) return this.yielding.onMerged(message, from) ? message : undefined;
    else this.yielding.onReleased(message, from);
    return undefined;
  }

  private onAsk(from: string, target: FrameTarget): void {
    const { controller } = this.node;
    if (!controller.takesWrites || this.incoming.side !== undefined) return;
    if (this.schedule.accepts(from, this.figures)) this.post.send(YieldStage.accept, target);
  }

  private onAccept(from: string): void {
    if (this.yielding.onAccept(from)) this.tick();
  }

  /** Another side is frozen and shows what it holds. */
  private onFrozen(message: YieldMessage, target: FrameTarget): void {
    const { node, incoming } = this;
    if (!node.controller.takesWrites) return;
    const { number, node: holder, sequence } = message;
    const head = { number, node: holder, sequence };
    const term = node.applier.termIndex(number, holder);
    const isHere = (term > 0 && node.core.lineage.includes(term, sequence)) || this.isMerged(head, target);
    node.roles.highest = Math.max(node.roles.highest, number);
    const isMerging = incoming.side !== undefined;
    if (isHere && !isMerging && node.roles.term.number > number) this.post.send(YieldStage.merged, target, head);
    else if (!incoming.isNone || term < 0) return;
    else if (isHere) node.elections.raise();
    else incoming.fetch(head, target, message.snapshotPort);
  }

  /** Of what had a gap another node with the same head may have more. */
  private isMerged(head: Head, { address, port }: FrameTarget): boolean {
    const { merged } = this;
    if (merged === undefined || !sameHead(merged.head, head)) return false;
    return merged.isWhole || (merged.from?.address === address && merged.from.port === port);
  }

  /** The other side's contents are here: what it had changed is committed in a new term. */
  snapshotArrived(snapshot: Snapshot): void {
    if (this.incoming.arrived(snapshot)) this.node.elections.raise();
  }

  snapshotFailed(): void {
    this.incoming.drop();
  }

  /** This node opened a term: if another side's contents wait for that, they are merged into it. */
  onOpened(): void {
    const { side } = this.incoming;
    this.schedule.end();
    this.yielding.isThawing = false;
    if (side === undefined) {
      this.incoming.drop();
      return;
    }
    this.merging.begin(side);
    this.drain();
  }

  private drain(): void {
    const { side, target } = this.incoming;
    if (side === undefined || !this.merging.drain()) return;
    const { head, lineage } = side;
    this.merged = { head, isWhole: lineage.through(lineage.present) >= head.sequence, from: target };
    this.incoming.drop();
    this.post.send(YieldStage.merged, target, side.head);
  }
}
