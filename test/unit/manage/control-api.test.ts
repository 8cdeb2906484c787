/** The control API: each route on a real state, every refusal, and what a hostile or clumsy request gets. */
import { beforeEach, describe, expect, it } from "vitest";
import type { ApiAnswer } from "../../../src/manage/api-exchange.js";
import type { ApiBackend } from "../../../src/manage/api-backend.js";
import { type ApiStream, ControlApi } from "../../../src/manage/control-api.js";
import { InputFeed } from "../../../src/manage/input-feed.js";
import type { DeskAnswers, DeskCommand, DeskCommandKind } from "../../../src/manage/desk-messages.js";
import { recordText } from "../../../src/node/conflicts.js";
import { ChangeFlag } from "../../../src/state/change.js";
import type { Value } from "../../../src/state/declaration.js";
import { Replica } from "../../../src/manage/replica.js";
import type { Conflict, ConflictSide } from "../../../src/sync/merge.js";
import type { WatchQueue } from "../../../src/manage/watch-queue.js";
import { NODE_ID, SmallNode } from "./small-node.js";

const HOST = "127.0.0.1:7700";

type Fields = Record<string, unknown>;

interface Overrides {
  readonly host?: string | undefined;
  readonly origin?: string;
  readonly contentType?: string;
  readonly localAddress?: string;
}

class Bench {
  readonly node = new SmallNode();
  readonly replica: Replica;
  readonly api: ControlApi;

  constructor(httpHost = "127.0.0.1") {
    this.replica = new Replica(this.node.memory, this.node.capacity);
    this.replica.prepareForImage();
    this.replica.beginImage([this.node.terms.at(0), this.node.terms.at(1)], [this.node.origins.at(0)], 0);
    this.replica.endImage([]);
    const backend: ApiBackend = {
      rules: { httpHost, port: 7700 },
      feed: new InputFeed(() => {}),
      current: async () => {
        this.replica.pump();
        return this.replica;
      },
      command: (command) => this.execute(command) as Promise<never>,
      counters: () => ({ "desk.watches": 1 }),
    };
    this.api = new ControlApi(backend);
  }

  private async execute(command: DeskCommand): Promise<DeskAnswers[DeskCommandKind]> {
    const { node } = this;
    if (command.kind === "write") return node.write(command.path, command.value, command.options);
    if (command.kind === "trigger") return node.trigger(command.path, command.options);
    if (command.kind === "declare") return node.declare(command.entries);
    if (command.kind === "rename") return node.rename(command.path, command.to, command.options);
    if (command.kind === "remove") return node.remove(command.path, command.options);
    if (command.kind === "control") return node.control(command.to);
    if (command.kind === "status") return node.status();
    if (command.kind === "peers") return node.peers();
    if (command.kind === "health") return node.health();
    if (command.kind === "logLevel") {
      node.setLogLevel(command.level);
      return true;
    }
    throw new Error(`${command.kind}: no surfaces here`);
  }

  async call(
    method: string,
    target: string,
    body: unknown = "",
    overrides: Overrides = {},
  ): Promise<ApiAnswer | ApiStream> {
    const request = {
      method,
      target,
      host: HOST,
      origin: undefined,
      contentType: "application/json",
      localAddress: "127.0.0.1",
      body: typeof body === "string" ? body : JSON.stringify(body),
      ...overrides,
    };
    return this.api.refuse(request) ?? (await this.api.handle(request));
  }

  /** Status and parsed body. */
  async json(method: string, target: string, body: unknown = "", overrides: Overrides = {}): Promise<[number, Fields]> {
    const answer = (await this.call(method, target, body, overrides)) as ApiAnswer;
    return [answer.status, JSON.parse(textOf(answer)) as Fields];
  }
}

function textOf(answer: ApiAnswer): string {
  return typeof answer.body === "string" ? answer.body : [...answer.body].join("");
}

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
  bench.node.add("/viz/a/zoom", { type: "float", range: { min: 0, max: 10 } });
  bench.node.add("/viz/a/flash", "impulse");
  bench.node.add("/viz/a/title", "string");
});

