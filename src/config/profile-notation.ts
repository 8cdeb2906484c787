/**
 * Profile notation: the short forms in which a hardware profile writes what repeats.
 *
 * `fader{1..8}` and `{play,stop}` are names, `48..55`, `41..44,57..60` and `16..28/4` are numbers, `F0 00 20 {index} F7`
 * is a message. All of them are texts that people type, so each reader answers with a problem instead of throwing.
 */

/** Most names that one entry, or numbers that one list, may stand for. */
export const REPEAT_MAX = 1_024;

export interface Problem {
  readonly problem: string;
}

/** Where in a profile something stands: keys and indexes from the whole file inwards. */
export type Place = readonly (string | number)[];
export type Report = (place: Place, message: string) => void;

export interface RepeatedName {
  readonly name: string;
  /** What stood in the braces for this one; "" without braces. Takes the place of `{n}` in addresses. */
  readonly part: string;
}

const NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
const NAME_LENGTH_MAX = 40;
const RANGE = /^(\d{1,5})\.\.(\d{1,5})$/;

/** The names that `fader{1..8}`, `{play,stop}` or `play` stands for. */
export function expandName(text: string): readonly RepeatedName[] | Problem {
  const braces = /^([^{}]*)\{([^{}]*)\}([^{}]*)$/.exec(text);
  const parts = braces === null ? [""] : partsOf(braces[2] as string);
  if ("problem" in parts) return parts;
  const names: RepeatedName[] = [];
  for (const part of parts) {
    const name = braces === null ? text : `${braces[1]}${part}${braces[3]}`;
    if (!NAME.test(name) || name.length > NAME_LENGTH_MAX) {
      return {
        problem: `${JSON.stringify(name)} is no name: lower-case letters, digits and single hyphens, such as fader{1..8}`,
      };
    }
    names.push({ name, part });
  }
  return names;
}

/** `1..8` (up only), or words between commas. */
function partsOf(text: string): readonly string[] | Problem {
  const range = RANGE.exec(text);
  if (range === null) return text.split(",").map((word) => word.trim());
  const [first, last] = [Number(range[1]), Number(range[2])];
  if (last < first) return { problem: `{${text}} counts down; write {${last}..${first}}` };
  if (last - first >= REPEAT_MAX) return { problem: `{${text}} are more than ${REPEAT_MAX}` };
  return Array.from({ length: last - first + 1 }, (_, index) => String(first + index));
}

/** Items between commas: a number, `A..B` up or down, `A..B/STEP`. */
export const NUMBER_LIST = /^\d{1,5}(\.\.\d{1,5}(\/\d{1,4})?)?(,\s*\d{1,5}(\.\.\d{1,5}(\/\d{1,4})?)?)*$/;

/** The numbers of a list that has the form of `NUMBER_LIST`, or what is wrong with it. */
export function expandNumbers(text: string): readonly number[] | Problem {
  const numbers: number[] = [];
  for (const item of text.split(",")) {
    const [range, step = "1"] = item.trim().split("/") as [string, string?];
    const [first, last = first] = range.split("..").map(Number) as [number, number?];
    if (Number(step) === 0) return { problem: `${item.trim()} never gets on; the step must be 1 or more` };
    const count = Math.floor(Math.abs(last - first) / Number(step)) + 1;
    if (numbers.length + count > REPEAT_MAX) return { problem: `has more than ${REPEAT_MAX} numbers` };
    const towards = last < first ? -Number(step) : Number(step);
    for (let index = 0; index < count; index++) numbers.push(first + index * towards);
  }
  return numbers;
}

/**
 * A message with holes: a number is a byte, a text the field that goes there. `?` is any one byte and `*` any number
 * of bytes, in patterns of what a device answers.
 */
export type MessagePart = number | string;

interface MessageForm {
  /** Fields that may stand between braces; the first parts of a complaint's advice. */
  readonly fields: readonly string[];
  /** Whether `?` and `*` may stand for bytes that are not known. */
  readonly hasWildcards?: boolean;
  /** Whether the bytes are a piece of a message: no F0 or F7 around them. */
  readonly isPiece?: boolean;
  /** Whether it must be SysEx; else any MIDI message. */
  readonly isSysex?: boolean;
}

const FIELD = /^\{([A-Za-z]+)\}$/;

/** The parts of a message written in hexadecimal: `F0 47 ? 29 {values} F7`. */
export function parseMessage(text: string, form: MessageForm): readonly MessagePart[] | Problem {
  const parts: MessagePart[] = [];
  for (const word of text.trim().split(/\s+/)) {
    const part = messagePart(word, form);
    if (typeof part === "object") return part;
    parts.push(part);
  }
  const problem = form.isPiece ? pieceProblem(parts) : frameProblem(parts, form);
  return problem === "" ? parts : { problem };
}

function messagePart(word: string, form: MessageForm): MessagePart | Problem {
  if (/^[0-9a-f]{2}$/i.test(word)) return Number.parseInt(word, 16);
  if (form.hasWildcards === true && (word === "?" || word === "*")) return word;
  const field = FIELD.exec(word)?.[1];
  if (field === undefined) {
    return { problem: `${JSON.stringify(word)} is no byte: two hexadecimal digits each, such as F0 7E 7F 06 01 F7` };
  }
  if (form.fields.includes(field)) return field;
  const known =
    form.fields.length === 0 ? "there are none here" : `known: ${form.fields.map((name) => `{${name}}`).join(" ")}`;
  return { problem: `{${field}} is no field; ${known}` };
}

function pieceProblem(parts: readonly MessagePart[]): string {
  const high = parts.find((part) => typeof part === "number" && part > 0x7f);
  return high === undefined ? "" : `${hex(high)} is no data byte: 00 to 7F`;
}

function frameProblem(parts: readonly MessagePart[], form: MessageForm): string {
  const first = parts[0] as MessagePart;
  if (first !== 0xf0) return form.isSysex === true ? "must begin with F0 and end with F7" : channelProblem(parts);
  if (parts.length < 3 || parts.at(-1) !== 0xf7) return "begins with F0, so it must end with F7 and hold something";
  return pieceProblem(parts.slice(1, -1));
}

/** Data bytes behind 8n, 9n ... En. */
const DATA_BYTES = [2, 2, 2, 2, 1, 1, 2];

function channelProblem(parts: readonly MessagePart[]): string {
  const [status, ...data] = parts;
  if (typeof status !== "number" || status < 0x80 || status > 0xef) {
    return "must begin with a status byte, 80 to EF, or with F0 for SysEx";
  }
  const count = DATA_BYTES[(status >> 4) - 8] as number;
  if (data.length !== count)
    return `${hex(status)} is followed by ${count === 1 ? "1 byte" : `${count} bytes`}, not ${data.length}`;
  return pieceProblem(data);
}

function hex(part: MessagePart): string {
  return typeof part === "number" ? part.toString(16).toUpperCase().padStart(2, "0") : part;
}
