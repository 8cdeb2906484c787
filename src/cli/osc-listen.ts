/**
 * OSC listen: prints OSC messages that arrive by UDP, as liblo's oscdump does: address, type tags, values.
 *
 * It decodes with the node's own codec, so it shows what a node sees: osc-js has no colours, arrays or time tags, and
 * an address from the network can stall it.
 */
import { createSocket, type RemoteInfo } from "node:dgram";
import { isIPv6 } from "node:net";
import { parseHost, parsePort } from "../config/addresses.js";
import { toBase64 } from "../config/base64.js";
import { float32Text } from "../config/number-text.js";
import { OscPacket, OscTag } from "../input/osc-packet.js";
import { OscReject } from "../input/osc-reject.js";
import { CommandError, ExitCode } from "./command-error.js";
import { printJson, printLine } from "./output.js";

interface ListenOptions {
  readonly json?: boolean;
  readonly count?: number;
}

type JsonArgument = number | string | boolean | null;

const REJECT_NAMES = new Map(Object.entries(OscReject).map(([name, code]) => [code, name]));

/** Resolves after `count` messages; without it never. @throws CommandError (69) when the port cannot be had. */
export async function listenOsc(target: string, options: ListenOptions): Promise<void> {
  const { host, port } = placeOf(target);
  const socket = createSocket(isIPv6(host) ? "udp6" : "udp4");
  const packet = new OscPacket();
  let left = options.count ?? Number.POSITIVE_INFINITY;
  await new Promise<void>((resolve, reject) => {
    socket.on("error", (error) => reject(new CommandError(`UDP port ${port}: ${error.message}`, ExitCode.unavailable)));
    socket.on("message", (bytes, from) => {
      const reject = packet.parse(bytes, 0, bytes.length);
      if (reject !== OscReject.none) return complain(reject, from);
      for (let message = 0; message < packet.messageCount && left > 0; message++, left--) {
        printMessage(packet, message, from, options.json === true);
      }
      if (left === 0) resolve();
    });
    socket.bind(port, host);
  });
  socket.close();
}

function placeOf(target: string): { host: string; port: number } {
  const colon = target.lastIndexOf(":");
  const host = colon < 0 ? "127.0.0.1" : parseHost(target.slice(0, colon));
  const port = parsePort(target.slice(colon + 1));
  if (host !== undefined && port !== undefined) return { host, port };
  throw new CommandError(`${target}: is not PORT or HOST:PORT`, ExitCode.usage);
}

function complain(reject: OscReject, from: RemoteInfo): void {
  process.stderr.write(`hana: ${from.address}:${from.port}: no OSC packet (${REJECT_NAMES.get(reject) ?? reject})\n`);
}

function printMessage(packet: OscPacket, message: number, from: RemoteInfo, isJson: boolean): void {
  const address = packet.addressText(message);
  const first = packet.firstArguments[message] as number;
  const end = first + (packet.argumentCounts[message] as number);
  let types = "";
  const args: JsonArgument[] = [];
  for (let argument = first; argument < end; argument++) {
    types += String.fromCharCode(packet.tags[argument] as number);
    const value = argumentOf(packet, argument);
    if (value !== undefined) args.push(value);
  }
  if (isJson) printJson({ time: Date.now(), from: `${from.address}:${from.port}`, address, types, args });
  else printLine([address, types, ...args.map(argumentText)].join(" ").trimEnd());
}

function argumentText(value: JsonArgument): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}

/** Undefined for tags that have no data: T F N I and brackets. */
function argumentOf(packet: OscPacket, argument: number): JsonArgument | undefined {
  const number = packet.values[argument] as number;
  switch (packet.tags[argument]) {
    case OscTag.string:
    case OscTag.symbol:
      return packet.text(argument);
    case OscTag.blob:
      return toBase64(packet.blob(argument));
    case OscTag.float:
      return Number.isFinite(number) ? Number(float32Text(number)) : String(number);
    case OscTag.double:
      return Number.isFinite(number) ? number : String(number);
    case OscTag.long:
      return packet.isExactLong(argument) ? number : longText(packet, argument);
    case OscTag.rgba:
      return `#${number.toString(16).padStart(8, "0")}`;
    case OscTag.midi:
      return number.toString(16).padStart(8, "0");
    case OscTag.char:
      return number <= 0x10ffff ? String.fromCodePoint(number) : number;
    case OscTag.int:
    case OscTag.timetag:
      return number;
    default:
      return undefined;
  }
}

function longText(packet: OscPacket, argument: number): string {
  const high = BigInt(packet.highs[argument] as number);
  return String(BigInt.asIntN(64, (high << 32n) | BigInt(packet.lows[argument] as number)));
}
