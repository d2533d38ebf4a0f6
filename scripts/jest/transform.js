import { transformSync } from "esbuild";

/** Turns one TypeScript file into CommonJS for jest. Types are not looked at here: `npm run typecheck` does that. */
export default {
  /**
   * @param {string} source
   * @param {string} path
   */
  process(source, path) {
    const { code, map } = transformSync(source, {
      sourcefile: path,
      loader: path.endsWith(".ts") ? "ts" : "js",
      format: "cjs",
      target: "node20",
      // What cannot happen throws in specs.
      define: { __DEV__: "true" },
      tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
      // Each export gets a getter, and coverage would take one that nobody called for a function of the source.
      footer: "Object.values(module.exports);",
      // Coverage and stack traces find the TypeScript through the map.
      sourcemap: "both",
    });
    return { code, map };
  },
};
