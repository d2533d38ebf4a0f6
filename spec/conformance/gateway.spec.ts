import { afterEach, describe, expect, it } from "@jest/globals";
import { connect, destroy, exchange, getCommand, type ClientHandle } from "../../lib/index.js";
import { fromHex, hex } from "../support/bytes.js";
import { cutAt, piecesOf } from "../support/pieces.js";
import { LIMITS, VirtualDevice } from "../support/virtual-device.js";
import type { Device } from "../../lib/protocol/device.js";
import { captures, chunksOf, exchangesOf, refusalOf } from "./captures.js";
import { replay, type ReplayingGateway } from "./replaying-gateway.js";

describe.each(captures)("as recorded with a real gateway: $name", (capture) => {
  const { device } = capture;
  const exchanges = exchangesOf(capture);
  const refusal = refusalOf(capture);

  describe("what the device sends", () => {
    it("is the reference client's frames, byte for byte", () => {
      const virtual = new VirtualDevice(LIMITS, device);
      virtual.opened();
      const [response = "", ...answers] = framesOf(capture);
      virtual.receive(response);
      exchanges.forEach(({ status }, at) => {
        virtual.send(`status ${at}`, 80, status);
        virtual.receive(answers[at] ?? "");
      });
      const frames = virtual.effects.flatMap(({ effect }) => (effect.kind === "write" ? [hex(effect.frame)] : []));
      expect(frames).toEqual(chunksOf(capture, "client"));
    });
  });

  describe("what the device makes of the gateway's bytes", () => {
    const chunks = chunksOf(capture, "gateway").map(fromHex);
    const stream = new Uint8Array(Buffer.concat(chunks));
    const expected = [
      refusal === undefined ? "connected" : `refused ${refusal.code}`,
      ...exchanges.map(({ command }) => `command ${command}`),
    ];

    it("is the same as in the reference client, in the recorded chunks", () => {
      expect(receive(device, chunks)).toEqual(expected);
    });

    it("is the same when they come one at a time", () => {
      expect(receive(device, piecesOf(stream, 1))).toEqual(expected);
    });

    it("is the same when they come all at once", () => {
      expect(receive(device, [stream])).toEqual(expected);
    });

    it("is the same wherever the stream is cut in two", () => {
      const offsets = Array.from(stream, (_, offset) => offset).slice(1);
      const unlike = offsets.filter((offset) => {
        const messages = receive(device, cutAt(stream, [offset]));
        return messages.join() !== expected.join();
      });
      expect(offsets.length).toBeGreaterThan(25);
      expect(unlike).toEqual([]);
    });
  });

  describe("over TCP, with the gateway's part played back", () => {
    let gateway: ReplayingGateway | undefined;
    let client: ClientHandle | undefined;

    afterEach(async () => {
      if (client !== undefined) await destroy(client);
      await gateway?.stop();
    });

    it("ends for the library's user as for the user of the reference client", async () => {
      gateway = await replay(capture.chunks);
      const connected = await connect({ host: "127.0.0.1", port: gateway.port, device });
      const errorCode = connected.isErr() ? connected.error.code : undefined;
      expect(errorCode).toBe(refusal?.code);

      if (connected.isOk()) {
        client = connected.value;
        for (const { status, command } of exchanges) {
          const answer = await exchange(client, fromHex(status));
          expect(answer.map(hex)).toEqual(expect.objectContaining({ value: command }));
          expect(getCommand(client).map(hex)).toEqual(expect.objectContaining({ value: command }));
        }
        await destroy(client);
      }
      // To the end: after a refusal and after destroy it is the device that closes, and nothing else has been sent.
      await expect(gateway.played).resolves.toBeUndefined();
    });
  });
});

describe("the recordings", () => {
  it("hold both statuses with commands and each of the four refusals", () => {
    const codes = captures.map((capture) => refusalOf(capture)?.code);
    expect(new Set(codes).size).toBe(1 + 4);
    expect(captures.flatMap(exchangesOf).length).toBeGreaterThanOrEqual(10);
  });
});

/** What a device that has just introduced itself makes of the chunks. */
function receive(device: Device, chunks: readonly Uint8Array[]): string[] {
  const virtual = new VirtualDevice(LIMITS, device);
  virtual.opened();
  virtual.takeAll();
  for (const chunk of chunks) virtual.receiveBytes(chunk);
  return virtual.takeAll().filter((effect) => !/^(close|ended .*)$/.test(effect));
}

/** The gateway's frames, one by one. */
function framesOf(capture: (typeof captures)[number]): string[] {
  const frames: string[] = [];
  let rest = Buffer.from(chunksOf(capture, "gateway").join(""), "hex");
  while (rest.length > 0) {
    const length = 4 + rest.readUInt32LE(0);
    frames.push(rest.toString("hex", 0, length));
    rest = rest.subarray(length);
  }
  return frames;
}
