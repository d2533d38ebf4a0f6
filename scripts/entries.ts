import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./tools.js";

interface Target {
  readonly types: string;
  readonly default: string;
}

interface Manifest {
  readonly name: string;
  readonly exports: Readonly<Record<string, { readonly import: Target; readonly require: Target } | string>>;
}

const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Manifest;

export interface Entry {
  /** What a user imports, such as `fleet-internal-client/throwing`. */
  readonly specifier: string;
  /** The place in lib/ and under dist/esm and dist/cjs, without an extension, such as `modules/mission`. */
  readonly path: string;
}

/** The entry points. The exports in package.json are the one list of them. */
export const entries: readonly Entry[] = Object.entries(manifest.exports).flatMap(([subpath, target]) => {
  if (typeof target === "string") return []; // the manifest itself
  const path = target.import.default.replace(/^\.\/dist\/esm\/|\.js$/g, "");
  return [{ specifier: manifest.name + subpath.slice(1), path }];
});
