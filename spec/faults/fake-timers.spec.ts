import dns from "node:dns";
import timers from "node:timers";
import promises from "node:timers/promises";
import { MessageChannel } from "node:worker_threads";
import { afterEach, describe, expect, it, jest } from "@jest/globals";
import { commands, connect, every, exchange, getCommand, runDevice, sendStatuses } from "../../lib/index.js";
import { startFrozenGateway, type FrozenGateway } from "../support/frozen-gateway.js";
import { button, configFor, endAll, keep, openButton, openGateway } from "../support/opened.js";
import { CONNECTED } from "../testing/wire.js";

/** A timer that never fires. */
const dead = {
  ref: () => dead,
  unref: () => dead,
};

/** The ways in which test frameworks fake timers; `jest.useRealTimers` and `jest.restoreAllMocks` undo them. */
const FAKE_TIMERS = {
  "the globals are replaced, as by jest": () => void jest.useFakeTimers(),
  "node:timers is replaced too, as by node:test and sinon": () => {
    jest.useFakeTimers();
    for (const name of ["setTimeout", "setInterval", "setImmediate"] as const) {
      jest.spyOn(timers, name).mockImplementation((() => dead) as never);
      jest.spyOn(promises, name).mockImplementation((() => new Promise(() => undefined)) as never);
    }
  },
} as const;

const one = Uint8Array.of(1);
const LIMIT_MS = 100;

let frozen: FrozenGateway | undefined;

function useRealTimers(): void {
  jest.useRealTimers();
  jest.restoreAllMocks();
}

afterEach(async () => {
  useRealTimers();
  await endAll();
  await frozen?.stop();
  frozen = undefined;
});

describe.each(Object.entries(FAKE_TIMERS))("while a test has its timers faked (%s)", (_, fakeTimers) => {
  it("a status has its limit", async () => {
    const { gateway, client } = await openButton();
    fakeTimers();
    gateway.misbehave("status", { do: "stay silent" }, { times: 2 });
    expect((await exchange(client, one, { timeoutMs: LIMIT_MS }))._unsafeUnwrapErr().code).toBe("TIMEOUT_OCCURRED");
  });

  it("a connect that began before has its limit", async () => {
    const gateway = await openGateway();
    gateway.misbehave("connect", { do: "stay silent" });
    const connecting = connect(configFor(gateway, { connectTimeoutMs: LIMIT_MS }));
    fakeTimers();
    expect((await connecting)._unsafeUnwrapErr().reason).toBe("timed-out");
  });

  it("the further addresses of a name are attempted", async () => {
    frozen = await startFrozenGateway(CONNECTED);
    await frozen.freeze();
    const gateway = await openGateway({ host: "127.0.0.2", port: frozen.port });
    fakeTimers();
    jest
      .spyOn(dns, "lookup")
      .mockImplementation(((_host: string, _options: object, found: (...of: unknown[]) => void) =>
        found(null, [{ address: "127.0.0.1" }, { address: "127.0.0.2" }])) as never);
    keep((await connect({ host: "gateway.test", port: gateway.port, device: button }))._unsafeUnwrap());
  });

  it("a lost connection is made again", async () => {
    const { gateway, client } = await openButton();
    fakeTimers();
    gateway.misbehave("status", { do: "close" });
    expect((await exchange(client, one)).isOk()).toBe(true);
  });

  it("a source is read at its interval, and its last status repeated", async () => {
    const { client } = await openButton();
    fakeTimers();
    const source = every(5, () => one);
    const reading = sendStatuses(client, source);
    for (let read = 0; read < 3; read++) expect((await reading.next()).done).toBe(false);
    await reading.return?.();
    const silent = async function* () {
      yield one;
      await new Promise(() => undefined);
    };
    const repeating = sendStatuses(client, silent(), { repeatAfterMs: 5 });
    for (let read = 0; read < 3; read++) expect((await repeating.next()).done).toBe(false);
    await repeating.return?.();
  });

  it("a reader that falls behind gets its error", async () => {
    const { gateway, client } = await openButton();
    const reader = commands(client, { highWaterMark: 1 });
    fakeTimers();
    for (let push = 1; push <= 3; push++) gateway.push(Uint8Array.of(push));
    while (getCommand(client).unwrapOr(one)[0] !== 3) await turnOfTheLoop();
    await turnOfTheLoop();
    expect((await reader.next()).value?.isOk()).toBe(true);
    expect((await reader.next()).value?._unsafeUnwrapErr().reason).toBe("fell-behind");
  });

  it("a device that runs connects again", async () => {
    const gateway = await openGateway();
    gateway.misbehave("connect", { do: "close" }, { times: 2 });
    fakeTimers();
    const outcomes: boolean[] = [];
    for await (const item of runDevice(configFor(gateway), [one], { retryDelayMs: () => 5 }))
      outcomes.push(item.isOk());
    expect(outcomes).toEqual([false, false, true]);
  });

  it("a testing gateway keeps its times", async () => {
    const { gateway, client } = await openButton({ moduleTimeoutMs: 20, answer: () => undefined });
    fakeTimers();
    expect((await exchange(client, one))._unsafeUnwrapErr().reason).toBe("closed");
    await gateway.restart({ downMs: 5 });
    await gateway.terminate({ muteMs: 5 });
  });

  it("and afterwards a client keeps its limits", async () => {
    fakeTimers();
    const { gateway, client } = await openButton();
    gateway.misbehave("status", { do: "stay silent" }, { times: 2 });
    const sending = exchange(client, one, { timeoutMs: LIMIT_MS });
    useRealTimers();
    expect((await sending)._unsafeUnwrapErr().code).toBe("TIMEOUT_OCCURRED");
  });
});

/** A turn in which everything that is read is delivered, by no timer that is faked. */
function turnOfTheLoop(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port2.once("message", () => {
      port1.close();
      resolve();
    });
    port1.postMessage(undefined);
  });
}
