/**
 * Program: the commands, their arguments and what `--help` says.
 *
 * Only the words are here; each command's work lies in a file of its own and is loaded when it is called, so that
 * `hana get` does not load the schema library, the logger or the network.
 */
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { flagOf, SETTING_NAMES } from "../config/setting-names.js";
import { ExitCode, reportError } from "./command-error.js";
import type { DoctorOptions } from "./doctor.js";
import { DEFAULT_NODE } from "./node-client.js";
import { endQuietlyOnClosedPipe } from "./output.js";
import type { RunOptions, StartNode } from "./run.js";
import type { SettingOptions } from "./settings-loader.js";
import { packageVersion } from "./version.js";

/** Parses, carries out, and answers the exit code. Never rejects. */
export async function runCommand(args: readonly string[], start: StartNode): Promise<number> {
  endQuietlyOnClosedPipe();
  try {
    await buildProgram(start).parseAsync(args, { from: "user" });
    return ExitCode.success;
  } catch (error) {
    if (!(error instanceof CommanderError)) return reportError(error);
    // Help that was asked for is a success; help that was not is a wrong use.
    return error.exitCode === 0 ? ExitCode.success : ExitCode.usage;
  }
}

function buildProgram(start: StartNode): Command {
  const program = new Command("hana")
    .description("Keeps the parameters of a show the same on every machine.")
    .version(packageVersion(), "-V, --version", "print the version")
    .addOption(nodeOption())
    .hook("preAction", handOnNode)
    .helpCommand(false)
    .exitOverride();
  addRun(program, start);
  addValues(program);
  addShow(program);
  addReports(program);
  addDoctor(program);
  addControl(program);
  addConflicts(program);
  addSurfaces(program);
  addKeys(program);
  addOsc(program);
  addProfiles(program);
  addConfig(program);
  addDemo(program);
  return program;
}

function addRun(program: Command, start: StartNode): void {
  const run = program.command("run").description("run a node until it is stopped");
  addSettings(run);
  run
    .option("--list-interfaces", "print the network interfaces and end")
    .option("--json", "with --list-interfaces: as JSON")
    .action(async (options: RunOptions) => (await import("./run.js")).run(options, start));
}

/** `--config` and one flag for each setting. */
function addSettings(command: Command): void {
  command.option("--config <FILE>", "settings file (TOML)");
  for (const setting of SETTING_NAMES) {
    const option = new Option(`${flagOf(setting.path)} <${setting.placeholder}>`, setting.description);
    // A bracket in the placeholder does not make the value optional.
    option.required = true;
    option.optional = false;
    if (setting.kind === "list" || setting.kind === "table")
      option.argParser((text: string, before: string[] | undefined) => [...(before ?? []), text]);
    command.addOption(option);
  }
}

function addValues(program: Command): void {
  withNode(program.command("get").description("print the value of a path"))
    .argument("<PATH>")
    .action(async (path: string, options: object) => (await import("./get.js")).get(path, options));
  const set = program.command("set").description("set a path, and wait until the controller confirmed it");
  withWriting(set)
    .argument("<PATH>")
    .argument("[VALUE...]", "as many words as the type has components; none fires an impulse")
    .action(async (path: string, words: string[], options: object) =>
      (await import("./set.js")).set(path, words, options),
    );
  withWriting(program.command("trigger").description("fire an impulse"))
    .argument("<PATH>")
    .action(async (path: string, options: object) => (await import("./set.js")).trigger(path, options));
  withNode(program.command("watch").description("print changes as they happen"))
    .argument("[PATTERN]", "OSC address pattern", "//")
    .option("--initial", "begin with what is there")
    .action(async (pattern: string, options: object) => (await import("./watch.js")).watch(pattern, options));
}

function addShow(program: Command): void {
  const show = program.command("show").description("save the running show");
  withNode(show.command("save").description("write declarations and values as a show file"), false)
    .argument("<FILE>", "- for stdout")
    .action(async (file: string, options: object) => (await import("./show.js")).saveShow(file, options));
  withNode(program.command("declare").description("declare what a show file says, and set its values"))
    .argument("<FILE>", "- for stdin")
    .action(async (file: string, options: object) => (await import("./show.js")).declareShow(file, options));
}

