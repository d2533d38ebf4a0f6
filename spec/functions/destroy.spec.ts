import { connect as connectSocket, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "@jest/globals";
import { ok } from "neverthrow";
import { commands, destroy, exchange, getCommand, sendStatus, type ClientHandle } from "../../lib/index.js";
import type { TestingGateway } from "../../lib/testing.js";
import { watchClientSockets } from "../support/client-sockets.js";
import { eventually } from "../support/eventually.js";
import { endAll, openClient, openGateway } from "../support/opened.js";
import { AT_ONCE_MS, timed } from "../support/timed.js";

afterEach(endAll);

const sockets = watchClientSockets();

const one = Uint8Array.of(1);
const two = Uint8Array.of(2);
const three = Uint8Array.of(3);

/** No limit ends what destroy is to end. */
const timeoutMs = 2 * AT_ONCE_MS;
const connectTimeoutMs = 2 * AT_ONCE_MS;

async function expectDestroyed(client: ClientHandle, gateway: TestingGateway): Promise<void> {
  expect(sockets.made).toBeGreaterThan(0);
  expect(sockets.open).toBe(0);
  const outcomes = [await sendStatus(client, one), await exchange(client, one), getCommand(client)];
  for (const outcome of outcomes) {
    expect(outcome._unsafeUnwrapErr()).toMatchObject({
      code: "CONTEXT_INCORRECT",
      returnCode: -11,
      family: "usage",
    });
  }
  expect((await commands(client).next()).value?._unsafeUnwrapErr().code).toBe("CONTEXT_INCORRECT");
  await eventually(() => expect(gateway.openSockets).toBe(0));
}

async function expectDestroyedAtOnce(client: ClientHandle): Promise<void> {
  const [, elapsedMs] = await timed(() => destroy(client));
  expect(elapsedMs).toBeLessThan(AT_ONCE_MS);
}

describe("destroy", () => {
  it("returns an Ok without a value, closes the connection, and every later use is CONTEXT_INCORRECT", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const outcome = await destroy(client);
    expect(outcome).toEqual(ok(undefined));
    await expectDestroyed(client, gateway);
    expect(gateway.connections).toBe(1);
  });

  it("makes every later use CONTEXT_INCORRECT though its arguments are wrong", async () => {
    const client = await openClient(await openGateway());
    await destroy(client);
    const wrong = { timeoutMs: -1, highWaterMark: -1 };
    const outcomes = [await exchange(client, one, wrong), await sendStatus(client, "no bytes" as never)];
    for (const outcome of outcomes) expect(outcome._unsafeUnwrapErr().code).toBe("CONTEXT_INCORRECT");
    expect((await commands(client, wrong).next()).value?._unsafeUnwrapErr().code).toBe("CONTEXT_INCORRECT");
  });

  it("may be called again and again, also concurrently", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const outcomes = await Promise.all([destroy(client), destroy(client), destroy(client)]);
    outcomes.push(await destroy(client));
    expect(outcomes.every((outcome) => outcome.isOk())).toBe(true);
    await expectDestroyed(client, gateway);
  });

  it("frees the device's slot at the gateway for a new client", async () => {
    const gateway = await openGateway();
    for (let round = 0; round < 5; round++) {
      await destroy(await openClient(gateway));
      await eventually(() => expect(gateway.devices).toEqual([]));
    }
    expect(gateway.connections).toBe(5);
  });

  it("settles the status in flight and those that wait with CONTEXT_INCORRECT", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    gateway.misbehave("status", { do: "stay silent" });
    const arrived = gateway.nextStatus();
    const outcomes = [exchange(client, one, { timeoutMs }), sendStatus(client, two), exchange(client, three)];
    await arrived;
    await expectDestroyedAtOnce(client);
    for (const outcome of await Promise.all(outcomes)) {
      const error = outcome._unsafeUnwrapErr();
      expect(error).toMatchObject({ code: "CONTEXT_INCORRECT", returnCode: -11, family: "usage" });
      expect(error).not.toHaveProperty("cause");
    }
    expect(gateway.statuses()).toEqual([one]);
    await expectDestroyed(client, gateway);
  });

  it("settles a status that was sent in the same turn", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const outcome = exchange(client, one);
    await destroy(client);
    expect((await outcome)._unsafeUnwrapErr().code).toBe("CONTEXT_INCORRECT");
    await expectDestroyed(client, gateway);
  });
});

