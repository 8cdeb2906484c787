import { beforeEach, describe, expect, it } from "vitest";
import { bend, ControlCurve, unbend } from "../../../src/input/control-curve.js";
import { gap, rearm, stand, take, TAKEOVER_DOUBLES, TakeoverMode } from "../../../src/input/takeover.js";

/** A control of one mode, and the value that it moves. */
class Fader {
  readonly mode: TakeoverMode;
  value: number;
  readonly states = new Float64Array(TAKEOVER_DOUBLES);

  constructor(mode: TakeoverMode, value: number) {
    this.mode = mode;
    this.value = value;
    rearm(this.states, 0);
  }

  /** Moves the control to each position; answers the value after each. */
  moves(...positions: readonly number[]): number[] {
    return positions.map((position) => {
      const ways = Float64Array.of(position, this.value);
      if (take(this.mode, this.states, 0, ways, 0)) this.value = ways[0] as number;
      return Math.round(this.value * 1_000) / 1_000;
    });
  }

  get gap(): number {
    return gap(this.mode, this.states, 0, this.value, 0);
  }
}

describe("jump", () => {
  it("takes every move at once", () => {
    expect(new Fader(TakeoverMode.jump, 0.9).moves(0.1, 0.2, 0)).toEqual([0.1, 0.2, 0]);
  });
});

describe("pick-up", () => {
  let fader: Fader;
  beforeEach(() => {
    fader = new Fader(TakeoverMode.pickup, 0.5);
  });

  it("leaves the value alone until the control reaches it, and then holds it", () => {
    expect(fader.moves(0.1, 0.3, 0.495, 0.6, 0.2)).toEqual([0.5, 0.5, 0.495, 0.6, 0.2]);
  });

  it("is not missed by a move so fast that no message comes near the value (pick-up skipped by a fast move)", () => {
    expect(fader.moves(0.1, 0.9)).toEqual([0.5, 0.9]);
    expect(new Fader(TakeoverMode.pickup, 0.5).moves(0.9, 0.1)).toEqual([0.5, 0.1]);
  });

  it("has to find the value again after somebody else moved it, but not after its own moves", () => {
    expect(fader.moves(0.5, 0.6)).toEqual([0.5, 0.6]);
    fader.value = 0.1;
    expect(fader.moves(0.7, 0.5, 0.05)).toEqual([0.1, 0.1, 0.05]);
  });

  it("has to find it again once it is armed anew, and does not take the first position for a move", () => {
    fader.moves(0.5);
    rearm(fader.states, 0);
    expect(fader.moves(0.9, 0.8)).toEqual([0.5, 0.5]);
  });

  it("shows how far and which way the control has to go", () => {
    expect(fader.gap).toBe(0);
    fader.moves(0.2);
    expect(fader.gap).toBeCloseTo(0.3);
    fader.moves(0.8, 0.7);
    expect(fader.gap).toBe(0);
  });

  it("shows it at once when somebody else moves the value from under it", () => {
    fader.moves(0.5, 0.6);
    fader.value = 0.1;
    expect(fader.gap).toBeCloseTo(-0.5);
    fader.value = 0.6;
    expect(fader.gap).toBe(0);
  });

  it("starts from where the device said that the control stands: that moves nothing, and the first move may cross", () => {
    stand(fader.states, 0, 0.2);
    expect([fader.value, fader.gap]).toEqual([0.5, expect.closeTo(0.3)]);
    expect(fader.moves(0.9)).toEqual([0.9]);
  });
});

describe("scale", () => {
  it("moves the value in proportion to the way that is left, so that both meet at the end", () => {
    const fader = new Fader(TakeoverMode.scale, 0.5);
    expect(fader.moves(0, 0.4, 1)).toEqual([0.5, 0.7, 1]);
    expect(fader.moves(0.5, 0)).toEqual([0.5, 0]);
  });

  it("never leaves 0 to 1", () => {
    const fader = new Fader(TakeoverMode.scale, 1);
    expect(fader.moves(1, 0.5, 0.4, 0.9, 1).every((value) => value >= 0 && value <= 1)).toBe(true);
  });
});

describe("relative", () => {
  it("moves the value by as much as the control moved, and stops at the ends", () => {
    expect(new Fader(TakeoverMode.relative, 0.5).moves(0.9, 1, 0.2, 0, 0.3)).toEqual([0.5, 0.6, 0, 0, 0.3]);
  });
});

describe("a curve", () => {
  it.each(Object.entries(ControlCurve))("%s rises from 0 to 1 and can be followed backwards", (_, curve) => {
    const ways = new Float64Array(1);
    let before = -1;
    for (let step = 0; step <= 128; step++) {
      ways[0] = step / 128;
      bend(curve, ways, 0);
      const bent = ways[0];
      if (step % 128 === 0) expect(bent).toBe(step / 128);
      expect(bent).toBeGreaterThan(before);
      unbend(curve, ways, 0);
      expect(ways[0]).toBeCloseTo(step / 128, 6);
      before = bent;
    }
  });
});
