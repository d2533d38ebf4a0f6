import type { ErrorCode, Result, Stream } from "../../lib/index.js";
import { hex } from "../support/bytes.js";

type Item = Result<Uint8Array, { readonly code: ErrorCode }>;

/** What a stream that has ended gives. */
export const END = { done: true, value: undefined };

/** The next item as one word: the command in hex, the error's code, or "end". */
export async function nextWord(items: Stream<Item>): Promise<string> {
  const next = await items.next();
  return next.done === true ? "end" : next.value.match(hex, ({ code }) => code);
}

/** All items that are left, each as one word. */
export async function words(items: Stream<Item>): Promise<string[]> {
  const read: string[] = [];
  for await (const item of items) read.push(item.match(hex, ({ code }) => code));
  return read;
}
