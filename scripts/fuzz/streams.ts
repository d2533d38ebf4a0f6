import fc from "fast-check";
import { DeviceConnection, type Effect } from "../../lib/protocol/device-connection.js";
import { LIMITS, utf8 } from "../../spec/support/virtual-device.js";
import { connectResponseFrame } from "../../lib/testing.js";
import { allocatedBytes } from "./allocations.js";
import { opinionOn } from "./reference-reader.js";

/** What a gateway, or what passes for one, sends: the bytes, and where the network cut them. */
interface Stream {
  readonly bytes: Uint8Array;
  /** The lengths of the chunks; what is left over comes in one more. */
  readonly chunks: readonly number[];
  readonly limit: number;
}

const own = { module: 1000, deviceType: 7, deviceRole: "left", deviceName: "button1", priority: 3 };
const LARGE_LIMIT = 0xffff_ffff;

/** Here the length of a varint changes, or no payload makes a body of just that length. */
const EDGE_LENGTHS = [127, 128, 130, 16_383, 16_384, 16_387, 2_097_151, 2_097_152, 2_097_156, 268_435_461];

// What arrived may be held once in a buffer that grew ahead of it by 64, and once more as the message's own copy.
const MOST_BYTES_PER_BYTE = 68;
const MOST_BYTES_BESIDES = 4_096;

/** Counts what came of the streams, by name. */
export type Tally = (outcome: string) => void;

/** A device reads every stream as the reference does, and allocates no more than what has arrived allows. */
export function readsAsTheReference(tally: Tally) {
  return fc.property(streams, (stream) => {
    const problem = check(stream, tally);
    if (problem !== undefined) throw new Error(problem);
  });
}

export function show({ bytes, chunks, limit }: Stream): string {
  return `limit ${limit}, chunks of [${chunks.join(", ")}] and the rest, bytes ${Buffer.from(bytes).toString("hex")}`;
}

// ——— making them ———

function noise(minLength: number, maxLength: number) {
  return fc.uint8Array({ minLength, maxLength });
}

function oftener<Value>(usual: Value, other: Value): fc.Arbitrary<Value> {
  return fc.oneof({ weight: 9, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constant(other) });
}

const deviceBytes = fc
  .record({
    module: oftener(own.module, 9),
    deviceType: oftener(own.deviceType, 9),
    deviceRole: oftener(own.deviceRole, "right"),
    deviceName: oftener(own.deviceName, "b"),
    priority: oftener(own.priority, 9),
  })
  .map(({ module, deviceType, deviceRole, deviceName, priority }) =>
    concat(
      numberField(1, module),
      numberField(2, deviceType),
      field(3, Buffer.from(deviceRole)),
      field(4, Buffer.from(deviceName)),
      numberField(5, priority),
    ),
  );

const payloadLength = fc.oneof(
  { weight: 500, arbitrary: fc.constantFrom(0, 1, 5, 30, 90, 127, 128, 200) },
  { weight: 500, arbitrary: fc.nat(203) },
  { weight: 2, arbitrary: fc.integer({ min: 16_300, max: 70_000 }) },
);
const payload = fc
  .tuple(payloadLength, fc.nat(255))
  .map(([length, byte]) => field(2, new Uint8Array(length).fill(byte)));

const announced = fc.oneof(
  fc.tuple(fc.constantFrom(...EDGE_LENGTHS), fc.nat(40)).map(([edge, more]) => edge + more),
  fc.nat(LARGE_LIMIT),
);

const piece = fc.oneof(
  { weight: 1, arbitrary: noise(0, 40).map(framed) },
  { weight: 1, arbitrary: noise(1, 20) },
  { weight: 2, arbitrary: fc.tuple(announced, noise(0, 20)).map(([length, rest]) => header(length, rest)) },
  { weight: 2, arbitrary: fc.tuple(fc.nat(6), deviceBytes).map(connectResponse) },
  { weight: 1, arbitrary: noise(0, 20).map((command) => framed(field(2, field(2, command)))) },
  { weight: 4, arbitrary: fc.tuple(deviceBytes, payload).map(command) },
  { weight: 1, arbitrary: deviceBytes.map((device) => command([device])) },
);

interface Edit {
  readonly at: number;
  readonly out: number;
  readonly put: Uint8Array;
  readonly isRepeated: boolean;
}

/** From `at` on, so many bytes are taken out, and these put in; those that are taken out may come twice instead. */
const edit: fc.Arbitrary<Edit> = fc.record({
  at: fc.nat(1_000),
  out: fc.nat(8),
  put: noise(0, 8),
  isRepeated: fc.boolean(),
});
const edits = fc.oneof(fc.constant([]), fc.array(edit, { minLength: 1, maxLength: 4 }));

const bytes = fc
  .tuple(fc.array(piece, { minLength: 1, maxLength: 5 }), edits)
  .map(([pieces, changes]) => changes.reduce(edited, concat(...pieces)));

const chunks = fc.oneof(
  fc.constant([]),
  fc.constant(Array<number>(300).fill(1)),
  ...[4, 30, 200].map((max) => fc.array(fc.integer({ min: 1, max }), { minLength: 1, maxLength: 6 })),
);

const limit = fc.constantFrom(64, 200, 5_000, LARGE_LIMIT, LARGE_LIMIT);

const streams: fc.Arbitrary<Stream> = fc.record({ bytes, chunks, limit });

