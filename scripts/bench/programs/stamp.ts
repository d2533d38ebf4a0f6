// A time in the last bytes of a payload. On one machine all processes read the same monotonic clock.

const stampBytes = 8;

export const stampInto = (bytes: Buffer): void => {
  bytes.writeBigUInt64LE(process.hrtime.bigint(), bytes.length - stampBytes);
};

/** How many microseconds ago it was. */
export const microsecondsSince = (bytes: Uint8Array): number => {
  const now = process.hrtime.bigint();
  const { buffer, byteOffset, byteLength } = bytes;
  const stamp = Buffer.from(buffer, byteOffset, byteLength).readBigUInt64LE(byteLength - stampBytes);
  return Number(now - stamp) / 1000;
};
