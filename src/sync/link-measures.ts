/**
 * Link measures: what this node measured of its way to the controller. Whoever measures writes it; reports carry it.
 */
export class LinkMeasures {
  /** To the controller and back, in microseconds; -1 while it is not measured. */
  roundTripUs = -1;
  /** How far this node's clock is ahead of the mesh's time, and how wrong that may be; bound -1: unknown. */
  clockOffsetUs = 0;
  clockBoundUs = -1;
}
