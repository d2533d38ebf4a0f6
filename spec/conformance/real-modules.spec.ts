import { describe, expect, it } from "@jest/globals";
import { InternalClient, InternalServer } from "../../generated/internal_protocol.js";
import type { Module } from "../../lib/index.js";
import { carAccessory } from "../../lib/modules/car-accessory.js";
import { example } from "../../lib/modules/example.js";
import { missionProtobuf } from "../../lib/modules/mission-protobuf.js";
import { mission } from "../../lib/modules/mission.js";
import { transparent } from "../../lib/modules/transparent.js";
import { fromHex } from "../support/bytes.js";
import { framesOf, recordings, type Recording } from "./captures.js";

/** What one side said in a recording: the payloads of its statuses, or of the commands. */
function payloadsOf(recording: Recording, side: "client" | "gateway"): Uint8Array[] {
  const decoder = side === "client" ? InternalClient : InternalServer;
  return framesOf(recording, side).flatMap((frame) => {
    const message = decoder.decode(fromHex(frame).subarray(4)).MessageType;
    if (message?.$case === "deviceStatus") return [new Uint8Array(message.value.statusData)];
    return message?.$case === "deviceCommand" ? [new Uint8Array(message.value.commandData)] : [];
  });
}

function moduleOf({ name, device }: Recording): Module<unknown, unknown> | undefined {
  const modules = [name.includes("protobuf") ? missionProtobuf : mission, carAccessory, transparent, example];
  return modules.find(({ number }) => number === device.module) as Module<unknown, unknown> | undefined;
}

const ofKnownModules = recordings.filter((recording) => moduleOf(recording) !== undefined);

describe.each(ofKnownModules)("as recorded with the real module: $name", (recording) => {
  const { device } = recording;
  const { status, command } = moduleOf(recording)!;
  const isInvalid = recording.chunks.some(([who, what]) => who === "gateway" && what === "end");
  const read = payloadsOf(recording, "client").map((bytes) => status.decode(bytes, device));

  it("every command is read", () => {
    for (const bytes of payloadsOf(recording, "gateway")) expect(command.decode(bytes, device).isOk()).toBe(true);
  });

  it(isInvalid ? "the status that the module held invalid is none of ours" : "every status is one of ours", () => {
    if (isInvalid) expect(read.at(-1)!.isErr()).toBe(true);
    else expect(read.every((outcome) => outcome.isOk())).toBe(true);
  });

  it("every status that is read means the same when it is written again", () => {
    for (const outcome of read.filter((one) => one.isOk())) {
      const again = status.encode(outcome.value, device)._unsafeUnwrap();
      expect(status.decode(again, device)).toEqual(outcome);
    }
  });
});

it("there are recordings of each of the library's modules", () => {
  const numbers = ofKnownModules.map(({ device }) => device.module);
  expect([...new Set(numbers)].sort((a, b) => a - b)).toEqual([1, 2, 3, 1000]);
});
