import { exchange, withClient } from "../index.js";
import type { Given, Syntax } from "./command-line.js";
import { deviceOptions, generalOptions, readDeviceOptions } from "./device-options.js";
import { ExitCode, exitCodeOf } from "./exit-code.js";
import { oneLine, payloadFields, printed, roundTripField } from "./payload.js";
import { readStatus, statusOptions, statusSourceOf } from "./status-source.js";
import type { Surroundings } from "./surroundings.js";

export const sendSyntax = {
  command: "send",
  options: { ...statusOptions, ...deviceOptions, ...generalOptions },
  operands: ["-"],
} as const satisfies Syntax;

const WAYS = "--status TEXT, --status-file FILE, --status-hex HEX, or - for standard input";

/** Sends one status and prints the command that answered it. */
export async function send(given: Given, surroundings: Surroundings): Promise<number> {
  const { output, errors, signal } = surroundings;
  const source = statusSourceOf("send", given, WAYS);
  const { config, timeoutMs } = readDeviceOptions("send", given);
  let status: Uint8Array;
  try {
    status = await readStatus(source, surroundings);
  } catch (error) {
    if (signal.aborted) return ExitCode.INTERRUPTED;
    throw error;
  }
  const outcome = await withClient({ ...config, signal }, (client) => {
    const sentAt = performance.now();
    return exchange(client, status, timeoutMs === undefined ? { signal } : { timeoutMs, signal }).map((command) => ({
      command,
      roundTripMs: performance.now() - sentAt,
    }));
  });
  if (outcome.isErr()) {
    if (signal.aborted) return ExitCode.INTERRUPTED;
    errors.write(`${oneLine(outcome.error.message)}\n`);
    return exitCodeOf(outcome.error);
  }
  const { command, roundTripMs } = outcome.value;
  output.write(`${given.has("json") ? asJson(command, roundTripMs) : printed(command, given.has("hex"))}\n`);
  return ExitCode.DONE;
}

function asJson(command: Uint8Array, roundTripMs: number): string {
  return JSON.stringify({
    time: new Date(),
    event: "command",
    kind: "answer",
    roundTripMs: roundTripField(roundTripMs),
    ...payloadFields(command),
  });
}
