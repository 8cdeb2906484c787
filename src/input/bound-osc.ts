/**
 * Bound OSC: what the OSC input does with messages that bindings listen to: they move paths, and whoever sent them is
 * shown what they moved.
 */
import type { Bindings, OscWay } from "./bindings.js";
import type { ControlSink } from "./control-moves.js";
import type { Feedback } from "./feedback.js";
import type { OscOrigin } from "./osc-feedback.js";
import type { OscControls } from "./osc-input.js";

export class BoundOsc implements OscControls {
  private readonly bindings: Bindings;
  private readonly feedback: Feedback;

  constructor(bindings: Bindings, feedback: Feedback) {
    this.bindings = bindings;
    this.feedback = feedback;
  }

  get listensToOsc(): boolean {
    return this.bindings.listensToOsc;
  }

  hearsOsc(address: string): boolean {
    return this.bindings.hearsOsc(address) || this.feedback.osc.hears(address);
  }

  onOsc(address: string, wayOf: OscWay, surface: number, sink: ControlSink, origin: OscOrigin): void {
    // Before anything moves: it is the hand's, and not sent back.
    if (this.feedback.osc.hears(address)) this.feedback.osc.heard(address, wayOf, origin);
    this.bindings.onOsc(address, wayOf, surface, sink);
  }
}
