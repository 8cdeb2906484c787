/**
 * Foreign keys: which addresses keep sending frames of our mesh that our key does not open, so that a person is told
 * what to do about it. The clear header is no proof of anything: this only ever leads to a line of text.
 */

/** Before an address is named: this many frames within this time, so that one stray or forged datagram says nothing. */
export const FOREIGN_FRAMES = 3;
export const FOREIGN_WINDOW_US = 10_000_000;
/** An address silent for this long is no longer listed. */
export const FOREIGN_FORGET_US = 60_000_000;
/** Addresses can be made up, so only the latest 16 are remembered. */
export const FOREIGN_ADDRESSES = 16;

interface Foreigner {
  windowStartUs: number;
  frames: number;
  lastUs: number;
  isNamed: boolean;
}

export class ForeignKeys {
  /** In order of the last frame, oldest first. */
  private readonly byAddress = new Map<string, Foreigner>();

  /** A frame with our mesh tag came from `address` and gave `wrongKey`. True when the address is to be named from now on. */
  note(address: string, nowUs: number): boolean {
    const foreigner = this.byAddress.get(address) ?? { windowStartUs: nowUs, frames: 0, lastUs: nowUs, isNamed: false };
    if (nowUs - foreigner.windowStartUs > FOREIGN_WINDOW_US) {
      foreigner.windowStartUs = nowUs;
      foreigner.frames = 0;
    }
    foreigner.frames++;
    foreigner.lastUs = nowUs;
    const becomesNamed = !foreigner.isNamed && foreigner.frames >= FOREIGN_FRAMES;
    if (becomesNamed) foreigner.isNamed = true;
    this.byAddress.delete(address);
    this.byAddress.set(address, foreigner);
    if (this.byAddress.size > FOREIGN_ADDRESSES) this.forgetOldest();
    return becomesNamed;
  }

  /** A frame from `address` did open: whoever is there has our key. */
  clear(address: string): void {
    this.byAddress.delete(address);
  }

  /** Whether anybody is remembered at all. */
  get isEmpty(): boolean {
    return this.byAddress.size === 0;
  }

  /** One sentence for each address to be named. */
  list(nowUs: number): string[] {
    const sentences: string[] = [];
    for (const [address, foreigner] of this.byAddress) {
      if (nowUs - foreigner.lastUs > FOREIGN_FORGET_US) this.byAddress.delete(address);
      else if (foreigner.isNamed) sentences.push(foreignKeySentence(address));
    }
    return sentences;
  }

  private forgetOldest(): void {
    const oldest = this.byAddress.keys().next();
    if (oldest.done !== true) this.byAddress.delete(oldest.value);
  }
}

export function foreignKeySentence(address: string): string {
  return `node at ${address} uses another key; run \`hana join\``;
}
