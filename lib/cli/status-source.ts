import { readFile } from "node:fs/promises";
import { addAbortSignal } from "node:stream";
import { buffer } from "node:stream/consumers";
import { CommandLineError, wrongValue, type Given, type Options } from "./command-line.js";
import { bytesOf } from "./payload.js";
import type { Surroundings } from "./surroundings.js";

/** Where the status to send is. */
export type StatusSource =
  | { readonly from: "argument"; readonly status: Uint8Array }
  | { readonly from: "file"; readonly path: string }
  | { readonly from: "input" };

export const statusOptions = {
  status: { value: "TEXT", help: "the status, as text" },
  "status-file": { value: "FILE", help: "the status is what the file holds" },
  "status-hex": { value: "HEX", help: "the status, as pairs of hex digits" },
} as const satisfies Options;

/** @throws CommandLineError unless the line names just one */
export function statusSourceOf(command: string, given: Given, ways: string): StatusSource {
  const named = [
    ...Object.keys(statusOptions)
      .filter((name) => given.has(name))
      .map((name) => `--${name}`),
    ...given.operands,
  ];
  if (named.length === 0) throw new CommandLineError(`${command} needs a status: ${ways}`);
  if (named.length > 1) throw new CommandLineError(`${command} takes one status, but got ${named.join(" and ")}`);
  const [text, path, hex] = [given.text("status"), given.text("status-file"), given.text("status-hex")];
  if (text !== undefined) return { from: "argument", status: bytesOf(text) };
  if (hex !== undefined) return { from: "argument", status: hexBytes(hex) };
  return path === undefined ? { from: "input" } : { from: "file", path };
}

/** @throws CommandLineError when it cannot be read */
export async function readStatus(
  source: StatusSource,
  { input, signal }: Pick<Surroundings, "input" | "signal">,
): Promise<Uint8Array> {
  try {
    if (source.from === "argument") return source.status;
    return source.from === "file" ? await readFile(source.path) : await buffer(addAbortSignal(signal, input));
  } catch (error) {
    throw new CommandLineError(`the status cannot be read: ${(error as Error).message}`);
  }
}

function hexBytes(given: string): Uint8Array {
  const digits = given.replace(/\s+/g, "");
  if (/^([0-9a-f]{2})*$/i.test(digits)) return Buffer.from(digits, "hex");
  throw new CommandLineError(wrongValue("--status-hex", given, "pairs of hex digits, for example 7b7d"));
}
