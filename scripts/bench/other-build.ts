/** The library as another commit has it, built by that commit's own script. */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { bin, root, runNpm } from "../tools.js";

const run = (command: string, args: readonly string[], cwd = root): string => {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: "utf8" });
  if (status !== 0) {
    throw new Error(`${command} ${args.join(" ")} failed\n${stdout}${stderr}`);
  }
  return stdout.trim();
};

/** What a lock file installs, without what it says of the package itself. */
const lockedPackages = (folder: string): string => {
  const { packages } = JSON.parse(readFileSync(join(folder, "package-lock.json"), "utf8")) as { packages: object };
  return JSON.stringify({ ...packages, "": undefined });
};

const installPackages = (folder: string): void => {
  if (lockedPackages(folder) === lockedPackages(root)) {
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"), "junction");
  } else {
    runNpm(["ci"], folder);
  }
};

/**
 * Builds a commit in a worktree that is gone afterwards, and gives the folder of what it built. That folder stays for
 * the next run; it is below node_modules, so that it finds the packages as the library does.
 */
export const buildCommit = (revision: string): string => {
  const commit = run("git", ["rev-parse", "--verify", "--end-of-options", `${revision}^{commit}`]);
  const built = join(root, "node_modules", ".cache", "bench", "builds", commit);
  if (existsSync(join(built, "package.json"))) {
    return built;
  }
  console.log(`Building the library of ${revision}`);
  const temporary = mkdtempSync(join(tmpdir(), "bench-"));
  const worktree = join(temporary, "worktree");
  try {
    run("git", ["worktree", "add", "--detach", worktree, commit]);
    installPackages(worktree);
    run(process.execPath, [bin("tsx", "tsx"), join("scripts", "build.ts")], worktree);
    cpSync(join(worktree, "dist"), join(built, "dist"), { recursive: true });
    cpSync(join(worktree, "package.json"), join(built, "package.json"));
  } finally {
    rmSync(temporary, { recursive: true, force: true });
    run("git", ["worktree", "prune"]);
  }
  return built;
};
