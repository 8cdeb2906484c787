/** MIDI at the parser of one node, faster than a frame can carry it, and what another node gets of that. */
import { expect, it } from "vitest";
import { Bindings } from "../../../src/input/bindings.js";
import { MidiControls } from "../../../src/input/midi-controls.js";
import { MidiCounters } from "../../../src/input/midi-counters.js";
import { MidiStream } from "../../../src/input/midi-stream.js";
import { EventKind } from "../../../src/state/change.js";
import { Found, RingReader } from "../../../src/state/ring.js";
import { entityKind, instantiate } from "../../../src/state/templates.js";
import { Mesh, type MeshNode } from "./mesh.js";

const FADERS = 16;
const SECONDS = 4;
const HIT = "/global/hit";
const LOSS = 0.05;

/** The bytes of a device on this node. */
function device(node: MeshNode): MidiStream {
  const { core, writes } = node.hana;
  const bindings = new Bindings({
    target: writes,
    shown: writes,
    clock: core.clock,
    origins: core.origins,
    memory: core.memory,
    profileOf: () => undefined,
    onChanged: () => {},
  });
  bindings.pump();
  expect(bindings.list().filter(({ standing }) => standing === "active")).toHaveLength(FADERS + 1);
  const counters = new MidiCounters();
  const control = bindings.onMidi.bind(bindings, 0);
  const sink = { control, sysex: () => {} };
  return new MidiStream(new MidiControls(sink, core.clock, counters), counters);
}

function bind(node: MeshNode, id: string, source: string, path: string): void {
  for (const { path: parameter, declaration } of instantiate(entityKind("/mappings"), id)) {
    node.declare(parameter, declaration);
  }
  node.write(`/mappings/${id}/source`, source);
  node.write(`/mappings/${id}/path`, path);
}

it.each([
  ["controller", 0],
  ["follower", 1],
])("16 faders at 1 kHz and a pad at a %s, with loss: last values are right, no impulse is lost", (_role, place) => {
  const mesh = new Mesh(7);
  mesh.add();
  mesh.run(1_000_000);
  for (let count = 1; count < 3; count++) mesh.add();
  mesh.until(() => mesh.isSettled);
  const [first, , third] = mesh.nodes as [MeshNode, MeshNode, MeshNode];
  for (let fader = 0; fader < FADERS; fader++) {
    first.declare(`/viz/f${fader}`, { type: "int", range: { min: 0, max: 127 } });
    bind(first, `f${fader}`, `nano/ch1/cc${fader}`, `/viz/f${fader}`);
  }
  first.declare(HIT, { type: "impulse" });
  bind(first, "hit", "nano/ch10/note36", HIT);
  mesh.run(1_000_000);
  const stream = device(mesh.nodes[place] as MeshNode);
  const hits = new RingReader(third.hana.core.memory);
  hits.skip();
  let heard = 0;
  mesh.onTurn = (node) => {
    if (node !== third) return;
    for (let found = hits.next(); found !== Found.nothing; found = hits.next()) {
      if (found === Found.event && hits.kind === EventKind.impulse) heard++;
    }
  };
  mesh.faults = { ...mesh.faults, loss: LOSS };
  let struck = 0;
  for (let ms = 0; ms < SECONDS * 1_000; ms++) {
    (mesh.nodes[place] as MeshNode).turn(() => {
      for (let fader = 0; fader < FADERS; fader++) stream.push(Uint8Array.of(0xb0, fader, (ms * (fader + 1)) % 128));
      if (ms % 10 !== 0) return;
      struck++;
      stream.push(Uint8Array.of(0x99, 36, 100, 0x89, 36, 0));
    });
    mesh.run(1_000);
  }
  mesh.faults = { ...mesh.faults, loss: 0 };
  mesh.run(3_000_000);
  const last = SECONDS * 1_000 - 1;
  const values = Array.from({ length: FADERS }, (_, fader) => third.value(`/viz/f${fader}`));
  expect(values).toEqual(Array.from({ length: FADERS }, (_, fader) => (last * (fader + 1)) % 128));
  expect(heard).toBe(struck);
});