describe("reading", () => {
  it("gets one path with type, value, version, origin and time", async () => {
    bench.node.put("/viz/a/zoom", 0.1, "osc");
    expect(await bench.json("GET", "/-/get?path=/viz/a/zoom")).toEqual([
      200,
      {
        path: "/viz/a/zoom",
        type: "float",
        value: 0.1,
        version: { term: 1, node: NODE_ID, sequence: 4 },
        origin: { node: NODE_ID, surface: "osc" },
        time: 1_700_000_000_000.004,
      },
    ]);
  });

  it("gives the declaration's version until the first write", async () => {
    const [, body] = await bench.json("GET", "/-/get?path=/viz/a/title");
    expect(body).toMatchObject({ value: "", version: { term: 1, node: NODE_ID, sequence: 3 } });
  });

  it("says null for the version of a value that is only pending", async () => {
    bench.node.put("/viz/a/title", "soon", "", ChangeFlag.pending);
    const [, body] = await bench.json("GET", "/-/get?path=/viz/a/title");
    expect(body).toMatchObject({ value: "soon", version: null, pending: true });
  });

  it("answers 404 for an unknown path, 400 for none", async () => {
    const [status, body] = await bench.json("GET", "/-/get?path=/viz/a/nothing");
    expect([status, body.error]).toEqual([404, "unknownPath"]);
    expect(body.reason).toContain("/viz/a/nothing");
    expect((await bench.json("GET", "/-/get"))[0]).toBe(400);
  });

  it("lists what a pattern matches, and refuses a pattern that is none", async () => {
    const [, all] = await bench.json("GET", "/-/list");
    expect(all).toMatchObject([{ path: "/viz/a/zoom" }, { path: "/viz/a/flash" }, { path: "/viz/a/title" }]);
    const [, some] = await bench.json("GET", "/-/list?pattern=/viz/*/z*");
    expect(some).toHaveLength(1);
    const [, none] = await bench.json("GET", "/-/list?pattern=/windows/*/x");
    expect(none).toEqual([]);
    expect((await bench.json("GET", "/-/list?pattern=/viz/[a"))[1].error).toBe("badPattern");
  });

  it("gives the show as the text that --show reads", async () => {
    bench.node.put("/viz/a/zoom", 2);
    const answer = (await bench.call("GET", "/-/show")) as ApiAnswer;
    expect(answer.contentType).toContain("toml");
    expect(textOf(answer)).toContain('zoom = { type = "float"');
    const other = new Bench();
    expect(await other.json("POST", "/-/declare", textOf(answer), { contentType: "application/toml" })).toEqual([
      200,
      { declared: 3, refused: [] },
    ]);
    expect((await other.json("GET", "/-/get?path=/viz/a/zoom"))[1].value).toBe(2);
  });

  it("adds the desk's counters to the status", async () => {
    const [, body] = await bench.json("GET", "/-/status");
    expect(body.counters).toEqual({ "osc.messages": 3, "desk.watches": 1 });
  });

  it("answers 503 for health while there is an alarm", async () => {
    expect(await bench.json("GET", "/-/health")).toEqual([200, { healthy: true, findings: [] }]);
    bench.node.findings = [{ code: "x", level: "alarm", text: "bad" }];
    expect((await bench.json("GET", "/-/health"))[0]).toBe(503);
  });
});

