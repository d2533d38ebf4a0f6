import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "@jest/globals";
import { destroy, exchange, lazyClient } from "../../lib/index.js";
import { hex } from "../support/bytes.js";
import { eventually } from "../support/eventually.js";
import { button, configFor, endAll, keep, openGateway } from "../support/opened.js";
import { endPrograms, startProgram } from "../support/program.js";
import { standStill } from "../support/stand-still.js";

afterEach(endAll);
afterEach(endPrograms);

const status = Uint8Array.of(1);

async function openLazy() {
  const gateway = await openGateway();
  return { gateway, client: lazyClient(configFor(gateway)) };
}

describe("a lazy client", () => {
  it("connects on first use, once for concurrent calls, and is returned again as long as it lives", async () => {
    const { gateway, client } = await openLazy();
    await sleep(10);
    expect(gateway.connections).toBe(0);
    const outcomes = await Promise.all([client(), client(), client()]);
    const handle = keep(outcomes[0]._unsafeUnwrap());
    for (const outcome of [...outcomes, await client()]) expect(outcome._unsafeUnwrap()).toBe(handle);
    expect(gateway.connections).toBe(1);
  });

  it("connects again after it was destroyed, by its owner or by a status that failed twice", async () => {
    const { gateway, client } = await openLazy();
    const first = (await client())._unsafeUnwrap();
    await destroy(first);
    const second = (await client())._unsafeUnwrap();
    expect(second).not.toBe(first);
    gateway.misbehave("status", { do: "close" }, { times: 2 });
    expect((await exchange(second, status))._unsafeUnwrapErr().code).toBe("UNABLE_TO_CONNECT");
    const command = await client().andThen((handle) => exchange(keep(handle), status));
    expect(command._unsafeUnwrap()).toEqual(status);
  });

  it("returns a failed connect to all who await it, and tries again at the next call", async () => {
    const { gateway, client } = await openLazy();
    gateway.misbehave("connect", { do: "refuse", responseType: 2 });
    const [first, second] = await Promise.all([client(), client()]);
    expect(first._unsafeUnwrapErr().code).toBe("MODULE_NOT_SUPPORTED");
    expect(second).toBe(first);
    await eventually(() => expect(gateway.openSockets).toBe(0));
    keep((await client())._unsafeUnwrap());
  });

  it("can be destroyed without connecting first, and connects again at the next call", async () => {
    const { gateway, client } = await openLazy();
    expect((await client.destroy()).isOk()).toBe(true);
    expect(gateway.connections).toBe(0);
    const first = (await client())._unsafeUnwrap();
    await client.destroy();
    await client.destroy();
    expect((await exchange(first, status))._unsafeUnwrapErr().reason).toBe("destroyed");
    expect(keep((await client())._unsafeUnwrap())).not.toBe(first);
    expect(gateway.connections).toBe(2);
  });

  it("is destroyed while it connects, as soon as it is connected, and when it could not connect", async () => {
    const { gateway, client } = await openLazy();
    const connecting = client();
    await client.destroy();
    expect((await exchange((await connecting)._unsafeUnwrap(), status))._unsafeUnwrapErr().reason).toBe("destroyed");
    gateway.misbehave("connect", { do: "refuse", responseType: 2 });
    const refused = client();
    expect((await client.destroy()).isOk()).toBe(true);
    expect((await refused).isErr()).toBe(true);
  });

  it("is destroyed by await using", async () => {
    const gateway = await openGateway();
    {
      await using client = lazyClient(configFor(gateway));
      (await client())._unsafeUnwrap();
    }
    await eventually(() => expect(gateway.openSockets).toBe(0));
  });
});

describe("a handler in the shape of AWS Lambda", () => {
  /** What a user keeps in module scope, and the handler itself, which has sent the status 01. */
  async function deploy(timeoutMs?: number) {
    const gateway = await openGateway();
    const client = lazyClient({ host: "127.0.0.1", port: gateway.port, device: button, keepProcessAlive: false });
    const handler = (event: string) =>
      client()
        .andThen((handle) => exchange(keep(handle), Buffer.from(event, "hex"), { timeoutMs }))
        .match(hex, ({ code }) => code);
    expect(await handler("01")).toBe("01");
    return { gateway, handler };
  }

  it("answers after a freeze in which the gateway closed the connection", async () => {
    const { gateway, handler } = await deploy();
    gateway.kick();
    // Nothing of the cut has been read yet: to the frozen process the connection still looks alive.
    expect(await handler("02")).toBe("02");
    expect(gateway.connections).toBe(2);
  });

  it("answers after a freeze in which the answer's deadline passed, when the answer has come meanwhile", async () => {
    const { gateway, handler } = await deploy(500);
    const answer = handler("02");
    await gateway.nextStatus();
    standStill(700);
    expect(await answer).toBe("02");
    expect(gateway.connections).toBe(1);
  });
});

it("keepProcessAlive: false lets the process exit while idle, but not while a status is under way", async () => {
  const gateway = await openGateway({ answer: (bytes) => sleep(150, bytes) });
  const program = `
    import { connect, exchange } from "./lib/index.ts";
    const device = ${JSON.stringify(button)};
    connect({ host: "127.0.0.1", port: ${gateway.port}, device, keepProcessAlive: false })
      .andThen((client) => exchange(client, Uint8Array.of(7)))
      .then((command) => {
        console.log(command.isOk() ? "answered" : command.error.message);
        setTimeout(() => process.exit(9), 300).unref();
      });`;
  const child = startProgram(["--import", "tsx", "--input-type=module", "--eval", program]);
  expect(await child.ended).toBe(0);
  expect(child.stdout.trim()).toBe("answered");
});
