import { BinaryReader } from "@bufbuild/protobuf/wire";
import {
  DeviceConnectResponse_ResponseType as ResponseType,
  InternalServer,
  type Device as DeviceMessage,
} from "../../generated/internal_protocol.js";
import type { RefusalCode } from "../errors/error-types.js";
import { assertStructure, type MessageStructure } from "../protobuf/strict.js";
import { isSameDevice, type Device, type Utf8 } from "./device.js";
import type { Body } from "./frame-decoder.js";
import { prefixOfBody, type Allocate } from "./writer.js";

/** A message of the gateway to this device. A command's bytes are a copy. */
export type ServerMessage =
  | { readonly kind: "accepted" }
  | { readonly kind: "refused"; readonly code: RefusalCode }
  | { readonly kind: "command"; readonly command: Uint8Array }
  | { readonly kind: "foreign" | "misaddressed" | "garbage"; readonly detail: string };

const ACCEPTED: ServerMessage = { kind: "accepted" };

/** Reads the gateway's messages to one device. */
export class ServerMessageReader {
  private prefixBodyLength = 0;
  private prefix: Uint8Array | undefined;

  constructor(
    private readonly device: Device,
    private readonly deviceBytes: Uint8Array,
    private readonly utf8: Utf8,
    private readonly allocate?: Allocate,
  ) {}

  /** If a body of that length is a command to this device: how many bytes come before the command's own. */
  headLength(bodyLength: number): number {
    return this.prefixFor(bodyLength)?.length ?? 0;
  }

  read(body: Body): ServerMessage {
    return this.ownCommand(body) ?? this.anyMessage(body);
  }

  /** Nearly every message is a command to this device, and then everything but its payload is known beforehand. */
  private ownCommand(body: Body): ServerMessage | undefined {
    const prefix = this.prefixFor(body.end - body.start + body.tail.length);
    if (prefix === undefined) return undefined;
    for (let i = 0; i < prefix.length; i++) {
      if (body.head[body.start + i] !== prefix[i]) return undefined;
    }
    const command = body.tail.length > 0 ? body.tail : copyOf(body.head, body.start + prefix.length, body.end);
    return { kind: "command", command };
  }

  private anyMessage(body: Body): ServerMessage {
    try {
      return this.decode(joined(body));
    } catch (error) {
      return garbage(`the gateway's message cannot be decoded: ${(error as Error).message}`);
    }
  }

  private decode(bytes: Uint8Array): ServerMessage {
    assertStructure(bytes, INTERNAL_SERVER, MAX_FIELDS);
    const message = InternalServer.decode(new BinaryReader(bytes, this.utf8.decode)).MessageType;
    switch (message?.$case) {
      case "deviceConnectResponse":
        return this.wrongAddress("connect response", message.value.device) ?? answer(message.value.responseType);
      case "deviceCommand": {
        const { commandData, device } = message.value;
        return this.wrongAddress("command", device) ?? { kind: "command", command: new Uint8Array(commandData) };
      }
      case undefined:
        return garbage("the gateway's message holds neither a connect response nor a command");
    }
  }

  private wrongAddress(what: string, device: DeviceMessage | undefined): ServerMessage | undefined {
    if (device === undefined)
      return { kind: "misaddressed", detail: `the gateway sent a ${what} that names no device` };
    if (isSameDevice(device, this.device)) return undefined;
    return {
      kind: what === "command" ? "foreign" : "misaddressed",
      detail: `the gateway sent a ${what} for another device`,
    };
  }

  private prefixFor(bodyLength: number): Uint8Array | undefined {
    if (bodyLength !== this.prefixBodyLength) {
      this.prefixBodyLength = bodyLength;
      this.prefix = prefixOfBody(this.deviceBytes, bodyLength, this.allocate);
    }
    return this.prefix;
  }
}

function answer(responseType: number): ServerMessage {
  switch (responseType) {
    case ResponseType.OK:
      return ACCEPTED;
    case ResponseType.ALREADY_CONNECTED:
      return { kind: "refused", code: "DEVICE_ALREADY_CONNECTED" };
    case ResponseType.MODULE_NOT_SUPPORTED:
      return { kind: "refused", code: "MODULE_NOT_SUPPORTED" };
    case ResponseType.DEVICE_NOT_SUPPORTED:
      return { kind: "refused", code: "DEVICE_TYPE_NOT_SUPPORTED" };
    case ResponseType.HIGHER_PRIORITY_ALREADY_CONNECTED:
      return { kind: "refused", code: "HIGHER_PRIORITY_ALREADY_CONNECTED" };
    default:
      return garbage(`the connect response has the unknown type ${responseType}`);
  }
}

function garbage(detail: string): ServerMessage {
  return { kind: "garbage", detail };
}

const NUMBER = { wireType: 0 };
const BYTES = { wireType: 2 };

const DEVICE: MessageStructure = { 1: NUMBER, 2: NUMBER, 3: BYTES, 4: BYTES, 5: NUMBER };
const CONNECT_RESPONSE: MessageStructure = { 1: NUMBER, 2: { ...BYTES, message: DEVICE } };
const COMMAND: MessageStructure = { 1: { ...BYTES, message: DEVICE }, 2: BYTES };

const INTERNAL_SERVER: MessageStructure = {
  1: { ...BYTES, oneof: 1, message: CONNECT_RESPONSE },
  2: { ...BYTES, oneof: 1, message: COMMAND },
};

/** Far more than any gateway sends, even with unknown fields of later versions, and still read in no noticeable time. */
const MAX_FIELDS = 1_000;

function copyOf(bytes: Uint8Array, start: number, end: number): Uint8Array {
  // Not `bytes.slice`: a Buffer's returns a view of the same memory.
  return Uint8Array.prototype.slice.call(bytes, start, end);
}

function joined(body: Body): Uint8Array {
  const headLength = body.end - body.start;
  const bytes = new Uint8Array(headLength + body.tail.length);
  bytes.set(body.head.subarray(body.start, body.end));
  bytes.set(body.tail, headLength);
  return bytes;
}
