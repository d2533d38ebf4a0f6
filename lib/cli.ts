/**
 * The command line, for people who set up a vehicle. The library itself does not load it, and loading this file does
 * nothing: the build writes the file that starts it.
 */
import { main } from "./cli/main.js";
import { ExitCode } from "./cli/surroundings.js";
import { oneLine } from "./cli/text.js";

/** The part of `process` that is used. */
export type Process = Pick<
  NodeJS.Process,
  "argv" | "env" | "stdin" | "stdout" | "stderr" | "on" | "off" | "pid" | "kill"
> & {
  exitCode?: NodeJS.Process["exitCode"];
  exit: (code: number) => unknown;
};

/** How long an interrupted command waits for its last output to be taken. */
const PATIENCE_MS = 1_000;

/** Runs the process's command line and sets the exit code; the process ends by itself. */
export async function run(host: Process, version: string): Promise<void> {
  const { argv, env, stdin, stdout, stderr } = host;
  const ending = new AbortController();
  const interrupt = (): void => {
    // The next signal ends the process at once.
    host.off("SIGINT", interrupt);
    host.off("SIGTERM", interrupt);
    ending.abort();
  };
  host.on("SIGINT", interrupt);
  host.on("SIGTERM", interrupt);
  let outputError: NodeJS.ErrnoException | undefined;
  const onOutputError = (error: NodeJS.ErrnoException): void => {
    outputError ??= error;
    ending.abort();
  };
  stdout.on("error", onOutputError);
  stderr.on("error", () => undefined);

  const surroundings = {
    input: stdin,
    output: stdout,
    errors: stderr,
    signal: ending.signal,
    interrupt,
    job: {
      on: (signal: "SIGTSTP" | "SIGCONT", listener: () => void) => host.on(signal, listener),
      off: (signal: "SIGTSTP" | "SIGCONT", listener: () => void) => host.off(signal, listener),
      stop: () => host.kill(host.pid, "SIGSTOP"),
    },
    canRedraw: env["TERM"] !== "dumb",
  };
  try {
    host.exitCode = await main(argv.slice(2), surroundings, version);
    if (await isTaken(stdout, ending.signal)) complain(outputError);
    else host.exit(host.exitCode);
  } catch (error) {
    complain(error instanceof Error ? error : new Error(String(error)));
  } finally {
    host.off("SIGINT", interrupt);
    host.off("SIGTERM", interrupt);
  }

  function complain(error: NodeJS.ErrnoException | undefined): void {
    // The reader of the output may stop, as `head` does: that ends the command and is not a failure.
    if (error === undefined || error.code === "EPIPE") return;
    // A command that failed has already said why.
    if (host.exitCode !== undefined && host.exitCode !== ExitCode.DONE) return;
    host.exitCode = ExitCode.UNEXPECTED;
    const what = error === outputError ? "the output cannot be written" : "something unexpected failed";
    stderr.write(`fleet-internal-client: ${what}: ${oneLine(error.message)}\n`);
  }
}

/** Whether everything written has been taken or refused. An interrupted command waits for that only a moment. */
function isTaken(stdout: Process["stdout"], signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    let timer: NodeJS.Timeout | undefined;
    const onAbort = (): void => {
      timer = setTimeout(() => resolve(false), PATIENCE_MS);
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort);
    stdout.write("", () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      resolve(true);
    });
  });
}