describe("writing", () => {
  it("sets words as a person types them, clipped by the state", async () => {
    const [status, body] = await bench.json("POST", "/-/set", { path: "/viz/a/zoom", words: ["200"] });
    expect([status, body]).toEqual([
      200,
      { path: "/viz/a/zoom", confirmed: true, version: { term: 1, node: NODE_ID, sequence: 4 } },
    ]);
    expect((await bench.json("GET", "/-/get?path=/viz/a/zoom"))[1].value).toBe(10);
  });

  it("sets a JSON value of any numeric kind", async () => {
    for (const [value, shown] of [
      [3, 3],
      [2.5, 2.5],
      [true, 1],
    ]) {
      expect((await bench.json("POST", "/-/set", { path: "/viz/a/zoom", value }))[0]).toBe(200);
      expect((await bench.json("GET", "/-/get?path=/viz/a/zoom"))[1].value).toBe(shown);
    }
  });

  it("does not wait when told so", async () => {
    bench.node.confirmation = new Promise(() => {});
    const [status, body] = await bench.json("POST", "/-/set", { path: "/viz/a/zoom", value: 1, wait: false });
    expect([status, body.confirmed]).toEqual([202, false]);
  });

  it("fires an impulse by set and by trigger", async () => {
    expect((await bench.json("POST", "/-/set", { path: "/viz/a/flash", words: [] }))[0]).toBe(200);
    expect((await bench.json("POST", "/-/set", { path: "/viz/a/flash", value: 1 }))[0]).toBe(200);
    expect((await bench.json("POST", "/-/trigger", { path: "/viz/a/flash" }))[0]).toBe(200);
    expect((await bench.json("POST", "/-/trigger", { path: "/viz/a/zoom" }))[1].error).toBe("wrongType");
    expect((await bench.json("POST", "/-/set", { path: "/viz/a/flash", value: 0 }))[0]).toBe(422);
  });

  it("guesses the type of an unknown path", async () => {
    await bench.json("POST", "/-/set", { path: "/viz/new/where", words: ["1", "2", "3"] });
    expect((await bench.json("GET", "/-/get?path=/viz/new/where"))[1]).toMatchObject({
      type: "vec3",
      value: [1, 2, 3],
    });
    await bench.json("POST", "/-/set", { path: "/viz/new/name", value: "x" });
    expect((await bench.json("GET", "/-/get?path=/viz/new/name"))[1].type).toBe("string");
  });

  it.each([
    ["a word that is no number", { path: "/viz/a/zoom", words: ["fast"] }, 422, "wrongType"],
    ["a string for a number", { path: "/viz/a/zoom", value: "1" }, 422, "wrongType"],
    ["too many numbers", { path: "/viz/a/zoom", value: [1, 2] }, 422, "wrongCount"],
    ["an object", { path: "/viz/a/zoom", value: { x: 1 } }, 422, "wrongType"],
    ["half a surrogate pair", { path: "/viz/a/title", value: "\ud800" }, 422, "wrongType"],
    ["no value at all", { path: "/viz/a/zoom" }, 400, "request"],
    ["no path", { value: 1 }, 400, "request"],
    ["a path that is none", { path: "/viz/a b", value: 1 }, 422, "badPath"],
    ["a path outside the tree", { path: "/elsewhere", value: 1 }, 422, "badPath"],
    ["a negative timeout", { path: "/viz/a/zoom", value: 1, timeoutMs: -1 }, 400, "request"],
    ["a surface with a line break", { path: "/viz/a/zoom", value: 1, surface: "a\nb" }, 400, "request"],
    ["words that are numbers", { path: "/viz/a/zoom", words: [1] }, 400, "request"],
  ])("refuses %s", async (_, body, status, error) => {
    const [answered, answer] = await bench.json("POST", "/-/set", body);
    expect([answered, answer.error]).toEqual([status, error]);
    expect(answer.reason).not.toBe("");
  });

  it.each(["", "{", "[1]", "null", '"text"'])("refuses the body %j", async (body) => {
    expect((await bench.json("POST", "/-/set", body))[0]).toBe(400);
  });

  it("renames and removes", async () => {
    expect((await bench.json("POST", "/-/rename", { path: "/viz/a/zoom", to: "/viz/b/zoom" }))[0]).toBe(200);
    expect((await bench.json("GET", "/-/get?path=/viz/b/zoom"))[0]).toBe(200);
    expect((await bench.json("POST", "/-/remove", { path: "/viz/b/zoom" }))[0]).toBe(200);
    expect((await bench.json("GET", "/-/get?path=/viz/b/zoom"))[0]).toBe(404);
    expect((await bench.json("POST", "/-/remove", { path: "/viz/b/zoom" }))[0]).toBe(404);
  });

  it("declares what JSON says, with values", async () => {
    const declarations = { "/viz/n/x": { type: "int", range: [0, 5] }, "/viz/n/blob": { type: "blob" } };
    const values = { "/viz/n/x": 3, "/viz/n/blob": "AQID", "/viz/a/title": "hello" };
    expect(await bench.json("POST", "/-/declare", { declarations, values })).toEqual([
      200,
      { declared: 3, refused: [] },
    ]);
    expect((await bench.json("GET", "/-/get?path=/viz/n/blob"))[1].value).toBe("AQID");
    expect((await bench.json("GET", "/-/get?path=/viz/a/title"))[1].value).toBe("hello");
  });

  it("names every mistake in declarations and declares none of them", async () => {
    const declarations = {
      "/viz/n/ok": { type: "int" },
      "/viz/n/bad": { type: "flaot" },
      "/nowhere/x": { type: "int" },
    };
    const [status, body] = await bench.json("POST", "/-/declare", { declarations, values: { "/viz/zz": 1 } });
    expect(status).toBe(422);
    expect(body.complaints).toHaveLength(3);
    expect((await bench.json("GET", "/-/get?path=/viz/n/ok"))[0]).toBe(404);
  });

  it("passes control to this node or to another, and says why not", async () => {
    const took = [200, { controller: NODE_ID, term: 7, tookMs: 8 }];
    expect(await bench.json("POST", "/-/control", { action: "take" })).toEqual(took);
    expect((await bench.json("POST", "/-/control", { action: "give", node: "left" }))[0]).toBe(200);
    expect(bench.node.controlled).toEqual(["", "left"]);
    const [status, answer] = await bench.json("POST", "/-/control", { action: "give", node: "nobody" });
    expect([status, answer]).toMatchObject([409, { reason: "no node is called nobody" }]);
    for (const body of [{}, { action: "give" }, { action: "take", node: "left" }, { action: "give", node: 5 }]) {
      expect((await bench.json("POST", "/-/control", body))[0]).toBe(400);
    }
  });

  it("changes the log level", async () => {
    expect((await bench.json("POST", "/-/log-level", { level: "debug" }))[0]).toBe(200);
    expect(bench.node.logLevel).toBe("debug");
    expect((await bench.json("POST", "/-/log-level", { level: "loud" }))[0]).toBe(400);
  });
});

