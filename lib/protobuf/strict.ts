import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

/** The known fields of a message; fields with other numbers are accepted, as protobuf requires. */
export interface MessageStructure {
  readonly [field: number]: {
    readonly wireType: number;
    readonly message?: MessageStructure;
    /** The number of the oneof that the field belongs to: only one of its fields may be present. */
    readonly oneof?: number;
  };
}

const MAX_GROUP_DEPTH = 100;

/**
 * Throws unless the bytes, to the last one, have the structure of that message.
 *
 * The generated decoder is more lenient than a vehicle can afford: it stops at a tag of 0, skips a known field of the
 * wrong wire type and so turns a damaged command into an empty one, merges fields that come twice, and follows a length
 * past the end of its message.
 *
 * @param maxFields the largest number of fields in all: without a limit, millions of tiny ones would block the process
 */
export function assertStructure(bytes: Uint8Array, structure: MessageStructure, maxFields = Infinity): void {
  new Walk(new BinaryReader(bytes, noText), maxFields).message(bytes.length, structure);
}

/** The walk reads no text. A reader that is told nothing asks for globals, which a test environment may lack. */
function noText(): never {
  throw new Error("a structure has no text");
}

class Walk {
  constructor(
    private readonly reader: BinaryReader,
    private fieldsLeft: number,
  ) {}

  message(end: number, structure: MessageStructure): void {
    let seen = 0;
    while (this.reader.pos < end) {
      const [field, wireType] = this.tag();
      const known = structure[field];
      if (known === undefined) {
        this.skip(field, wireType, 0);
        continue;
      }
      if (known.wireType !== (wireType as number)) throw new Error(`field ${field} has the wire type ${wireType}`);
      const bit = 1 << (known.oneof ?? field);
      if ((seen & bit) !== 0) throw new Error(`field ${field} comes more than once, or beside its alternative`);
      seen |= bit;
      if (known.message === undefined) this.skip(field, wireType, 0);
      else this.message(this.reader.uint32() + this.reader.pos, known.message);
    }
    if (this.reader.pos !== end) throw new Error("a field reaches past the end of its message");
  }

  private tag(): [number, WireType] {
    if (this.fieldsLeft-- <= 0) throw new Error("it has too many fields");
    return this.reader.tag();
  }

  private skip(field: number, wireType: WireType, depth: number): void {
    if (wireType === WireType.StartGroup) this.skipGroup(field, depth + 1);
    // The runtime's own `skip` has no length limit for varints; none is longer than ten bytes.
    else if (wireType === WireType.Varint) this.reader.uint32();
    else this.reader.skip(wireType, field);
  }

  /** The runtime's own `skip` would not count the fields inside. */
  private skipGroup(group: number, depth: number): void {
    if (depth > MAX_GROUP_DEPTH) throw new Error("groups are nested too deeply");
    for (;;) {
      const [field, wireType] = this.tag();
      if (wireType !== WireType.EndGroup) this.skip(field, wireType, depth);
      else if (field === group) return;
      else throw new Error(`group ${group} ends as group ${field}`);
    }
  }
}
