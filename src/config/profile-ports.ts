/**
 * Profile ports: the names under which systems show a device's ports, as patterns.
 *
 * Systems name ports differently, so a profile may say patterns for each; a plain name stands for what they usually
 * make of it. Patterns are matched against names without ALSA's `Client:` before and ` 16:0` after, without Windows's
 * `2- ` of a second equal device, whatever the case.
 */
import type { PortPatterns, Profile } from "./profile.js";
import type { Report } from "./profile-notation.js";
import type { ProfileFile } from "./profile-schema.js";

/** What systems put behind the name of a device that has one port. */
const USUAL = {
  windows: String.raw`(?: \d+)?`,
  linux: String.raw`(?: \d+)?(?: MIDI \d+)?(?: \[hw:\d+,\d+(?:,\d+)?\])?`,
  macos: String.raw`(?: \d+)?`,
} as const;
const SYSTEMS = ["windows", "linux", "macos"] as const;
export type System = (typeof SYSTEMS)[number];

export function expandPorts(ports: ProfileFile["ports"], report: Report): Profile["ports"] {
  return {
    windows: patternsOf("windows", ports, report),
    linux: patternsOf("linux", ports, report),
    macos: patternsOf("macos", ports, report),
  };
}

function patternsOf(system: System, ports: ProfileFile["ports"], report: Report): PortPatterns {
  if (ports === undefined) return { in: [], out: [] };
  if (Array.isArray(ports)) {
    const patterns = ports.map((name) => new RegExp(`^${literal(name)}(?:${usualOf(system, name)})$`, "i"));
    return { in: patterns, out: patterns };
  }
  const sides = ports[system];
  if (Array.isArray(sides)) {
    const patterns = compile(sides, ["ports", system], report);
    return { in: patterns, out: patterns };
  }
  return {
    in: compile(sides.in, ["ports", system, "in"], report),
    out: compile(sides.out, ["ports", system, "out"], report),
  };
}

function compile(patterns: readonly string[], place: readonly string[], report: Report): RegExp[] {
  return patterns.flatMap((pattern, index) => {
    try {
      return [new RegExp(pattern, "i")];
    } catch (error) {
      report([...place, index], `is no regular expression: ${(error as Error).message}`);
      return [];
    }
  });
}

/** ALSA puts the jack's name, cut, behind the card's: that mostly begins like it. */
function usualOf(system: System, name: string): string {
  const [word = ""] = name.split(" ");
  return system === "linux" ? `${USUAL.linux}| ${literal(word)}.*` : USUAL[system];
}

function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}