describe("who may ask", () => {
  it.each(["127.0.0.1:7700", "localhost:7700", "LOCALHOST:7700", "[::1]:7700", "127.0.0.2:7700"])(
    "answers the host %s",
    async (host) => {
      expect((await bench.json("GET", "/-/list", "", { host }))[0]).toBe(200);
    },
  );

  it.each([
    undefined,
    "",
    "evil.example:7700",
    "127.0.0.1",
    "127.0.0.1:7701",
    "127.0.0.1.evil.example:7700",
    "a:b:7700",
  ])("refuses the host %s", async (host) => {
    expect((await bench.json("GET", "/-/list", "", { host }))[0]).toBe(403);
  });

  it("answers a page of its own origin and no other", async () => {
    expect((await bench.json("GET", "/-/list", "", { origin: `http://${HOST}` }))[0]).toBe(200);
    for (const origin of ["null", "http://evil.example", "https://127.0.0.1:7700", "http://127.0.0.1:7701"]) {
      const write = { path: "/viz/a/zoom", value: 5 };
      expect((await bench.json("POST", "/-/set", write, { origin }))[0]).toBe(403);
    }
    expect((await bench.json("GET", "/-/get?path=/viz/a/zoom"))[1].value).toBe(0);
  });

  it("answers the configured address, and by address only where it was reached", async () => {
    const lan = new Bench("192.168.1.5");
    const local = { localAddress: "192.168.1.5" };
    expect((await lan.json("GET", "/-/list", "", { ...local, host: "192.168.1.5:7700" }))[0]).toBe(200);
    expect((await lan.json("GET", "/-/list", "", { ...local, host: "rebound.example:7700" }))[0]).toBe(403);
    const all = new Bench("0.0.0.0");
    const mapped = { localAddress: "::ffff:192.168.1.5" };
    expect((await all.json("GET", "/-/list", "", { ...mapped, host: "192.168.1.5:7700" }))[0]).toBe(200);
    expect((await all.json("GET", "/-/list", "", { ...mapped, host: "0.0.0.0:7700" }))[0]).toBe(403);
  });

  it("answers 404 outside its routes and 405 for the wrong method", async () => {
    expect((await bench.json("GET", "/"))[0]).toBe(404);
    expect((await bench.json("GET", "/-/nothing"))[0]).toBe(404);
    expect((await bench.json("GET", "/-/set"))[0]).toBe(405);
    expect((await bench.json("POST", "/-/get?path=/viz/a/zoom"))[0]).toBe(405);
  });
});

