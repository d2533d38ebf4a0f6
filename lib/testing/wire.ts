import { Buffer } from "node:buffer";
import { type Socket } from "node:net";
import { TextDecoder } from "node:util";
import { type Device } from "./device.js";

/** A field of a protobuf message, as found in the bytes. */
export interface Field {
  readonly number: number;
  /** The content of a length-delimited field. */
  readonly content: Uint8Array | undefined;
  /** The lowest 32 bits of a varint. */
  readonly varint: number | undefined;
  readonly start: number;
  readonly end: number;
}

interface Varint {
  /** May have lost its lowest bits, but still shows that a length is too large. */
  readonly value: number;
  readonly lowest32: number;
  readonly end: number;
}

const VARINT = 0;
const FIXED_64 = 1;
const LENGTH_DELIMITED = 2;
const START_GROUP = 3;
const END_GROUP = 4;
const FIXED_32 = 5;

/** Field number 1; there is no 0. */
const MIN_TAG = 8;
const MAX_TAG = 4_294_967_295;
const MAX_VARINT_BYTES = 10;
/** The bits of a byte that carry a varint's value; the bits of the fifth byte are the last within 32 bits. */
const BYTES_WITHIN_32_BITS = 5;
const MAX_GROUP_DEPTH = 100;

export const NOTHING: Uint8Array = new Uint8Array(0);

/** Calls `take` with each field. Returns false if `take` does, or if the bytes do not consist of whole fields. */
export function eachField(bytes: Uint8Array, take: (field: Field) => boolean): boolean {
  let position = 0;
  while (position < bytes.length) {
    const field = readField(bytes, position);
    if (field === undefined || field.end > bytes.length || !take(field)) return false;
    position = field.end;
  }
  return true;
}

function readField(bytes: Uint8Array, start: number): Field | undefined {
  const tag = readTag(bytes, start);
  if (tag === undefined) return undefined;
  const number = tag.value >>> 3;
  const bare = { number, content: undefined, varint: undefined, start };
  switch (tag.value & 7) {
    case VARINT: {
      const varint = readVarint(bytes, tag.end);
      return varint && { ...bare, varint: varint.lowest32, end: varint.end };
    }
    case FIXED_64:
      return { ...bare, end: tag.end + 8 };
    case LENGTH_DELIMITED: {
      const length = readVarint(bytes, tag.end);
      if (length === undefined) return undefined;
      const end = length.end + length.value;
      return { ...bare, content: bytes.subarray(length.end, end), end };
    }
    case START_GROUP: {
      const end = endOfGroup(bytes, tag.end, number);
      return end === undefined ? undefined : { ...bare, end };
    }
    case FIXED_32:
      return { ...bare, end: tag.end + 4 };
    default:
      return undefined;
  }
}

function endOfGroup(bytes: Uint8Array, start: number, number: number): number | undefined {
  const open = [number];
  let position = start;
  while (position < bytes.length && open.length <= MAX_GROUP_DEPTH) {
    const tag = readTag(bytes, position);
    if (tag === undefined) return undefined;
    const type = tag.value & 7;
    if (type === START_GROUP) open.push(tag.value >>> 3);
    if (type === END_GROUP && open.pop() !== tag.value >>> 3) return undefined;
    if (open.length === 0) return tag.end;
    const isBracket = type === START_GROUP || type === END_GROUP;
    const end = isBracket ? tag.end : readField(bytes, position)?.end;
    if (end === undefined) return undefined;
    position = end;
  }
  return undefined;
}

function readTag(bytes: Uint8Array, start: number): Varint | undefined {
  const tag = readVarint(bytes, start);
  return tag !== undefined && tag.value >= MIN_TAG && tag.value <= MAX_TAG ? tag : undefined;
}

function readVarint(bytes: Uint8Array, start: number): Varint | undefined {
  const limit = Math.min(bytes.length, start + MAX_VARINT_BYTES);
  let value = 0;
  let lowest32 = 0;
  for (let position = start; position < limit; position += 1) {
    const byte = bytes[position] ?? 0;
    const index = position - start;
    // Multiplied, not shifted: a shift would wrap at 32 bits and make a huge length look small.
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (index < BYTES_WITHIN_32_BITS) lowest32 |= (byte & 0x7f) << (7 * index);
    if (byte < 0x80) return { value, lowest32, end: position + 1 };
  }
  return undefined;
}

/** A varint field as protobuf writes it: 0 is left out, and a negative int32 takes ten bytes. */
function varintField(number: number, value: number): Uint8Array {
  return value === 0 ? NOTHING : Uint8Array.of(number << 3, ...varint(value));
}

/** The parts of a length-delimited field. */
function bytesField(number: number, ...parts: readonly Uint8Array[]): readonly Uint8Array[] {
  const length = parts.reduce((total, part) => total + part.length, 0);
  return [Uint8Array.of((number << 3) | LENGTH_DELIMITED, ...varint(length)), ...parts];
}

