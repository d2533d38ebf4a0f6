import { spawn, spawnSync, type ChildProcessByStdio } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";

import { root } from "../tools.js";
import { programsFolder } from "./build.js";
import type { Mode } from "./programs/modes.js";

/** Whatever hangs ends here, so that a run is bounded. */
const longestRunMs = 120_000;

const pin = { command: "taskset", args: ["-c", "1"] } as const;

/** Whether the measured process and the gateway can be held on one CPU: across two, wake-ups decide what is measured. */
export const isPinned =
  process.platform === "linux" && spawnSync(pin.command, [...pin.args, process.execPath, "-e", ""]).status === 0;

type Child = ChildProcessByStdio<Writable, Readable, null>;

const startNode = (args: readonly string[]): Child => {
  const stdio: ["pipe", "pipe", "inherit"] = ["pipe", "pipe", "inherit"];
  const options = { cwd: root, stdio, timeout: longestRunMs, killSignal: "SIGKILL" } as const;
  return isPinned
    ? spawn(pin.command, [...pin.args, process.execPath, ...args], options)
    : spawn(process.execPath, args, options);
};

/** Runs a file in a Node process of its own and gives what it printed. */
export const runFile = async (file: string, args: readonly string[], nodeOptions: readonly string[] = []) => {
  const child = startNode([...nodeOptions, file, ...args]);
  const ended = new Promise<number | NodeJS.Signals | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve(code ?? signal));
  });
  let printed = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (printed += text));
  const outcome = await ended;
  if (outcome !== 0) {
    const limit = outcome === "SIGKILL" ? ` (it may take ${longestRunMs} ms)` : "";
    throw new Error(`${file} ended with ${outcome ?? "nothing"}${limit}`);
  }
  return printed;
};

const programFile = (name: string): string => join(programsFolder, `${name}.mjs`);

/** Runs one of the programs and gives what it found. */
export const runProgram = async <Found>(
  name: string,
  settings: object,
  nodeOptions: readonly string[] = [],
): Promise<Found> => JSON.parse(await runFile(programFile(name), [JSON.stringify(settings)], nodeOptions)) as Found;

/** Runs the gateway for as long as `use` needs its ports, of which there is one for each mode. */
export const withGateway = async <T>(
  modes: readonly Mode[],
  use: (ports: readonly number[]) => Promise<T>,
): Promise<T> => {
  const gateway = startNode([programFile("server"), ...modes]);
  const gone = new Promise((resolve) => gateway.once("close", resolve));
  try {
    return await use(await portsOf(gateway));
  } finally {
    gateway.stdin.end();
    await gone;
  }
};

/** The first line that the gateway prints. */
const portsOf = (gateway: Child): Promise<number[]> =>
  new Promise((resolve, reject) => {
    gateway.once("error", reject);
    gateway.once("close", () => reject(new Error("the benchmark's gateway did not start")));
    createInterface(gateway.stdout).once("line", (line) => resolve(JSON.parse(line) as number[]));
  });
