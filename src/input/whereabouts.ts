/**
 * Whereabouts: where the controls of devices stand that say so by themselves, for bindings that are made later.
 *
 * A device tells it once, when it is spoken to first; from then on its controls' own moves say so, bound or not: a place
 * that a hand has left would let the next move seem to cross a value. What a device did not report is not kept. A move
 * of a control that is known allocates nothing.
 */
export class Whereabouts {
  /** By alias and the control's message (`messageKey`): where it stands, 0..1. */
  private readonly devices = new Map<string, Map<number, Float64Array>>();

  /** Whether any device has said anything: if not, moves need not be told. */
  get isEmpty(): boolean {
    return this.devices.size === 0;
  }

  /** A device said that a control stands at `hand[0]`. */
  report(alias: string, key: number, hand: Float64Array): void {
    const places = this.devices.get(alias) ?? new Map<number, Float64Array>();
    this.devices.set(alias, places.set(key, Float64Array.of(hand[0] as number)));
  }

  /** A hand moved a control to `hand[0]`. */
  move(alias: string, key: number, hand: Float64Array): void {
    const place = this.devices.get(alias)?.get(key);
    if (place !== undefined) place[0] = hand[0] as number;
  }

  /** Tells where every control stands, each with `hand[0]` set. */
  each(hand: Float64Array, tell: (alias: string, key: number) => void): void {
    for (const [alias, places] of this.devices) {
      for (const [key, place] of places) {
        hand[0] = place[0] as number;
        tell(alias, key);
      }
    }
  }

  /** The device went away, or its controls are others now. */
  forget(alias: string): void {
    this.devices.delete(alias);
  }

  /** Only devices with these aliases are there still. */
  keep(aliases: ReadonlySet<string>): void {
    for (const alias of this.devices.keys()) if (!aliases.has(alias)) this.devices.delete(alias);
  }
}
