/**
 * The layers: each folder imports only from folders below it, and nothing below `edge/` touches the outside world.
 *
 * The order of LAYERS is the one in the README's map. A type-only import is an arrow like any other.
 */
const LAYERS = [
  "entries",
  "compose",
  "cli",
  "edge",
  "manage",
  "node",
  "sync",
  "history",
  "security",
  "input",
  "modulation",
  "wire",
  "config",
  "state",
  "base",
];

/** Where a layer lives; the two at the top are files, the others folders. */
const PLACES = { entries: "^src/(main|index|desk)\\.ts$", compose: "^src/compose\\.ts$" };
const place = (layer) => PLACES[layer] ?? `^src/${layer}/`;
const above = (layer) => LAYERS.slice(0, LAYERS.indexOf(layer));
const below = (layer) => LAYERS.slice(LAYERS.indexOf(layer) + 1);

const pure = below("edge").map(place);
const npm = (...names) => names.map((name) => `(^|/)node_modules/${name}/`);

/** One rule a layer, so that the report names the layer that was left. */
const downwards = LAYERS.filter((layer) => above(layer).length > 0).map((layer) => ({
  name: `${layer}-imports-downwards`,
  comment: `src/${layer} may import only from: ${below(layer).join(", ") || "nothing"}.`,
  severity: "error",
  from: { path: place(layer) },
  to: { path: above(layer).map(place) },
}));

export default {
  forbidden: [
    ...downwards,
    {
      name: "every-file-has-a-layer",
      comment: "A new folder or top file in src/ needs its place in LAYERS.",
      severity: "error",
      from: { path: "^src/", pathNot: LAYERS.map(place) },
      to: {},
    },
    {
      name: "every-imported-file-has-a-layer",
      severity: "error",
      from: { path: "^src/" },
      to: { path: "^src/", pathNot: LAYERS.map(place) },
    },
    { name: "no-cycles", severity: "error", from: { path: "^src/" }, to: { circular: true } },
    {
      name: "no-node-below-edge",
      comment: "Below edge/, time, bytes and chance come in through ports. node:crypto in security/ is the exception.",
      severity: "error",
      from: { path: pure, pathNot: place("security") },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "security-only-node-crypto",
      severity: "error",
      from: { path: place("security") },
      to: { dependencyTypes: ["core"], pathNot: "^(node:)?crypto$" },
    },
    {
      name: "io-packages-at-the-edge",
      comment: "These packages open sockets, devices, files or terminals.",
      severity: "error",
      from: { path: pure },
      to: { path: npm("dgram-as-promised", "@julusian/midi", "pino", "pino-pretty", "commander") },
    },
    {
      name: "sodium-in-security",
      severity: "error",
      from: { path: "^src/", pathNot: [place("security"), place("edge")] },
      to: { path: npm("sodium-native") },
    },
    {
      name: "osc-js-in-cli",
      comment: "osc-js never decodes what the network sends to a node: one 16-byte datagram stalls it for 1.4 s.",
      severity: "error",
      from: { path: "^src/", pathNot: place("cli") },
      to: { path: npm("osc-js") },
    },
    {
      name: "src-stands-alone",
      comment: "The package holds src/ and its dependencies; nothing else is there at run time.",
      severity: "error",
      from: { path: "^src/" },
      to: { path: "^(test|bench|dist|dist-bench)/" },
    },
    {
      name: "no-dev-dependency",
      severity: "error",
      from: { path: "^src/" },
      to: { dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"], dependencyTypesNot: ["type-only"] },
    },
    { name: "resolvable", severity: "error", from: { path: "^src/" }, to: { couldNotResolve: true } },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    doNotFollow: { path: ["node_modules"] },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "node", "default", "types"] },
  },
};