function addReports(program: Command): void {
  withNode(program.command("status").description("print how the node is")).action(async (options: object) =>
    (await import("./status.js")).status(options),
  );
  withNode(program.command("peers").description("print the other nodes"))
    .option("--watch", "print them again every second, until it is interrupted")
    .action(async (options: object) => (await import("./peers.js")).peers(options));
}

function addDoctor(program: Command): void {
  const command = program
    .command("doctor")
    .description("look at this machine and its node, and say what is wrong and what to do");
  addSettings(command);
  withNode(command).action(async (options: DoctorOptions) => (await import("./doctor.js")).doctor(options));
}

function addConflicts(program: Command): void {
  const conflicts = program
    .command("conflicts")
    .description("what both sides of a divided network had changed: list, decide, acknowledge");
  withNode(conflicts).action(async (options: object) => (await import("./conflicts.js")).conflicts(options));
  withNode(conflicts.command("resolve").description("decide a conflict"))
    .argument("<ID>", "as listed")
    .argument("<VALUE...>", "mine, theirs, or another value")
    .action(async (id: string, words: string[], options: object) =>
      (await import("./conflicts.js")).resolveConflict(id, words, options),
    );
  withNode(conflicts.command("acknowledge").description("take a decided conflict off the list"))
    .argument("<ID>", "as listed, or all")
    .action(async (id: string, options: object) => (await import("./conflicts.js")).acknowledgeConflicts(id, options));
}

function addControl(program: Command): void {
  const control = program.command("control").description("who is controller");
  withNode(control.command("take").description("make this node the controller")).action(async (options: object) =>
    (await import("./control.js")).takeControl(options),
  );
  withNode(control.command("give").description("make another node the controller"))
    .argument("<NODE>", "name or id")
    .action(async (node: string, options: object) => (await import("./control.js")).giveControl(node, options));
}

