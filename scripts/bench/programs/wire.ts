// Frames put together by hand: no byte that the benchmark's own side of the wire sends or expects comes from the library.

export const host = "127.0.0.1";

export const device = { module: 1000, deviceType: 0, deviceRole: "bench", deviceName: "bench" } as const;

export const headerBytes = 4;

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(Math.floor(value / 0x80))];
}

function lengthDelimited(field: number, content: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([field * 8 + 2, ...varint(content.length)]), content]);
}

function frameOf(body: Buffer): Buffer {
  const header = Buffer.alloc(headerBytes);
  header.writeUInt32LE(body.length);
  return Buffer.concat([header, body]);
}

/** The type is 0 and so, in proto3, left out; the priority too. */
const deviceBytes = Buffer.concat([
  Buffer.from([0x08, ...varint(device.module)]),
  lengthDelimited(3, Buffer.from(device.deviceRole)),
  lengthDelimited(4, Buffer.from(device.deviceName)),
]);

export const connectFrame = frameOf(lengthDelimited(1, lengthDelimited(1, deviceBytes)));

/** The response type is OK, 0, and so left out. */
export const connectResponseFrame = frameOf(lengthDelimited(1, lengthDelimited(2, deviceBytes)));

/** A status and a command are laid out alike: the echo of a status is the very same bytes. The payload comes last. */
export function statusFrame(payload: Uint8Array): Buffer {
  return frameOf(lengthDelimited(2, Buffer.concat([lengthDelimited(1, deviceBytes), lengthDelimited(2, payload)])));
}

/** Some bytes that are not all the same. */
export function payloadOf(size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, at) => (at * 31) % 251);
}

// A time in the last bytes of a payload. On one machine all processes read the same monotonic clock.
const stampBytes = 8;

export function stampInto(bytes: Buffer): void {
  bytes.writeBigUInt64LE(process.hrtime.bigint(), bytes.length - stampBytes);
}

export function microsecondsSince(bytes: Uint8Array): number {
  const now = process.hrtime.bigint();
  return Number(now - Buffer.from(bytes).readBigUInt64LE(bytes.length - stampBytes)) / 1000;
}
