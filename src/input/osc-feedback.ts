/**
 * OSC feedback: surfaces that speak OSC are shown what their controls move, at the controls' own addresses.
 *
 * A surface is whoever sent a bound address or asked for it with `/hana/surface`; it is answered at the port that it
 * named, at its subscription's, or at the one that it sent from. Each has an image of its own, so that nothing goes back
 * to the hand that moved it, and a control that is under a finger is left alone. Pages, labels and colours go to those
 * that ask. Surfaces are bounded, and whoever is silent longest is forgotten first.
 */
import { LRUCache } from "lru-cache";
import type { Clock } from "../base/clock.js";
import type { Announcement, OscText, ProfileControl } from "../config/profile.js";
import type { OscWay } from "./bindings.js";
import { HandHold } from "./hand-hold.js";
import { NO_CONNECTION, type OscSender, type OscTarget } from "./osc-target.js";
import type { OscPage } from "./osc-page.js";
import { OscWriter } from "./osc-writer.js";
import { IMAGE_HZ, type ImageEntry, SurfaceImage } from "./surface-image.js";
import { SurfaceLook } from "./surface-look.js";
import type { SurfaceOutput } from "./surface-output.js";

/** Surfaces that are shown something at a time. */
export const OSC_SURFACES_MAX = 64;
const PACKET_BYTES = 4_096;
/** How finely places are told apart: finer than a float's way of 0..1 on a screen, and exact in one. */
const PLACES = 32_767;
/** Bits of a second argument's place beside the first's. */
const SHIFT = 15;

/** What an argument of an address shows. */
export interface OscShown {
  readonly address: string;
  readonly argument: number;
  /** The numbers at the control's two ends. */
  readonly range: readonly [number, number];
  readonly control: ProfileControl | undefined;
  load(look: SurfaceLook): boolean;
}

/** Who sent a message. */
export interface OscOrigin {
  /** Where the answer to it would go. */
  readonly target: OscTarget;
  /** Where its subscription's messages go, if it has one. */
  readonly subscribed: OscTarget | undefined;
}

/** What surfaces of a layout say about themselves. */
export interface OscAnnouncements {
  readonly alias: string;
  readonly announcements: readonly Announcement[];
}

export interface OscFeedbackParts {
  readonly clock: Clock;
  readonly sender: OscSender;
  /** The controls of a layout have to find their values again. */
  readonly onRearm: (alias: string) => void;
}

export class OscFeedback {
  private readonly parts: OscFeedbackParts;
  private readonly look = new SurfaceLook();
  private readonly writer = new OscWriter(new Uint8Array(PACKET_BYTES));
  private outputs: readonly OscOutput[] = [];
  private pages: readonly OscPage[] = [];
  private byAddress = new Map<string, number>();
  private touches = new Map<string, number>();
  private announced: readonly { readonly alias: string; readonly pattern: RegExp; readonly rearms: boolean }[] = [];
  private readonly surfaces = new LRUCache<string, OscFeedbackSurface>({ max: OSC_SURFACES_MAX });
  /** Theirs, in an array: a turn allocates nothing. */
  private images: readonly SurfaceImage[] = [];
  /** By host and port, and by host alone: where the surface that asked there (last) listens. */
  private readonly asked = new LRUCache<string, OscTarget>({ max: OSC_SURFACES_MAX });

  constructor(parts: OscFeedbackParts) {
    this.parts = parts;
  }

  /** Sets what is shown, and answers for each which output it is of. More than two arguments show nothing: -1. */
  show(shown: readonly OscShown[], layouts: readonly OscAnnouncements[], pages: readonly OscPage[]): number[] {
    this.pages = pages;
    this.announced = layouts.flatMap(({ alias, announcements }) =>
      announcements.flatMap(({ osc, rearm }) =>
        osc === undefined ? [] : [{ alias, pattern: announcementPattern(osc), rearms: rearm }],
      ),
    );
    const byAddress = new Map<string, OscShown[]>();
    for (const one of shown) {
      const list = byAddress.get(one.address) ?? [];
      list.push(one);
      byAddress.set(one.address, list);
    }
    const outputs = [...byAddress].flatMap(([address, list]) =>
      list.every(({ argument }) => argument < 2) ? [new OscOutput(address, list, this.writer)] : [],
    );
    this.outputs = outputs;
    this.byAddress = new Map(outputs.map(({ key }, index) => [key, index]));
    this.touches = new Map(
      outputs.flatMap(({ touch }, index) => (touch === undefined ? [] : [[touch, index] as const])),
    );
    for (const surface of this.surfaces.values()) surface.show(outputs);
    return shown.map(({ address }) => this.byAddress.get(address) ?? -1);
  }

