import { constants, open, type FileHandle } from "node:fs/promises";
import { addAbortSignal } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
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
  "status-file": { value: "FILE", help: "the status is the content of the file" },
  "status-hex": { value: "HEX", help: "the status, as pairs of hex digits" },
} as const satisfies Options;

/** The library's default limit of a message: no status can be larger. */
const MAX_BYTES = 16 * 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;
const LOOK_AGAIN_MS = 20;

/** @throws CommandLineError unless the line names exactly one */
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

/** @throws CommandLineError when it cannot be read, is too large, or the signal aborts */
export async function readStatus(
  source: StatusSource,
  { input, signal }: Pick<Surroundings, "input" | "signal">,
): Promise<Uint8Array> {
  try {
    if (source.from === "argument") return source.status;
    const chunks = source.from === "file" ? chunksOf(source.path, signal) : addAbortSignal(signal, input);
    return await joined(chunks as AsyncIterable<Buffer>);
  } catch (error) {
    throw new CommandLineError(`the status cannot be read: ${(error as Error).message}`);
  }
}

async function joined(chunks: AsyncIterable<Buffer>): Promise<Uint8Array> {
  const all: Buffer[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    length += chunk.length;
    if (length > MAX_BYTES) throw tooLarge("too many bytes");
    all.push(chunk);
  }
  return Buffer.concat(all);
}

function tooLarge(size: string): Error {
  return new Error(`it has ${size}, and a status at most ${MAX_BYTES}`);
}

/** Opened so that a FIFO does not block: a blocking read could not be interrupted. */
async function* chunksOf(path: string, signal: AbortSignal): AsyncGenerator<Buffer> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const about = await file.stat();
    if (about.size > MAX_BYTES) throw tooLarge(`${about.size} bytes`);
    let isBegun = !about.isFIFO();
    for (;;) {
      const chunk = await nextChunk(file);
      if (chunk?.length === 0 && isBegun) return;
      // A FIFO without a writer reads as ended: only an end after a writer counts.
      isBegun ||= chunk === undefined || chunk.length > 0;
      if (chunk === undefined || chunk.length === 0) await sleep(LOOK_AGAIN_MS, undefined, { signal });
      else yield chunk;
      signal.throwIfAborted();
    }
  } finally {
    await file.close();
  }
}

/** Undefined while there is nothing to read yet. */
async function nextChunk(file: FileHandle): Promise<Buffer | undefined> {
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  try {
    const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, null);
    return chunk.subarray(0, bytesRead);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EAGAIN") return undefined;
    throw error;
  }
}

function hexBytes(given: string): Uint8Array {
  const digits = given.replace(/\s+/g, "");
  if (/^([0-9a-f]{2})*$/i.test(digits)) return Buffer.from(digits, "hex");
  throw new CommandLineError(wrongValue("--status-hex", given, "pairs of hex digits, for example 7b7d"));
}
