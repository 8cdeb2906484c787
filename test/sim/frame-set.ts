/**
 * FrameSet: which frames of one stream there were, a bit each: a hundred nodes note every frame that they get.
 */
const FIRST_WORDS = 64;

export class FrameSet {
  private words = new Int32Array(FIRST_WORDS);

  add(frame: number): void {
    const word = frame >>> 5;
    if (word >= this.words.length) this.grow(word);
    this.words[word] = (this.words[word] as number) | (1 << (frame & 31));
  }

  has(frame: number): boolean {
    return ((this.words[frame >>> 5] ?? 0) & (1 << (frame & 31))) !== 0;
  }

  clear(): void {
    this.words.fill(0);
  }

  private grow(word: number): void {
    const words = new Int32Array(Math.max(word + 1, this.words.length * 2));
    words.set(this.words);
    this.words = words;
  }
}
