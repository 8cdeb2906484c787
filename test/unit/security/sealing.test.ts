import { createCipheriv } from "node:crypto";
import { describe, expect, it } from "vitest";
import { hashBytes } from "../../../src/security/aead.js";
import { Opener, OpenResult } from "../../../src/security/opener.js";
import { REPLAY_WINDOW_PACKETS } from "../../../src/security/replay-window.js";
import { Sealer } from "../../../src/security/sealer.js";
import { EVICT_SILENT_MS } from "../../../src/security/sender-table.js";
import { FrameType } from "../../../src/wire/frame.js";
import { BODY_MAX_BYTES, COUNTER_OFFSET, DATAGRAM_MAX_BYTES, HEADER_BYTES } from "../../../src/wire/envelope.js";
import {
  body,
  MESH_KEY,
  MESH_TAG,
  nodeId,
  OTHER_KEY,
  OWN_ID,
  open,
  opener,
  sealed,
  sealer,
  session,
} from "./frames.js";

describe("a sealed datagram", () => {
  it("has the clear header of the design, byte for byte", () => {
    const bytes = sealed(sealer(7, 0x01020304), [1, 2, 3], 9, 0xa5);
    expect(Buffer.from(bytes.subarray(0, HEADER_BYTES)).toString("hex")).toBe(
      ["01", "09", "00", "a5", "9abcdef0", "0701020304050007", "0102030400005eed", "000000000001"].join(""),
    );
    expect(bytes.length).toBe(30 + 3 + 16);
  });

  it("is what RFC 8439 says: node:crypto seals the same bytes with the derived key", () => {
    const bytes = sealed(sealer(7, 5), [10, 20, 30, 40], 2, 1);
    const label = Buffer.from("hana frame key v1\0");
    const key = new Uint8Array(32);
    hashBytes(key, Buffer.concat([label, nodeId(7), session(5)]), MESH_KEY);
    const nonce = Buffer.concat([Buffer.alloc(6), bytes.subarray(COUNTER_OFFSET, HEADER_BYTES)]);
    const cipher = createCipheriv("chacha20-poly1305", key, nonce, { authTagLength: 16 });
    cipher.setAAD(bytes.subarray(0, HEADER_BYTES), { plaintextLength: 4 });
    const expected = Buffer.concat([cipher.update(Uint8Array.of(10, 20, 30, 40)), cipher.final(), cipher.getAuthTag()]);
    expect(Buffer.from(bytes.subarray(HEADER_BYTES))).toEqual(expected);
  });

  it("opens to its body, type, flags and sender", () => {
    const receiver = opener();
    expect(open(receiver, sealed(sealer(7, 5), [5, 6, 7], 3, 0x81))).toBe(OpenResult.ok);
    expect(body(receiver)).toEqual([5, 6, 7]);
    expect([receiver.type, receiver.flags, receiver.sender, receiver.newSession]).toEqual([3, 0x81, 0, true]);
    expect(receiver.senderNode(receiver.sender)).toBe("0701020304050007");
    expect(receiver.sessionNumber(receiver.sender)).toBe(5);
  });

  it("may be empty, and may be 1,154 bytes long", () => {
    const sender = sealer(7, 5);
    const receiver = opener();
    expect(open(receiver, sealed(sender, []))).toBe(OpenResult.ok);
    expect(receiver.plainLength).toBe(0);
    const longest = new Uint8Array(BODY_MAX_BYTES).fill(0xee);
    const datagram = sealed(sender, longest);
    expect(datagram.length).toBe(DATAGRAM_MAX_BYTES);
    expect(open(receiver, datagram)).toBe(OpenResult.ok);
    expect(body(receiver)).toEqual([...longest]);
  });

  it("opens from a longer buffer when its length is told", () => {
    const datagram = sealed(sealer(7, 5), [1, 2, 3]);
    const buffer = new Uint8Array(2_000);
    buffer.set(datagram);
    const receiver = opener();
    expect(receiver.open(buffer, datagram.length)).toBe(OpenResult.ok);
    expect(body(receiver)).toEqual([1, 2, 3]);
  });

  it("never repeats a counter, repairs included, and counts what it sealed", () => {
    const sender = sealer(7, 5);
    const stored = Uint8Array.of(9, 8, 7, 6);
    const first = sealed(sender, stored, 4, 2);
    const again = sender.view(sender.sealFrom(4, 2, stored, stored.length)).slice();
    const part = sender.view(sender.sealFrom(4, 2, stored, 2)).slice();
    expect([first, again, part].map((bytes) => bytes[HEADER_BYTES - 1])).toEqual([1, 2, 3]);
    const receiver = opener();
    expect([first, again, part].map((bytes) => open(receiver, bytes))).toEqual([0, 0, 0]);
    expect(body(receiver)).toEqual([9, 8]);
    expect([sender.packets, sender.bytesSealed]).toEqual([3, 50 + 50 + 48]);
  });

  it("carries counters beyond 32 bits, and ends the process before one repeats", () => {
    const sender = sealer(7, 5);
    const totals = (sender as unknown as { totals: Float64Array }).totals;
    totals[0] = 2 ** 32 - 2;
    const receiver = opener();
    const frames = [sealed(sender, [1]), sealed(sender, [2]), sealed(sender, [3])];
    expect(frames.map((bytes) => open(receiver, bytes))).toEqual([0, 0, 0]);
    expect(receiver.newestCounter(receiver.sender)).toBe(2 ** 32 + 1);
    expect(open(receiver, frames[1] as Uint8Array)).toBe(OpenResult.replayed);
    totals[0] = 2 ** 48 - 2;
    sender.seal(1, 0, 1);
    expect(() => sender.seal(1, 0, 1)).toThrow("counter is used up");
  });

  it("hands out the same view for the same length", () => {
    const sender = sealer(7, 5);
    expect(sender.view(100)).toBe(sender.view(100));
    expect(sender.view(100).length).toBe(100);
  });
});