function addSurfaces(program: Command): void {
  withWriting(program.command("bind").description("let a control of a surface move a path"))
    .argument("<SOURCE>", "ALIAS/CONTROL, ALIAS/ch1/cc7 or osc:/pattern#0")
    .argument("<PATH...>", "up to 16")
    .option("--range <MIN..MAX>", "values at the control's two ends; default: the path's range")
    .option("--curve <CURVE>", "linear, exponential, logarithmic or smooth")
    .option("--takeover <MODE>", "while control and value are apart: jump, pickup, scale or relative")
    .option("--invert", "up is down")
    .option("--mode <MODE>", "absolute, relative, momentary, toggle, latch, radio or increment; default: what fits")
    .option("--encoding <NAME>", "endless encoder: twos-complement, offset-binary, sign-magnitude[-reversed]")
    .option("--step <NUMBER>", "what a detent or a press is worth")
    .option("--acceleration <NUMBER>", "endless encoder: by how much more a fast turn counts")
    .option("--steps <COUNT>", "places that the control's way has")
    .option("--smooth <MS>", "time constant with which the value goes where the control is")
    .option("--dead-zone <SHARE>", "share of its way that says nothing, up to 0.45")
    .option("--dead-zone-at <PLACE>", "ends, low or centre; default: ends, of a pitch bend centre")
    .option("--value <VALUE>", "what the button sets; default: the end of the range")
    .option("--when <EXPRESSION>", "only while this is not 0, such as '/global/layers/shift == 1'")
    .option("--expression <EXPRESSION>", "what it sets, of x (its way), value (what is there) and paths")
    .option("--merge <POLICY>", "several controls of one path: last, max, sum or priority")
    .option("--priority <NUMBER>", "of --merge priority: the highest that is not at rest has the path")
    .option("--feedback <WHEN>", "whether the control shows the value: auto (if its profile says how), on or off")
    .option("--colour <#RRGGBB>", "of the control's light or display; default: white")
    .option("--look <LOOK>", "of the light while it is on: solid, blink[-slow|-fast] or pulse[-slow|-fast]")
    .option("--id <ID>", "what the binding is called; default: after its source")
    .action(async (source: string, paths: string[], options: object) =>
      (await import("./bindings.js")).bind(source, paths, options),
    );
  withNode(program.command("bindings").description("print what is bound to what")).action(async (options: object) =>
    (await import("./bindings.js")).bindings(options),
  );
  withNode(program.command("learn").description("move a control, and be told how to bind it to a path"))
    .argument("<PATH>")
    .option("--accept", "bind it")
    .option("--mode <MODE>", "what the control is to do, as for bind; default: what fits")
    .option("--timeout <SECONDS>", "how long to wait for the control to be moved", seconds, 30)
    .action(async (path: string, options: object) => (await import("./learn.js")).learn(path, options));
  withNode(program.command("record").description("write what devices and OSC senders say into a file"), false)
    .argument("<FILE>", "- for stdout")
    .option("--seconds <N>", "end after so long; default: when interrupted", seconds)
    .action(async (file: string, options: object) => (await import("./record.js")).record(file, options));
  withNode(program.command("replay").description("play such a file into a node, each message when it came"))
    .argument("<FILE>")
    .option("--speed <FACTOR>", "how many times as fast", speed, 1)
    .action(async (file: string, options: object) => (await import("./replay.js")).replay(file, options));
  withNode(program.command("trace").description("print what becomes of each message of a device or OSC sender"))
    .option("--source <ALIAS>", "of this device, which is opened for it, or of this host")
    .option("--path <PATTERN>", "what reaches paths that match, and what keeps it from them")
    .action(async (options: object) => (await import("./trace.js")).trace(options));
  withWriting(program.command("unbind").description("end a binding"))
    .argument("<ID>", "as listed by `hana bindings`")
    .action(async (id: string, options: object) => (await import("./bindings.js")).unbind(id, options));
  const midi = program.command("midi").description("MIDI devices");
  withNode(
    midi.command("list").description("print the devices that are plugged in, and those that bindings name"),
  ).action(async (options: object) => (await import("./midi.js")).listMidi(options));
  withNode(midi.command("adopt").description("say which device of this machine an alias means; two can be swapped"))
    .argument("<ALIAS>", "what shows call it")
    .argument("[DEVICE]", "its alias or input until now; default: the only one that nothing is bound to")
    .option("--profile <ID>", "its hardware profile; default: the one that knows its port's name")
    .option("--identify", "ask the device who it is, by SysEx, and take the profile that knows its answer")
    .action(async (alias: string, device: string | undefined, options: object) =>
      (await import("./midi.js")).adopt(alias, device, options),
    );
  withNode(midi.command("blink").description("let the lights of a device blink, to see which one it is"))
    .argument("<ALIAS>")
    .action(async (alias: string, options: object) => (await import("./midi.js")).blink(alias, options));
  withNode(midi.command("forget").description("let an alias mean again what ports and profiles say"))
    .argument("<ALIAS>")
    .action(async (alias: string, options: object) => (await import("./midi.js")).forget(alias, options));
  const surface = program.command("surface").description("what surfaces show");
  surface
    .command("simulate")
    .description("play a profile as a device of this machine; lines on stdin move its controls")
    .argument("<PROFILE>", "an id of `hana profile list`, or a file")
    .option("--name <NAME>", "what its ports are called; default: the profile's id")
    .option("--json", "print JSON")
    .action(async (profile: string, options: object) =>
      (await import("./surface-simulate.js")).simulate(profile, options),
    );
  withNode(surface.command("repaint").description("send a device again everything that it shows"))
    .argument("<ALIAS>", "as listed by `hana midi list`")
    .action(async (alias: string, options: object) => (await import("./surface.js")).repaint(alias, options));
}

function addKeys(program: Command): void {
  const key = program.command("key").description("the mesh key");
  withKeyFile(key.command("new").description("make a key for a mesh"))
    .option("--force", "replace the key that is there")
    .action(async (options: SettingOptions) => (await import("./key.js")).newKey(options));
  withKeyFile(key.command("show").description("print the join code; whoever has it can join the mesh")).action(
    async (options: SettingOptions) => (await import("./key.js")).showKey(options),
  );
  program
    .command("join")
    .description("install the key of a join code")
    .argument("<CODE...>", "as `hana key show` printed it; - reads it from stdin")
    .option("--key-file <FILE>", "where to put the key; default: in the user's configuration folder")
    .option("--force", "replace the key that is there")
    .option("--json", "print data as JSON")
    .action(async (code: string[], options: object) => (await import("./key.js")).join(code, options));
}

