/**
 * Replay: plays a recording into a node, each message when it came.
 *
 * The file is read twice: first whole, so that everything that is wrong with it is said before anything is played.
 */
import { createReadStream } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { type InputRecord, parseHeader, parseRecord } from "../input/input-record.js";
import type { ReplayReport } from "../manage/replay-reports.js";
import { CommandError, ExitCode } from "./command-error.js";
import { NodeClient, type NodeOptions } from "./node-client.js";
import { printLine } from "./output.js";

interface ReplayOptions extends NodeOptions {
  readonly json?: boolean;
  readonly speed?: number;
}

const COMPLAINTS_MAX = 20;
/** What the node is given goes so far ahead of what is played. */
const AHEAD_MS = 2_000;
const LINES_MAX = 1_000;
/** A packet of 64 KiB in base64 or hexadecimal, and what stands around it. */
const LINE_MAX = 200_000;
const TEXT_MAX = 500_000;
const LOOK_MS = 50;

export async function replay(file: string, options: ReplayOptions): Promise<void> {
  await check(file);
  const player = new Player(options);
  try {
    await player.play(file);
  } finally {
    player.close();
  }
}

/** @throws CommandError with every complaint about the file, each with its line. */
async function check(file: string): Promise<void> {
  const complaints: string[] = [];
  let number = 0;
  let lastUs = 0;
  for await (const line of linesOf(file)) {
    const parsed = ++number === 1 ? parseHeader(line) : parseRecord(line, lastUs);
    if ("problem" in parsed) complaints.push(`${file}:${number}: ${parsed.problem}`);
    else if ("atUs" in parsed) lastUs = parsed.atUs;
    // What is no recording at all has a complaint about each of its lines.
    if ("problem" in parsed && (number === 1 || complaints.length >= COMPLAINTS_MAX)) break;
  }
  if (number === 0) complaints.push(`${file}: is empty`);
  if (complaints.length > 0) throw new CommandError(complaints, ExitCode.badConfiguration);
}

async function* linesOf(file: string): AsyncGenerator<string> {
  const input = createReadStream(file, "utf8");
  let partial = "";
  try {
    for await (const chunk of input) {
      const lines = (partial + (chunk as string)).split("\n");
      partial = lines.pop() ?? "";
      yield* lines;
      if (partial.length > LINE_MAX) throw new Error(`has a line of more than ${LINE_MAX} characters`);
    }
  } catch (error) {
    throw new CommandError(`${file}: ${(error as Error).message}`, ExitCode.badConfiguration);
  } finally {
    input.destroy();
  }
  if (partial !== "") yield partial;
}

class Player {
  private readonly client: NodeClient;
  private readonly options: ReplayOptions;
  private readonly speed: number;
  private header: string | undefined;
  private startedMs = 0;
  private lines: string[] = [];
  private text = 0;

  constructor(options: ReplayOptions) {
    this.options = options;
    this.speed = options.speed ?? 1;
    this.client = new NodeClient(options, true);
  }

  close(): void {
    this.client.close();
  }

  async play(file: string): Promise<void> {
    let lastUs = 0;
    for await (const line of linesOf(file)) {
      if (this.header === undefined) {
        this.header = line;
        await this.send({ header: line, speed: this.speed });
        this.startedMs = performance.now();
        continue;
      }
      const record = parseRecord(line, lastUs) as InputRecord;
      lastUs = record.atUs;
      if (this.isFull || this.isAhead(record)) await this.send({});
      while (this.isAhead(record)) await pause(LOOK_MS);
      this.lines.push(line);
      this.text += line.length;
    }
    let report = await this.send({});
    while (report.waiting > 0) {
      await pause(LOOK_MS);
      report = await this.send({});
    }
    if (this.options.json === true) printLine(JSON.stringify(report));
    else printLine(playedText(report));
  }

  private get isFull(): boolean {
    return this.lines.length >= LINES_MAX || this.text >= TEXT_MAX;
  }

  private isAhead({ atUs }: InputRecord): boolean {
    return atUs / 1_000 / this.speed > performance.now() - this.startedMs + AHEAD_MS;
  }

  /** Hands over the lines that are collected. */
  private async send(more: { readonly header?: string; readonly speed?: number }): Promise<ReplayReport> {
    const { lines } = this;
    this.lines = [];
    this.text = 0;
    return JSON.parse(await this.client.post("/-/replay", { ...more, lines })) as ReplayReport;
  }
}

function playedText({ played, lost }: ReplayReport): string {
  return `${played} messages played${lost === 0 ? "" : `; ${lost} were lost when they were recorded`}`;
}
