import { describe, expect, it } from "@jest/globals";
import { InternalClient, InternalServer } from "../../generated/internal_protocol.js";
import type { Device, Module } from "../../lib/index.js";
import { carAccessory } from "../../lib/modules/car-accessory.js";
import { example } from "../../lib/modules/example.js";
import { missionProtobuf } from "../../lib/modules/mission-protobuf.js";
import { mission } from "../../lib/modules/mission.js";
import { transparent } from "../../lib/modules/transparent.js";
import recorded from "./real-modules.json" with { type: "json" };

// Recorded at the real gateway with its real modules, by bytes made by hand.

type Chunk = readonly [who: string, hex: string, millisecond: number, ...rest: unknown[]];
interface Recording {
  readonly name: string;
  readonly device: Device;
  readonly chunks: readonly Chunk[];
}

/** What one side said in a recording: the payloads of its statuses, or of the commands. */
function payloadsOf({ chunks }: Recording, side: "client" | "gateway"): Uint8Array[] {
  const stream = Buffer.from(
    chunks
      .filter(([who, hex]) => who === side && hex !== "end")
      .map(([, hex]) => hex)
      .join(""),
    "hex",
  );
  const payloads: Uint8Array[] = [];
  for (let at = 0; at < stream.length; at += 4 + stream.readUInt32LE(at)) {
    const body = stream.subarray(at + 4, at + 4 + stream.readUInt32LE(at));
    const message =
      side === "client" ? InternalClient.decode(body).MessageType : InternalServer.decode(body).MessageType;
    if (message?.$case === "deviceStatus") payloads.push(new Uint8Array(message.value.statusData));
    if (message?.$case === "deviceCommand") payloads.push(new Uint8Array(message.value.commandData));
  }
  return payloads;
}

const recordings = recorded as unknown as readonly Recording[];

function moduleOf({ name, device }: Recording): Module<unknown, unknown> | undefined {
  const known = {
    1: name.includes("protobuf") || name.includes("1.2.13") ? missionProtobuf : mission,
    2: carAccessory,
    3: transparent,
    1000: example,
  };
  return (known as unknown as Record<number, Module<unknown, unknown>>)[device.module];
}

const ofKnownModules = recordings.filter((recording) => moduleOf(recording) !== undefined);

describe.each(ofKnownModules)("as recorded with the real module: $name", (recording) => {
  const module = moduleOf(recording)!;
  const isInvalid = recording.chunks.some(([who, hex]) => who === "gateway" && hex === "end");
  const statuses = payloadsOf(recording, "client");

  it("every command is read", () => {
    for (const command of payloadsOf(recording, "gateway")) {
      expect(module.command.decode(command, recording.device).isOk()).toBe(true);
    }
  });

  it(isInvalid ? "the status that the module held invalid is none of ours" : "every status is one of ours", () => {
    const read = statuses.map((status) => module.status.decode(status, recording.device));
    if (isInvalid) expect(read.at(-1)!.isErr()).toBe(true);
    else expect(read.every((outcome) => outcome.isOk())).toBe(true);
  });

  it("every status that is read means the same when it is written again", () => {
    for (const status of statuses) {
      const read = module.status.decode(status, recording.device);
      const again = rewritten(status);
      if (again !== undefined) expect(module.status.decode(again, recording.device)).toEqual(read);
    }
  });

  /** What our codec writes for a status that came as those bytes; undefined if it is no status of the module. */
  function rewritten(status: Uint8Array): Uint8Array | undefined {
    const read = module.status.decode(status, recording.device);
    return read.isErr() ? undefined : module.status.encode(read.value, recording.device)._unsafeUnwrap();
  }
});

it("there are recordings of each of the library's modules", () => {
  const numbers = ofKnownModules.map(({ device }) => device.module);
  expect([...new Set(numbers)].sort((a, b) => a - b)).toEqual([1, 2, 3, 1000]);
});

it("the example module's valid statuses are written byte for byte", () => {
  const valid = ofKnownModules
    .filter(({ device }) => device.module === example.number && device.deviceType === 0)
    .flatMap((recording) => payloadsOf(recording, "client"))
    .map((status) => Buffer.from(status).toString())
    .filter((status) => status.includes(": "));
  expect(valid.length).toBeGreaterThan(0);
  for (const status of valid) {
    const pressed = status.includes("true");
    const written = example.status.encode({ pressed }, recordings[0]!.device)._unsafeUnwrap();
    expect(Buffer.from(written).toString()).toBe(status);
  }
});
