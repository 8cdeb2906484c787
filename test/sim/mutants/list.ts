/**
 * Mutants: faults planted in the protocol, one at a time, in a copy of the sources. Each must be found.
 *
 * A mutant is what a tired programmer might write. It is text that is replaced, and each text must stand in its file
 * exactly once, so that a change of the code that moves it is noticed. Nothing of this is in what ships.
 */
export interface Edit {
  /** Below `src/`. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

export interface Mutant {
  readonly name: string;
  readonly edits: readonly Edit[];
  /** Arguments for what shows only in a certain mix, and where among the 200 seeds to begin. */
  readonly run?: readonly string[];
  readonly firstSeed?: number;
}

function mutant(name: string, file: string, find: string, replace: string, firstSeed = 1): Mutant {
  return { name, edits: [{ file, find, replace }], firstSeed };
}

export const MUTANTS: readonly Mutant[] = [
  mutant(
    "skip the fence",
    "node/stream-following.ts",
    "} else if (order < 0) return;\n    else if (order > 0",
    "} else if (order > 0",
    2,
  ),
  mutant("forget the fork point", "node/stream-following.ts", " && core.sequence[0] === info.forkSequence", "", 4),
  mutant("drop the replay check", "security/opener.ts", "if (windows.seen(slot)) return OpenResult.replayed;", ""),
  {
    name: "resend without a new counter",
    edits: [
      {
        file: "security/sealer.ts",
        find: "seal(type: number, flags: number, bodyLength: number): number {",
        replace: "seal(type: number, flags: number, bodyLength: number, isAgain = false): number {",
      },
      {
        file: "security/sealer.ts",
        find: "    this.takeCounter();\n",
        replace: "    if (!isAgain) this.takeCounter();\n",
      },
      {
        file: "node/frame-io.ts",
        find: "const size = this.sealer.seal(type, 0, length);\n    this.port.unicast(",
        replace: "const size = this.sealer.seal(type, 0, length, type === 1);\n    this.port.unicast(",
      },
    ],
  },
  mutant(
    "apply past the event gap",
    "node/follower.ts",
    "this.act(buffer, start, end, false);",
    "this.act(buffer, start, end, true);",
  ),
  {
    name: "fire late impulses",
    firstSeed: 40,
    edits: [{ file: "node/follower.ts", find: "return !this.isLate;", replace: "return true;" }],
  },
  mutant(
    "acknowledge before publishing",
    "node/write-desk.ts",
    "write, parts.publisher.itemsTaken, this.writerOrigin, refusals",
    "write, 0, this.writerOrigin, refusals",
  ),
  mutant("skip the NAK", "node/follower.ts", "if (count > 0) this.port.sendNak(this.ranges, count);", ""),
  mutant(
    "restart the term number at 1",
    "node/elections.ts",
    "return this.isUnused ? granted : Math.max(known, highest) + 1;",
    "return this.isUnused ? granted : 1;",
  ),
  {
    name: "do not save what was promised",
    firstSeed: 11,
    run: ["--nodes", "2", "--faults", "kill"],
    edits: [
      {
        file: "node/elections.ts",
        find: "(kept, revision) => ports.saveTerm(kept, revision)",
        replace: "(_kept, revision) => this.promises.saved(revision)",
      },
    ],
  },
  {
    name: "go on after having been held up",
    run: ["--nodes", "3", "--faults", "pause"],
    edits: [
      {
        file: "node/node.ts",
        find: "if (!this.controller.isOpen) return;\n    this.abdicate();",
        replace: "",
      },
    ],
  },
  {
    name: "stay in a session below one that the others heard",
    run: ["--faults", "twin", "--minutes", "0.5"],
    edits: [{ file: "node/twin.ts", find: "this.parts.ports.raiseSession(this.above);", replace: "" }],
  },
  {
    name: "refuse no second start",
    firstSeed: 15,
    run: ["--faults", "twin", "--minutes", "0.5"],
    edits: [
      {
        file: "node/twin.ts",
        find: "if (isStarting) return this.refuse(other);",
        replace: "if (isStarting) return Verdict.none;",
      },
      {
        file: "node/twin.ts",
        find: "return this.refused === other || this.heldMs >= heldMs ?",
        replace: "return this.refused !== other || this.heldMs >= heldMs ?",
      },
    ],
  },
  {
    name: "ignore the lease",
    run: ["--nodes", "5", "--hold", "--faults", "halves,split,isolate"],
    edits: [
      {
        file: "node/lease.ts",
        find: "if (isControlling && quorum !== undefined) untilUs = Math.min(untilUs, quorum.untilUs);",
        replace: "",
      },
    ],
  },
  {
    name: "skip the vote",
    run: ["--nodes", "4", "--faults", "clog,bridge"],
    edits: [
      {
        file: "sync/election.ts",
        find: "if (this.expected.size > 0 && yes > no + unheard) return true;",
        replace: "if (yes >= 1) return true;",
      },
    ],
  },
  mutant(
    "ignore the order of the journal",
    "node/follower.ts",
    "const sequence = newest - index;",
    "const sequence = newest - (frame.journalCount - 1 - index);",
  ),
  mutant(
    "do not step down",
    "node/stream-following.ts",
    "if (node.roles.role === Role.controlling) node.stepDown();",
    "",
  ),
  mutant(
    "let an older value overwrite a newer one",
    "node/applier.ts",
    "if (state.terms[id] === this.core.term && (delta.doubles[0] as number) <= (state.sequences[id] as number)) {",
    "if (state.terms[id] === this.core.term && (delta.doubles[0] as number) < 0) {",
  ),
  mutant(
    "take a write again that came again",
    "sync/write-intake.ts",
    "if (writer === undefined || write <= writer.floor) {",
    "if (writer === undefined) {",
  ),
  {
    name: "take control without what was acknowledged",
    run: ["--nodes", "3", "--minutes", "1", "--faults", "burst,kill,loss"],
    firstSeed: 35,
    edits: [
      {
        file: "node/node.ts",
        find: "this.follower.heard.handOver(this.controller.writeDesk.intake);",
        replace: "",
      },
    ],
  },
  mutant(
    "say that a critical write is replicated because there are others",
    "sync/critical-writes.ts",
    "const isReplicated = write.frame !== 0 && write.frame <= through;",
    "const isReplicated = write.frame !== 0 && !isAlone;",
  ),
  mutant(
    "count whoever answers for a critical write",
    "sync/critical-writes.ts",
    "isInSync === true) furthest = frame;",
    "isInSync === true) furthest = Number.POSITIVE_INFINITY;",
  ),
  {
    name: "take a follower and its controller for a majority of the electors",
    run: ["--nodes", "5", "--hold"],
    edits: [
      {
        file: "sync/own-copies.ts",
        find: "if (!this.isHold) this.end((write) => write.frame <= frame, true);",
        replace: "this.end((write) => write.frame <= frame, true);",
      },
      {
        file: "sync/own-copies.ts",
        find: "else if (this.isWaitingFor(frame)) {",
        replace: "if (this.isWaitingFor(frame)) {",
      },
    ],
  },
  {
    name: "take one elector less than the majority for it",
    run: ["--nodes", "5", "--hold"],
    edits: [
      {
        file: "sync/critical-writes.ts",
        find: "frames[Math.floor(electors.length / 2)] ?? 0",
        replace: "frames[Math.floor(electors.length / 2) - 1] ?? 0",
      },
    ],
  },
  {
    name: "believe a writer's clock that is not synchronised",
    run: ["--nodes", "3", "--faults", "clog,delay,jitter,halves,kill"],
    firstSeed: 30,
    edits: [
      {
        file: "sync/precedence.ts",
        find: "write[1] = (write[1] as number) + (this.behind[0] as number);",
        replace: "write[1] = write[1] as number;",
      },
    ],
  },
  {
    name: "answer for a critical write with what was heard of",
    run: ["--faults", "jitter,clog,asymmetric"],
    edits: [
      {
        file: "node/stream-following.ts",
        find: "const frame = follower.wholeFrame[0] as number;",
        replace: "const frame = follower.window.newest;",
      },
    ],
  },
  {
    name: "tell where a writer stands in another frame than its impulse",
    run: ["--nodes", "3", "--minutes", "1", "--faults", "burst,kill,loss,tcp"],
    firstSeed: 36,
    edits: [
      {
        file: "sync/publisher.ts",
        find: "if (this.writeEvent(writer, event) && this.writeTaken(writer, position + 1)) return true;",
        replace: "if (this.writeEvent(writer, event)) return true;",
      },
      {
        file: "sync/publisher.ts",
        find: "while (this.writeTaken(writer, position) && position < this.tail) {",
        replace: "while ((position > this.head || this.writeTaken(writer, position)) && position < this.tail) {",
      },
    ],
  },
  mutant("hold no path that is moved", "sync/precedence.ts", "if (this.isHeld(id, origin)) return Reject.held;", ""),
  mutant(
    "take a late retry for a new write",
    "sync/precedence.ts",
    "const isOlder = (this.made[0] as number) < this.earliestUs(id);",
    "const isOlder = false;",
    8,
  ),
  {
    name: "confirm before the frame is here",
    edits: [
      {
        file: "sync/pending-writes.ts",
        find: "if (frame === NOT_ACKNOWLEDGED || frame > complete) break;",
        replace: "if (frame === NOT_ACKNOWLEDGED) break;",
      },
    ],
  },
  mutant(
    "forget the origins of a snapshot",
    "node/adoption.ts",
    'if (origin.node !== "") follower.mapOrigin(index, origin.node, origin.surface);',
    "",
  ),
  mutant(
    "confirm what was replaced at once",
    "sync/pending-writes.ts",
    `if (write > this.acknowledgedThrough) break;
        if ((this.registers[6] as number) > complete) continue;`,
    "",
    18,
  ),
  {
    name: "never look whether memory changed",
    run: ["--faults", "poke"],
    edits: [
      {
        file: "node/sameness.ts",
        find: "core.digests.scrub(share, true) >= 0)",
        replace: "share < 0)",
      },
    ],
  },
  {
    name: "see a difference and ask for nothing",
    run: ["--faults", "poke"],
    edits: [
      {
        file: "node/bucket-repair.ts",
        find: "if ((differs & (1 << component)) !== 0) this.ask(component);",
        replace: "if (differs < 0) this.ask(component);",
      },
      { file: "node/bucket-repair.ts", find: "this.tries >= TRIES_MAX ||", replace: "" },
      { file: "node/bucket-repair.ts", find: "> PATIENCE_US)", replace: "> 1e12)" },
    ],
  },
  {
    name: "repair with what is older than the stream",
    run: ["--faults", "poke,jitter,reorder"],
    edits: [
      {
        file: "node/range-adoption.ts",
        find: "return state.terms[id] === term && own > sequence && own <= (newest[0] as number);",
        replace: "return state.terms[id] === term && own > sequence && own < 0 * (newest[0] as number);",
      },
    ],
  },
  {
    name: "stamp changes with the machine's own time",
    run: ["--faults", "clock,kill"],
    edits: [
      {
        file: "base/clock.ts",
        find: "if ((register[SESSION] as number) > (register[HYBRID] as number)) register[HYBRID] = register[SESSION] as number;",
        replace:
          "if ((register[NOW] as number) > (register[HYBRID] as number)) register[HYBRID] = register[NOW] as number;",
      },
    ],
  },
  {
    name: "forget that the two ways of an exchange differ",
    run: ["--faults", "jitter,delay"],
    edits: [{ file: "sync/clock-sync.ts", find: "Math.max(0, halfUs) + GRAIN_US", replace: "GRAIN_US" }],
  },
  {
    name: "forget that crystals differ",
    run: ["--faults", "drift,asymmetric"],
    edits: [{ file: "sync/clock-sync.ts", find: "const RATE_UNKNOWN = 0.04;", replace: "const RATE_UNKNOWN = 0;" }],
  },
  {
    name: "step to whatever is measured",
    run: ["--faults", "drift,jitter"],
    edits: [{ file: "sync/clock-sync.ts", find: "if (this.exchanges >= BURST) this.isJoining = false;", replace: "" }],
  },
  {
    name: "take another controller's exchanges for this one's",
    firstSeed: 37,
    run: ["--faults", "kill,drift"],
    edits: [
      {
        file: "sync/clock-sync.ts",
        find: "this.isJoining = false;\n    this.forget();",
        replace: "this.isJoining = false;",
      },
    ],
  },
  {
    name: "do not ask for the stream",
    run: ["--faults", "blackhole", "--minutes", "1"],
    edits: [
      {
        file: "node/stream-relief.ts",
        find: "watch.tick(roles.silenceUs) && roles.target.port !== 0",
        replace: "watch.tick(roles.silenceUs) && roles.target.port < 0",
      },
    ],
  },
  {
    name: "answer who asks for the stream and send no copies",
    run: ["--faults", "blackhole", "--minutes", "1"],
    edits: [{ file: "node/stream-relief.ts", find: "conflated.relieve(from, target);", replace: "" }],
  },
  {
    name: "leave the newest value out of a round",
    run: ["--faults", "blackhole", "--nodes", "12", "--minutes", "0.5"],
    edits: [
      {
        file: "sync/conflation.ts",
        find: "this.lastIn.get(delta.id) === this.frame) this.keepValue(delta);",
        replace: "this.lastIn.get(delta.id) !== this.frame) this.keepValue(delta);",
      },
    ],
  },
  {
    name: "begin a round after a place that the follower has not reached",
    run: ["--faults", "blackhole", "--nodes", "12", "--minutes", "0.5"],
    edits: [
      {
        file: "node/follower.ts",
        find: "let next = head.since + 1;",
        replace:
          "for (let past = window.complete + 1; past <= head.since; past++) this.takeNothing(past);\n    let next = head.since + 1;",
      },
      {
        file: "sync/conflated-lanes.ts",
        find: "lane.since = known === undefined ? newest : lane.complete;",
        replace: "lane.since = known === undefined ? newest : Math.min(newest, lane.complete + 1);",
      },
      {
        file: "sync/conflated-lanes.ts",
        find: "const known = begun.get(lane.complete) ?? port.stretch(lane.complete);",
        replace: "const known = port.stretch(Math.min(newest, lane.complete + 1));",
      },
    ],
  },
  {
    name: "take what the other side did not change for changed",
    run: ["--faults", "halves,isolate"],
    edits: [
      {
        file: "sync/merge.ts",
        find: "return term !== 0 && !to.includes(term, state.sequences[id] as number);",
        replace: "return term !== 0 && (state.sequences[id] as number) > 0;",
      },
    ],
  },
  {
    name: "take the value of the side that joins, whenever it was written",
    run: ["--faults", "halves,isolate"],
    edits: [
      {
        file: "sync/merge.ts",
        find: 'policy === "lww" && this.isLater(own, id);',
        replace: 'policy === "lww" && (own === id || this.isLater(own, id));',
      },
    ],
  },
  {
    name: "list one conflict less",
    run: ["--faults", "halves,isolate"],
    edits: [{ file: "node/conflicts.ts", find: "conflicts.forEach((", replace: "conflicts.slice(1).forEach((" }],
  },
  {
    name: "map no ids when two sides become one",
    run: ["--faults", "halves,isolate"],
    edits: [
      {
        file: "node/merging.ts",
        find: "const id = state.idOf(step.path);",
        replace: "const id = state.exists(step.theirs) ? step.theirs : state.idOf(step.path);",
      },
    ],
  },
  {
    name: "keep what only the other side changed",
    run: ["--faults", "halves,isolate"],
    edits: [
      {
        file: "sync/merge.ts",
        find: "      this.take(path, own, id);\n    }\n  }\n\n  /** Both changed it.",
        replace: "    }\n  }\n\n  /** Both changed it.",
      },
    ],
  },
  {
    name: "go over to another side without handing over what is here",
    firstSeed: 7,
    run: ["--faults", "halves,isolate"],
    edits: [
      {
        file: "node/yielding.ts",
        find: "return known !== undefined && known.sequence >= sequence;",
        replace: "return known === undefined || known.sequence <= sequence;",
      },
    ],
  },
  {
    name: "say that all of a side is taken in, and take in half",
    run: ["--faults", "halves,isolate"],
    edits: [
      {
        file: "node/merging.ts",
        find: "const isDone = this.nextStep >= this.steps.length;",
        replace: "const isDone = this.nextStep >= this.steps.length / 2;",
      },
      {
        file: "node/merging.ts",
        find: "while (this.nextStep < this.steps.length && controller",
        replace: "while (this.nextStep < this.steps.length / 2 && controller",
      },
    ],
  },
  {
    name: "bring along what was declared when the mesh was heard first",
    run: ["--nodes", "10", "--minutes", "0.5", "--faults", "delay,jitter,kill,leave,loss", "--newcomers"],
    firstSeed: 4,
    edits: [
      {
        file: "node/offers.ts",
        find: "if (core.term === 0) this.isNew = true;",
        replace: "if (core.term === 0) this.isNew = true;\n    this.brought = [...core.state.ids()];",
      },
      {
        file: "node/offers.ts",
        find: "return [...core.state.ids()].flatMap((id) => {",
        replace: "return this.brought.flatMap((id) => {",
      },
    ],
  },
  {
    name: "forget no removal",
    firstSeed: 3,
    edits: [{ file: "node/cleanup.ts", find: "state.tombstones.drop(stone.path);", replace: "used.add(stone.term);" }],
  },
  {
    name: "tell the desk of an image's version, where the value is the same, as of a change that may be late",
    edits: [
      {
        file: "node/applier.ts",
        find: "if (!differs) this.context.flags = ChangeFlag.resync | ChangeFlag.confirmed;",
        replace: "if (!differs) this.context.flags = ChangeFlag.confirmed;",
      },
    ],
  },
  {
    name: "tell nobody what a snapshot holds under an id that something of another path waits on",
    edits: [
      {
        file: "node/adoption.ts",
        find: "const isHeld = values.has(incoming.pathOf(id));",
        replace: "const isHeld = [...held.keys()].includes(id);",
      },
    ],
  },
];
