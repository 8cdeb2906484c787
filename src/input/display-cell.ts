/**
 * Display cell: a control's part of a text display: the path's name above, its value below.
 *
 * Displays know ASCII and a few characters in a cell. Of two rows only the one that changed is sent again: a value that
 * moves must not take the pace of a device for a name that stays.
 */
import type { ProfileDisplay } from "../config/profile.js";
import { fillForm } from "./sysex-form.js";
import type { SurfaceLook } from "./surface-look.js";
import type { SurfaceOutput } from "./surface-output.js";

export class DisplayCell implements SurfaceOutput {
  readonly key: string;
  readonly most = 0;
  private readonly display: ProfileDisplay;
  private readonly cell: number;
  private readonly width: number;
  /** What is to be written, row by row, and what was. */
  private rows: readonly string[] = [];
  private written: readonly string[] = [];

  /** `cell`: from 1. */
  constructor(display: ProfileDisplay, cell: number) {
    this.key = `display ${display.name} ${cell}`;
    this.display = display;
    this.cell = cell - 1;
    this.width = Math.max(1, Math.floor(display.columns / display.cells));
  }

  /** A control that has to find its value first is told the way: > up, < down. */
  codeOf({ name, value, gap }: SurfaceLook): number {
    const seek = gap === 0 ? "" : gap > 0 ? ">" : "<";
    const said = seek + value;
    const rows = this.display.rows === 1 ? [said] : [name, said];
    this.rows = rows.map((text) => this.fit(text));
    return codeOfText(this.rows.join("\n"));
  }

  messages(_code: number, isFirst: boolean): Uint8Array[] {
    const changed = this.rows.flatMap((text, row) =>
      isFirst || text !== this.written[row] ? [this.message(text, row)] : [],
    );
    this.written = this.rows;
    return changed;
  }

  private message(text: string, row: number): Uint8Array {
    const { display, cell, width } = this;
    const position = (row * display.columns + cell * width) & 0x7f;
    const bytes = Array.from(text, (character) => character.charCodeAt(0));
    return fillForm(display.text, { position, cell, row, text: bytes });
  }

  /** As wide as the cell, the last character kept blank where another cell follows. */
  private fit(text: string): string {
    const room = this.display.cells > 1 && this.width > 2 ? this.width - 1 : this.width;
    return asciiOf(text).slice(0, room).padEnd(this.width);
  }
}

/** Equal texts have equal codes, also those of a cell that was made anew: FNV-1a, to 30 bits. */
export function codeOfText(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 2;
}

/** Letters lose their accents; what is no ASCII then is a question mark. */
function asciiOf(text: string): string {
  return text
    .normalize("NFD")
    .replace(/\p{M}/gu, "")
    .replace(/[^ -~]/gu, "?");
}