describe("destroy in any state", () => {
  it("while the connection is lost", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    gateway.kick();
    await eventually(() => expect(gateway.openSockets).toBe(0));
    await destroy(client);
    await expectDestroyed(client, gateway);
    expect(gateway.connections).toBe(1);
  });

  it("after a status that failed twice", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    gateway.misbehave("status", { do: "close" }, { times: 2 });
    const reason = (await exchange(client, one))._unsafeUnwrapErr();
    await destroy(client);
    await expectDestroyed(client, gateway);
    expect(getCommand(client)._unsafeUnwrapErr().cause).toBe(reason);
  });

  it.each([
    ["while TCP connects anew", "accept", { do: "stop reading" }],
    ["while the device connects anew", "connect", { do: "stay silent" }],
  ] as const)("%s", async (_, at, fault) => {
    const gateway = await openGateway();
    const client = await openClient(gateway, { connectTimeoutMs });
    gateway.misbehave("status", { do: "close" });
    gateway.misbehave(at, fault);
    const outcome = exchange(client, one);
    await eventually(() => expect(gateway.connections).toBe(2));
    await expectDestroyedAtOnce(client);
    expect((await outcome)._unsafeUnwrapErr().code).toBe("CONTEXT_INCORRECT");
    // One that is not reading does not see the end of a connection either.
    if (at === "accept") gateway.kick();
    await expectDestroyed(client, gateway);
  });

  it("while the gateway still refuses the device", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    gateway.misbehave("status", { do: "close" });
    gateway.misbehave("connect", { do: "refuse", responseType: 1 }, { times: Infinity });
    const outcome = exchange(client, one);
    await eventually(() => expect(gateway.connections).toBeGreaterThan(2));
    await destroy(client);
    expect((await outcome)._unsafeUnwrapErr().code).toBe("CONTEXT_INCORRECT");
    const { connections } = gateway;
    await expectDestroyed(client, gateway);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(gateway.connections - connections).toBeLessThanOrEqual(1);
  });

  it("with megabytes under way to a gateway that does not read", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    gateway.misbehave("status", { do: "stop reading" });
    (await exchange(client, one))._unsafeUnwrap();
    const outcome = exchange(client, new Uint8Array(12 * 1024 * 1024), { timeoutMs });
    await new Promise((resolve) => setTimeout(resolve, 20));
    await expectDestroyedAtOnce(client);
    expect((await outcome)._unsafeUnwrapErr().code).toBe("CONTEXT_INCORRECT");
    gateway.kick();
    await expectDestroyed(client, gateway);
  });

  it("with a former connection that is not gone yet: it waits for that one too", async () => {
    const gateway = await openGateway();
    const events: string[] = [];
    const createConnection = (): Socket => {
      const socket = connectSocket(gateway.port, gateway.host);
      if (gateway.connections > 0) return socket;
      const destroyNow = socket._destroy.bind(socket);
      socket._destroy = (error, done) => void setTimeout(() => destroyNow(error, done), 100);
      return socket.once("close", () => events.push("the former connection is gone"));
    };
    const client = await openClient(gateway, { createConnection });
    gateway.kick();
    (await exchange(client, one))._unsafeUnwrap();
    await destroy(client);
    events.push("destroy has settled");
    expect(events).toEqual(["the former connection is gone", "destroy has settled"]);
  });

  it("with a gateway that is gone", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    await gateway.stop();
    await expectDestroyedAtOnce(client);
    await expectDestroyed(client, gateway);
  });
});

describe("destroy with nonsense", () => {
  it.each([undefined, null, 0, "client", Symbol("client"), {}, [], () => undefined, new Error("client")])(
    "%p is Ok",
    async (nonsense) => {
      expect((await destroy(nonsense as never)).isOk()).toBe(true);
    },
  );
});

describe("await using", () => {
  it("destroys the client at the end of the block, however it is left", async () => {
    const gateway = await openGateway();
    let kept: ClientHandle | undefined;
    const use = async (): Promise<void> => {
      await using client = await openClient(gateway);
      kept = client;
      (await exchange(client, one))._unsafeUnwrap();
      throw new Error("left by a throw");
    };
    await expect(use()).rejects.toThrow("left by a throw");
    await expectDestroyed(kept!, gateway);
  });

  it("is the same as destroy, and may be repeated", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    await client[Symbol.asyncDispose]();
    await client[Symbol.asyncDispose]();
    await destroy(client);
    await expectDestroyed(client, gateway);
  });
});
