/** Makes ready what is measured (the built library) and what measures (the programs, each bundled to plain JavaScript). */
import { readdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";

import { build, type Plugin } from "esbuild";

import { entries } from "../entries.js";
import { root } from "../tools.js";

/** In node_modules, so that the files there find the packages as the library does. */
export const programsFolder = join(root, "node_modules", ".cache", "bench");

const changedAt = (path: string): number => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? -Infinity;

const newestIn = (folder: string): number =>
  Math.max(
    ...readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).map((file) =>
      changedAt(join(root, folder, file)),
    ),
  );

const isStale = (): boolean => {
  const built = entries.flatMap(({ path }) => ["esm", "cjs"].map((format) => join(root, "dist", format, `${path}.js`)));
  const sources = [newestIn("lib"), newestIn("generated"), changedAt(join(root, "scripts", "build.ts"))];
  return Math.min(...built.map(changedAt)) < Math.max(...sources);
};

/** Builds dist/ when it is missing or older than what it is made from. */
export const buildLibrary = async (): Promise<void> => {
  if (isStale()) {
    console.log("dist/ is missing or older than its sources: building it");
    await import("../build.js");
  }
};

/** The programs import the library's sources, for the types; what runs is the built library. */
const builtLibrary: Plugin = {
  name: "built-library",
  setup(bundler) {
    bundler.onResolve({ filter: /\/lib\/(index|throwing)\.js$/ }, ({ path }) => ({
      path: pathToFileURL(join(root, "dist", "esm", basename(path))).href,
      external: true,
    }));
  },
};

export const buildPrograms = async (): Promise<void> => {
  await build({
    absWorkingDir: root,
    entryPoints: ["server", "exchanges", "connects", "pushes", "recoveries", "memory"].map(
      (name) => `scripts/bench/programs/${name}.ts`,
    ),
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    plugins: [builtLibrary],
    outdir: programsFolder,
    outExtension: { ".js": ".mjs" },
  });
};
