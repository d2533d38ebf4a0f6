/** Makes ready what is measured (the built library, this one and another commit's) and the programs that measure it. */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { bin, root, runNode, runNpm } from "../tools.js";

/** In node_modules, so that the files there find the packages as the library does. */
const cache = join(root, "node_modules", ".cache", "bench");

export function programFile(name: string): string {
  return join(cache, `${name}.mjs`);
}

export function buildPrograms(): Promise<unknown> {
  return build({
    absWorkingDir: root,
    entryPoints: ["gateway", "worker"].map((name) => `scripts/bench/programs/${name}.ts`),
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    outdir: cache,
    outExtension: { ".js": ".mjs" },
  });
}

/** Gives the folder of the present build. */
export async function buildPresent(): Promise<string> {
  await import("../build.js");
  return join(root, "dist", "esm");
}

function git(...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync("git", args, { cwd: root, encoding: "utf8" });
  if (status !== 0) throw new Error(`git ${args.join(" ")} failed: ${stderr}`);
  return stdout.trim();
}

/** What a lock file installs, without what it says of the package itself. */
function lockedPackages(folder: string): string {
  const { packages } = JSON.parse(readFileSync(join(folder, "package-lock.json"), "utf8")) as { packages: object };
  return JSON.stringify({ ...packages, "": undefined });
}

/**
 * Builds another commit by its own script, in a worktree that is gone afterwards, and gives the folder of its build. That
 * folder stays for the next run.
 */
export function buildCommit(revision: string): string {
  const commit = git("rev-parse", "--verify", "--end-of-options", `${revision}^{commit}`);
  const kept = join(cache, "builds", commit);
  if (!existsSync(join(kept, "package.json"))) {
    console.log(`Building the library of ${revision}`);
    const temporary = mkdtempSync(join(tmpdir(), "bench-"));
    const worktree = join(temporary, commit);
    git("worktree", "add", "--detach", worktree, commit);
    try {
      if (lockedPackages(worktree) === lockedPackages(root)) {
        symlinkSync(join(root, "node_modules"), join(worktree, "node_modules"), "junction");
      } else {
        runNpm(["ci"], worktree);
      }
      runNode(bin("tsx", "tsx"), [join("scripts", "build.ts")], worktree);
      cpSync(join(worktree, "dist"), join(kept, "dist"), { recursive: true });
      // It comes last, and says that the build is complete.
      cpSync(join(worktree, "package.json"), join(kept, "package.json"));
    } finally {
      git("worktree", "remove", "--force", worktree);
      rmSync(temporary, { recursive: true, force: true });
    }
  }
  return join(kept, "dist", "esm");
}
