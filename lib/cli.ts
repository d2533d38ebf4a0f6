/**
 * The command line, for people who set up a vehicle. The library itself loads nothing of it, and loading it does nothing:
 * the build writes the file that starts it.
 */
import { ExitCode } from "./cli/exit-code.js";
import { main } from "./cli/main.js";

/** The part of `process` that is used. */
export type Process = Pick<NodeJS.Process, "argv" | "env" | "stdin" | "stdout" | "stderr" | "on" | "off"> & {
  exitCode?: NodeJS.Process["exitCode"];
};

/** Carries out the process's command line and sets its exit code; the process ends by itself. */
export async function run(host: Process, version: string): Promise<void> {
  const { argv, env, stdin, stdout, stderr } = host;
  const ending = new AbortController();
  let lostOutput: Error | undefined;
  const onSignal = (): void => {
    // The next one ends the process at once.
    host.off("SIGINT", onSignal);
    host.off("SIGTERM", onSignal);
    ending.abort();
  };
  host.on("SIGINT", onSignal);
  host.on("SIGTERM", onSignal);
  // Whoever reads the output may stop doing so, as `head` does: that ends the command, and is no failure.
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") lostOutput ??= error;
    ending.abort();
  });
  stderr.on("error", () => undefined);

  const surroundings = {
    input: stdin,
    output: stdout,
    errors: stderr,
    signal: ending.signal,
    canRedraw: env["TERM"] !== "dumb",
  };
  try {
    host.exitCode = await main(argv.slice(2), surroundings, version);
    if (lostOutput !== undefined) throw lostOutput;
  } catch (error) {
    stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    host.exitCode = ExitCode.UNEXPECTED;
  } finally {
    host.off("SIGINT", onSignal);
    host.off("SIGTERM", onSignal);
  }
}
