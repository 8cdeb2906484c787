/**
 * Random: chance as a seeded sequence (xoshiro128**), so that one seed decides everything in a simulation.
 *
 * For delays and ids of no secrecy. Never for keys, nonces or sessions: those come from the system through a port.
 */
export class Random {
  private readonly words = new Uint32Array(4);

  constructor(seed: number) {
    let state = seed >>> 0;
    for (let index = 0; index < 4; index++) {
      // SplitMix32 spreads a small seed over the whole state.
      state = (state + 0x9e3779b9) >>> 0;
      let word = state ^ (state >>> 16);
      word = Math.imul(word, 0x21f0aaad);
      word = Math.imul(word ^ (word >>> 15), 0x735a2d97);
      this.words[index] = word ^ (word >>> 15);
    }
  }

  /** A number in [0, 1). */
  next(): number {
    const { words } = this;
    const result = Math.imul(rotate(Math.imul(words[1] as number, 5), 7), 9) >>> 0;
    const shifted = (words[1] as number) << 9;
    words[2] = (words[2] as number) ^ (words[0] as number);
    words[3] = (words[3] as number) ^ (words[1] as number);
    words[1] = (words[1] as number) ^ (words[2] as number);
    words[0] = (words[0] as number) ^ (words[3] as number);
    words[2] = (words[2] as number) ^ shifted;
    words[3] = rotate(words[3] as number, 11);
    return result / 0x1_0000_0000;
  }
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