/** Like {@link bytesField}, but left out if it is empty. */
function optionalBytesField(number: number, content: Uint8Array): readonly Uint8Array[] {
  return content.length === 0 ? [] : bytesField(number, content);
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  return [...bytes, Number(rest)];
}

export const HEADER_BYTES = 4;

export const OK = 0;
export const ALREADY_CONNECTED = 1;
export const MODULE_NOT_SUPPORTED = 2;
export const DEVICE_NOT_SUPPORTED = 3;
export const HIGHER_PRIORITY_ALREADY_CONNECTED = 4;

const CONNECT_RESPONSE = 1;
const COMMAND = 2;

/**
 * A device to put in a message: like {@link Device}, with priority 0 by default.
 *
 * @example
 * const button: NamedDevice = { module: 1000, deviceType: 0, deviceRole: "left", deviceName: "button1" };
 */
export type NamedDevice = Omit<Device, "priority"> & { readonly priority?: number | undefined };

/** A device as it arrived, with the bytes of its unknown fields, which a gateway sends back. */
export interface WireDevice {
  readonly device: NamedDevice;
  readonly unknownFields?: Uint8Array;
}

/**
 * Returns a frame: the body's length in bytes as a little-endian uint32, then the body, whatever it contains.
 *
 * @example
 * gateway.send(frame(Uint8Array.of(0xff, 0xff))); // a whole frame, but not a message
 */
export function frame(body: Uint8Array): Uint8Array {
  return framed([body]);
}

/**
 * Returns the frame of a command for a device.
 *
 * @example
 * // Another device's command as the answer to a status:
 * gateway.misbehave("status", { do: "send", bytes: commandFrame({ ...device, deviceRole: "another" }, command) });
 */
export function commandFrame(device: NamedDevice, command: Uint8Array): Uint8Array {
  return commandFrameFor({ device }, command);
}

/**
 * Returns the frame of a response to a device's connect. The response type may be any int32: 0 OK, 1 already connected,
 * 2 module not supported, 3 device type not supported, 4 higher priority already connected; others are unknown.
 *
 * @example
 * // An OK for another device:
 * const bytes = connectResponseFrame({ ...device, priority: 7 }, 0);
 * gateway.misbehave("connect", { do: "send", bytes });
 */
export function connectResponseFrame(device: NamedDevice, responseType: number): Uint8Array {
  return connectResponseFrameFor({ device }, responseType);
}

export function commandFrameFor(wireDevice: WireDevice, command: Uint8Array): Uint8Array {
  return framed(bytesField(COMMAND, ...bytesField(1, ...encodeDevice(wireDevice)), ...optionalBytesField(2, command)));
}

export function connectResponseFrameFor(wireDevice: WireDevice, responseType: number): Uint8Array {
  const device = bytesField(2, ...encodeDevice(wireDevice));
  return framed(bytesField(CONNECT_RESPONSE, varintField(1, responseType), ...device));
}

function encodeDevice({ device, unknownFields = NOTHING }: WireDevice): readonly Uint8Array[] {
  return [
    varintField(1, device.module),
    varintField(2, device.deviceType),
    ...optionalBytesField(3, Buffer.from(device.deviceRole)),
    ...optionalBytesField(4, Buffer.from(device.deviceName)),
    varintField(5, device.priority ?? 0),
    unknownFields,
  ];
}

