import { byte } from "../testing/wire.js";

// Protobuf by hand, as hex: what a spec needs beyond bytes that are written out.

/** A number as a varint. */
export function varint(value: number): string {
  if (value < 128) return byte(value);
  return byte(128 + (value % 128)) + varint(Math.floor(value / 128));
}

/** A field of bytes: its tag, their length, the bytes. */
export function bytesField(field: number, bytes: string): string {
  return `${varint((field << 3) | 2)}${varint(bytes.length / 2)}${bytes}`;
}

/** A frame: the body's length as a little-endian uint32, and the body. */
export function framed(body: string): string {
  const header = Buffer.alloc(4);
  header.writeUInt32LE(body.length / 2);
  return header.toString("hex") + body;
}
