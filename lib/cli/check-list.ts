import { setTimeout as sleep } from "node:timers/promises";
import type { Device } from "../index.js";
import { frame } from "../testing.js";
import { connectFrame, openRawDevice, statusFrame, type Place, type RawDevice } from "./check-device.js";

/** What one check needs: its own device, and connections. */
interface Scene {
  readonly device: Device;
  readonly status: Uint8Array;
  readonly silence: Silence;
  /** Opens a connection of the device, or of one that differs in the given fields. */
  readonly open: (changes?: Partial<Device>) => Promise<RawDevice>;
  /** The same, and connects the device; returns the gateway's answer too. */
  readonly connect: (changes?: Partial<Device>) => Promise<{ readonly raw: RawDevice; readonly said: string }>;
}

/** How long after its last status a silent device is disconnected. */
export interface Silence {
  readonly leastMs: number;
  readonly mostMs: number;
}

export interface Check {
  readonly name: string;
  /** What a real gateway does, step by step, in the words of `see`. */
  readonly expected: readonly string[];
  /** Does what the name says, and returns what happened. */
  readonly see: (scene: Scene) => Promise<readonly string[]>;
  /** It needs a module that refuses some device types and statuses. */
  readonly needsStrictModule?: boolean;
  /** It takes half a minute, so it is done only if asked for. */
  readonly isSlow?: boolean;
}

const NO_MODULE = 2 ** 31 - 1;
const NO_TYPE = 2 ** 32 - 1;
const MEBIBYTE = 2 ** 20;
/** How long a gateway may need to free the slot of a device that has disconnected. */
const CLEAN_UP_MS = 1_000;

export const checks: readonly Check[] = [
  {
    name: "a module that is not served",
    expected: ["MODULE_NOT_SUPPORTED", "left open", "its slot taken: ALREADY_CONNECTED"],
    see: (scene) => refused(scene, { module: NO_MODULE }),
  },
  {
    name: "a device type that the module does not support",
    needsStrictModule: true,
    expected: ["DEVICE_NOT_SUPPORTED", "left open", "its slot taken: ALREADY_CONNECTED"],
    see: (scene) => refused(scene, { deviceType: NO_TYPE }),
  },
  {
    name: "two statuses, one after the other",
    expected: ["OK", "a command", "a command"],
    see: async ({ connect, device, status }) => {
      const { raw, said } = await connect();
      const seen = [said];
      for (let count = 0; count < 2; count += 1) {
        await raw.send(statusFrame(device, status));
        seen.push(await raw.next());
      }
      return seen;
    },
  },
  {
    name: "two statuses in one write",
    expected: ["OK", "a command", "a command"],
    see: async ({ connect, device, status }) => {
      const { raw, said } = await connect();
      const bytes = statusFrame(device, status);
      await raw.send(Buffer.concat([bytes, bytes]));
      return [said, await raw.next(), await raw.next()];
    },
  },
  {
    name: "a header, a pause, and then the body",
    expected: ["OK", "a command"],
    see: (scene) => sendInPieces(scene, (bytes) => [bytes.subarray(0, 4), bytes.subarray(4)]),
  },
  {
    name: "a header, and then the body byte by byte",
    expected: ["OK", "a command"],
    see: (scene) => sendInPieces(scene, (bytes) => [bytes.subarray(0, 4), ...each(bytes.subarray(4))]),
  },
  ...[1, 2, 3].map((count) => ({
    name: `${count} ${count === 1 ? "byte" : "bytes"} of a header`,
    expected: ["OK", "closed"],
    see: (scene: Scene) => sendInPieces(scene, (bytes) => [bytes.subarray(0, count)]),
  })),
  {
    name: "a message of 1 MiB",
    expected: ["OK", "a command"],
    see: async ({ connect, device, status }) => {
      const { raw, said } = await connect();
      await raw.send(paddedStatusFrame(device, status));
      return [said, await raw.next()];
    },
  },
  {
    name: "the same device on a second connection",
    expected: ["OK", "ALREADY_CONNECTED", "closed", "the first: a command"],
    see: async ({ connect, device, status }) => {
      const { raw: first, said } = await connect();
      const { raw: second, said: refusal } = await connect();
      const end = await second.rest();
      await first.send(statusFrame(device, status));
      return [said, refusal, end, `the first: ${await first.next()}`];
    },
  },
  {
    name: "a device, the same of a higher priority, and the first again",
    expected: ["OK", "OK", "the lower: closed", "the lower again: HIGHER_PRIORITY_ALREADY_CONNECTED", "closed"],
    see: async ({ connect }) => {
      const { raw: lower, said: first } = await connect({ priority: 1 });
      const { said: second } = await connect({ priority: 0 });
      const end = await lower.next();
      const { raw: again, said: refusal } = await connect({ priority: 1 });
      return [first, second, `the lower: ${end}`, `the lower again: ${refusal}`, await again.rest()];
    },
  },
  {
    name: "a device that disconnects and connects again",
    expected: ["OK", "OK"],
    see: async ({ connect }) => {
      const { raw, said } = await connect();
      const giveUpAt = performance.now() + CLEAN_UP_MS;
      raw.hangUp();
      for (;;) {
        const { raw: again, said: next } = await connect();
        if (next !== "ALREADY_CONNECTED" || performance.now() > giveUpAt) return [said, next];
        again.hangUp();
        await sleep(5);
      }
    },
  },
  {
    name: "a second connect on a connection",
    expected: ["OK", "closed"],
    see: async ({ connect, device }) => {
      const { raw, said } = await connect();
      await raw.send(connectFrame(device));
      return [said, await raw.next()];
    },
  },
  {
    name: "a status before the connect",
    expected: ["closed"],
    see: ({ open, device, status }) => sayFirst(open, statusFrame(device, status)),
  },
  {
    name: "a message of 0 bytes",
    expected: ["closed"],
    see: ({ open }) => sayFirst(open, frame(Uint8Array.of())),
  },
  {
    name: "a message that is not protobuf",
    expected: ["closed"],
    see: ({ open }) => sayFirst(open, frame(Uint8Array.of(0xff, 0xff))),
  },
  {
    name: "a message of unknown fields only",
    expected: ["closed"],
    see: ({ open }) => sayFirst(open, frame(Uint8Array.of(0x7a, 0))),
  },
  {
    name: "a status of another device",
    expected: ["OK", "closed"],
    see: async ({ connect, device, status }) => {
      const { raw, said } = await connect();
      await raw.send(statusFrame({ ...device, deviceRole: `${device.deviceRole}_other` }, status));
      return [said, await raw.next()];
    },
  },
  {
    name: "an invalid status",
    needsStrictModule: true,
    expected: ["OK", "closed"],
    see: async ({ connect, device }) => {
      const { raw, said } = await connect();
      await raw.send(statusFrame(device, Buffer.from("no status")));
      return [said, await raw.next()];
    },
  },
  {
    name: "a device that closes its half of the connection",
    expected: ["OK", "closed"],
    see: async ({ connect }) => {
      const { raw, said } = await connect();
      raw.halfClose();
      return [said, await raw.next()];
    },
  },
  {
    name: "a silent device",
    isSlow: true,
    expected: ["OK", "a command", "closed in time"],
    see: async ({ connect, device, status, silence: { leastMs, mostMs } }) => {
      const { raw, said } = await connect();
      await raw.send(statusFrame(device, status));
      const answer = await raw.next();
      const answeredAt = performance.now();
      const end = await raw.next(mostMs);
      const afterMs = performance.now() - answeredAt;
      return [said, answer, end === "closed" ? `closed ${afterMs < leastMs ? "too soon" : "in time"}` : end];
    },
  },
];

