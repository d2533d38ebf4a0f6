import { afterEach, describe, expect, it } from "@jest/globals";
import { connect, destroy, exchange } from "../../lib/index.js";
import { button } from "../support/opened.js";
import { startScriptedGateway, type Peer, type ScriptedGateway } from "../support/scripted-gateway.js";
import { byte, commandOf, CONNECTED } from "../testing/wire.js";

let scripted: ScriptedGateway | undefined;

afterEach(async () => {
  await scripted?.stop();
  scripted = undefined;
});

const MIB = 1024 * 1024;
/** More than the kernel takes for a gateway that does not read, so that the last of them wait in this process. */
const STATUSES = 24;

describe("statuses that pushes complete while the gateway does not read", () => {
  it("reach it unchanged, once it reads again", async () => {
    let tellConnected: (peer: Peer) => void = () => undefined;
    const connected = new Promise<Peer>((resolve) => (tellConnected = resolve));
    scripted = await startScriptedGateway(async (peer) => {
      await peer.readFrame();
      await peer.send(CONNECTED);
      tellConnected(peer);
    });
    const { host, port } = scripted;
    const client = (await connect({ host, port, device: button }))._unsafeUnwrap();
    const gateway = await connected;

    for (let number = 1; number <= STATUSES; number += 1) {
      const running = exchange(client, new Uint8Array(MIB).fill(number));
      await gateway.send(commandOf(number));
      expect((await running)._unsafeUnwrap()).toEqual(Uint8Array.of(number));
    }
    for (let number = 1; number <= STATUSES; number += 1) {
      expect((await gateway.readFrame()).slice(-20)).toBe(byte(number).repeat(10));
    }
    await destroy(client);
    expect(scripted.connections).toBe(1);
  });
});
