/**
 * Line source: lines of JSON that one reader of an endless answer has still to get.
 *
 * Whoever writes them out sets `isSlow` while the reader does not keep up; what is done with lines then is for the source
 * to say, but it holds no more than it said it would.
 */
export interface LineSource {
  isSlow: boolean;
  readonly isEmpty: boolean;
  /** The next lines, each with its end; "" for none. */
  take(): string;
}
