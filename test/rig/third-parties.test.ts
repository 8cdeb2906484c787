/** Real third parties: liblo's oscsend and oscdump, and liblo through Python, in and out, by UDP and by TCP. */
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { RunningProcess } from "../harness/process.js";
import { until } from "../harness/until.js";
import { type Lan, lanUp } from "./rig.js";

const DUMP_PORT = "9001";
/** Of a surface that sends from ports of its own on this host. */
const SURFACE_PORT = "9002";
const UDP = "osc.udp://127.0.0.1:7700";
const TCP = "osc.tcp://127.0.0.1:7700";
const SHOW = `
[viz.out]
float = { type = "float" }
double = { type = "double" }
int = { type = "int" }
bool = { type = "bool" }
string = { type = "string" }
enum = { type = "enum", values = ["one", "two", "three"] }
color = { type = "color" }
vec2 = { type = "vec2" }
vec3 = { type = "vec3" }
vec4 = { type = "vec4" }
quaternion = { type = "quaternion" }
impulse = { type = "impulse" }
blob = { type = "blob" }
`;

type Argument = readonly [tag: string, value: unknown];
interface Message {
  readonly path: string;
  readonly types: string;
  readonly args: readonly unknown[];
}

let lan: Lan;
let dump: RunningProcess;
let surface: RunningProcess;

/** liblo in Python. */
class Liblo {
  private static nextPort = 20_000;
  private readonly process: RunningProcess;
  private calls = 0;
  port = 0;

  private constructor(running: RunningProcess) {
    this.process = running;
  }

  static async open(protocol: "udp" | "tcp" = "udp"): Promise<Liblo> {
    const liblo = new Liblo(lan.spawn("h1", "/usr/bin/python3", join(import.meta.dirname, "liblo-peer.py")));
    await liblo.process.waitFor("started");
    // liblo takes a port by the second: two that follow each other would share one, and with it their subscriptions.
    liblo.port = (await liblo.call("open", protocol, Liblo.nextPort++)) as number;
    return liblo;
  }

  async call(call: string, ...args: unknown[]): Promise<unknown> {
    const id = ++this.calls;
    this.process.child.stdin?.write(`${JSON.stringify({ id, call, args })}\n`);
    const { error, value } = await this.process.waitFor((line) => line.id === id);
    if (typeof error === "string") throw new Error(error);
    return value;
  }

  get messages(): Message[] {
    return this.process.lines.filter(({ event }) => event === "message") as unknown as Message[];
  }

  /** Waits for a message, and answers those of its address so far. */
  async heard(path: string, isWanted: (message: Message) => boolean = () => true): Promise<Message> {
    await this.process.waitFor((line) => line.path === path && isWanted(line as unknown as Message));
    return this.messages.findLast((message) => message.path === path && isWanted(message)) as Message;
  }

  stop(): Promise<unknown> {
    return this.process.stop();
  }
}

beforeAll(async () => {
  lan = await lanUp(1);
  const show = lan.file("show.toml", SHOW);
  dump = lan.spawn("h1", "oscdump", "-L", DUMP_PORT);
  surface = lan.spawn("h1", "oscdump", "-L", SURFACE_PORT);
  const outputs = [`127.0.0.1:${DUMP_PORT},/viz//`, `127.0.0.1:${SURFACE_PORT},/viz/surface/*,from=127.0.0.1`];
  await lan.startNode("h1", { args: ["--show", show, ...outputs.flatMap((out) => ["--osc-out", out])] });
  await lan.inRole("h1", "controller");
});

async function oscsend(path: string, types: string, ...values: string[]): Promise<void> {
  const { code, stderr } = await lan.exec("h1", "oscsend", "127.0.0.1", "7700", path, types, ...values);
  expect([code, stderr]).toEqual([0, ""]);
}