describe("an opener", () => {
  it("tells too short and too long before looking inside", () => {
    const receiver = opener();
    expect(open(receiver, new Uint8Array(0))).toBe(OpenResult.tooShort);
    expect(open(receiver, sealed(sealer(7, 5), []).subarray(0, 45))).toBe(OpenResult.tooShort);
    expect(open(receiver, new Uint8Array(1_201))).toBe(OpenResult.tooLong);
  });

  it("tells another version, another key epoch and another mesh", () => {
    const receiver = opener();
    for (const [offset, result] of [
      [0, OpenResult.badVersion],
      [2, OpenResult.badVersion],
      [4, OpenResult.otherMesh],
      [7, OpenResult.otherMesh],
    ] as const) {
      const datagram = sealed(sealer(7, 5), [1]);
      datagram[offset] = (datagram[offset] as number) ^ 1;
      expect(open(receiver, datagram)).toBe(result);
    }
  });

  it("refuses every single flipped bit of a frame, and still opens the frame itself", () => {
    const datagram = sealed(sealer(7, 5), [1, 2, 3, 4, 5]);
    const receiver = opener();
    for (let bit = 0; bit < datagram.length * 8; bit++) {
      const changed = datagram.slice();
      changed[bit >>> 3] = (changed[bit >>> 3] as number) ^ (1 << (bit & 7));
      // So that no try is refused for being one of too many.
      receiver.nowMs += 20;
      const result = open(receiver, changed);
      expect(result).not.toBe(OpenResult.ok);
      expect(result).not.toBe(OpenResult.throttled);
    }
    expect(receiver.senderCount).toBe(0);
    expect(open(receiver, datagram)).toBe(OpenResult.ok);
  });

  it("tries the frames of strangers from one address 64 times at once, and hears others and who it knows meanwhile", () => {
    const receiver = opener();
    const known = sealer(8, 5);
    expect(open(receiver, sealed(known, [1]))).toBe(OpenResult.ok);
    receiver.source = "10.0.0.9";
    for (let stranger = 0; stranger < 64; stranger++) {
      expect(open(receiver, sealed(sealer(100 + stranger, 5, OTHER_KEY), [1]))).toBe(OpenResult.wrongKey);
    }
    expect(open(receiver, sealed(sealer(7, 5), [1]))).toBe(OpenResult.throttled);
    expect(open(receiver, sealed(known, [2]))).toBe(OpenResult.ok);
    receiver.source = "10.0.0.10";
    expect(open(receiver, sealed(sealer(9, 5), [1]))).toBe(OpenResult.ok);
    receiver.source = "10.0.0.9";
    receiver.nowMs += 20;
    expect(open(receiver, sealed(sealer(7, 5), [1]))).toBe(OpenResult.ok);
  });

  it("tells a wrong key from a forgery: forged is only said of a session that opened before", () => {
    const receiver = opener();
    expect(open(receiver, sealed(sealer(7, 5, OTHER_KEY), [1]))).toBe(OpenResult.wrongKey);
    expect(receiver.senderCount).toBe(0);
    const real = sealer(7, 5);
    expect(open(receiver, sealed(real, [1]))).toBe(OpenResult.ok);
    const changed = sealed(real, [2]);
    changed[40] = (changed[40] as number) ^ 0x10;
    expect(open(receiver, changed)).toBe(OpenResult.forged);
    // The same node after a restart under another key: its new session never opened.
    expect(open(receiver, sealed(sealer(7, 6, OTHER_KEY), [1]))).toBe(OpenResult.wrongKey);
    expect(open(receiver, sealed(real, [3]))).toBe(OpenResult.ok);
  });

  it("accepts a frame once", () => {
    const receiver = opener();
    const sender = sealer(7, 5);
    const frames = [1, 2, 3].map((number) => sealed(sender, [number]));
    expect(frames.map((frame) => open(receiver, frame))).toEqual([0, 0, 0]);
    expect(frames.map((frame) => open(receiver, frame))).toEqual(Array(3).fill(OpenResult.replayed));
  });

  it("accepts frames out of order inside the window, once each, and none older", () => {
    const receiver = opener();
    const sender = sealer(7, 5);
    const frames = Array.from({ length: REPLAY_WINDOW_PACKETS + 6 }, (_, number) => sealed(sender, [number & 255]));
    expect(open(receiver, frames.at(-1) as Uint8Array)).toBe(OpenResult.ok);
    const late = frames.slice(0, -1).reverse();
    const taken = late.map((frame) => open(receiver, frame)).filter((result) => result === OpenResult.ok);
    expect(taken.length).toBe(REPLAY_WINDOW_PACKETS - 1);
    expect(open(receiver, frames[5] as Uint8Array)).toBe(OpenResult.replayed);
    expect(frames.map((frame) => open(receiver, frame)).some((result) => result === OpenResult.ok)).toBe(false);
  });

  it("does not move its window for a forged counter", () => {
    const receiver = opener();
    const sender = sealer(7, 5);
    open(receiver, sealed(sender, [1]));
    const next = sealed(sender, [2]);
    const forged = next.slice();
    forged[COUNTER_OFFSET] = 0xff;
    expect(open(receiver, forged)).toBe(OpenResult.forged);
    expect(open(receiver, next)).toBe(OpenResult.ok);
  });

  it("follows a node into its new session and never back", () => {
    const receiver = opener();
    const before = sealer(7, 5);
    const unheard = sealed(before, [1]);
    expect(open(receiver, sealed(before, [2]))).toBe(OpenResult.ok);
    const after = sealer(7, 6);
    expect(open(receiver, sealed(after, [3]))).toBe(OpenResult.ok);
    expect([receiver.newSession, receiver.sender, receiver.senderCount]).toEqual([true, 0, 1]);
    expect(open(receiver, unheard)).toBe(OpenResult.staleSession);
    expect(open(receiver, sealed(before, [4]))).toBe(OpenResult.staleSession);
    expect(open(receiver, sealed(after, [5]))).toBe(OpenResult.ok);
    expect(receiver.newSession).toBe(false);
  });

  it("refuses a second session with the same number, so two cannot take turns replaying", () => {
    const receiver = opener();
    const twin = new Sealer(MESH_KEY, MESH_TAG, nodeId(7), session(5, 0xbeef));
    expect(open(receiver, sealed(sealer(7, 5), [1]))).toBe(OpenResult.ok);
    expect(open(receiver, sealed(twin, [1]))).toBe(OpenResult.staleSession);
  });

  it("keeps the old session until a frame of the new one has opened", () => {
    const receiver = opener();
    const old = sealer(7, 5);
    open(receiver, sealed(old, [1]));
    expect(open(receiver, sealed(sealer(7, 0xffff_ffff, OTHER_KEY), [1]))).toBe(OpenResult.wrongKey);
    expect(open(receiver, sealed(old, [2]))).toBe(OpenResult.ok);
  });

  it("drops its own frames, whatever they hold", () => {
    const receiver = opener();
    expect(open(receiver, sealed(new Sealer(OTHER_KEY, MESH_TAG, OWN_ID, session(1)), [1]))).toBe(OpenResult.ownFrame);
    expect(receiver.results[OpenResult.ownFrame]).toBe(1);
  });

  it("names a twin: a verified frame of its own id from a later session, and no earlier one", () => {
    const receiver = new Opener(MESH_KEY, MESH_TAG, OWN_ID, 4, session(10));
    const own = (number: number, rest?: number, key = MESH_KEY) =>
      sealed(new Sealer(key, MESH_TAG, OWN_ID, session(number, rest)), [1]);
    expect(open(receiver, own(10))).toBe(OpenResult.ownFrame);
    expect(open(receiver, own(9))).toBe(OpenResult.ownFrame);
    expect(open(receiver, own(11))).toBe(OpenResult.twinNode);
    expect(open(receiver, own(10, 77))).toBe(OpenResult.twinNode);
    expect(open(receiver, own(12, 1, OTHER_KEY))).toBe(OpenResult.wrongKey);
    expect(receiver.senderCount).toBe(0);
  });

  it("hands out what two starts of one node say to each other, whichever is later, and to nobody else", () => {
    const receiver = new Opener(MESH_KEY, MESH_TAG, OWN_ID, 4, session(10, 1));
    const twin = (id: Uint8Array, number: number, rest: number, key = MESH_KEY): Uint8Array => {
      return sealed(new Sealer(key, MESH_TAG, id, session(number, rest)), [1, 2], FrameType.twin);
    };
    for (const number of [9, 10, 11]) {
      expect(open(receiver, twin(OWN_ID, number, 2))).toBe(OpenResult.twinFrame);
      expect(body(receiver)).toEqual([1, 2]);
    }
    expect(open(receiver, twin(OWN_ID, 9, 2, OTHER_KEY))).toBe(OpenResult.wrongKey);
    // Its own, also of before its number rose.
    for (const number of [9, 10]) expect(open(receiver, twin(OWN_ID, number, 1))).toBe(OpenResult.ownFrame);
    expect(open(receiver, twin(nodeId(7), 9, 2))).toBe(OpenResult.twinOfOther);
    expect(receiver.senderCount).toBe(0);
  });

  it("follows a node into the higher number of the same boot; what it sealed before is stale, also for itself", () => {
    const receiver = opener();
    const own = new Opener(MESH_KEY, MESH_TAG, nodeId(7), 4, session(5, 3));
    const sender = new Sealer(MESH_KEY, MESH_TAG, nodeId(7), session(5, 3));
    const before = sealed(sender, [1]);
    expect(open(receiver, sealed(sender, [2]))).toBe(OpenResult.ok);
    const later = sealed(new Sealer(MESH_KEY, MESH_TAG, nodeId(7), session(8, 4)), [3]);
    expect(open(receiver, later)).toBe(OpenResult.ok);
    expect(receiver.senderBoot(receiver.sender)).toBe(4);
    sender.raiseSession(9);
    own.raiseSession(9);
    const risen = sealed(sender, [4]);
    expect(open(receiver, risen)).toBe(OpenResult.ok);
    expect([receiver.sessionNumber(receiver.sender), receiver.senderBoot(receiver.sender)]).toEqual([9, 3]);
    expect(receiver.newestCounter(receiver.sender)).toBe(sender.packets);
    expect(open(receiver, risen)).toBe(OpenResult.replayed);
    expect([open(receiver, before), open(receiver, later)]).toEqual([OpenResult.staleSession, OpenResult.staleSession]);
    expect([open(own, before), open(own, later), open(own, risen)]).toEqual([5, 5, 5]);
  });

  it("refuses recorded sessions of a node not heard since our own restart", () => {
    const receiver = opener();
    receiver.requireSession("0701020304050007", 6);
    expect(open(receiver, sealed(sealer(7, 5), [1]))).toBe(OpenResult.staleSession);
    expect(open(receiver, sealed(sealer(7, 6), [1]))).toBe(OpenResult.ok);
  });

  it("keeps to its capacity: refuses a new node while all are heard, gives it the slot of a silent one later", () => {
    const receiver = opener(2);
    const senders = [1, 2, 3].map((node) => sealer(node, 5));
    const [first, second, third] = senders as [Sealer, Sealer, Sealer];
    receiver.nowMs = 1_000;
    const recorded = sealed(sealer(1, 4), [9]);
    expect(open(receiver, sealed(first, [1]))).toBe(OpenResult.ok);
    receiver.nowMs = 2_000;
    expect(open(receiver, sealed(second, [1]))).toBe(OpenResult.ok);
    expect(open(receiver, sealed(third, [1]))).toBe(OpenResult.senderTableFull);
    receiver.nowMs = 1_000 + EVICT_SILENT_MS;
    expect(open(receiver, sealed(third, [2]))).toBe(OpenResult.ok);
    expect([receiver.sender, receiver.senderNode(0), receiver.senderNode(1)]).toEqual([
      0,
      "0301020304050003",
      "0201020304050002",
    ]);
    expect(open(receiver, sealed(second, [2]))).toBe(OpenResult.ok);
    receiver.nowMs += EVICT_SILENT_MS;
    expect(open(receiver, recorded)).toBe(OpenResult.staleSession);
    expect(open(receiver, sealed(first, [2]))).toBe(OpenResult.ok);
    expect(receiver.senderCount).toBe(2);
  });

  it("outlives any number of nodes that come and fall silent", () => {
    const receiver = opener(2);
    for (let number = 0; number < 200; number++) {
      receiver.nowMs += EVICT_SILENT_MS;
      const sender = new Sealer(MESH_KEY, MESH_TAG, Uint8Array.of(1, 2, 3, 4, 0, 0, 0, number), session(5));
      expect([open(receiver, sealed(sender, [1])), open(receiver, sealed(sender, [2]))]).toEqual([0, 0]);
    }
    expect(receiver.senderCount).toBe(2);
  });

  it("tells many senders apart, whatever their ids collide on", () => {
    const receiver = opener(64);
    const senders = Array.from(
      { length: 64 },
      (_, number) => new Sealer(MESH_KEY, MESH_TAG, Uint8Array.of(1, 2, 3, 4, 0, 0, 0, number), session(5)),
    );
    for (const [number, sender] of senders.entries()) {
      expect(open(receiver, sealed(sender, [number]))).toBe(OpenResult.ok);
      expect(receiver.sender).toBe(number);
    }
    for (const [number, sender] of senders.entries()) {
      expect(open(receiver, sealed(sender, [number]))).toBe(OpenResult.ok);
      expect([receiver.sender, body(receiver)[0]]).toEqual([number, number]);
    }
  });

  it("counts every result", () => {
    const receiver = opener();
    const sender = sealer(7, 5);
    const frame = sealed(sender, [1]);
    open(receiver, frame);
    open(receiver, frame);
    open(receiver, frame);
    expect(receiver.results[OpenResult.ok]).toBe(1);
    expect(receiver.results[OpenResult.replayed]).toBe(2);
  });

  it("refuses counter 0, which no sender uses", () => {
    const sender = sealer(7, 5);
    (sender as unknown as { totals: Float64Array }).totals[0] = -1;
    const receiver = opener();
    expect(open(receiver, sealed(sender, [1]))).toBe(OpenResult.replayed);
    expect(receiver.senderCount).toBe(0);
  });
});
