// A second opinion on what the gateway's bytes mean, written from the protocol's tables and without the library's code.
// Where protobuf leaves room (a number beyond its type, groups) it has no opinion.

export interface ReferenceDevice {
  readonly module: number;
  readonly deviceType: number;
  readonly deviceRole: string;
  readonly priority: number;
}

export type Opinion =
  | { readonly kind: "connectResponse"; readonly responseType: number; readonly addressee: "own" | "other" | "none" }
  | { readonly kind: "command"; readonly command: Uint8Array; readonly addressee: "own" | "other" | "none" }
  | { readonly kind: "undecodable" }
  | { readonly kind: "none" };

class Undecodable extends Error {}
class Unsure extends Error {}

const VARINT = 0;
const LENGTH_DELIMITED = 2;
const FIXED_LENGTHS: Readonly<Record<number, number>> = { 1: 8, 5: 4 };
const MOST_FIELD_NUMBERS = 2 ** 29;

type Field = number | Uint8Array;

export function opinionOn(body: Uint8Array, own: ReferenceDevice): Opinion {
  try {
    return read(body, own);
  } catch (thrown) {
    if (thrown instanceof Undecodable) return { kind: "undecodable" };
    if (thrown instanceof Unsure) return { kind: "none" };
    throw thrown;
  }
}

function read(body: Uint8Array, own: ReferenceDevice): Opinion {
  const message = fieldsOf(body, { 1: "bytes", 2: "bytes" });
  const response = message.get(1) as Uint8Array | undefined;
  const command = message.get(2) as Uint8Array | undefined;
  const readResponse = response && fieldsOf(response, { 1: "number", 2: "bytes" });
  const readCommand = command && fieldsOf(command, { 1: "bytes", 2: "bytes" });
  const responseAddressee = readResponse && addressee(readResponse.get(2) as Uint8Array | undefined, own);
  const commandAddressee = readCommand && addressee(readCommand.get(1) as Uint8Array | undefined, own);
  if (readResponse && readCommand) throw new Undecodable();
  if (readResponse && responseAddressee) {
    const responseType = (readResponse.get(1) as number | undefined) ?? 0;
    return { kind: "connectResponse", responseType: responseType | 0, addressee: responseAddressee };
  }
  if (readCommand && commandAddressee) {
    const bytes = (readCommand.get(2) as Uint8Array | undefined) ?? new Uint8Array(0);
    return { kind: "command", command: bytes, addressee: commandAddressee };
  }
  throw new Undecodable();
}

function addressee(device: Uint8Array | undefined, own: ReferenceDevice): "own" | "other" | "none" {
  if (device === undefined) return "none";
  const fields = fieldsOf(device, { 1: "number", 2: "number", 3: "bytes", 4: "bytes", 5: "number" });
  const role = textOf(fields.get(3) as Uint8Array | undefined);
  textOf(fields.get(4) as Uint8Array | undefined);
  const isOwn =
    (fields.get(1) ?? 0) === own.module &&
    (fields.get(2) ?? 0) === own.deviceType &&
    role === own.deviceRole &&
    (fields.get(5) ?? 0) === own.priority;
  return isOwn ? "own" : "other";
}

function textOf(bytes: Uint8Array | undefined): string {
  if (bytes === undefined) return "";
  const text = Buffer.from(bytes).toString("utf8");
  if (!Buffer.from(text, "utf8").equals(bytes)) throw new Undecodable();
  return text;
}

function fieldsOf(bytes: Uint8Array, known: Readonly<Record<number, "number" | "bytes">>): Map<number, Field> {
  const fields = new Map<number, Field>();
  let unsure = false;
  let isRepeated = false;
  let at = 0;
  while (at < bytes.length) {
    const tag = varint(bytes, at);
    at = tag.end;
    const number = Math.floor(tag.value / 8);
    const wireType = tag.value % 8;
    if (number === 0) throw new Undecodable();
    if (number >= MOST_FIELD_NUMBERS || tag.isLong) throw new Unsure();
    if (known[number] !== undefined && wireType !== (known[number] === "number" ? VARINT : LENGTH_DELIMITED)) {
      throw new Undecodable();
    }
    if (fields.has(number) && known[number] !== undefined) isRepeated = true;
    if (wireType === VARINT) {
      const value = varint(bytes, at);
      if (known[number] !== undefined && value.isLong) unsure = true;
      fields.set(number, value.value);
      at = value.end;
    } else if (wireType === LENGTH_DELIMITED) {
      const length = varint(bytes, at);
      if (length.isLong) throw new Unsure();
      at = length.end + length.value;
      if (at > bytes.length) throw new Undecodable();
      fields.set(number, bytes.subarray(length.end, at));
    } else {
      const length = FIXED_LENGTHS[wireType];
      if (length === undefined) throw wireType < 5 ? new Unsure() : new Undecodable();
      at += length;
      if (at > bytes.length) throw new Undecodable();
    }
  }
  if (isRepeated) throw new Undecodable();
  // Last, because it is sure when the rest cannot be decoded.
  if (unsure) throw new Unsure();
  return fields;
}

function varint(bytes: Uint8Array, start: number): { value: number; end: number; isLong: boolean } {
  let value = 0;
  for (let i = 0; i < 10; i++) {
    const byte = bytes[start + i];
    if (byte === undefined) throw new Undecodable();
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return { value, end: start + i + 1, isLong: i >= 5 || value > 0xffff_ffff };
  }
  throw new Undecodable();
}
