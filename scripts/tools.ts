import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

interface Manifest {
  /** By command; a string is the file of the one command that is called as the package is. */
  readonly bin: Readonly<Record<string, string>> | string;
}

/** The file behind a development tool's command. Run with this Node it needs neither a shell nor npx. */
export const bin = (packageName: string, command: string): string => {
  const manifest = createRequire(import.meta.url).resolve(`${packageName}/package.json`);
  const commands = (JSON.parse(readFileSync(manifest, "utf8")) as Manifest).bin;
  const file = typeof commands === "string" ? commands : commands[command];
  if (file === undefined) {
    throw new Error(`${packageName} has no command ${command}`);
  }
  return join(dirname(manifest), file);
};

/** Runs a file with this Node and gives what it wrote to stdout. Throws when it fails. */
export const runNode = (file: string, args: readonly string[], cwd = root): string => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [file, ...args], { cwd, encoding: "utf8" });
  if (status !== 0) {
    throw new Error(`${file} ${args.join(" ")} failed\n${stdout}${stderr}`);
  }
  return stdout;
};

/** Runs npm and gives what it wrote to stdout. Throws when it fails. */
export const runNpm = (args: readonly string[], cwd: string): string => {
  const shell = process.platform === "win32";
  const { status, stdout, stderr } = spawnSync("npm", args, { cwd, encoding: "utf8", shell });
  if (status !== 0) {
    throw new Error(`npm ${args.join(" ")} failed\n${stdout}${stderr}`);
  }
  return stdout;
};
