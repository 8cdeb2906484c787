import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { alsaPorts, cardOf, parseAlsaClients, rawPortOwner } from "../../../src/input/alsa-clients.js";

/** As Linux 6.1 writes it, with one device open both ways by this process and its input queue run over. */
const CLIENTS = `Client info
  cur  clients : 7
  peak clients : 8
  max  clients : 192

Client   0 : "System" [Kernel Legacy]
  Port   0 : "Timer" (Rwe-)
  Port   1 : "Announce" (R-e-)
Client  14 : "Midi Through" [Kernel Legacy]
  Port   0 : "Midi Through Port-0" (RWe-)
Client  24 : "Acme Pad" [Kernel]
  Port   0 : "Acme Pad MIDI 1" (RWeX) [In/Out]
    Connecting To: 128:0, 131:2[real:0]
    Connected From: 129:0[r:0]
  Port   1 : "Acme Pad MIDI 2" (R-e-)
Client 128 : "RtMidi Input Client" [User Legacy]
  Port   0 : "RtMidi Input" (-We-)
    Connected From: 24:0
  Output pool :
    Pool size          : 500
    Cells in use       : 0
    Peak cells in use  : 0
    Alloc success      : 0
    Alloc failures     : 3
  Input pool :
    Pool size          : 200
    Cells in use       : 200
    Peak cells in use  : 200
    Alloc success      : 4711
    Alloc failures     : 17
Client 129 : "RtMidi Output Client" [User Legacy]
  Port   0 : "RtMidi Output" (R-e-)
    Connecting To: 24:0[r:0]
  Output pool :
    Alloc failures     : 9
Client 131 : "RtMidi Output Client" [User Legacy]
  Port   2 : "somebody's virtual port" (RWe-)
`;

const clients = parseAlsaClients(CLIENTS);

describe("the kernel's list of sequencer clients", () => {
  it("gives the ports that RtMidi lists, with its names, without those that stand for a connection", () => {
    const { inputs, outputs } = alsaPorts(clients, () => "", []);
    expect(inputs.map(({ name }) => name)).toEqual([
      "Midi Through:Midi Through Port-0 14:0",
      "Acme Pad:Acme Pad MIDI 1 24:0",
      "Acme Pad:Acme Pad MIDI 2 24:1",
      "RtMidi Output Client:somebody's virtual port 131:2",
    ]);
    expect(outputs.map(({ own }) => own)).toEqual([
      "Midi Through Port-0",
      "Acme Pad MIDI 1",
      "somebody's virtual port",
    ]);
  });

  it("tells whether this process's connections still stand", () => {
    const name = "Acme Pad:Acme Pad MIDI 1 24:0";
    const connected = (client: number, isInput: boolean): (boolean | undefined)[] => {
      const lists = alsaPorts(clients, () => "", [{ name, isInput, client }]);
      return [lists.inputs, lists.outputs].map((ports) => ports.find((port) => port.name === name)?.isConnected);
    };
    expect(connected(128, true)).toEqual([true, undefined]);
    expect(connected(129, false)).toEqual([undefined, true]);
    expect(connected(12, true)).toEqual([false, undefined]);
  });

  it("tells how often an input queue ran over, and takes no output queue for one", () => {
    expect(clients.filter(({ overruns }) => overruns > 0).map(({ number, overruns }) => [number, overruns])).toEqual([
      [128, 17],
    ]);
  });

  it("tells where a client's card is plugged in by whoever knows", () => {
    const { inputs } = alsaPorts(clients, (client) => (client === 24 ? "A@1-2" : ""), []);
    expect(inputs.map(({ place }) => place)).toEqual(["", "A@1-2", "A@1-2", ""]);
    expect([0, 14, 16, 19, 24, 127, 128].map(cardOf)).toEqual([undefined, undefined, 0, 0, 2, 27, undefined]);
  });

  it("is read without a throw, whatever other programs call themselves", () => {
    const line = fc.oneof(
      fc.string(),
      fc.constantFrom(
        'Client 9 : "a" [b]',
        '  Port 1 : "x" (RW--)',
        "    Connecting To: 1:2,",
        "  Input pool :",
        "Alloc failures : x",
      ),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 30 }), (lines) => {
        const { inputs, outputs } = alsaPorts(parseAlsaClients(lines.join("\n")), () => "", []);
        expect([...inputs, ...outputs].every(({ name }) => name !== "")).toBe(true);
      }),
    );
  });
});

it("names the process that has a card's raw port open, past the sequencer", () => {
  const text =
    "Acme Pad\n\nOutput 0\n  Tx bytes     : 0\n  Owner PID    : 7\nInput 0\n  Rx bytes     : 12\nInput 1\n  Owner PID    : 133\n";
  expect(rawPortOwner(text, false, 0)).toBe(7);
  expect(rawPortOwner(text, true, 0)).toBeUndefined();
  expect(rawPortOwner(text, true, 1)).toBe(133);
  expect(rawPortOwner("", true, 0)).toBeUndefined();
});
