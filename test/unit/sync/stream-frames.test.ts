/** What fits a stream frame, and where each kind of frame goes. */
import { expect, test } from "vitest";
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
  hasMajority: false,
  isDeaf: false,
  nodes: 5,
};

function frames(contentBytes: number) {
  const sent = new SentRing();
  const plain = new Uint8Array(BODY_MAX_BYTES);
  const reader = new StreamFrameReader();
  const ways: string[] = [];
  const way = (name: string) => (type: number, length: number) => {
    expect(type).toBe(FrameType.stream);
    ways.push(name);
    return length;
  };
  const port = { plain, multicast: way("stream"), announce: way("meeting"), unicast: way("unicast") };
  const out = new StreamFrames(port, sent, () => true);
  for (let frame = 0; frame < 5; frame++) sent.append(contentBytes);
  return { out, reader, plain, ways };
}

test("a stream frame holds a full content", () => {
  const { out, reader, plain } = frames(CONTENT_LIMIT_BYTES);
  const length = out.sendNewest();
  expect(length).toBeLessThanOrEqual(BODY_MAX_BYTES);
  expect(reader.read(plain, length)).toBe(true);
  expect(reader.contentEnd - reader.contentStart).toBe(CONTENT_LIMIT_BYTES);
});

test("what only followers need goes to the stream's group, what all must hear to the other, an answer to one", () => {
  const { out, reader, plain, ways } = frames(30);
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
