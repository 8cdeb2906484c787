/**
 * OSC send: one OSC message by UDP, encoded by osc-js.
 *
 * osc-js, and not the node's own codec: a message from somebody else's encoder is the better test of a mapping. Its
 * traps are kept out here: types are always explicit (it would send 1.0 as an int), text is given to it as UTF-8 bytes
 * (it cuts characters to bytes), and numbers are checked (it wraps what does not fit).
 */
import { createSocket } from "node:dgram";
import { lookup } from "node:dns/promises";
import { isIPv6 } from "node:net";
import oscModule from "osc-js";
import { parseHostPort } from "../config/addresses.js";
import { fromBase64 } from "../config/base64.js";
import { parseNumber } from "../config/number-text.js";
import { validateAddress } from "../state/path.js";
import { CommandError, ExitCode } from "./command-error.js";

interface SendOptions {
  readonly types?: string;
}

type OscValue = number | string | bigint | boolean | null | Uint8Array;

/** What is used of osc-js; its own types name a default export that the file does not have. */
interface OscLibrary {
  readonly TypedMessage: new (address: string) => { add(type: string, value?: OscValue): void; pack(): Uint8Array };
}
const { TypedMessage } = oscModule as unknown as OscLibrary;

export async function sendOsc(
  target: string,
  address: string,
  values: readonly string[],
  options: SendOptions,
): Promise<void> {
  const place = parseHostPort(target);
  if (place === undefined) throw usage(`${target}: is not HOST:PORT`);
  const packet = encodeMessage(address, values, options.types);
  const host = await lookup(place.host).catch((error: unknown) => {
    throw new CommandError(`${place.host}: ${(error as Error).message}`);
  });
  await sendPacket(packet, place.port, host.address);
}

/** @throws CommandError (usage) for values that do not fit their types. */
export function encodeMessage(address: string, values: readonly string[], types?: string): Uint8Array {
  const problem = address.startsWith("/") && /^[!-~]+$/.test(address) ? "" : validateAddress(address);
  if (problem !== "") throw usage(`${address}: ${problem}`);
  const tags = types?.replace(/^,/, "") ?? values.map(guessType).join("");
  // A guessed T or F has been said by its word; a given one takes none.
  const rest = types === undefined ? values.filter((text) => hasData(guessType(text))) : [...values];
  const message = new TypedMessage(address);
  for (const type of tags) message.add(type, hasData(type) ? valueOf(type, rest.shift()) : null);
  if (rest.length > 0) throw usage(`${tags}: ${rest.length} more values than types`);
  return message.pack();
}

function guessType(text: string): string {
  if (text === "true") return "T";
  if (text === "false") return "F";
  return parseNumber(text) === undefined ? "s" : "f";
}

function hasData(type: string): boolean {
  return !"TFNI".includes(type);
}

function valueOf(type: string, text: string | undefined): OscValue {
  if (!"ifsbhd".includes(type)) throw usage(`${type}: is none of the type tags i f s b h d T F N I`);
  if (text === undefined) throw usage(`${type}: has no value`);
  if (type === "s") return Buffer.from(text, "utf8").toString("latin1");
  if (type === "b") return blobOf(text);
  if (type === "h") return longOf(text);
  return numberOf(type, text);
}

function blobOf(text: string): Uint8Array {
  const bytes = fromBase64(text);
  if (bytes === undefined) throw usage(`${text}: is not base64`);
  return bytes;
}

function longOf(text: string): bigint {
  const value = /^[+-]?\d{1,19}$/.test(text) ? BigInt(text) : undefined;
  if (value !== undefined && BigInt.asIntN(64, value) === value) return value;
  throw usage(`${text}: is not a whole number of 64 bits`);
}

function numberOf(type: string, text: string): number {
  const value = parseNumber(text);
  if (value === undefined) throw usage(`${text}: is not a number`);
  if (type === "i" && (value | 0) !== value) throw usage(`${text}: is not a whole number of 32 bits`);
  if (type === "f" && !Number.isFinite(Math.fround(value))) throw usage(`${text}: is too large for a 32-bit float`);
  return value;
}

function usage(text: string): CommandError {
  return new CommandError(text, ExitCode.usage);
}

async function sendPacket(packet: Uint8Array, port: number, address: string): Promise<void> {
  const socket = createSocket(isIPv6(address) ? "udp6" : "udp4");
  try {
    await new Promise<void>((resolve, reject) => {
      socket.on("error", reject);
      socket.send(packet, port, address, (error) => (error === null ? resolve() : reject(error)));
    });
  } catch (error) {
    throw new CommandError(`${address}:${port}: cannot be sent to: ${(error as Error).message}`);
  } finally {
    socket.close();
  }
}
