import { type Socket } from "node:net";
import { TextDecoder } from "node:util";
import { eachField, NOTHING, type Field } from "./bytes.js";
import { type Device } from "./device.js";
import { HEADER_BYTES } from "./frames.js";

/** The genuine gateway reads at most this much at a time, and wants each header whole within one such read. */
const READ_BYTES = 1024;

/** What is held of one message; the genuine gateway knows no limit but time, and answers 16 MiB. */
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

/** What a socket brings, taken chunk by chunk: nothing is read ahead of whoever takes it but one buffer of the stream. */
export interface Input {
  /** Undefined at the end, be it in order or not. */
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

/** Cuts what one device sends into the bodies of its messages. */
export interface FrameReader {
  /** The bodies that the chunk completes, one after the other. */
  readonly read: (chunk: Uint8Array) => Iterable<Uint8Array>;
  /** Whether a header did not arrive whole or a message was too long: for good. */
  readonly isBroken: () => boolean;
}

export function createFrameReader(): FrameReader {
  // Pieces are joined only when the body is whole, so that small chunks cost no more in total than large ones.
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
  /** Empty in a connect. */
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

/** Undefined if the body is not such a message. A field that comes twice is merged, as protobuf wants it. */
export function decodeClientMessage(body: Uint8Array): ClientMessage | undefined {
  const draft = emptyDraft(undefined);
  const isWhole = eachField(body, (field) => takeMessage(draft, field));
  if (!isWhole || draft.kind === undefined) return undefined;
  return {
    kind: draft.kind,
    device: Object.freeze(draft.device),
    unknownFields: Buffer.concat(draft.unknownFields),
    // Copied: a window on the chunk that was read would keep all of it alive.
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
  // A message is one or the other: the last one counts.
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

/** Neighbours are kept as one piece, so that a message of very many small fields costs no more than its bytes. */
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