/** What oscdump printed of an address, without the time. */
function dumped(path: string, from = dump): string[] {
  return from.stdout
    .split("\n")
    .filter((line) => line.split(" ")[1] === path)
    .map((line) => line.slice(line.indexOf(path)).trim());
}

async function counter(name: string): Promise<number> {
  return (await lan.status("h1")).counters[name] ?? 0;
}

describe("oscsend", () => {
  it.each([
    ["i", ["7"], "7"],
    ["h", ["7"], "7"],
    ["h", ["9007199254740992"], "9007199000000000"],
    ["f", ["-0.25"], "-0.25"],
    ["d", ["0.1"], "0.1"],
    ["s", ["two words"], "two words"],
    ["S", ["symbol"], "symbol"],
    ["c", ["x"], "x"],
    ["T", [], "true"],
    ["F", [], "false"],
    ["ff", ["1", "2"], "1 2"],
    ["fff", ["1", "2", "3"], "1 2 3"],
    ["iiii", ["1", "2", "3", "4"], "1 2 3 4"],
  ])("declares an unknown path with %s %j, which reads %j", async (types, values, text) => {
    const path = `/viz/declared/${types}${values.join("").length}`;
    await oscsend(path, types, ...values);
    await until(
      () => lan.get("h1", path),
      (found) => found !== "",
      path,
    );
    expect(await lan.get("h1", path)).toBe(text);
  });

  it("declares an impulse with I, which fires each time", async () => {
    await oscsend("/viz/declared/impulse", "I");
    await oscsend("/viz/declared/impulse", "I");
    await until(
      () => dumped("/viz/declared/impulse"),
      (lines) => lines.length === 2,
      "two impulses",
    );
  });

  it.each([
    ["m", ["00903c40"]],
    ["N", []],
    ["fs", ["1", "x"]],
    ["fffff", ["1", "2", "3", "4", "5"]],
  ])("declares nothing with %s, and is counted", async (types, values) => {
    const before = await counter("osc.declarationsRefused");
    await oscsend(`/viz/refused/${types}`, types, ...values);
    await until(
      () => counter("osc.declarationsRefused"),
      (count) => count === before + 1,
      "a refusal",
    );
    expect(await lan.get("h1", `/viz/refused/${types}`)).toBe("");
  });

  it.each([
    ["float", "i", ["3"], "3"],
    ["float", "d", ["0.5"], "0.5"],
    ["double", "f", ["0.5"], "0.5"],
    ["int", "f", ["2.9"], "3"],
    ["int", "h", ["-5"], "-5"],
    ["bool", "i", ["1"], "true"],
    ["bool", "F", [], "false"],
    ["string", "S", ["symbol"], "symbol"],
    ["enum", "s", ["three"], "three"],
    ["enum", "i", ["1"], "two"],
    ["color", "ffff", ["1", "0.5", "0", "1"], "1 0.5 0 1"],
    ["color", "s", ["#ff000080"], "1 0 0 0.5019608"],
    ["vec3", "iii", ["1", "2", "3"], "1 2 3"],
    ["quaternion", "ffff", ["0", "0", "0", "1"], "0 0 0 1"],
  ])("moves a %s with %s %j to %s", async (type, types, values, text) => {
    const path = `/viz/out/${type}`;
    await lan.cli("h1", "set", path, ...(type === "quaternion" ? ["1", "0", "0", "0"] : []));
    await oscsend(path, types, ...values);
    await lan.hasValue("h1", path, text);
  });

  it.each([
    ["int", "h", ["3000000000"]],
    ["enum", "s", ["four"]],
    ["enum", "i", ["3"]],
    ["vec3", "ff", ["1", "2"]],
    ["float", "s", ["fast"]],
    ["float", "N", []],
    ["blob", "f", ["1"]],
  ])("does not move a %s with %s %j, and is counted", async (type, types, values) => {
    const before = [await lan.get("h1", `/viz/out/${type}`), await counter("osc.writesRefused")];
    await oscsend(`/viz/out/${type}`, types, ...values);
    await until(
      () => counter("osc.writesRefused"),
      (count) => count === Number(before[1]) + 1,
      "a refusal",
    );
    expect(await lan.get("h1", `/viz/out/${type}`)).toBe(before[0]);
  });

  it("reaches several paths with a pattern, and none outside it", async () => {
    await oscsend("/viz/out/vec{2,3}", "fff", "7", "8", "9");
    await lan.hasValue("h1", "/viz/out/vec3", "7 8 9");
    await oscsend("/viz/pattern/a1", "f", "0");
    await oscsend("/viz/pattern/a2", "f", "0");
    await oscsend("/viz/other/a3", "f", "0");
    await oscsend("/viz//a[1-3]", "f", "5");
    for (const path of ["/viz/pattern/a1", "/viz/pattern/a2", "/viz/other/a3"]) await lan.hasValue("h1", path, "5");
    await oscsend("/viz/pattern/*", "f", "6");
    await lan.hasValue("h1", "/viz/pattern/a2", "6");
    expect(await lan.get("h1", "/viz/other/a3")).toBe("5");
  });

  it("does not write under /system", async () => {
    const before = await counter("osc.systemWrites");
    await oscsend("/system/controller", "s", "me");
    await oscsend("/system/new", "f", "1");
    await until(
      () => counter("osc.systemWrites"),
      (count) => count === before + 2,
      "refusals",
    );
  });

  it("is heard over TCP too", async () => {
    const sent = await lan.exec("h1", "oscsend", TCP, "/viz/over/tcp", "f", "0.75");
    expect([sent.code, sent.stderr]).toEqual([0, ""]);
    await lan.hasValue("h1", "/viz/over/tcp", "0.75");
  });
});

