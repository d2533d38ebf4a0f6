import { afterEach, describe, expect, it } from "@jest/globals";
import { connect, destroy, exchange } from "../../lib/index.js";
import { hex } from "../support/bytes.js";
import { button, endAll, openButton } from "../support/opened.js";
import { startScriptedGateway, type ScriptedGateway } from "../support/scripted-gateway.js";
import { CONNECTED } from "../testing/wire.js";

const MIB = 1024 * 1024;

let scripted: ScriptedGateway | undefined;

afterEach(async () => {
  await endAll();
  await scripted?.stop();
  scripted = undefined;
});

describe.each([
  // The button's status or command of 40 bytes is a body of 64: 12 3e, 0a 12 and 18 bytes of device, 12 28 and the 40 bytes.
  { limit: "maxMessageBytes of 64", changes: { maxMessageBytes: 64 }, most: 40, refused: "65" },
  // Around 16 MiB stand 30 bytes: 12 and a length of 4, 20 bytes of device, 12 and a length of 4.
  { limit: "maxMessageBytes, 16 MiB by default,", changes: {}, most: 16 * MIB - 30, refused: "16777217" },
])("$limit", ({ changes, most, refused }) => {
  const largest = new Uint8Array(most).fill(0x5a);
  const tooLarge = new Uint8Array(most + 1);

  it("accepts a message of exactly that many bytes, in both directions", async () => {
    const { client } = await openButton({}, changes);
    const command = (await exchange(client, largest, { timeoutMs: 20_000 }))._unsafeUnwrap();
    expect(Buffer.compare(command, largest)).toBe(0);
  });

  it("refuses one byte more, in both directions, and the client can still be used", async () => {
    let isTooLarge = true;
    const { gateway, client } = await openButton({ answer: (status) => (isTooLarge ? tooLarge : status) }, changes);
    const sent = (await exchange(client, tooLarge))._unsafeUnwrapErr();
    expect(sent).toMatchObject({ code: "NOT_OK", family: "usage", message: expect.stringContaining(refused) });
    expect(gateway.statuses()).toEqual([]);

    const received = (await exchange(client, Uint8Array.of(1)))._unsafeUnwrapErr();
    expect(received).toMatchObject({ code: "COMMAND_INCORRECT", message: expect.stringContaining(refused) });
    isTooLarge = false;
    expect(hex((await exchange(client, Uint8Array.of(2)))._unsafeUnwrap())).toBe("02");
    expect(gateway.connections).toBe(2);
  });
});

describe("a length that is merely announced", () => {
  it("costs the process no memory", async () => {
    let grownBytes = Infinity;
    let tellSent = (): void => undefined;
    const sent = new Promise<void>((resolve) => (tellSent = resolve));
    scripted = await startScriptedGateway(async (peer) => {
      await peer.readFrame();
      await peer.send(CONNECTED);
      await peer.readFrame();
      const before = process.memoryUsage().arrayBuffers;
      await peer.send("0000001012"); // 256 MiB, and the first byte of them
      grownBytes = process.memoryUsage().arrayBuffers - before;
      tellSent();
    });
    const { host, port } = scripted;
    const config = { host, port, device: button, maxMessageBytes: 0xffff_ffff };
    const client = (await connect(config))._unsafeUnwrap();
    const running = exchange(client, Uint8Array.of(1));
    await sent;
    await destroy(client);
    expect((await running)._unsafeUnwrapErr().code).toBe("CONTEXT_INCORRECT");
    expect(grownBytes).toBeLessThan(8 * MIB);
  });
});
