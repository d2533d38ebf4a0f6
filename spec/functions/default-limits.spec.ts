import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import { connect, exchange } from "../../lib/index.js";
import { eventually } from "../support/eventually.js";
import { configFor, endAll, openClient, openGateway } from "../support/opened.js";

// Time stands still until a spec moves it. The network and the turns of the event loop go on.
beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ["nextTick", "queueMicrotask", "setImmediate", "clearImmediate"] });
});

afterEach(async () => {
  jest.useRealTimers();
  await endAll();
});

async function letSomeTurnsPass(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

describe("unless told otherwise", () => {
  it("an attempt to connect may take 4,000 ms", async () => {
    const gateway = await openGateway();
    gateway.misbehave("connect", { do: "stay silent" });
    const arrives = gateway.nextConnect();
    const running = connect(configFor(gateway));
    const onSettled = jest.fn();
    void running.then(onSettled);
    await arrives;
    jest.advanceTimersByTime(3_999);
    await letSomeTurnsPass();
    expect(onSettled).not.toHaveBeenCalled();
    jest.advanceTimersByTime(1);
    await eventually(() => expect(onSettled).toHaveBeenCalled());
    expect((await running)._unsafeUnwrapErr().code).toBe("UNABLE_TO_CONNECT");
  });

  it("an attempt of a status may take 10,000 ms", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    gateway.misbehave("status", { do: "stay silent" });
    const arrives = gateway.nextStatus();
    void exchange(client, Uint8Array.of(1)); // settled when the client is destroyed
    await arrives;
    jest.advanceTimersByTime(9_999);
    await letSomeTurnsPass();
    expect(String(client)).toContain(", awaiting a command)");
    jest.advanceTimersByTime(1);
    await eventually(() => expect(String(client)).toContain(", reconnecting)"));
  });
});