describe("oscdump", () => {
  it.each([
    ["float", ["0.25"], "f 0.250000"],
    ["double", ["0.125"], "d 0.125000"],
    ["int", ["-5"], "i -5"],
    ["bool", ["true"], "T #T"],
    ["bool", ["false"], "F #F"],
    ["string", ["two words"], 's "two words"'],
    ["enum", ["two"], 's "two"'],
    ["vec2", ["1", "-2"], "ff 1.000000 -2.000000"],
    ["vec3", ["1", "-2", "4"], "fff 1.000000 -2.000000 4.000000"],
    ["vec4", ["1", "-2", "4", "8"], "ffff 1.000000 -2.000000 4.000000 8.000000"],
    ["quaternion", ["0", "1", "0", "0"], "ffff 0.000000 1.000000 0.000000 0.000000"],
    ["blob", ["AAEC/wAB"], "b [6b 00 0x1 0x2 0xff 00 0x1]"],
    ["impulse", [], "I Infinitum"],
  ])("is told of a %s set to %j as %s", async (type, values, text) => {
    const path = `/viz/out/${type}`;
    expect((await lan.cli("h1", "set", path, ...values)).code).toBe(0);
    await until(
      () => dumped(path).at(-1),
      (line) => line === `${path} ${text}`,
      `${path} ${text}`,
    );
  });
});

it("a surface that --osc-out ties to its host is not told what it sent itself", async () => {
  const path = "/viz/surface/fader";
  await oscsend(path, "f", "0.5");
  await until(
    () => dumped(path),
    (lines) => lines.length > 0,
    "the other to be told",
  );
  await lan.cli("h1", "set", path, "0.75");
  await until(
    () => dumped(path, surface).at(-1),
    (line) => line === `${path} f 0.750000`,
    "the surface to be told",
  );
  expect(dumped(path)).toEqual([`${path} f 0.500000`, `${path} f 0.750000`]);
  expect(dumped(path, surface)).toEqual([`${path} f 0.750000`]);
});

