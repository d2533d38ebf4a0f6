const LONGEST_LINE = 2_000;

/** The bytes as text; undefined unless they are UTF-8. */
function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
}

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Text where the bytes are printable UTF-8, of one or more lines; hex where not, or where it is asked for. */
export function printed(bytes: Uint8Array, hex: boolean): string {
  const text = hex ? undefined : textOf(bytes);
  return text !== undefined && isPrintable(text) ? text : hexOf(bytes);
}

/** As {@link printed}, for people and in one line. */
export function shown(bytes: Uint8Array, hex: boolean): string {
  if (bytes.length === 0) return "(empty)";
  const text = printed(bytes, hex);
  if (text.length <= LONGEST_LINE) return oneLine(text);
  return `${oneLine(text.slice(0, LONGEST_LINE))}… (${bytes.length} bytes)`;
}

/** What JSON lines say of a payload. */
export function payloadFields(bytes: Uint8Array): Record<string, unknown> {
  const text = textOf(bytes);
  return { bytes: bytes.length, hex: hexOf(bytes), ...(text === undefined ? {} : { text }) };
}

/** For JSON lines: to the microsecond, as the clock knows no better. */
export function roundTripField(milliseconds: number): number {
  return Math.round(milliseconds * 1_000) / 1_000;
}

/** Control characters, which could end the line or drive the terminal, become visible. */
export function oneLine(text: string): string {
  return text.replace(/\p{Cc}/gu, (character) => {
    if (character === "\n") return "\\n";
    if (character === "\r") return "\\r";
    if (character === "\t") return "\\t";
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
}

function isPrintable(text: string): boolean {
  return !/[^\P{Cc}\n\t]/u.test(text);
}
