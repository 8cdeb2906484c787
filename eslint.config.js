/**
 * Lint: the mistakes that typed rules find and the house rules that a compiler option cannot express.
 *
 * Layout is the formatter's (Biome), arrows between folders are dependency-cruiser's, dead code is knip's.
 */
import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";

/** Folders that are told the time and the bytes. Edge, command line and the entries above them are not among them. */
const PURE = "src/{base,state,config,wire,modulation,input,security,history,sync,node,manage}/**/*.ts";

const clock = "Below edge/ the time comes in as `nowUs`, from a clock register or an argument.";
const timer = "Below edge/ there are no timers: answer with an effect that names its time.";
const chance = "Below edge/ chance comes in through a port or a seeded generator.";
const outside = "Below edge/ nothing reaches the outside world: answer with an effect.";

const forbiddenGlobals = [
  ...["performance"].map((name) => ({ name, message: clock })),
  ...["setTimeout", "setInterval", "setImmediate", "queueMicrotask"].map((name) => ({ name, message: timer })),
  ...["clearTimeout", "clearInterval", "clearImmediate"].map((name) => ({ name, message: timer })),
  ...["crypto"].map((name) => ({ name, message: chance })),
  ...["process", "console", "fetch", "globalThis", "global", "require", "navigator"].map((name) => ({
    name,
    message: outside,
  })),
  { name: "Buffer", message: "Below edge/ bytes are a Uint8Array; Buffer exists in Node only." },
];

const houseSyntax = [
  { selector: "ExportDefaultDeclaration", message: "Name what you export." },
  { selector: "ExportAllDeclaration", message: "No barrel files: import from the file that declares it." },
];

const pureSyntax = [
  { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: clock },
  { selector: "CallExpression[callee.name='Date']", message: clock },
  { selector: "MemberExpression[object.name='Atomics'][property.name=/^wait/]", message: timer },
];

const secretSyntax = [
  {
    selector:
      "Identifier[name=/^(random(Bytes|UUID|Int|Fill|FillSync)|randombytes_.*|crypto_.*_keygen|generateKey.*)$/]",
    message: "security/ is pure: keys, nonces and chance come in through a port.",
  },
];

export default defineConfig(
  { ignores: ["dist/", "dist-bench/", "dist-sim/", "coverage/", "test-results/", "bench/out/"] },
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { project: "./tsconfig.check.json", tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/consistent-type-exports": "error",
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-deprecated": "error",
      "@typescript-eslint/no-import-type-side-effects": "error",
      "@typescript-eslint/no-unnecessary-boolean-literal-compare": "error",
      "@typescript-eslint/no-useless-constructor": "error",
      "@typescript-eslint/prefer-readonly": "error",
      "@typescript-eslint/return-await": ["error", "error-handling-correctness-only"],
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: true, requireDefaultForNonUnion: false },
      ],
      "@typescript-eslint/use-unknown-in-catch-callback-variable": "error",
      // The compiler reports unused names (noUnusedLocals, noUnusedParameters).
      "@typescript-eslint/no-unused-vars": "off",
      // A port's method may be asynchronous in one implementation and not in another.
      "@typescript-eslint/require-await": "off",
      // A read of a typed array may say that its index is in range (`!`), although the compiler does not ask for it.
      "@typescript-eslint/no-unnecessary-type-assertion": "off",
      // Numbers belong in messages.
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
      eqeqeq: "error",
      "no-restricted-syntax": ["error", ...houseSyntax],
      "no-self-compare": "error",
      "no-unmodified-loop-condition": "error",
      "no-unreachable-loop": "error",
      "no-var": "error",
      "prefer-const": "error",
    },
  },
  {
    files: [PURE],
    rules: {
      "no-restricted-globals": ["error", ...forbiddenGlobals],
      "no-restricted-properties": [
        "error",
        { object: "Date", property: "now", message: clock },
        { object: "Math", property: "random", message: chance },
      ],
      "no-restricted-syntax": ["error", ...houseSyntax, ...pureSyntax],
    },
  },
  {
    files: ["src/security/**/*.ts"],
    rules: { "no-restricted-syntax": ["error", ...houseSyntax, ...pureSyntax, ...secretSyntax] },
  },
  {
    // Tests read what JSON.parse and libraries without types give them; the product parses from `unknown`.
    files: ["test/**/*.ts"],
    rules: { "@typescript-eslint/no-unsafe-member-access": "off", "@typescript-eslint/no-unsafe-assignment": "off" },
  },
  {
    // Tools read a default export, and declarations of foreign packages say what those do.
    files: ["vitest.config.ts", "**/*.d.ts"],
    rules: { "no-restricted-syntax": "off" },
  },
);
