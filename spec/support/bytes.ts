export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

export function fromHex(written: string): Uint8Array {
  return new Uint8Array(Buffer.from(written, "hex"));
}

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
