/** A frame is a header, the body's length as a little-endian uint32, and the body: one protobuf message. */
export const HEADER_BYTES = 4;

/** The longest body that a header can announce. */
export const LARGEST_BODY_BYTES = 0xffff_ffff;

export function writeHeader(target: Uint8Array, bodyLength: number): void {
  target[0] = bodyLength;
  target[1] = bodyLength >>> 8;
  target[2] = bodyLength >>> 16;
  target[3] = bodyLength >>> 24;
}

export function readHeader(header: Uint8Array, at: number): number {
  const low = (header[at] as number) | ((header[at + 1] as number) << 8) | ((header[at + 2] as number) << 16);
  return low + (header[at + 3] as number) * 0x100_0000;
}
