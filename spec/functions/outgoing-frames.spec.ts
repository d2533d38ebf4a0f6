import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import { connect, destroy, exchange } from "../../lib/index.js";
import { hex } from "../support/bytes.js";
import { button } from "../support/opened.js";
import { startScriptedGateway, type Peer, type ScriptedGateway } from "../support/scripted-gateway.js";
import { timed } from "../support/timed.js";
import { commandOf, CONNECT, CONNECTED, statusOf } from "../testing/wire.js";

/** What the client hands over to its sockets, one line for each write. */
const written: string[] = [];
let scripted: ScriptedGateway | undefined;

function watch(message: unknown): void {
  const { socket } = message as { readonly socket: Socket };
  // Not before: connecting, a socket takes back its own `write`.
  socket.once("connect", () => {
    const write: (bytes: Uint8Array | string) => boolean = socket.write.bind(socket);
    jest.spyOn(socket, "write").mockImplementation((bytes: Uint8Array | string) => {
      written.push(hex(bytes as Uint8Array));
      return write(bytes);
    });
  });
}

beforeEach(() => {
  written.length = 0;
  subscribe("net.client.socket", watch);
});

afterEach(async () => {
  unsubscribe("net.client.socket", watch);
  await scripted?.stop();
  scripted = undefined;
});

describe("a frame", () => {
  it("is sent in one write, because a gateway closes the connection when a header comes in parts", async () => {
    scripted = await startScriptedGateway(async (peer) => {
      await peer.readFrame();
      await peer.send(CONNECTED);
      for (;;) await peer.send(await peer.readFrame());
    });
    const { host, port } = scripted;
    const client = (await connect({ host, port, device: button }))._unsafeUnwrap();
    for (const number of [1, 2])
      expect((await exchange(client, Uint8Array.of(number)))._unsafeUnwrap()[0]).toBe(number);
    await destroy(client);
    expect(written).toEqual([CONNECT, statusOf(1), statusOf(2)]);
  });

  it("does not wait for the acknowledgement of the one before", async () => {
    const PUSHED = commandOf(0xff);
    let tellConnected: (peer: Peer) => void = () => undefined;
    const connected = new Promise<Peer>((resolve) => (tellConnected = resolve));
    scripted = await startScriptedGateway(async (peer) => {
      await peer.readFrame();
      await peer.send(CONNECTED);
      tellConnected(peer);
      for (;;) {
        await peer.readFrame();
        const second = await peer.readFrame();
        peer.socket.write(Buffer.from(second, "hex"));
      }
    });
    const { host, port } = scripted;
    const client = (await connect({ host, port, device: button }))._unsafeUnwrap();
    const gateway = await connected;
    const times: number[] = [];
    for (let round = 0; round < 20; round += 1) {
      gateway.socket.write(Buffer.from(PUSHED, "hex"));
      expect((await exchange(client, Uint8Array.of(1)))._unsafeUnwrap()[0]).toBe(0xff);
      const [answer, elapsedMs] = await timed(() => exchange(client, Uint8Array.of(2)));
      expect(answer._unsafeUnwrap()[0]).toBe(2);
      times.push(elapsedMs);
    }
    await destroy(client);
    // A system confirms after 40 ms; the fastest of so many rounds takes less than one on a machine that is busy too.
    expect(Math.min(...times)).toBeLessThan(20);
  });
});
