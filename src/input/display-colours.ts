/**
 * Display colours: the colours of a text display's cells, which one message sets for all of them.
 *
 * A cell is as its control's binding is coloured. One that nothing is bound to is white, as devices have it: black would
 * leave whatever is written there next unseen.
 */
import type { ProfileDisplay } from "../config/profile.js";
import { codeOfText } from "./display-cell.js";
import { fillForm } from "./sysex-form.js";
import type { SurfaceLook } from "./surface-look.js";
import type { SurfaceOutput } from "./surface-output.js";

type Bits = NonNullable<ProfileDisplay["bits"]>;

export class DisplayColours implements SurfaceOutput {
  readonly key: string;
  readonly most = 0;
  private readonly display: ProfileDisplay;
  private readonly cells: Uint8Array;
  private readonly bits: Bits;

  constructor(display: ProfileDisplay, bits: Bits) {
    this.key = `colours ${display.name}`;
    this.display = display;
    this.bits = bits;
    this.cells = new Uint8Array(display.cells);
    this.bleach();
  }

  /** All white. */
  bleach(): void {
    const { red, green, blue } = this.bits;
    this.cells.fill(red | green | blue);
  }

  /** `cell`: from 1. A part of the colour is on when it is more than half of the strongest. */
  paint(cell: number, { red, green, blue }: SurfaceLook): void {
    const half = Math.max(red, green, blue) / 2;
    const { bits } = this;
    const on = (part: number, bit: number): number => (part > half ? bit : 0);
    this.cells[cell - 1] = on(red, bits.red) | on(green, bits.green) | on(blue, bits.blue);
  }

  codeOf(): number {
    return codeOfText(String.fromCharCode(...this.cells));
  }

  messages(): Uint8Array[] {
    return [fillForm(this.display.colours ?? [], { colours: [...this.cells] })];
  }
}