describe("watching", () => {
  async function watch(target: string): Promise<WatchQueue> {
    const answer = await bench.call("GET", target);
    if (!("lines" in answer)) throw new Error("no stream");
    return answer.lines as WatchQueue;
  }

  function lines(text: string): Fields[] {
    return text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Fields);
  }

  it("gives every change to a quick reader, in order", async () => {
    const queue = await watch("/-/watch?pattern=/viz/a/*");
    for (const value of [1, 2, 3]) bench.node.put("/viz/a/zoom", value);
    bench.node.fire("/viz/a/flash");
    bench.replica.pump();
    expect(lines(queue.take()).map(({ path, value }) => [path, value])).toEqual([
      ["/viz/a/zoom", 1],
      ["/viz/a/zoom", 2],
      ["/viz/a/zoom", 3],
      ["/viz/a/flash", null],
    ]);
  });

  it("keeps only the newest value for a slow reader, and every impulse", async () => {
    const queue = await watch("/-/watch");
    queue.isSlow = true;
    for (let value = 1; value <= 9; value++) {
      bench.node.put("/viz/a/zoom", value);
      bench.node.fire("/viz/a/flash");
    }
    bench.node.put("/viz/a/title", "end");
    bench.replica.pump();
    const seen = lines(queue.take());
    expect(seen.filter(({ path }) => path === "/viz/a/zoom").map(({ value }) => value)).toEqual([9]);
    expect(seen.filter(({ path }) => path === "/viz/a/flash")).toHaveLength(9);
    expect(seen.at(-1)).toMatchObject({ path: "/viz/a/title", value: "end" });
    expect(queue.isEmpty).toBe(true);
  });

  it("bounds the impulses that wait for a reader who stands still", async () => {
    const queue = await watch("/-/watch");
    queue.isSlow = true;
    for (let round = 0; round < 5; round++) {
      for (let count = 0; count < 1_000; count++) bench.node.fire("/viz/a/flash");
      bench.replica.pump();
    }
    expect(queue.lostImpulses).toBe(5_000 - 4_096);
  });

  it("follows the pattern, also for paths declared and renamed later", async () => {
    const queue = await watch("/-/watch?pattern=/viz/b/*");
    bench.node.put("/viz/a/zoom", 1);
    bench.node.add("/viz/b/late", "int");
    bench.node.put("/viz/b/late", 7);
    await bench.node.rename("/viz/a/zoom", "/viz/b/zoom", { surface: "t", wait: true, timeoutMs: 0 });
    bench.node.put("/viz/b/zoom", 2);
    bench.replica.pump();
    expect(lines(queue.take()).map(({ path, value }) => [path, value])).toEqual([
      ["/viz/b/late", 7],
      ["/viz/b/zoom", 2],
    ]);
  });

  it("begins with what is there when asked to", async () => {
    bench.node.put("/viz/a/zoom", 4);
    const queue = await watch("/-/watch?pattern=/viz/a/z*&initial=1");
    expect(lines(queue.take())).toMatchObject([{ path: "/viz/a/zoom", value: 4 }]);
  });

  it("refuses more watches than it has places", async () => {
    for (let count = 0; count < 64; count++) await watch("/-/watch");
    expect((await bench.json("GET", "/-/watch"))[0]).toBe(503);
  });
});

