/**
 * Surface look: what a bound control is to show, whatever the device shows it with.
 *
 * One reused object that whoever knows the value fills and each output of the device reads. Numbers of 0..1.
 */
export class SurfaceLook {
  /** Where the control would stand for the value that is there. */
  way = 0;
  /** Its colour while it is on. */
  red = 1;
  green = 1;
  blue = 1;
  /** What is written about it: the path's name, and its value. */
  name = "";
  value = "";

  /** What knows only on and off is on from half of the way. */
  get isOn(): boolean {
    return this.way >= 0.5;
  }

  /** What is bound to nothing that is there. */
  clear(): void {
    this.way = 0;
    this.name = "";
    this.value = "";
  }
}

/** Sets the colour; of what has no three parts, white. */
export function paint(look: SurfaceLook, [red = 1, green = 1, blue = 1]: readonly number[]): void {
  look.red = red;
  look.green = green;
  look.blue = blue;
}
