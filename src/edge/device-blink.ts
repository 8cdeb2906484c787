/**
 * Device blink: lets all lights of a device blink, so that a user sees which one an alias means.
 *
 * It opens the output itself, since mostly nothing is bound to such a device yet. Motors are left alone. What the device
 * showed before is whoever's who shows it to send again.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Profile } from "../config/profile.js";
import { outputsOf } from "../input/control-outputs.js";
import { ledFrame } from "../input/led-code.js";
import type { MidiPort } from "../input/midi-port.js";
import { SurfaceLook } from "../input/surface-look.js";
import type { SurfaceOutput } from "../input/surface-output.js";
import { fillForm } from "../input/sysex-form.js";
import type { MidiSystem } from "./midi-system.js";
import { messageOf } from "./trouble.js";

const BLINKS = 4;
/** How long it is on, and off. */
const HALF_MS = 250;

/** Answers when it is over, with why it could not be done, as a sentence's end; "" when it was. */
export async function blinkDevice(
  system: MidiSystem,
  output: MidiPort | undefined,
  profile: Profile | undefined,
): Promise<string> {
  if (output === undefined) return "is not plugged in, or has no output";
  const lights = profile === undefined ? [] : lightsOf(profile);
  if (profile === undefined || lights.length === 0) return "has no light that a profile knows";
  try {
    const port = system.openOutput(output);
    try {
      for (const message of profile.init) port.send(fillForm(message, {}));
      for (let blink = 0; blink < 2 * BLINKS; blink++) {
        for (const message of messagesOf(lights, blink % 2 === 0)) {
          port.send(message);
          if (profile.pacing.gapMs > 0) await delay(profile.pacing.gapMs);
        }
        await delay(HALF_MS);
      }
    } finally {
      port.close();
    }
  } catch (error) {
    return `cannot be written to: ${messageOf(error)}`;
  }
  return "";
}

/** What only shows: LEDs and rings, not displays' cells, of which blank ones are nothing to see. */
function lightsOf(profile: Profile): SurfaceOutput[] {
  return [...profile.controls.values()]
    .filter(({ led, ring }) => led !== undefined || ring !== undefined)
    .flatMap((control) => outputsOf({ ...control, hasMotor: false, display: undefined, meter: undefined }, profile));
}

function messagesOf(lights: readonly SurfaceOutput[], isOn: boolean): Uint8Array[] {
  const look = new SurfaceLook();
  look.isShown = isOn;
  look.way = isOn ? 1 : 0;
  return lights.flatMap((light) => {
    const code = light.codeOf(look);
    const block = light.batch?.block(code);
    if (light.batch === undefined || block === undefined) return [...light.messages(code, true)];
    return [ledFrame(light.batch.sysex, [block])];
  });
}
