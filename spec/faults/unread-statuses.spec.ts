import { afterEach, expect, it } from "@jest/globals";
import { connect, destroy, exchange } from "../../lib/index.js";
import { button } from "../support/opened.js";
import { startScriptedGateway, type Peer, type ScriptedGateway } from "../support/scripted-gateway.js";
import { byte, commandOf, CONNECTED } from "../testing/wire.js";

let scripted: ScriptedGateway | undefined;

afterEach(() => scripted?.stop());

const MIB = 1024 * 1024;
/** More than the kernel takes for a gateway that does not read, so that the last of them wait in this process. */
const STATUSES = 24;

it("statuses that pushes complete while the gateway does not read reach it unchanged, once it reads again", async () => {
  let gateway: Peer | undefined;
  scripted = await startScriptedGateway(async (peer) => {
    await peer.readFrame();
    gateway = peer;
    await peer.send(CONNECTED);
  });
  const { host, port } = scripted;
  const client = (await connect({ host, port, device: button }))._unsafeUnwrap();

  for (let number = 1; number <= STATUSES; number += 1) {
    const running = exchange(client, new Uint8Array(MIB).fill(number));
    await gateway!.send(commandOf(number));
    expect((await running)._unsafeUnwrap()).toEqual(Uint8Array.of(number));
  }
  for (let number = 1; number <= STATUSES; number += 1) {
    expect((await gateway!.readFrame()).slice(-20)).toBe(byte(number).repeat(10));
  }
  await destroy(client);
  expect(scripted.connections).toBe(1);
});
