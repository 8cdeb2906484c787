/** What fits a stream frame: content first, then as many acknowledgements as leave room for it, then the journal. */
import { describe, expect, test } from "vitest";
import { Acknowledgements } from "../../../src/sync/acknowledgements.js";
import { CONTENT_LIMIT_BYTES, SentRing } from "../../../src/sync/sent-ring.js";
import { StreamFrames } from "../../../src/sync/stream-frames.js";
import { BODY_MAX_BYTES } from "../../../src/wire/envelope.js";
import { FrameType, StreamFlag, type StreamInfo, StreamFrameReader } from "../../../src/wire/frame.js";

const TARGET = { address: "10.0.0.1", port: 1 };
const INFO: StreamInfo = {
  sequence: 5,
  parentNumber: 0,
  parentNode: "",
  forkSequence: 0,
  unicastPort: 1,
  snapshotPort: 2,
  priority: 100,
  answers: 0,
  digests: new Int32Array(20),
  paths: 1,
  timeUs: 1,
};

function frames(contentBytes: number, writers: number) {
  const sent = new SentRing();
  const acks = new Acknowledgements();
  const plain = new Uint8Array(BODY_MAX_BYTES);
  const reader = new StreamFrameReader();
  const ways: string[] = [];
  const way = (name: string) => (type: number, length: number) => {
    expect(type).toBe(FrameType.stream);
    ways.push(name);
    return length;
  };
  const port = { plain, multicast: way("stream"), announce: way("meeting"), unicast: way("unicast") };
  const out = new StreamFrames(
    port,
    sent,
    acks,
    () => 1,
    () => true,
  );
  for (let frame = 0; frame < 5; frame++) sent.append(contentBytes);
  for (let writer = 1; writer <= writers; writer++) acks.add(writer.toString(16).padStart(16, "0"), 1, 2 ** 48, 1);
  acks.promote(1);
  return { out, acks, reader, plain, ways };
}

describe("a stream frame with acknowledgements", () => {
  test.each([0, 1, 4, 5, 16, 100])("holds a full content whatever waits: %i writers", (writers) => {
    const { out, acks, reader, plain } = frames(CONTENT_LIMIT_BYTES, writers);
    const length = out.sendNewest();
    expect(length).toBeLessThanOrEqual(BODY_MAX_BYTES);
    expect(reader.read(plain, length)).toBe(true);
    expect(reader.contentEnd - reader.contentStart).toBe(CONTENT_LIMIT_BYTES);
    expect(reader.ackCount + acks.size).toBe(writers);
  });

  test("says sixteen beside a small content", () => {
    const { out, acks, reader, plain } = frames(30, 20);
    expect(reader.read(plain, out.sendNewest())).toBe(true);
    expect([reader.ackCount, acks.size]).toEqual([16, 4]);
  });

  test("a heartbeat to one node and a repair take none", () => {
    const { out, acks, reader, plain } = frames(30, 3);
    expect(reader.read(plain, out.sendInfo(INFO, true, TARGET))).toBe(true);
    expect(reader.read(plain, out.sendRepair(3, undefined))).toBe(true);
    expect(acks.size).toBe(3);
  });
});

test("what only followers need goes to the stream's group, what all must hear to the other, an answer to one", () => {
  const { out, reader, plain, ways } = frames(30, 3);
  out.sendNewest();
  out.sendHeartbeat();
  out.sendRepair(3, undefined);
  for (const isSettled of [true, false]) {
    expect(reader.read(plain, out.sendInfo(INFO, isSettled, undefined))).toBe(true);
    expect([reader.info, (reader.flags & StreamFlag.unsettled) === 0]).toEqual([INFO, isSettled]);
  }
  out.sendInfo(INFO, true, TARGET);
  out.sendRepair(3, TARGET);
  expect(ways).toEqual(["stream", "stream", "stream", "meeting", "meeting", "unicast", "unicast"]);
});