  /** Whether a message with this address says something here: a control's place, a touch, another page. */
  hears(address: string): boolean {
    if (this.byAddress.has(address) || this.touches.has(address)) return true;
    return this.announced.some(({ pattern }) => pattern.test(address));
  }

  /** A surface said something that `hears`. */
  heard(address: string, wayOf: OscWay, origin: OscOrigin): void {
    const surface = this.surfaceOf(this.listeningAt(origin));
    for (const { alias, pattern, rearms } of this.announced) {
      if (!pattern.test(address)) continue;
      this.ask(surface.target);
      if (rearms) this.parts.onRearm(alias);
    }
    const touched = this.touches.get(address);
    if (touched !== undefined) surface.touch(touched, wayOf(0, 0, 1) >= 0.5);
    const moved = this.byAddress.get(address);
    if (moved !== undefined) surface.move(moved, (this.outputs[moved] as OscOutput).codeFrom(wayOf));
  }

  /** Where a sender listens: at its subscription's port, at the one that was asked for from its host, or at its own. */
  private listeningAt({ target, subscribed }: OscOrigin): OscTarget {
    if (target.connection !== NO_CONNECTION) return target;
    return this.asked.get(hostPort(target)) ?? subscribed ?? this.asked.get(target.address) ?? target;
  }

  /** A surface asks to be shown everything, with pages, labels and colours. */
  ask(target: OscTarget): void {
    if (target.connection === NO_CONNECTION) {
      this.asked.set(target.address, target);
      this.asked.set(hostPort(target), target);
    }
    const surface = this.surfaceOf(target);
    for (const page of this.pages) this.parts.sender.send(target, ...this.pagePacket(page));
    for (const output of this.outputs) {
      for (const packet of output.captions(this.look)) this.parts.sender.send(target, packet, packet.length);
    }
    surface.image.repaint();
  }

  /** Without the choices where they are longer than a packet. */
  private pagePacket({ path, open, choices }: OscPage): [Uint8Array, number] {
    const { writer } = this;
    const write = (texts: readonly string[]): void => {
      writer.reset();
      writer.begin("/hana/page", "s".repeat(texts.length));
      for (const text of texts) writer.string(text);
      writer.end();
    };
    write([path, open, ...choices]);
    if (writer.overflow) write([path, open]);
    const packet = writer.packet().slice();
    return [packet, packet.length];
  }

  private surfaceOf(target: OscTarget): OscFeedbackSurface {
    const key = `${hostPort(target)} ${target.connection}`;
    const known = this.surfaces.get(key);
    if (known !== undefined) return known;
    const made = new OscFeedbackSurface(target, this.parts, this.look);
    this.surfaces.set(key, made);
    made.show(this.outputs);
    this.images = Array.from(this.surfaces.values(), ({ image }) => image);
    return made;
  }

  mark(output: number): void {
    for (const image of this.images) image.mark(output);
  }

  repaint(): void {
    for (const image of this.images) image.repaint();
  }

  pump(): void {
    for (const image of this.images) image.pump();
  }

  get dueUs(): number {
    let due = Number.POSITIVE_INFINITY;
    for (const image of this.images) due = Math.min(due, image.dueUs);
    return due;
  }
}

/** One of them: where it listens, and what it shows. */
class OscFeedbackSurface {
  readonly target: OscTarget;
  readonly image: SurfaceImage;
  private readonly clock: Clock;
  private readonly hands = new Map<string, HandHold>();
  private entries: readonly ImageEntry[] = [];

  constructor(target: OscTarget, { clock, sender }: OscFeedbackParts, look: SurfaceLook) {
    const send = (packet: Uint8Array): boolean => {
      sender.send(target, packet, packet.length);
      return true;
    };
    this.target = target;
    this.clock = clock;
    this.image = new SurfaceImage({ clock, hz: IMAGE_HZ, sink: { send, waiting: () => 0 } }, look);
    this.image.open();
  }