describe("conflicts", () => {
  const side = (path: string, type: string, value: Value): ConflictSide => ({
    ...{ path, type, value },
    ...{ timeUs: 1_000_000, node: NODE_ID, surface: "fader", term: 2 },
  });

  /** Puts a conflict on record, as a node that merged does. */
  function note(id: string, conflict: Partial<Conflict> & Pick<Conflict, "path" | "mine" | "theirs">): void {
    const record = `/system/conflicts/${id}`;
    const rest = { kind: "value", policy: "lww", isCritical: false, taken: "theirs", isOpen: false } as const;
    bench.node.add(record, "string");
    bench.node.put(record, recordText({ ...rest, ...conflict }));
  }

  const list = async (): Promise<Fields[]> => (await bench.json("GET", "/-/conflicts"))[1] as unknown as Fields[];
  const decide = (body: Fields): Promise<[number, Fields]> => bench.json("POST", "/-/conflicts", body);
  const valueOf = (path: string): unknown => {
    const id = bench.node.state.idOf(path);
    return id < 0 ? undefined : bench.node.state.valueOf(id);
  };

  beforeEach(() => {
    bench.node.add("/viz/a/bytes", "blob");
    const zoom = "/viz/a/zoom";
    note("1", { path: zoom, mine: side(zoom, "float", 1), theirs: side("/viz/a/old", "float", 2) });
  });

  it("are listed with both sides", async () => {
    expect(await list()).toEqual([
      {
        ...{
          id: "1",
          path: "/viz/a/zoom",
          kind: "value",
          policy: "lww",
          critical: false,
          taken: "theirs",
          open: false,
        },
        mine: { path: "/viz/a/zoom", type: "float", value: 1, time: 1_000, node: NODE_ID, surface: "fader" },
        theirs: { path: "/viz/a/old", type: "float", value: 2, time: 1_000, node: NODE_ID, surface: "fader" },
      },
    ]);
  });

  it.each([
    [{ take: "mine" }, 1],
    [{ take: "theirs" }, 2],
    [{ value: 7 }, 7],
    [{ words: ["8"] }, 8],
  ])("are decided by %o, and off the list", async (body, value) => {
    expect((await decide({ id: "1", ...body }))[0]).toBe(200);
    expect([valueOf("/viz/a/zoom"), await list()]).toEqual([value, []]);
  });

  it("hold bytes", async () => {
    const [mine, theirs] = [Uint8Array.of(0, 255, 16), Uint8Array.of(7)];
    const path = "/viz/a/bytes";
    note("2", { path, mine: side(path, "blob", mine), theirs: side(path, "blob", theirs) });
    expect((await decide({ id: "2", take: "mine" }))[0]).toBe(200);
    expect(valueOf(path)).toEqual(mine);
  });

  it("hold no value that is too long for a record, and say so", async () => {
    const long = new Uint8Array(60_000).fill(1);
    const path = "/viz/a/bytes";
    note("2", { path, mine: side(path, "blob", Uint8Array.of(3)), theirs: side(path, "blob", long) });
    const [status, { reason }] = await decide({ id: "2", take: "theirs" });
    expect([status, reason]).toEqual([409, expect.stringContaining("set the path, then acknowledge")]);
    expect((await decide({ id: "2", take: "mine" }))[0]).toBe(200);
    expect(valueOf(path)).toEqual(Uint8Array.of(3));
  });

  it("of a path that one side removed are decided by removing it, or by keeping it", async () => {
    const path = "/viz/a/title";
    bench.node.put(path, "kept");
    note("2", { path, kind: "removed", mine: side(path, "string", "kept"), theirs: undefined, taken: "mine" });
    expect((await decide({ id: "2", take: "mine" }))[0]).toBe(200);
    expect(valueOf(path)).toBe("kept");
    note("3", { path, kind: "removed", mine: undefined, theirs: side(path, "string", "kept") });
    expect((await decide({ id: "3", take: "mine" }))[0]).toBe(200);
    expect([valueOf(path), (await list()).length]).toEqual([undefined, 1]);
  });

  it("that are open are not acknowledged unseen, and not by all", async () => {
    const path = "/viz/a/title";
    const open = { isOpen: true, policy: "manual", isCritical: true, taken: "mine" } as const;
    note("2", { path, ...open, mine: side(path, "string", "here"), theirs: side(path, "string", "there") });
    expect((await decide({ id: "2", acknowledge: true }))[0]).toBe(409);
    expect(await decide({ id: "all", acknowledge: true })).toEqual([200, { acknowledged: 1 }]);
    expect(await list()).toMatchObject([{ id: "2", open: true, critical: true }]);
    expect((await decide({ id: "2", take: "theirs" }))[0]).toBe(200);
    expect([valueOf(path), await list()]).toEqual(["there", []]);
  });

  it("that are open about a path that is gone are acknowledged: there is nothing to decide", async () => {
    const path = "/viz/a/gone";
    note("2", { path, isOpen: true, policy: "manual", mine: side(path, "int", 1), theirs: side(path, "int", 2) });
    expect((await decide({ id: "2", take: "mine" }))[0]).toBe(404);
    expect(await decide({ id: "2", acknowledge: true })).toEqual([200, { acknowledged: 1 }]);
  });

  it("that there are not are 404, and what is no record is not listed", async () => {
    expect((await decide({ id: "9", take: "mine" }))[0]).toBe(404);
    expect((await decide({ id: "9", acknowledge: true }))[0]).toBe(404);
    for (const [index, text] of ["", "{", "[]", '{"path":1}', '{"path":"/viz/a"}'].entries()) {
      bench.node.add(`/system/conflicts/x${index}`, "string");
      bench.node.put(`/system/conflicts/x${index}`, text);
    }
    expect(await list()).toHaveLength(1);
  });
});
