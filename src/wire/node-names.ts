/**
 * Node names: a node id's eight bytes as text. Lists name every node of the mesh again and again, so what was read
 * lately is kept and a name that comes again is the same string. Bounded; forgetting costs time and nothing else.
 */
const SLOTS = 1_024;
const kept = new Array<string>(SLOTS).fill("");
const words = new Int32Array(SLOTS * 2);

/** 16 hex digits of two 32-bit words, the higher first; "" for zeros. */
export function nodeText(high: number, low: number): string {
  if ((high | low) === 0) return "";
  const slot = (Math.imul(high ^ (low >>> 16), 0x9e3779b1) ^ low) & (SLOTS - 1);
  const known = kept[slot] as string;
  if (words[slot * 2] === high && words[slot * 2 + 1] === low) return known;
  const text = hexOf(high) + hexOf(low);
  kept[slot] = text;
  words[slot * 2] = high;
  words[slot * 2 + 1] = low;
  return text;
}

function hexOf(word: number): string {
  return (word >>> 0).toString(16).padStart(8, "0");
}
