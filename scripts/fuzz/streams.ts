import { DeviceConnection, type Effect } from "../../lib/protocol/device-connection.js";
import { LIMITS, utf8 } from "../../spec/support/virtual-device.js";
import { connectResponseFrame } from "../../lib/testing.js";
import { allocatedBytes } from "./allocations.js";
import { withoutStretches, type Kind, type Tally } from "./kind.js";
import type { Random } from "./random.js";
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

export const streams: Kind<Stream> = {
  generate,
  check,
  *shrink({ bytes, chunks, limit }) {
    for (const fewer of withoutStretches(chunks)) yield { bytes, chunks: fewer, limit };
    for (const fewer of withoutStretches([...bytes])) yield { bytes: Uint8Array.from(fewer), chunks, limit };
  },
  show: ({ bytes, chunks, limit }) =>
    `limit ${limit}, chunks of [${chunks.join(", ")}] and the rest, bytes ${Buffer.from(bytes).toString("hex")}`,
};

// ——— making them ———

function generate(random: Random): Stream {
  const pieces = Array.from({ length: random.between(1, 5) }, () => piece(random));
  let bytes = new Uint8Array(concat(...pieces));
  if (random.chance(0.5)) bytes = mutated(random, bytes);
  return { bytes, chunks: cut(random, bytes.length), limit: random.pick([64, 200, 5_000, LARGE_LIMIT, LARGE_LIMIT]) };
}

function piece(random: Random): Uint8Array {
  switch (random.between(0, 11)) {
    case 0:
      return framed(random.bytes(random.between(0, 40)));
    case 1:
      return random.bytes(random.between(1, 20));
    case 2:
      return header(random.pick(EDGE_LENGTHS) + random.between(0, 40), random.bytes(random.between(0, 20)));
    case 3:
      return header(random.between(0, LARGE_LIMIT), random.bytes(random.between(0, 20)));
    case 4:
    case 5:
      return framed(field(1, concat(numberField(1, random.between(0, 6)), field(2, deviceBytes(random)))));
    case 6:
      return framed(field(2, field(2, random.bytes(random.between(0, 20)))));
    default:
      return framed(field(2, concat(field(1, deviceBytes(random)), payload(random))));
  }
}

function payload(random: Random): Uint8Array {
  if (random.chance(0.1)) return new Uint8Array(0);
  const length = random.chance(0.002)
    ? random.between(16_300, 70_000)
    : random.pick([0, 1, 5, 30, 90, 127, 128, 200]) + random.between(0, 3);
  return field(2, new Uint8Array(length).fill(random.between(0, 255)));
}

function deviceBytes(random: Random): Uint8Array {
  const device = random.chance(0.2) ? { ...own, [random.pick(["module", "deviceType", "priority"])]: 9 } : own;
  const role = random.chance(0.1) ? "right" : device.deviceRole;
  const name = random.chance(0.2) ? "b" : device.deviceName;
  return concat(
    numberField(1, device.module),
    numberField(2, device.deviceType),
    field(3, Buffer.from(role)),
    field(4, Buffer.from(name)),
    numberField(5, device.priority),
  );
}

function mutated(random: Random, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  let list = [...bytes];
  for (let times = random.between(1, 4); times > 0; times--) {
    const at = random.between(0, Math.max(0, list.length - 1));
    const length = random.between(1, 8);
    switch (random.between(0, 4)) {
      case 0:
        list[at] = random.between(0, 255);
        break;
      case 1:
        list[at] = (list[at] ?? 0) ^ (1 << random.between(0, 7));
        break;
      case 2:
        list.splice(at, length);
        break;
      case 3:
        list.splice(at, 0, ...random.bytes(length));
        break;
      default:
        list = [...list.slice(0, at + length), ...list.slice(at)];
    }
  }
  return Uint8Array.from(list);
}

function cut(random: Random, length: number): readonly number[] {
  switch (random.between(0, 3)) {
    case 0:
      return [];
    case 1:
      return Array.from({ length: Math.min(length, 300) }, () => 1);
    default:
      return Array.from({ length: random.between(1, 6) }, () => random.between(1, random.pick([4, 30, 200])));
  }
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
  return Buffer.concat(parts);
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