function framed(parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((total, part) => total + part.length, 0);
  const bytes = new Uint8Array(HEADER_BYTES + length);
  new DataView(bytes.buffer).setUint32(0, length, true);
  let offset = HEADER_BYTES;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

/** The real gateway reads at most this much at a time, and each header must arrive whole within one such read. */
const READ_BYTES = 1024;

/** How much of one message is stored. The real gateway has no limit but time, and answers 16 MiB. */
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

/** Reads a socket chunk by chunk, at most one buffer of the stream ahead. */
export interface Input {
  /** Undefined at the end of the stream, whether closed or reset. */
  readonly next: () => Promise<Uint8Array | undefined>;
}

export function createInput(socket: Socket): Input {
  let wake = (): void => undefined;
  for (const event of ["readable", "end", "close"]) socket.on(event, () => wake());

  async function next(): Promise<Uint8Array | undefined> {
    for (;;) {
      const chunk = socket.read() as Uint8Array | null;
      if (chunk !== null) return chunk;
      if (socket.readableEnded || socket.destroyed) return undefined;
      await new Promise<void>((resolve) => (wake = resolve));
    }
  }

  return { next };
}

/** Cuts the bytes of one device into the bodies of its messages. */
export interface FrameReader {
  /** Yields the bodies that the chunk completes. */
  readonly read: (chunk: Uint8Array) => Iterable<Uint8Array>;
  /** Whether a header did not arrive whole or a message was too long; this is final. */
  readonly isBroken: () => boolean;
}

export function createFrameReader(): FrameReader {
  // Pieces are joined only when the body is whole, so small chunks cost no more in total than large ones.
  let pieces: Uint8Array[] = [];
  let held = 0;
  let missing: number | undefined;
  let broken = false;

  function* read(chunk: Uint8Array): Iterable<Uint8Array> {
    let offset = 0;
    while (!broken && offset < chunk.length) {
      offset = missing === undefined ? readHeader(chunk, offset) : readPiece(chunk, offset, missing);
      if (missing === 0) yield takeBody();
    }
  }

  function readHeader(chunk: Uint8Array, offset: number): number {
    const readEnd = Math.min(chunk.length, offset - (offset % READ_BYTES) + READ_BYTES);
    broken = readEnd - offset < HEADER_BYTES;
    if (!broken) missing = new DataView(chunk.buffer, chunk.byteOffset + offset).getUint32(0, true);
    return offset + HEADER_BYTES;
  }

  function readPiece(chunk: Uint8Array, offset: number, count: number): number {
    const piece = chunk.subarray(offset, offset + count);
    pieces.push(piece);
    held += piece.length;
    missing = count - piece.length;
    broken = held > MAX_MESSAGE_BYTES;
    if (broken) pieces = [];
    return offset + piece.length;
  }

  function takeBody(): Uint8Array {
    const [first] = pieces;
    const body = pieces.length === 1 && first !== undefined ? first : Buffer.concat(pieces);
    pieces = [];
    held = 0;
    missing = undefined;
    return body;
  }

  return { read, isBroken: () => broken };
}

/** A message that a device may send. */
export interface ClientMessage {
  readonly kind: "connect" | "status";
  readonly device: Device;
  readonly unknownFields: Uint8Array;
  /** Empty for a connect. */
  readonly status: Uint8Array;
}

const KINDS: readonly (ClientMessage["kind"] | undefined)[] = [undefined, "connect", "status"];
const DEVICE = 1;
const STATUS_DATA = 2;
const ROLE = 3;
const NAME = 4;
const NUMBERS: readonly ("module" | "deviceType" | "priority" | undefined)[] = [
  undefined,
  "module",
  "deviceType",
  undefined,
  undefined,
  "priority",
];

interface Draft {
  kind: ClientMessage["kind"] | undefined;
  device: { -readonly [Key in keyof Device]: Device[Key] };
  unknownFields: Uint8Array[];
  status: Uint8Array;
}

/** Undefined if the body is not such a message. A field that comes twice is merged, as protobuf requires. */
export function decodeClientMessage(body: Uint8Array): ClientMessage | undefined {
  const draft = emptyDraft(undefined);
  const isWhole = eachField(body, (field) => takeMessage(draft, field));
  if (!isWhole || draft.kind === undefined) return undefined;
  return {
    kind: draft.kind,
    device: Object.freeze(draft.device),
    unknownFields: Buffer.concat(draft.unknownFields),
    // Copied: a view would keep the whole chunk in memory.
    status: new Uint8Array(draft.status),
  };
}

function emptyDraft(kind: Draft["kind"]): Draft {
  const device = { module: 0, deviceType: 0, deviceRole: "", deviceName: "", priority: 0 };
  return { kind, device, unknownFields: [], status: NOTHING };
}

function takeMessage(draft: Draft, { number, content }: Field): boolean {
  const kind = KINDS[number];
  if (kind === undefined || content === undefined) return true;
  // A message is one or the other; the last field counts.
  if (kind !== draft.kind) Object.assign(draft, emptyDraft(kind));
  return eachField(content, (field) => takePart(draft, field));
}

function takePart(draft: Draft, { number, content }: Field): boolean {
  if (content === undefined) return true;
  if (number === DEVICE) return eachField(content, (field) => takeDeviceField(draft, content, field));
  if (number === STATUS_DATA && draft.kind === "status") draft.status = content;
  return true;
}

function takeDeviceField(draft: Draft, device: Uint8Array, { number, content, varint, start, end }: Field): boolean {
  const key = NUMBERS[number];
  if (key !== undefined && varint !== undefined) {
    draft.device[key] = key === "module" ? varint : varint >>> 0;
    return true;
  }
  if (content !== undefined && (number === ROLE || number === NAME)) {
    const text = textOf(content);
    if (text !== undefined) draft.device[number === ROLE ? "deviceRole" : "deviceName"] = text;
    return text !== undefined;
  }
  keepUnknown(draft.unknownFields, device, start, end);
  return true;
}

/** Adjacent fields are kept as one piece, so a message of very many small fields costs no more than its bytes. */
function keepUnknown(pieces: Uint8Array[], device: Uint8Array, start: number, end: number): void {
  const last = pieces.at(-1);
  const isNeighbour = last?.buffer === device.buffer && last.byteOffset + last.length === device.byteOffset + start;
  if (isNeighbour) pieces[pieces.length - 1] = device.subarray(start - last.length, end);
  else pieces.push(device.subarray(start, end));
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
