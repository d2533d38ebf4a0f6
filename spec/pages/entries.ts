import { readFileSync } from "node:fs";
import { resolve } from "node:path";

interface Manifest {
  readonly name: string;
  readonly exports: Readonly<Record<string, { readonly import: { readonly default: string } } | string>>;
  readonly scripts: Readonly<Record<string, string>>;
}

export const manifest = JSON.parse(readFileSync("package.json", "utf8")) as Manifest;

/** What users import, and where lib/ has it: `fleet-internal-client/throwing` is lib/throwing.ts. */
export const entries: readonly { readonly specifier: string; readonly source: string }[] = Object.entries(
  manifest.exports,
).flatMap(([subpath, target]) => {
  if (typeof target === "string") return []; // the manifest itself
  const source = target.import.default.replace("./dist/esm/", "lib/").replace(/js$/, "ts");
  return [{ specifier: manifest.name + subpath.slice(1), source: resolve(source) }];
});
