import { TextDecoder, TextEncoder } from "node:util";
import { BinaryReader, BinaryWriter } from "@bufbuild/protobuf/wire";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** What ts-proto generates for a message. */
interface GeneratedMessage<Payload> {
  encode(payload: Payload, writer: BinaryWriter): BinaryWriter;
  decode(input: BinaryReader): Payload;
}

interface Message<Payload> {
  encode(payload: Payload): BinaryWriter;
  decode(bytes: Uint8Array): Payload;
}

/** Generated code that is left to itself takes the text encoding from globals, which a test environment may lack. */
export function withTextEncoding<Payload>(message: GeneratedMessage<Payload>): Message<Payload> {
  return {
    encode: (payload) => message.encode(payload, new BinaryWriter((text) => encoder.encode(text))),
    decode: (bytes) => message.decode(new BinaryReader(bytes, (text) => decoder.decode(text))),
  };
}
