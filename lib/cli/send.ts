import { exchange, withClient } from "../index.js";
import type { Command, Given } from "./command-line.js";
import { deviceOptions, generalOptions, readDeviceOptions } from "./device-options.js";
import { deliver } from "./output.js";
import { payloadOptions, Payloads } from "./payload.js";
import { readStatus, statusOptions, statusSourceOf } from "./status-source.js";
import { ExitCode, exitCodeOf, type Surroundings } from "./surroundings.js";
import { explain, jsonOf, oneLine, toMicroseconds } from "./text.js";

const WAYS = "--status TEXT, --status-file FILE, --status-hex HEX, or - for standard input";

export const sendCommand = {
  command: "send",
  options: { ...statusOptions, ...deviceOptions("send"), ...payloadOptions, ...generalOptions },
  operands: ["-"],
  usage: "send --module NUMBER (--status TEXT | --status-file FILE | --status-hex HEX | -) [OPTIONS]",
  summary: "Send one status and print the command that answers it",
  notes: [
    "With - the status is read from standard input. For a known module the status is checked first, and an invalid one is not sent.",
    "Only the command is printed: text unchanged (at a terminal, JSON on several lines), other bytes as hex digits after the word hex. --hex prints only the digits.",
    "The gateway refuses a second device with the same module, type and role. send and watch use different roles; to run one of them twice, give --role.",
  ],
  events: [
    [
      "command",
      "kind (answer), roundTripMs, bytes, hex, text where it is UTF-8, value where it is JSON or a known module's",
    ],
    ["failure", "code, returnCode, reason, family, message"],
  ],
  examples: [
    `fleet-internal-client send --module 1000 --role left_button --status '{"pressed": true}'`,
    "fleet-internal-client send --module 1234 --status-file status.bin --hex",
    "printf hello | fleet-internal-client send --host 10.0.0.5 --module 3 -",
  ],
  run: send,
} as const satisfies Command;

/** Sends one status and prints the command that answered it. */
async function send(given: Given, surroundings: Surroundings): Promise<number> {
  const { output, errors, signal } = surroundings;
  const source = statusSourceOf("send", given, WAYS);
  const { config, timeoutMs } = readDeviceOptions("send", given);
  const { device } = config;
  const payloads = new Payloads(given);
  let status: Uint8Array;
  try {
    status = payloads.toSend(await readStatus(source, surroundings), device);
  } catch (error) {
    if (signal.aborted) return ExitCode.INTERRUPTED;
    throw error;
  }
  const outcome = await withClient({ ...config, signal }, (client) => {
    const sentAt = performance.now();
    return exchange(client, status, { timeoutMs, signal }).map((command) => ({
      command,
      roundTripMs: toMicroseconds(performance.now() - sentAt),
    }));
  });
  if (outcome.isErr() && signal.aborted) return ExitCode.INTERRUPTED;
  const unwritten = await deliver(output, outcome.match(written, failed), signal);
  if (outcome.isErr()) {
    errors.write(`${explain(outcome.error)}\n`);
    return exitCodeOf(outcome.error);
  }
  if (unwritten === undefined) return signal.aborted ? ExitCode.INTERRUPTED : ExitCode.DONE;
  errors.write(`a command came, but it cannot be written: ${oneLine(unwritten.message)}\n`);
  return ExitCode.UNEXPECTED;

  function written({ command, roundTripMs }: { readonly command: Uint8Array; readonly roundTripMs: number }): string {
    const origin = { kind: "command", device } as const;
    if (!given.has("json")) return `${payloads.alone(command, origin, output.isTTY === true)}\n`;
    const fields = payloads.fields(command, origin);
    return `${jsonOf({ time: new Date(), event: "command", kind: "answer", roundTripMs, ...fields })}\n`;
  }

  function failed(error: Parameters<typeof explain>[0]): string {
    if (!given.has("json")) return "";
    const { code, returnCode, reason, family } = error;
    return `${jsonOf({ time: new Date(), event: "failure", code, returnCode, reason, family, message: explain(error) })}\n`;
  }
}
