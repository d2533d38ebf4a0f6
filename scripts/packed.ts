/** The package as users get it: packed, and installed in a project outside this repository. */
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { root, runNpm } from "./tools.js";

export interface Tarball {
  /** Its path. */
  readonly file: string;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string; readonly size: number }[];
}

/** Gives `use` an empty folder, and removes it afterwards. */
export async function inTemporaryFolder(name: string, use: (folder: string) => unknown): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), `${name}-`));
  try {
    await use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Packs what is built, as for publishing, into a folder. */
export function pack(folder: string): Tarball {
  const [packed] = JSON.parse(
    runNpm(["pack", "--json", "--ignore-scripts", "--pack-destination", folder], root),
  ) as (Tarball & { readonly filename: string })[];
  if (packed === undefined) throw new Error("npm pack made no tarball");
  return { ...packed, file: join(folder, packed.filename) };
}

/**
 * Makes an ES module project of a folder, and installs packages there. With the versions of this repository's lock file, npm
 * finds what it can in the cache that `npm ci` filled.
 */
export function installIn(folder: string, packages: readonly string[]): void {
  writeFileSync(join(folder, "package.json"), '{ "private": true, "type": "module" }');
  copyFileSync(join(root, "package-lock.json"), join(folder, "package-lock.json"));
  runNpm(["install", "--prefer-offline", "--no-audit", "--no-fund", ...packages], folder);
}

/** What a user's bundler makes of a program in that folder, with everything that it needs. */
export async function bundleOf(code: string, folder: string): Promise<Uint8Array> {
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: folder },
    bundle: true,
    minify: true,
    format: "esm",
    platform: "node",
    target: "node20",
    legalComments: "none",
    write: false,
  });
  const [file] = outputFiles;
  if (file === undefined) throw new Error("the bundle is empty");
  return file.contents;
}