  show(outputs: readonly OscOutput[]): void {
    this.entries = outputs.map((output) => {
      const hand =
        this.hands.get(output.key) ?? new HandHold(this.clock, { isEchoed: output.isEchoed, hasMotor: false });
      this.hands.set(output.key, hand);
      return { output, hand, near: output.near, load: (look) => output.load(look) };
    });
    this.image.setEntries(this.entries);
  }

  move(output: number, code: number): void {
    this.entries[output]?.hand?.report(code);
    this.image.mark(output);
  }

  touch(output: number, isTouched: boolean): void {
    this.entries[output]?.hand?.touch(isTouched);
    this.image.mark(output);
  }
}

/** A message that a surface takes for what it sends: one number, or the two of a field. */
class OscOutput implements SurfaceOutput {
  readonly key: string;
  readonly most = PLACES;
  readonly near = 0;
  readonly touch: string | undefined;
  readonly isEchoed: boolean;
  private readonly shown: readonly OscShown[];
  private readonly writer: OscWriter;
  private readonly count: number;
  private readonly ways = [0, 0];

  constructor(address: string, shown: readonly OscShown[], writer: OscWriter) {
    this.key = address;
    this.shown = shown;
    this.writer = writer;
    this.count = 1 + Math.max(...shown.map(({ argument }) => argument));
    const touches = shown.flatMap(({ control }) => control?.touch ?? []);
    this.touch = touches.flatMap((touch) => ("address" in touch ? touch.address : []))[0];
    this.isEchoed = shown.some(({ control }) => control?.selfEcho === true);
  }

  load(look: SurfaceLook): void {
    this.ways.fill(0);
    this.eachShown(look, ({ argument }) => (this.ways[argument] = look.way));
  }

  /** Of several bindings of an argument the first that shows something counts; `look` holds it meanwhile. */
  private eachShown(look: SurfaceLook, visit: (one: OscShown) => void): void {
    const seen = new Set<number>();
    for (const one of this.shown) {
      if (seen.has(one.argument) || !one.load(look)) continue;
      seen.add(one.argument);
      visit(one);
    }
  }

  codeOf(): number {
    return this.coded();
  }

  /** The code of a message that the surface sent. */
  codeFrom(wayOf: OscWay): number {
    for (const { argument, range } of this.shown)
      this.ways[argument] = Math.min(1, Math.max(0, wayOf(argument, range[0], range[1])));
    return this.coded();
  }

  private coded(): number {
    const [first, second] = this.ways.map((way) => Math.round(way * PLACES)) as [number, number];
    return this.count === 1 ? first : (first << SHIFT) | second;
  }

  messages(): Uint8Array[] {
    const { writer, count } = this;
    writer.reset();
    writer.begin(this.key, "f".repeat(count));
    for (let argument = 0; argument < count; argument++) {
      const [low, high] = this.shown.find((one) => one.argument === argument)?.range ?? [0, 1];
      writer.float(low + (high - low) * (this.ways[argument] as number));
    }
    writer.end();
    return [writer.packet().slice()];
  }

  /** What is written beside it, and its colour; the path's name where no profile says how. */
  captions(look: SurfaceLook): Uint8Array[] {
    const packets: Uint8Array[] = [];
    this.eachShown(look, ({ control }) => {
      const { label, colour } = control ?? {};
      const own = { address: "/hana/label", arguments: [this.key, "{text}", "{colour}"] };
      for (const text of label === undefined && colour === undefined ? [own] : [label, colour])
        if (text !== undefined) packets.push(this.text(text, look.name, hexOf(look)));
    });
    return packets;
  }

  private text({ address, arguments: texts }: OscText, text: string, colour: string): Uint8Array {
    const { writer } = this;
    writer.reset();
    writer.begin(address, "s".repeat(texts.length));
    for (const one of texts) writer.string(one.replaceAll("{text}", text).replaceAll("{colour}", colour));
    writer.end();
    return writer.packet().slice();
  }
}

function hostPort({ address, port }: OscTarget): string {
  return `${address}:${port}`;
}

/** `/{value}` says that any one part may stand there. */
function announcementPattern(osc: string): RegExp {
  const parts = osc.split("{value}").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join("[^/]+")}$`);
}

function hexOf({ red, green, blue }: SurfaceLook): string {
  const hex = (part: number): string =>
    Math.round(part * 255)
      .toString(16)
      .padStart(2, "0");
  return `#${hex(red)}${hex(green)}${hex(blue)}`;
}
