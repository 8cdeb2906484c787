/**
 * Inside: what a program in the MIDI machine needs to be a list of checks, and the tools that are there as its peers.
 *
 * Everything is some twenty times slower in there, so this is plain Node: no test runner, no TypeScript. Each check
 * prints a line of JSON on stdout, `{ name, ms }` or `{ name, ms, error }`; `../midi.test.ts` reports them. Nothing waits
 * for a time, only for what is to happen.
 */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";

const checks = [];
/** What was started and prints until it is stopped. */
const started = [];
/** The slowest thing in there, a port that comes back, takes some seconds. */
const UNTIL_MS = 20_000;

/** Adds a check. They run in order, and one that fails ends none of the others. */
export function check(name, body) {
  checks.push({ name, body });
}

/** Runs them all and ends the program, whatever a check that failed has left running. */
export async function runChecks() {
  for (const { name, body } of checks) {
    const beganMs = performance.now();
    let error;
    try {
      await body();
    } catch (thrown) {
      error = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    }
    process.stdout.write(`${JSON.stringify({ name, ms: Math.round(performance.now() - beganMs), error })}\n`);
    for (const one of started) if (!one.outlives) await one.stop();
  }
  for (const one of started) await one.stop();
  process.exit(0);
}

/** Waits until the answer is a true one, and returns it. */
export async function until(what, ask, timeoutMs = UNTIL_MS) {
  const endMs = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    assert.ok(performance.now() < endMs, `timed out: ${what}`);
    await pause(5);
  }
}

/** Runs a command of the machine to its end, and returns what it printed. */
export function run(command, ...args) {
  return execFileSync(command, args, { encoding: "utf8" });
}

/** The same without holding up this program; resolves at its end. */
export function runLater(command, ...args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: "ignore" });
    child.once("error", reject);
    child.once("exit", (code) => (code === 0 ? resolve() : reject(new Error(`${command} ended with ${code}`))));
  });
}

/** Plays bytes, in hexadecimal, into a raw port. */
export function play(port, bytes) {
  run("amidi", "-p", port, "-S", bytes);
}

/** Pulls and plugs USB devices. */
export function usb(...args) {
  return run("usb-midi", ...args).trim();
}

/** Starts a command that prints until it is stopped, at the end of its check or, if it `outlives` that, of all. */
export function listen(command, ...args) {
  const child = spawn("stdbuf", ["-o0", command, ...args], { stdio: ["ignore", "pipe", "ignore"] });
  const listening = {
    /** What it has printed. */
    text: "",
    outlives: false,
    /** What it printed, without white space. */
    get bytes() {
      return listening.text.replace(/\s/g, "");
    },
    stop: () =>
      new Promise((resolve) => {
        child.once("exit", resolve);
        if (child.exitCode !== null || child.signalCode !== null || !child.kill()) resolve();
      }),
  };
  started.push(listening);
  child.stdout.on("data", (data) => {
    listening.text += data;
  });
  return listening;
}
