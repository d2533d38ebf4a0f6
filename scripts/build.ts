/**
 * Writes dist/: the entry points as ES modules and as CommonJS, what several of them use in a file that they share, the
 * declarations, and the command.
 */
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { build, transform } from "esbuild";
import { writeDeclarations } from "./declarations.js";
import { entries } from "./entries.js";
import { root } from "./tools.js";

const dist = join(root, "dist");
const esm = join(dist, "esm");
const cjs = join(dist, "cjs");
const notices = readFileSync(join(root, "scripts", "third-party-notices.txt"), "utf8");
const noticesFile = join(dist, "THIRD-PARTY-NOTICES.txt");
const target = "node20";

function write(file: string, text: string, mode?: number): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text, { mode });
}

/** The packages whose code is among these files. */
function packagesIn(files: readonly string[]): string[] {
  const names = files.map((file) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1]);
  return [...new Set(names)].filter((name) => name !== undefined);
}

/** The first line of a file with other people's code in it, which bundlers keep. */
function notice(file: string, packages: readonly string[]): string {
  const unknown = packages.filter((name) => !notices.includes(`${name} (`));
  if (unknown.length > 0) throw new Error(`scripts/third-party-notices.txt does not name ${unknown.join(", ")}`);
  if (packages.length === 0) return "";
  const path = relative(dirname(file), noticesFile).split(sep).join("/");
  return `/*! Contains code of ${packages.join(", ")}: see ${path} */\n`;
}

/** Bundles to ES modules, and makes CommonJS of each file: the same files, with the same imports of one another. */
async function bundle(): Promise<void> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: ["lib/cli.ts", ...entries.map(({ path }) => `lib/${path}.ts`)],
    outbase: "lib",
    outdir: "dist/esm",
    chunkNames: "shared/[hash]",
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target,
    // A user's neverthrow and ours must be one class.
    external: ["neverthrow"],
    // What cannot happen throws in specs, and is not looked for in production.
    define: { __DEV__: "false" },
    legalComments: "none",
    metafile: true,
    write: false,
  });
  for (const { path, text } of outputFiles) {
    const inputs = metafile.outputs[relative(root, path).split(sep).join("/")]?.inputs ?? {};
    const bundled = Object.keys(inputs).filter((file) => (inputs[file]?.bytesInOutput ?? 0) > 0);
    const firstLine = notice(path, packagesIn(bundled));
    write(path, firstLine + text);
    // The command is an ES module alone.
    if (path === join(esm, "cli.js")) continue;
    const { code } = await transform(text, { format: "cjs", platform: "node", target, banner: '"use strict";' });
    write(join(cjs, relative(esm, path)), firstLine + code);
  }
  write(join(cjs, "package.json"), '{ "type": "commonjs" }\n');
}

function writeCommand(): void {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { readonly version: string };
  const start = `import { run } from "./esm/cli.js";\n\nawait run(process, ${JSON.stringify(version)});\n`;
  write(join(dist, "command.js"), `#!/usr/bin/env node\n${start}`, 0o755);
}

rmSync(dist, { recursive: true, force: true });
await bundle();
writeCommand();
writeDeclarations([esm, cjs]);
copyFileSync(join(root, "scripts", "third-party-notices.txt"), noticesFile);
