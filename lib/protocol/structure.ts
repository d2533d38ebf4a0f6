import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

/** The fields that a message is known to have; fields with other numbers are let through, as protobuf wants it. */
export interface MessageStructure {
  readonly [field: number]: { readonly wireType: WireType; readonly message?: MessageStructure };
}

const NUMBER = { wireType: WireType.Varint };
const BYTES = { wireType: WireType.LengthDelimited };

const DEVICE: MessageStructure = { 1: NUMBER, 2: NUMBER, 3: BYTES, 4: BYTES, 5: NUMBER };
const CONNECT_RESPONSE: MessageStructure = { 1: NUMBER, 2: { ...BYTES, message: DEVICE } };
const COMMAND: MessageStructure = { 1: { ...BYTES, message: DEVICE }, 2: BYTES };

export const INTERNAL_SERVER: MessageStructure = {
  1: { ...BYTES, message: CONNECT_RESPONSE },
  2: { ...BYTES, message: COMMAND },
};

/** The runtime's own `skip` follows a varint for as long as it likes to go on; none is longer than ten bytes. */
function skip(reader: BinaryReader, field: number, wireType: WireType): void {
  if (wireType === WireType.Varint) reader.uint32();
  else reader.skip(wireType, field);
}

function walk(reader: BinaryReader, end: number, structure: MessageStructure): void {
  while (reader.pos < end) {
    const [field, wireType] = reader.tag();
    const known = structure[field];
    if (known !== undefined && known.wireType !== wireType)
      throw new Error(`field ${field} is of wire type ${wireType}`);
    if (known?.message === undefined) {
      skip(reader, field, wireType);
      continue;
    }
    const length = reader.uint32();
    walk(reader, reader.pos + length, known.message);
  }
  if (reader.pos !== end) throw new Error("a field reaches past the end of its message");
}

/**
 * Throws unless the bytes have the structure of that message to the last one.
 *
 * The generated decoder is lenient where a vehicle must not be: it stops at a tag of 0, skips a known field of the
 * wrong wire type and so makes an empty command of a spoilt one, and follows a length past the end of its message.
 */
export function assertStructure(bytes: Uint8Array, structure: MessageStructure): void {
  walk(new BinaryReader(bytes), bytes.length, structure);
}
