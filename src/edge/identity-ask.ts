/**
 * Identity ask: asks a device by SysEx who it is, and finds its profile by the answer.
 *
 * For devices whose port says nothing about them, behind a MIDI cable or a hub. It opens the device's ports itself, for
 * as long as it takes, so nothing is sent unless a user asks for it. An answer that no profile knows is told in bytes.
 * Source: MIDI 1.0, Universal Non-Real Time SysEx, Identity Request and Reply.
 */
import { setTimeout as delay } from "node:timers/promises";
import { MidiCounters } from "../input/midi-counters.js";
import type { MidiPort } from "../input/midi-port.js";
import { type MidiMessageSink, MidiStream } from "../input/midi-stream.js";
import type { KnownProfile } from "../input/surface-profiles.js";
import { fillForm, hexOf, matchesForm } from "../input/sysex-form.js";
import type { MidiSystem } from "./midi-system.js";
import { messageOf } from "./trouble.js";

/** A device on a cable answers within 100 ms; one that has just been switched on takes longer. */
const ANSWER_MS = 700;
const ANSWERS_MAX = 16;

export interface DevicePorts {
  readonly input: MidiPort | undefined;
  readonly output: MidiPort | undefined;
}

/** `problem`: why it is not known, as a sentence's end; "" when it is. */
export interface Identity {
  readonly profile: string;
  readonly problem: string;
}

export async function askIdentity(
  system: MidiSystem,
  { input, output }: DevicePorts,
  known: readonly KnownProfile[],
): Promise<Identity> {
  if (input === undefined || output === undefined) return unknown("has not both an input and an output");
  const answers: Uint8Array[] = [];
  const isAnswer = (bytes: Uint8Array): boolean =>
    isUniversal(bytes) || known.some(({ profile }) => isReply(profile.identity?.reply, bytes));
  try {
    await exchange(system, input, output, requestsOf(known), isAnswer, answers);
  } catch (error) {
    return unknown(`cannot be asked who it is: ${messageOf(error)}`);
  }
  if (answers.length === 0) return unknown("did not answer who it is");
  const found = known.find(({ profile }) => answers.some((answer) => isReply(profile.identity?.reply, answer)));
  if (found !== undefined) return { profile: found.id, problem: "" };
  return unknown(`says that it is ${answers.map(hexOf).join(", ")}, which no profile knows`);
}

async function exchange(
  system: MidiSystem,
  input: MidiPort,
  output: MidiPort,
  requests: readonly Uint8Array[],
  isAnswer: (bytes: Uint8Array) => boolean,
  answers: Uint8Array[],
): Promise<void> {
  const stream = new MidiStream(answerSink(isAnswer, answers), new MidiCounters());
  const from = system.openInput(input, true, (bytes) => stream.push(bytes));
  try {
    const to = system.openOutput(output);
    try {
      for (const request of requests) to.send(request);
      await delay(ANSWER_MS);
    } finally {
      to.close();
    }
  } finally {
    from.close();
  }
}

/** Keeps what answers the request, and nothing else that the device may be sending. */
function answerSink(isAnswer: (bytes: Uint8Array) => boolean, answers: Uint8Array[]): MidiMessageSink {
  return {
    channelMessage: () => {},
    common: () => {},
    realTime: () => {},
    sysex: (bytes, length) => {
      const answer = bytes.slice(0, length);
      if (answers.length < ANSWERS_MAX && isAnswer(answer)) answers.push(answer);
    },
  };
}

function isUniversal(bytes: Uint8Array): boolean {
  return bytes[1] === 0x7e && bytes[3] === 0x06 && bytes[4] === 0x02;
}

/** Most profiles ask the same way: each way once. */
function requestsOf(known: readonly KnownProfile[]): Uint8Array[] {
  const requests = new Map<string, Uint8Array>();
  for (const { profile } of known) {
    if (profile.identity === undefined) continue;
    const bytes = fillForm(profile.identity.request, {});
    requests.set(hexOf(bytes), bytes);
  }
  return [...requests.values()];
}

type Reply = NonNullable<KnownProfile["profile"]["identity"]>["reply"];

function isReply(reply: Reply | undefined, answer: Uint8Array): boolean {
  return reply !== undefined && matchesForm(reply, answer, answer.length);
}

function unknown(problem: string): Identity {
  return { profile: "", problem };
}
