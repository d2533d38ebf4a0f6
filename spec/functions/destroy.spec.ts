import { createHook } from "node:async_hooks";
import { connect as connectSocket, type Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, describe, expect, it, jest } from "@jest/globals";
import { ok } from "neverthrow";
import { clientBehind } from "../../lib/client/handle.js";
import { commands, destroy, exchange, getCommand, sendStatus, type ClientHandle } from "../../lib/index.js";
import type { TestingGateway } from "../../lib/testing.js";
import { watchClientSockets } from "../support/client-sockets.js";
import { eventually } from "../support/eventually.js";
import { endAll, openButton, openClient, openGateway } from "../support/opened.js";
import { AT_ONCE_MS, timed } from "../support/timed.js";

afterEach(endAll);

const sockets = watchClientSockets();

const one = Uint8Array.of(1);

async function expectDestroyed(client: ClientHandle, gateway: TestingGateway): Promise<void> {
  expect(sockets.made).toBeGreaterThan(0);
  expect(sockets.open).toBe(0);
  const item = (await commands(client).next()).value!;
  for (const outcome of [await sendStatus(client, one), await exchange(client, one), getCommand(client), item]) {
    const error = outcome._unsafeUnwrapErr();
    expect(error).toMatchObject({ code: "CONTEXT_INCORRECT", returnCode: -11, family: "usage", reason: "destroyed" });
    expect(error).not.toHaveProperty("cause");
  }
  await eventually(() => expect(gateway.openSockets).toBe(0));
}

// In whatever state a status is: spec/faults/cancellation.spec.ts.
describe("destroy", () => {
  it("returns an Ok without a value, also again and concurrently; every later use is CONTEXT_INCORRECT", async () => {
    const { gateway, client } = await openButton();
    const outcomes = await Promise.all([destroy(client), destroy(client), client[Symbol.asyncDispose]()]);
    expect([...outcomes, await destroy(client)]).toEqual([ok(undefined), ok(undefined), undefined, ok(undefined)]);
    await expectDestroyed(client, gateway);
    expect(gateway.connections).toBe(1);
  });

  it("ends a client with megabytes under way to a gateway that does not read", async () => {
    const { gateway, client } = await openButton();
    gateway.misbehave("status", { do: "stop reading" });
    (await exchange(client, one))._unsafeUnwrap();
    const outcome = exchange(client, new Uint8Array(12 * 1024 * 1024), { timeoutMs: 2 * AT_ONCE_MS });
    await new Promise((resolve) => setTimeout(resolve, 20));
    const [destroyed, elapsedMs] = await timed(() => destroy(client));
    expect(destroyed).toEqual(ok(undefined));
    expect(elapsedMs).toBeLessThan(AT_ONCE_MS);
    expect((await outcome)._unsafeUnwrapErr().code).toBe("CONTEXT_INCORRECT");
    gateway.kick(); // one that does not read does not see the end of a connection either
    await expectDestroyed(client, gateway);
  });

  it("waits for a former connection too that is not gone yet", async () => {
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
    expect(events).toEqual(["the former connection is gone"]);
  });

  it("by a getter of a status's options settles that status too", async () => {
    const { client } = await openButton();
    const options = {
      get timeoutMs() {
        void destroy(client);
        return 1_000;
      },
    };
    expect((await exchange(client, one, options))._unsafeUnwrapErr().code).toBe("CONTEXT_INCORRECT");
  });

  it("leaves no timer, not even one that keeps no process alive", async () => {
    const left = new Set<number>();
    const made = createHook({ init: (id, type) => type === "Timeout" && left.add(id) }).enable();
    const gone = createHook({ destroy: (id) => left.delete(id) }).enable();
    const { client, gateway } = await openButton();
    const waiting = commands(client).next();
    (await exchange(client, one))._unsafeUnwrap();
    await waiting;
    expect(left.size).toBeGreaterThan(1);
    await Promise.all([destroy(client), gateway.stop()]);
    await nextTurn(); // Node reports then what is gone
    expect(left).toEqual(new Set());
    made.disable();
    gone.disable();
  });

  it("calls no listener that no longer listens", async () => {
    const { client } = await openButton();
    const listener = jest.fn();
    const stopListening = clientBehind(client)!.onClosed(listener);
    stopListening();
    await destroy(client);
    expect(listener).not.toHaveBeenCalled();
  });

  it("is what await using does at the end of the block", async () => {
    const { gateway, client } = await openButton();
    {
      await using used = client;
      expect(used).toBe(client);
    }
    await expectDestroyed(client, gateway);
  });
});