function connectResponse([type, device]: readonly [number, Uint8Array]): Uint8Array {
  return framed(field(1, concat(numberField(1, type), field(2, device))));
}

function command([device, ...rest]: readonly [Uint8Array, Uint8Array?]): Uint8Array {
  return framed(field(2, concat(field(1, device), ...rest.filter((part) => part !== undefined))));
}

function edited(bytes: Uint8Array, { at, out, put, isRepeated }: Edit): Uint8Array {
  const from = at % (bytes.length + 1);
  const taken = bytes.subarray(from, from + out);
  const inserted = isRepeated ? concat(taken, taken) : put;
  return concat(bytes.subarray(0, from), inserted, bytes.subarray(from + out));
}

function framed(body: Uint8Array): Uint8Array {
  return header(body.length, body);
}

function header(announced: number, rest: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(announced);
  return concat(bytes, rest);
}

function field(number: number, content: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(number * 8 + 2), varint(content.length), content);
}

function numberField(number: number, value: number): Uint8Array {
  return concat(Uint8Array.of(number * 8), varint(value));
}

function varint(value: number): Uint8Array {
  const bytes = [];
  for (let rest = value; bytes.push(rest % 128) > 0 && rest >= 128; rest = Math.floor(rest / 128)) {
    bytes[bytes.length - 1] = (rest % 128) + 128;
  }
  return Uint8Array.from(bytes);
}

function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts)); // no Buffer: its `slice` is a view
}

// ——— checking them ———

/** What a connected device made of a stream, up to the drop of its connection. */
interface Reading {
  /** Each command's bytes, "ignored" for one to another device. */
  readonly read: (Uint8Array | "ignored")[];
  isDropped: boolean;
}

function check(stream: Stream, tally: Tally): string | undefined {
  const device = connectedDevice(stream.limit);
  const reading: Reading = { read: [], isDropped: false };
  const chunks = chunksOf(stream);
  const allocated = allocatedBytes(() => readAll(device, chunks, reading));
  const most = MOST_BYTES_BESIDES + MOST_BYTES_PER_BYTE * stream.bytes.length;
  if (allocated > most) return `${allocated} bytes were allocated when ${stream.bytes.length} had arrived`;
  return compare(stream, reading, tally);
}

/** A small limit would refuse the connect response too. */
function connectedDevice(maxMessageBytes: number): DeviceConnection<object> {
  const device = new DeviceConnection<object>(own, { ...LIMITS, maxMessageBytes }, { utf8 });
  const connected = connectResponseFrame(own, 0);
  device.connect(0);
  device.opened(0);
  device.received(connected, connected.length);
  while (device.next(0) !== undefined);
  return device;
}

function chunksOf({ bytes, chunks }: Stream): readonly Uint8Array[] {
  let at = 0;
  const cuts = chunks.map((length) => bytes.slice(at, (at += length)));
  return [...cuts, bytes.slice(at)].filter(({ length }) => length > 0);
}

function readAll(device: DeviceConnection<object>, chunks: readonly Uint8Array[], reading: Reading): void {
  for (const chunk of chunks) {
    if (reading.isDropped) return;
    device.received(chunk, chunk.length);
    for (let effect = device.next(0); effect !== undefined; effect = device.next(0)) take(effect, reading);
    // A network's buffer is written over: nothing that was returned may look into it.
    chunk.fill(0xaa);
  }
}

function take(effect: Effect<object>, reading: Reading): void {
  if (effect.kind === "command") reading.read.push(effect.command);
  else if (effect.kind === "ignored") reading.read.push("ignored");
  else if (effect.kind === "dropped") reading.isDropped = true;
}

function compare({ bytes, limit }: Stream, { read, isDropped }: Reading, tally: Tally): string | undefined {
  let at = 0;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let count = 0; at + 4 <= bytes.length; count++) {
    const length = view.getUint32(at, true);
    if (length === 0 || length > limit) return dropsAt("broken streams", count, read, isDropped, tally);
    if (at + 4 + length > bytes.length) break;
    const opinion = opinionOn(bytes.subarray(at + 4, at + 4 + length), own);
    if (opinion.kind === "none") {
      tally("messages without a second opinion");
      return undefined;
    }
    tally(`${opinion.kind}s`);
    if (opinion.kind !== "command" || opinion.addressee === "none") {
      return dropsAt("dropped streams", count, read, isDropped, tally);
    }
    const problem = compareCommand(opinion.command, opinion.addressee, read[count]);
    if (problem !== undefined) return `message ${count}: ${problem}`;
    at += 4 + length;
  }
  tally(at === bytes.length ? "whole streams" : "waiting streams");
  return isDropped ? "what is sound was dropped" : undefined;
}

function dropsAt(
  what: string,
  count: number,
  read: readonly unknown[],
  isDropped: boolean,
  tally: Tally,
): string | undefined {
  tally(what);
  if (!isDropped) return `message ${count} did not drop the connection`;
  return read.length === count
    ? undefined
    : `${read.length} messages were read before the drop where ${count} are right`;
}

function compareCommand(
  command: Uint8Array,
  addressee: "own" | "other",
  read: Uint8Array | "ignored" | undefined,
): string | undefined {
  if (read === undefined) return "was not read";
  if (addressee === "other") return read === "ignored" ? undefined : "is for another device and was delivered";
  if (read === "ignored") return "is for this device and was ignored";
  return Buffer.compare(command, read) === 0 ? undefined : "has other bytes than were sent";
}
