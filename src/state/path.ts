/**
 * Path: the address of one value, which is its OSC address, such as `/viz/tunnel/camera/zoom`.
 *
 * One place says which texts are paths, so that what one node declares every other node, OSC peer, file and page can
 * hold. It judges and cuts texts; it never looks anything up and never throws.
 */
import { COMPONENTS, componentOf } from "./component.js";

export const PATH_MAX_BYTES = 255;
export const PATH_MAX_SEGMENTS = 16;

/** Printable ASCII without the characters that OSC 1.0 keeps for patterns: space # * , / ? [ ] { } */
const SEGMENT = /^[!-~]+$/;
const RESERVED = /[#*,/?[\]{}]/;
/** By character code: 1 for what a segment may hold. */
const PLAIN = Uint8Array.from({ length: 128 }, (_, code) => {
  const character = String.fromCharCode(code);
  return SEGMENT.test(character) && !RESERVED.test(character) ? 1 : 0;
});
const SLASH = 0x2f;
const UNDERSCORE = 0x5f;

/**
 * What is wrong with `text` as a path, or "" for a path: an OSC address (OSC 1.0) of 2 to 16 segments and at most
 * 255 bytes inside one of the ten top subtrees. The subtree itself holds no value.
 */
export function validatePath(text: string): string {
  const problem = validateAddress(text);
  if (problem !== "") return problem;
  if (componentOf(text) < 0) return `begins with none of /${COMPONENTS.join(", /")}`;
  return text.includes("/", 1) ? "" : "names a whole subtree, not a value in it";
}

/** What is wrong with `text` as an OSC address without a pattern, or "": a path's rules, wherever it lies. */
export function validateAddress(text: string): string {
  if (text.charCodeAt(0) !== 0x2f) return "does not begin with /";
  if (text.length > PATH_MAX_BYTES) return "is longer than 255 bytes";
  return isPlain(text) ? "" : addressProblem(text);
}

/** Whether it is an address beyond doubt: what every path of an image is asked. `__proto__` begins with a doubt. */
function isPlain(text: string): boolean {
  let segments = 0;
  let length = 1;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === SLASH) {
      if (length === 0) return false;
      segments++;
      length = 0;
    } else if (PLAIN[code] === 1 && !(length === 0 && code === UNDERSCORE)) length++;
    else return false;
  }
  return length > 0 && segments <= PATH_MAX_SEGMENTS;
}

function addressProblem(text: string): string {
  const segments = segmentsOf(text);
  if (segments.length > PATH_MAX_SEGMENTS) return "has more than 16 segments";
  for (const segment of segments) {
    const problem = validateSegment(segment);
    if (problem !== "") return problem;
  }
  return "";
}

/** What is wrong with `text` as one segment of a path, or "". */
export function validateSegment(text: string): string {
  if (text === "") return "has an empty segment";
  if (!SEGMENT.test(text)) return "holds a space or a character that is not printable ASCII";
  if (RESERVED.test(text)) return "holds one of # * , / ? [ ] { }, which OSC keeps for patterns";
  // Trees of paths become JSON objects at the rim, where this name would reach an object's prototype.
  if (text === "__proto__") return "has a segment __proto__";
  return "";
}

/** The segments of a path or address: `/viz/tunnel` has `viz` and `tunnel`. */
export function segmentsOf(path: string): string[] {
  return path.slice(1).split("/");
}