/** The connections of one check; `close` ends them all, and so does the signal. */
export function createScene(place: Place, device: Device, status: Uint8Array, silence: Silence) {
  const opened: RawDevice[] = [];
  const hangUp = (): void => opened.forEach((raw) => raw.hangUp());
  place.signal.addEventListener("abort", hangUp);
  const open: Scene["open"] = async (changes) => {
    const raw = openRawDevice(place, { ...device, ...changes });
    opened.push(raw);
    await raw.connected;
    return raw;
  };
  const connect: Scene["connect"] = async (changes) => {
    const raw = await open(changes);
    await raw.send(connectFrame({ ...device, ...changes }));
    return { raw, said: await raw.next() };
  };
  const scene: Scene = { device, status, silence, open, connect };
  const close = (): void => {
    place.signal.removeEventListener("abort", hangUp);
    hangUp();
  };
  return { scene, close };
}

async function refused({ connect }: Scene, changes: Partial<Device>): Promise<readonly string[]> {
  const { raw, said } = await connect(changes);
  const rest = await raw.rest();
  const { said: again } = await connect(changes);
  return [said, rest, `its slot taken: ${again}`];
}

async function sendInPieces(
  { connect, device, status }: Scene,
  cut: (bytes: Uint8Array) => readonly Uint8Array[],
): Promise<readonly string[]> {
  const { raw, said } = await connect();
  await raw.send(...cut(statusFrame(device, status)));
  return [said, await raw.next()];
}

async function sayFirst(open: Scene["open"], bytes: Uint8Array): Promise<readonly string[]> {
  const raw = await open();
  await raw.send(bytes);
  return [await raw.next()];
}

function each(bytes: Uint8Array): readonly Uint8Array[] {
  return Array.from(bytes, (byte) => Uint8Array.of(byte));
}

/** A status in a message of more than 1 MiB. The rest of the message is an unknown field, so the module gets only the status. */
function paddedStatusFrame(device: Device, status: Uint8Array): Uint8Array {
  const body = statusFrame(device, status).subarray(4);
  const unknownField = Uint8Array.of(0x7a, 0x80, 0x80, 0x40);
  return frame(Buffer.concat([body, unknownField, new Uint8Array(MEBIBYTE)]));
}
