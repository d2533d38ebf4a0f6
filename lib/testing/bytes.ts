/** A field of a protobuf message as it stands in the bytes. */
export interface Field {
  readonly number: number;
  /** The content of a length-delimited field. */
  readonly content: Uint8Array | undefined;
  /** The lowest 32 bits of a varint. */
  readonly varint: number | undefined;
  readonly start: number;
  readonly end: number;
}

interface Varint {
  /** May have lost its lowest bits, which is enough to see that a length is too large. */
  readonly value: number;
  readonly lowest32: number;
  readonly end: number;
}

const VARINT = 0;
const FIXED_64 = 1;
const LENGTH_DELIMITED = 2;
const START_GROUP = 3;
const END_GROUP = 4;
const FIXED_32 = 5;

/** Field number 1; there is no 0. */
const MIN_TAG = 8;
const MAX_TAG = 4_294_967_295;
const MAX_VARINT_BYTES = 10;
/** The bits of a byte that carry a varint's value, the fifth byte's being the last within 32 bits. */
const BYTES_WITHIN_32_BITS = 5;
const MAX_GROUP_DEPTH = 100;

export const NOTHING = new Uint8Array(0);

/** Calls `take` with each field; false if `take` says so or the bytes are not whole fields from the first to the last. */
export function eachField(bytes: Uint8Array, take: (field: Field) => boolean): boolean {
  let position = 0;
  while (position < bytes.length) {
    const field = readField(bytes, position);
    if (field === undefined || field.end > bytes.length || !take(field)) return false;
    position = field.end;
  }
  return true;
}

function readField(bytes: Uint8Array, start: number): Field | undefined {
  const tag = readTag(bytes, start);
  if (tag === undefined) return undefined;
  const number = tag.value >>> 3;
  const bare = { number, content: undefined, varint: undefined, start };
  switch (tag.value & 7) {
    case VARINT: {
      const varint = readVarint(bytes, tag.end);
      return varint && { ...bare, varint: varint.lowest32, end: varint.end };
    }
    case FIXED_64:
      return { ...bare, end: tag.end + 8 };
    case LENGTH_DELIMITED: {
      const length = readVarint(bytes, tag.end);
      if (length === undefined) return undefined;
      const end = length.end + length.value;
      return { ...bare, content: bytes.subarray(length.end, end), end };
    }
    case START_GROUP: {
      const end = endOfGroup(bytes, tag.end, number);
      return end === undefined ? undefined : { ...bare, end };
    }
    case FIXED_32:
      return { ...bare, end: tag.end + 4 };
    default:
      return undefined;
  }
}

function endOfGroup(bytes: Uint8Array, start: number, number: number): number | undefined {
  const open = [number];
  let position = start;
  while (position < bytes.length && open.length <= MAX_GROUP_DEPTH) {
    const tag = readTag(bytes, position);
    if (tag === undefined) return undefined;
    const type = tag.value & 7;
    if (type === START_GROUP) open.push(tag.value >>> 3);
    if (type === END_GROUP && open.pop() !== tag.value >>> 3) return undefined;
    if (open.length === 0) return tag.end;
    const isBracket = type === START_GROUP || type === END_GROUP;
    const end = isBracket ? tag.end : readField(bytes, position)?.end;
    if (end === undefined) return undefined;
    position = end;
  }
  return undefined;
}

function readTag(bytes: Uint8Array, start: number): Varint | undefined {
  const tag = readVarint(bytes, start);
  return tag !== undefined && tag.value >= MIN_TAG && tag.value <= MAX_TAG ? tag : undefined;
}

function readVarint(bytes: Uint8Array, start: number): Varint | undefined {
  const limit = Math.min(bytes.length, start + MAX_VARINT_BYTES);
  let value = 0;
  let lowest32 = 0;
  for (let position = start; position < limit; position += 1) {
    const byte = bytes[position] ?? 0;
    const index = position - start;
    // Multiplied, not shifted: a shift would wrap at 32 bits and make a huge length look small.
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (index < BYTES_WITHIN_32_BITS) lowest32 |= (byte & 0x7f) << (7 * index);
    if (byte < 0x80) return { value, lowest32, end: position + 1 };
  }
  return undefined;
}

/** A varint field as protobuf writes it: left out if it is 0, a negative int32 in ten bytes. */
export function varintField(number: number, value: number): Uint8Array {
  return value === 0 ? NOTHING : Uint8Array.of(number << 3, ...varint(value));
}

/** The parts of a length-delimited field. */
export function bytesField(number: number, ...parts: readonly Uint8Array[]): readonly Uint8Array[] {
  const length = parts.reduce((total, part) => total + part.length, 0);
  return [Uint8Array.of((number << 3) | LENGTH_DELIMITED, ...varint(length)), ...parts];
}

/** As {@link bytesField}, but left out if it is empty. */
export function optionalBytesField(number: number, content: Uint8Array): readonly Uint8Array[] {
  return content.length === 0 ? [] : bytesField(number, content);
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  return [...bytes, Number(rest)];
}
