import { createRequire } from "node:module";
import { createContext, runInContext } from "node:vm";
import { buildSync } from "esbuild";

/** Bundles this module's code and runs it in a realm that has, besides the language's own globals, only those given. */
export function loadInRealm(code: string, globals: object = {}): unknown {
  const { outputFiles } = buildSync({
    stdin: { contents: code, resolveDir: process.cwd() },
    bundle: true,
    platform: "node",
    format: "cjs",
    write: false,
    logLevel: "error",
  });
  const module = { exports: {} };
  const require = createRequire(`${process.cwd()}/package.json`);
  runInContext(outputFiles[0]!.text, createContext({ module, require, ...globals }));
  return module.exports;
}
