import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

interface Manifest {
  /** By command; a string is the file of the one command that is called as the package is. */
  readonly bin: Readonly<Record<string, string>> | string;
}

/** The file behind a tool's command. Run with this Node it needs neither a shell nor npx. */
export function bin(packageName: string, command: string, project = root): string {
  const folder = join(project, "node_modules", packageName);
  const commands = (JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest).bin;
  const file = typeof commands === "string" ? commands : commands[command];
  if (file === undefined) throw new Error(`${packageName} has no command ${command}`);
  return join(folder, file);
}

/** Runs a command without a terminal and returns what it wrote to stdout. Throws when it fails or does not end. */
export function run(command: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = {}): string {
  const { status, signal, stdout, stderr } = spawnSync(command, args, {
    cwd,
    encoding: "utf8",
    env: { ...process.env, ...env },
    timeout: 300_000,
    killSignal: "SIGKILL",
    shell: command === "npm" && process.platform === "win32",
  });
  if (status !== 0) {
    throw new Error(`${command} ${args.join(" ")} ended with ${status ?? signal ?? "nothing"}\n${stdout}${stderr}`);
  }
  return stdout;
}

/** Runs a file with this Node. */
export function runNode(file: string, args: readonly string[], cwd = root, env: NodeJS.ProcessEnv = {}): string {
  return run(process.execPath, [file, ...args], cwd, env);
}

export function runNpm(args: readonly string[], cwd: string): string {
  return run("npm", args, cwd);
}