describe("liblo in Python", () => {
  const sent: readonly (readonly [string, readonly Argument[], string])[] = [
    ["/viz/out/float", [["f", 0.5]], "0.5"],
    ["/viz/out/double", [["d", 0.1]], "0.1"],
    ["/viz/out/int", [["h", 12]], "12"],
    ["/viz/out/bool", [["T", true]], "true"],
    ["/viz/out/string", [["S", "symbol"]], "symbol"],
    ["/viz/out/string", [["c", "x"]], "x"],
    ["/viz/out/enum", [["s", "one"]], "one"],
    ["/viz/out/blob", [["b", [0, 1, 2, 255]]], "AAEC/w=="],
    [
      "/viz/out/vec2",
      [
        ["f", 1],
        ["i", 2],
      ],
      "1 2",
    ],
  ];

  it.each(sent)("writes to %s with %j, which reads %s", async (path, args, text) => {
    const liblo = await Liblo.open();
    await liblo.call("send", UDP, path, args);
    await lan.hasValue("h1", path, text);
    await liblo.stop();
  });

  it("subscribes, is told everything once, then every change, and never of its own", async () => {
    const liblo = await Liblo.open();
    await lan.cli("h1", "set", "/viz/out/float", "0.25");
    await liblo.call("sendFromServer", UDP, "/hana/subscribe", [
      ["s", "/viz/out/*"],
      ["f", 30],
    ]);
    expect(await liblo.heard("/hana/subscribed")).toMatchObject({ types: "sf", args: ["/viz/out/*", 30] });
    expect(await liblo.heard("/viz/out/float")).toMatchObject({ types: "f", args: [0.25] });
    // liblo has no type tag r, so it drops a color, and with it the rest of a bundle that has one.
    for (const type of ["double", "int", "bool", "string", "enum", "vec2", "vec3", "vec4", "quaternion", "blob"]) {
      await liblo.heard(`/viz/out/${type}`);
    }
    await lan.cli("h1", "set", "/viz/out/float", "0.75");
    await liblo.heard("/viz/out/float", ({ args }) => args[0] === 0.75);
    await liblo.call("sendFromServer", UDP, "/viz/out/float", [["f", 0.5]]);
    await lan.hasValue("h1", "/viz/out/float", "0.5");
    await lan.cli("h1", "set", "/viz/out/int", "99");
    await liblo.heard("/viz/out/int", ({ args }) => args[0] === 99);
    expect(liblo.messages.filter(({ path, args }) => path === "/viz/out/float" && args[0] === 0.5)).toEqual([]);
    await liblo.stop();
  });

  it("gets a blob as a blob, and each impulse", async () => {
    const liblo = await Liblo.open();
    await liblo.call("sendFromServer", UDP, "/hana/subscribe", [["s", "/viz/out/{blob,impulse}"]]);
    await liblo.heard("/hana/subscribed");
    // The binding hands a blob over as a C string, so this one holds no zero; oscdump's does.
    await lan.cli("h1", "set", "/viz/out/blob", "AQID");
    const blob = await liblo.heard("/viz/out/blob", ({ args }) => (args[0] as number[]).length === 3);
    expect(blob).toMatchObject({ types: "b", args: [[1, 2, 3]] });
    const impulses = (): Message[] => liblo.messages.filter(({ path }) => path === "/viz/out/impulse");
    expect(impulses()).toEqual([]);
    await lan.cli("h1", "trigger", "/viz/out/impulse");
    await lan.cli("h1", "trigger", "/viz/out/impulse");
    await until(impulses, ({ length }) => length === 2, "two impulses");
    expect(impulses()[0]).toMatchObject({ types: "I" });
    await liblo.stop();
  });

  it("is told nothing more when its lease ends, unless it renews", async () => {
    const [short, long] = [await Liblo.open(), await Liblo.open()];
    for (const liblo of [short, long]) {
      await liblo.call("sendFromServer", UDP, "/hana/subscribe", [
        ["s", "/viz/out/float"],
        ["f", 1],
      ]);
      await liblo.heard("/hana/subscribed");
    }
    const before = await counter("osc.leasesExpired");
    await long.call("sendFromServer", UDP, "/hana/renew", [["f", 60]]);
    await until(
      () => counter("osc.leasesExpired"),
      (count) => count === before + 1,
      "a lease to end",
    );
    await lan.cli("h1", "set", "/viz/out/float", "0.0625");
    await long.heard("/viz/out/float", ({ args }) => args[0] === 0.0625);
    expect(short.messages.filter(({ args }) => args[0] === 0.0625)).toEqual([]);
    await short.stop();
    await long.stop();
  });

  it("applies a bundle at once, or when its time comes", async () => {
    const liblo = await Liblo.open();
    const messages = (value: number): unknown => [
      ["/viz/bundle/a", [["f", value]]],
      ["/viz/bundle/b", [["f", value]]],
    ];
    await liblo.call("bundle", UDP, null, messages(1));
    await lan.hasValue("h1", "/viz/bundle/b", "1");
    const beganMs = Date.now();
    await liblo.call("bundle", UDP, 2, messages(2));
    await until(
      () => counter("osc.packetsScheduled"),
      (count) => count > 0,
      "a scheduled packet",
    );
    expect(await lan.get("h1", "/viz/bundle/a")).toBe("1");
    await lan.hasValue("h1", "/viz/bundle/a", "2");
    expect(Date.now() - beganMs).toBeGreaterThan(1_900);
    expect(await lan.get("h1", "/viz/bundle/b")).toBe("2");
    await liblo.call("nested", 7700, "/viz/bundle/a", "/viz/bundle/b", 3);
    for (const name of ["a", "b"]) await lan.hasValue("h1", `/viz/bundle/${name}`, "3");
    await liblo.stop();
  });

  it.each([
    ["size prefix", false],
    ["SLIP", true],
  ])("streams over TCP with %s", async (name, slip) => {
    const liblo = await Liblo.open();
    const path = `/viz/stream/${slip ? "slip" : "size"}`;
    await liblo.call("stream", 7700, slip, path, 1, 2_000);
    await lan.hasValue("h1", path, "2000");
    expect([name, await counter("osc.packetsMalformed")]).toEqual([name, 0]);
    await liblo.stop();
  });

  it("subscribes over TCP and is told by the same connection", async () => {
    const liblo = await Liblo.open("tcp");
    await liblo.call("sendFromServer", TCP, "/hana/subscribe", [["s", "/viz/out/float"]]);
    await liblo.heard("/hana/subscribed");
    await lan.cli("h1", "set", "/viz/out/float", "0.375");
    await liblo.heard("/viz/out/float", ({ args }) => args[0] === 0.375);
    await liblo.stop();
  });

  it("is a surface: a bound fader moves its path, and shows what others make of that, with its label", async () => {
    const liblo = await Liblo.open();
    const bound = await lan.cli("h1", "bind", "osc:/1/fader1#0", "/viz/out/double", "--range", "0..8");
    expect([bound.code, bound.stderr]).toEqual([0, ""]);
    await liblo.call("sendFromServer", UDP, "/hana/surface", []);
    await liblo.heard("/hana/label", ({ args }) => args[0] === "/1/fader1" && args[1] === "double");
    await liblo.call("sendFromServer", UDP, "/1/fader1", [["f", 0.5]]);
    await lan.hasValue("h1", "/viz/out/double", "4");
    await lan.cli("h1", "set", "/viz/out/double", "2");
    await liblo.heard("/1/fader1", ({ args }) => args[0] === 0.25);
    // Never what it sent itself.
    expect(liblo.messages.filter(({ path, args }) => path === "/1/fader1" && args[0] === 0.5)).toEqual([]);
    await lan.cli("h1", "unbind", "osc-1-fader1-0");
    await liblo.stop();
  });
});
