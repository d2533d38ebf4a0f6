import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";

/** A program in a process of its own. */
export interface Program {
  /** What it has written so far. */
  readonly stdout: string;
  readonly stderr: string;
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
  readonly send: (signal: NodeJS.Signals) => void;
  /** Of its standard streams: the input is null unless it was asked for. */
  readonly input: Writable | null;
  readonly output: Readable;
}

const running = new Set<Program>();

/** Starts Node with these arguments, in the repository's top folder. */
export function startProgram(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  input: "ignore" | "pipe" = "ignore",
): Program {
  const child = spawn(process.execPath, args, {
    stdio: [input, "pipe", "pipe"],
    env: { ...process.env, ...env },
  });
  const written = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream]!.setEncoding("utf8").on("data", (text: string) => (written[stream] += text));
  }
  const end = async (): Promise<number | NodeJS.Signals> => {
    const [code, signal] = (await once(child, "close")) as [number, null] | [null, NodeJS.Signals];
    running.delete(program);
    return code ?? signal;
  };
  const program: Program = {
    get stdout() {
      return written.stdout;
    },
    get stderr() {
      return written.stderr;
    },
    ended: end(),
    send: (signal) => child.kill(signal),
    input: child.stdin,
    output: child.stdout!,
  };
  running.add(program);
  return program;
}

/** For `afterEach`: ends what a failed test has left running. */
export async function endPrograms(): Promise<void> {
  for (const program of running) program.send("SIGKILL");
  await Promise.all([...running].map(({ ended }) => ended));
}
