import { HIGHEST_UINT32 } from "./checks.js";

/** The fields of a message that hold messages themselves, by number. */
export interface NestedMessages {
  readonly [field: number]: NestedMessages;
}

interface Varint {
  readonly value: number;
  readonly end: number;
}

/** Field number 1; there is no 0. */
const LOWEST_TAG = 8;

const VARINT = 0;
const FIXED_64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED_32 = 5;
const LONGEST_VARINT_BYTES = 10;

/**
 * Whether the bytes are whole protobuf fields from the first to the last, in the nested messages too. The generated
 * decoder takes more than the real gateway's does: padding, anything after an end-group tag, a field longer than the
 * message that it stands in.
 */
export function isWholeMessage(bytes: Uint8Array, nested: NestedMessages, start = 0, end = bytes.length): boolean {
  let position = start;
  while (position < end) {
    const tag = readVarint(bytes, position, end);
    if (tag === undefined || tag.value < LOWEST_TAG || tag.value > HIGHEST_UINT32) return false;
    const content = contentOf(bytes, tag, end);
    if (content === undefined || content.end > end) return false;
    const inner = content.nestable ? nested[tag.value >>> 3] : undefined;
    if (inner !== undefined && !isWholeMessage(bytes, inner, content.start, content.end)) return false;
    position = content.end;
  }
  return true;
}

interface Content {
  readonly start: number;
  readonly end: number;
  readonly nestable: boolean;
}

function contentOf(bytes: Uint8Array, tag: Varint, end: number): Content | undefined {
  const start = tag.end;
  switch (tag.value & 7) {
    case VARINT: {
      const value = readVarint(bytes, start, end);
      return value && { start, end: value.end, nestable: false };
    }
    case FIXED_64:
      return { start, end: start + 8, nestable: false };
    case LENGTH_DELIMITED: {
      const length = readVarint(bytes, start, end);
      return length && { start: length.end, end: length.end + length.value, nestable: true };
    }
    case FIXED_32:
      return { start, end: start + 4, nestable: false };
    default:
      return undefined;
  }
}

function readVarint(bytes: Uint8Array, start: number, end: number): Varint | undefined {
  const limit = Math.min(end, start + LONGEST_VARINT_BYTES);
  let value = 0;
  for (let position = start; position < limit; position += 1) {
    const byte = bytes[position] ?? 0;
    // Multiplied, not shifted: a shift would wrap at 32 bits and make a huge length look small.
    value += (byte & 0x7f) * 2 ** (7 * (position - start));
    if (byte < 0x80) return { value, end: position + 1 };
  }
  return undefined;
}