function addOsc(program: Command): void {
  const osc = program.command("osc").description("send and show OSC messages");
  osc
    .command("send")
    .description("send one OSC message by UDP")
    .argument("<HOST:PORT>")
    .argument("<ADDRESS>")
    .argument("[VALUE...]", "numbers go as f, true and false as T and F, the rest as s")
    .option("-t, --types <TAGS>", "type tags, such as ifs; of i f s b h d T F N I")
    .action(async (target: string, address: string, values: string[], options: object) =>
      (await import("./osc-send.js")).sendOsc(target, address, values, options),
    );
  osc
    .command("listen")
    .description("print OSC messages that arrive by UDP")
    .argument("<[HOST:]PORT>", "HOST: the address to listen on (127.0.0.1)")
    .option("-n, --count <N>", "end after so many messages", positiveInteger)
    .option("--json", "print data as JSON")
    .action(async (target: string, options: object) => (await import("./osc-listen.js")).listenOsc(target, options));
}

function addProfiles(program: Command): void {
  const profile = program.command("profile").description("hardware profiles of MIDI and OSC surfaces");
  profile
    .command("list")
    .description("list the profiles on this machine")
    .option("--json", "print data as JSON")
    .action(async (options: object) => (await import("./profile.js")).listProfiles(options));
  profile
    .command("check")
    .description("say everything that is wrong with profiles, or what they hold")
    .argument("<FILE...>")
    .action(async (files: string[]) => (await import("./profile.js")).checkProfiles(files));
}

function addConfig(program: Command): void {
  const config = program.command("config").description("settings, as `hana run` would take them");
  const check = config.command("check").description("say everything that is wrong with settings and show");
  addSettings(check);
  check.action(async (options: RunOptions) => (await import("./config.js")).checkConfig(options));
  const print = config.command("print").description("print the settings as a file");
  addSettings(print);
  print.action(async (options: RunOptions) => (await import("./config.js")).printConfig(options));
  config
    .command("schema")
    .description("print the JSON Schema of a settings file")
    .action(async () => (await import("./config.js")).printSchema());
}

function addDemo(program: Command): void {
  withNode(program.command("demo").description("move a few parameters, so that there is something to watch"), false)
    .option("--seconds <N>", "end after so long; default: when interrupted", seconds)
    .option("--rate <HZ>", "writes a second to each parameter", rate, 20)
    .action(async (options: object) => (await import("./demo.js")).demo(options));
}

function nodeOption(): Option {
  return new Option("--node <URL>", `the node to ask (HANA_NODE, else ${DEFAULT_NODE})`);
}

/** `--node` may stand before the command or behind it: the program takes it in, wherever it is. */
function handOnNode(program: Command, command: Command): void {
  const { node } = program.opts<{ node?: string }>();
  if (node === undefined) return;
  if (!command.options.some((option) => option.long === "--node")) {
    command.error(`error: '${command.name()}' asks no node: --node is not for it`);
  }
  command.setOptionValue("node", node);
}

function withNode(command: Command, hasJson = true): Command {
  command.addOption(nodeOption());
  return hasJson ? command.option("--json", "print data as JSON") : command;
}

function withWriting(command: Command): Command {
  return withNode(command)
    .option("--timeout <SECONDS>", "how long to wait for the confirmation", seconds, 5)
    .option("--no-wait", "do not wait for the confirmation");
}

function withKeyFile(command: Command): Command {
  return command
    .option("--config <FILE>", "settings file (TOML)")
    .option("--mesh <NAME>", "name of the mesh")
    .option("--key-file <FILE>", "the key's file")
    .option("--json", "print data as JSON");
}

function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && value >= 0 && value <= 600) return value;
  throw new InvalidArgumentError("It is not a number of seconds from 0 to 600.");
}

function rate(text: string): number {
  const value = Number(text);
  if (value >= 0.1 && value <= 200) return value;
  throw new InvalidArgumentError("It is not a number from 0.1 to 200.");
}

function speed(text: string): number {
  const value = Number(text);
  if (value > 0 && value <= 100) return value;
  throw new InvalidArgumentError("It is not a number above 0, at most 100.");
}

function positiveInteger(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new InvalidArgumentError("It is not a whole number above 0.");
}
