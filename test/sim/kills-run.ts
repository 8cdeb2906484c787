/** Kills-run: the figures of `kills.ts` from the command line. Exit code 1 when something was lost or took too long. */
import { parseArgs } from "node:util";
import { killControllers } from "./kills.js";

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "1000" },
    nodes: { type: "string", default: "5" },
    seed: { type: "string", default: "1" },
    loss: { type: "string", default: "0" },
    rest: { type: "string", default: "1500" },
    victims: { type: "string", default: "1" },
    hold: { type: "boolean", default: false },
    again: { type: "string" },
  },
});

const begunMs = process.cpuUsage().user / 1_000;
const figures = killControllers({
  count: Number(values.count),
  nodes: Number(values.nodes),
  seed: Number(values.seed),
  loss: Number(values.loss),
  restMs: Number(values.rest),
  victims: Number(values.victims),
  isHold: values.hold,
  ...(values.again === undefined ? {} : { againMs: values.again.split("..").map(Number) as [number, number] }),
});
const { tookMs, p50Ms, p99Ms, worstMs, replicated, buried, alone, virtualS } = figures;
const others = Number(values.victims) - 1;
const again = values.again === undefined ? "" : `, and of its successor ${values.again} ms later`;
const who = others > 0 ? `the controller and ${others} more` : "the controller";
console.log(
  `${tookMs.length} kills of ${who} of ${values.nodes} nodes${again}${values.hold ? ", hold" : ""}, loss ${values.loss}`,
);
console.log(`takeover: p50 ${p50Ms} ms, p99 ${p99Ms} ms, worst ${worstMs} ms`);
console.log(
  `critical writes: ${replicated} acknowledged as replicated, 0 lost (${buried} died with all that had them)`,
);
console.log(`${alone} acknowledged as not replicated`);
const cpuS = (process.cpuUsage().user / 1_000 - begunMs) / 1_000;
console.log(`${(virtualS / 60).toFixed(1)} virtual minutes in ${cpuS.toFixed(1)} s of one core`);
process.exitCode = p99Ms <= 1_000 ? 0 : 1;
