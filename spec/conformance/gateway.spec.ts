import { createServer } from "node:net";
import { afterEach, describe, expect, it } from "@jest/globals";
import { connect, destroy, exchange, getCommand } from "../../lib/index.js";
import type { Device } from "../../lib/protocol/device.js";
import { fromHex, hex } from "../support/bytes.js";
import { endAll, keep } from "../support/opened.js";
import { cutAt, piecesOf } from "../support/pieces.js";
import { LIMITS, VirtualDevice } from "../support/virtual-device.js";
import { createRawSocket, type RawSocket } from "../testing/raw-socket.js";
import { listen, stopServers } from "../transport/echo-server.js";
import { captures, chunksOf, exchangesOf, refusalOf } from "./captures.js";

afterEach(endAll);
afterEach(stopServers);

describe.each(captures)("as recorded with a real gateway: $name", (capture) => {
  const { device } = capture;
  const exchanges = exchangesOf(capture);
  const refusal = refusalOf(capture);

  it("the device makes of the gateway's bytes what the reference client makes of them, however they come", () => {
    const chunks = chunksOf(capture, "gateway").map(fromHex);
    const stream = new Uint8Array(Buffer.concat(chunks));
    const expected = [
      refusal === undefined ? "connected" : `refused ${refusal.code}`,
      ...exchanges.map(({ command }) => `command ${command}`),
    ];
    expect(receive(device, chunks)).toEqual(expected);
    expect(receive(device, piecesOf(stream, 1))).toEqual(expected);
    expect(receive(device, [stream])).toEqual(expected);
    const offsets = Array.from(stream.keys()).slice(1);
    expect(offsets.filter((at) => receive(device, cutAt(stream, [at])).join() !== expected.join())).toEqual([]);
  });

  it("a connection over TCP ends for the library's user as for the user of the reference client", async () => {
    let played = Promise.resolve();
    const gateway = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      played = play(createRawSocket(socket), capture.chunks);
    });
    const { port } = await listen(gateway, { host: "127.0.0.1", port: 0 });
    const connected = await connect({ host: "127.0.0.1", port, device });
    expect(connected.isErr() ? connected.error.code : undefined).toBe(refusal?.code);
    if (connected.isOk()) {
      const client = keep(connected.value);
      for (const { status, command } of exchanges) {
        expect(hex((await exchange(client, fromHex(status)))._unsafeUnwrap())).toBe(command);
        expect(hex(getCommand(client)._unsafeUnwrap())).toBe(command);
      }
      await destroy(client);
    }
    await played;
  });
});

it("the recordings hold both statuses with commands and each of the four refusals", () => {
  const codes = captures.map((capture) => refusalOf(capture)?.code);
  expect(new Set(codes).size).toBe(1 + 4);
  expect(captures.flatMap(exchangesOf).length).toBeGreaterThanOrEqual(10);
});

/** What a device that has just introduced itself makes of the chunks. */
function receive(device: Device, chunks: readonly Uint8Array[]): string[] {
  const virtual = new VirtualDevice(LIMITS, device);
  virtual.opened();
  virtual.takeAll();
  for (const chunk of chunks) virtual.receiveBytes(chunk);
  return virtual.takeAll().filter((effect) => !/^(close|ended .*)$/.test(effect));
}

/** Plays the gateway's part to the end: after a refusal and after destroy it is the device that closes, and it sends nothing else. */
async function play(device: RawSocket, chunks: (typeof captures)[number]["chunks"]): Promise<void> {
  for (const [from, bytes] of chunks) {
    if (from === "client" && bytes !== "end") await device.gets(bytes);
    else if (from === "client") expect([await device.ended, await device.listen(0)]).toEqual(["end", ""]);
    else if (bytes === "end") device.socket.end();
    else device.send(bytes);
  }
}
