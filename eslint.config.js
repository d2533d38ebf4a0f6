import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";

import noDroppedResult from "./scripts/eslint-rules/no-dropped-result.js";

const folder = String.raw`\./.+`;
const generated = String.raw`(\.\./)+generated/.+`;
const errors = String.raw`\.\./errors/.+`;
const protobuf = String.raw`\.\./protobuf/.+`;
const limits = String.raw`\.\./limits\.js`;
const neverthrow = "neverthrow";
const node = "node:(?!net$).+";
const net = "node:net";
/** A test's fake timers may replace those of `node:timers`: see lib/client/timers.ts. */
const nodeButTimers = "node:(?!(net|timers)$).+";

/**
 * @param {string[]} files
 * @param {string[]} allowed what these files may import, and nothing else
 * @returns {import("eslint").Linter.Config}
 */
function layer(files, allowed) {
  return {
    files,
    rules: {
      "no-restricted-imports": [
        "error",
        {
          patterns: [
            { regex: `^(?!(${allowed.join("|")})$)`, message: "This layer may not import that: see eslint.config.js." },
          ],
        },
      ],
    },
  };
}

/** What Node adds to a realm's globals, and a test environment may take away: it is imported. */
const nodeGlobals = [
  ...["Buffer", "TextDecoder", "TextEncoder", "URL", "console", "performance", "process", "queueMicrotask"],
  ...["structuredClone", "setImmediate", "setInterval", "setTimeout"],
  ...["clearImmediate", "clearInterval", "clearTimeout"],
];

/** A function of a file is a declaration; what is handed to another function is an arrow. */
const houseStyle = ["Program > ", "ExportNamedDeclaration > "].map((parent) => ({
  selector: `${parent}VariableDeclaration > VariableDeclarator:not([id.typeAnnotation]) > ArrowFunctionExpression`,
  message: "Declare it with `function`.",
}));

/** What would make lib/protocol depend on more than its arguments. */
const impure = ["Promise", "Date", "AbortSignal", ...nodeGlobals];

export default defineConfig(
  { ignores: ["generated/", "**/dist/", "coverage/", "docs/"] },
  tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    plugins: { local: { rules: { "no-dropped-result": noDroppedResult } } },
    rules: {
      eqeqeq: "error",
      "no-restricted-syntax": ["error", ...houseStyle],
      "local/no-dropped-result": "error",
      "@typescript-eslint/no-floating-promises": ["error", { checkThenables: true }],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": [
        "error",
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
    },
  },

  // A cast in a comment is invisible here. The compiler checks these files too.
  { files: ["**/*.js"], rules: { "@typescript-eslint/no-unsafe-assignment": "off" } },

  // The layers of lib/, from the lowest up. The last match of a file is the one that counts.
  { files: ["lib/**"], rules: { "no-console": "error" } },
  layer(["lib/**"], [folder, neverthrow, node]),
  layer(["lib/limits.ts"], []),
  layer(["lib/protobuf/**"], [folder, "@bufbuild/protobuf/wire", "node:util"]),
  layer(["lib/protocol/**"], [folder, errors, protobuf, generated, "@bufbuild/protobuf/wire"]),
  {
    files: ["lib/**"],
    ignores: ["lib/cli.ts", "lib/cli/**"],
    rules: { "no-restricted-globals": ["error", ...nodeGlobals] },
  },
  {
    files: ["lib/protocol/**"],
    rules: {
      "no-restricted-globals": ["error", ...impure],
      "no-restricted-syntax": [
        "error",
        ...houseStyle,
        ":function[async=true]",
        "AwaitExpression",
        "MemberExpression[object.name=Math][property.name=random]",
      ],
    },
  },
  layer(["lib/errors/**"], [folder, neverthrow]),
  layer(["lib/codecs/**"], [folder, String.raw`\.\./protocol/device\.js`, protobuf, errors, limits, neverthrow, node]),
  layer(["lib/client/**"], [folder, String.raw`\.\./(protocol|codecs)/.+`, errors, limits, neverthrow, nodeButTimers]),
  layer(["lib/client/{dial,transport}.ts"], [folder, nodeButTimers, net]),
  layer(["lib/client/timers.ts"], ["node:timers"]),
  layer(["lib/api/**"], [folder, String.raw`\.\./(client|codecs)/.+`, errors, neverthrow, node]),
  layer(["lib/index.ts"], [String.raw`\./(api|client|codecs|errors|protocol)/.+`, neverthrow]),
  layer(["lib/throwing.ts"], [String.raw`\./index\.js`, String.raw`\./(api|client)/.+`, neverthrow]),
  layer(["lib/modules/**"], [String.raw`\.\./index\.js`, folder, protobuf, generated, "valibot"]),
  layer(
    ["lib/testing.ts", "lib/testing/**"],
    [String.raw`\./(?!(index|throwing|cli)\.js$|cli/).+`, generated, node, net],
  ),
  // The command line uses what every user can, and nothing of the library uses it.
  layer(["lib/cli.ts"], [String.raw`\./cli/.+`, node]),
  layer(["lib/cli/**"], [folder, String.raw`\.\./(index|testing|modules/.+)\.js`, node]),
  // What a gateway does on messages that are none can be seen in bytes alone.
  layer(["lib/cli/check-device.ts"], [folder, String.raw`\.\./(index|testing)\.js`, node, net]),

  {
    files: ["spec/**"],
    rules: {
      "@typescript-eslint/no-non-null-assertion": "off",
      // A spec may start what it does not await, and reads more plainly so.
      "@typescript-eslint/require-await": "off",
    },
  },
  {
    // Its own configuration has the installed package; this one has lib/ in its place.
    files: ["spec/example-project/**"],
    languageOptions: { parserOptions: { projectService: false, project: "scripts/tsconfig.example-project.json" } },
  },
  {
    // These files are read by the compiler alone: expressions and names without a use are their point.
    files: ["spec/types/**"],
    rules: { "@typescript-eslint/no-unused-vars": "off", "@typescript-eslint/no-unused-expressions": "off" },
  },
);
