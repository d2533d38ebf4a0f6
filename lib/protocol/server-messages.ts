import { BinaryReader } from "@bufbuild/protobuf/wire";
import { InternalServer, type Device as DeviceMessage } from "../../generated/internal_protocol.js";
import { encodeDevice, isSameDevice, type Device } from "./device.js";
import type { Body } from "./frame-decoder.js";
import { prefixOfBody } from "./payload-layout.js";
import { assertStructure, INTERNAL_SERVER } from "./structure.js";

/** Whose message it is: this device's, another's, or one that names no device. */
export type Addressee = "own" | "other" | "none";

/** What the gateway said. A command's bytes are a copy of their own. */
export type ServerMessage =
  | { readonly kind: "connectResponse"; readonly responseType: number; readonly addressee: Addressee }
  | { readonly kind: "command"; readonly command: Uint8Array; readonly addressee: Addressee }
  | { readonly kind: "undecodable"; readonly detail: string };

/** Reads the gateway's messages to one device. */
export class ServerMessageReader {
  private prefixBodyLength = 0;
  private prefix: Uint8Array | undefined;

  constructor(
    private readonly device: Device,
    private readonly deviceBytes = encodeDevice(device),
  ) {}

  /** How much of a body of that length stands before the command's bytes, if it is a command to this device. */
  prefixLength(bodyLength: number): number {
    return this.prefixFor(bodyLength)?.length ?? 0;
  }

  read(body: Body): ServerMessage {
    return this.ownCommand(body) ?? this.anyMessage(body);
  }

  /** Nearly every message is a command to this device, and all but its payload is known beforehand. */
  private ownCommand(body: Body): ServerMessage | undefined {
    const headLength = body.end - body.start;
    const prefix = this.prefixFor(headLength + body.tail.length);
    if (prefix === undefined || (body.tail.length > 0 && prefix.length !== headLength)) return undefined;
    for (let i = 0; i < prefix.length; i++) {
      if (body.head[body.start + i] !== prefix[i]) return undefined;
    }
    const command = body.tail.length > 0 ? body.tail : copyOf(body.head, body.start + prefix.length, body.end);
    return { kind: "command", command, addressee: "own" };
  }

  private anyMessage(body: Body): ServerMessage {
    try {
      return this.decode(joined(body));
    } catch (error) {
      return { kind: "undecodable", detail: (error as Error).message };
    }
  }

  private decode(bytes: Uint8Array): ServerMessage {
    assertStructure(bytes, INTERNAL_SERVER);
    const message = InternalServer.decode(new BinaryReader(bytes, strictUtf8)).MessageType;
    switch (message?.$case) {
      case "deviceConnectResponse": {
        const { responseType, device } = message.value;
        return { kind: "connectResponse", responseType, addressee: this.addresseeOf(device) };
      }
      case "deviceCommand": {
        const { commandData, device } = message.value;
        return { kind: "command", command: new Uint8Array(commandData), addressee: this.addresseeOf(device) };
      }
      case undefined:
        return { kind: "undecodable", detail: "it holds neither a connect response nor a command" };
    }
  }

  private addresseeOf(device: DeviceMessage | undefined): Addressee {
    if (device === undefined) return "none";
    return isSameDevice(device, this.device) ? "own" : "other";
  }

  private prefixFor(bodyLength: number): Uint8Array | undefined {
    if (bodyLength !== this.prefixBodyLength) {
      this.prefixBodyLength = bodyLength;
      this.prefix = prefixOfBody(this.deviceBytes, bodyLength);
    }
    return this.prefix;
  }
}

function copyOf(bytes: Uint8Array, start: number, end: number): Uint8Array {
  // Not its own `slice`: a Buffer's is a view of the same memory.
  return Uint8Array.prototype.slice.call(bytes, start, end);
}

function joined(body: Body): Uint8Array {
  const headLength = body.end - body.start;
  const bytes = new Uint8Array(headLength + body.tail.length);
  bytes.set(body.head.subarray(body.start, body.end));
  bytes.set(body.tail, headLength);
  return bytes;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** proto3 strings are UTF-8; a reader that mends them could make one device's role look like another's. */
function strictUtf8(bytes: Uint8Array): string {
  return utf8.decode(bytes);
}
