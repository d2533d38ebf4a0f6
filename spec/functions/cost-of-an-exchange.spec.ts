import { AsyncResource, createHook } from "node:async_hooks";
import { Channel, subscribe, unsubscribe } from "node:diagnostics_channel";
import { createServer } from "node:net";
import type { ResultAsync } from "neverthrow";
import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import { connect, destroy, exchange, getCommand, sendStatus, type ClientHandle } from "../../lib/index.js";
import * as throwing from "../../lib/throwing.js";
import { button } from "../support/opened.js";
import { timed } from "../support/timed.js";
import { CONNECTED } from "../testing/wire.js";
import { listen, stopServers } from "../transport/echo-server.js";

// What an exchange costs on top of the socket, where it can be counted. Times are for the benchmark.

let client: ClientHandle;

/** Each status comes back as a command, which is laid out alike. No promise of its own, as those of the client are counted. */
beforeEach(async () => {
  const server = createServer((socket) => {
    socket.once("data", () => {
      socket.write(Buffer.from(CONNECTED, "hex"));
      socket.on("data", (frame: Buffer) => socket.write(frame));
    });
  });
  const { port } = await listen(server, { host: "127.0.0.1", port: 0 });
  client = (await connect({ host: "127.0.0.1", port, device: button }))._unsafeUnwrap();
  (await exchange(client, status))._unsafeUnwrap();
});

afterEach(async () => {
  jest.restoreAllMocks();
  await destroy(client);
  await stopServers();
});

const status = Uint8Array.from({ length: 16 }, (_, index) => index);

async function exchangeTimes(count: number): Promise<void> {
  for (let done = 0; done < count; done += 1) {
    expect((await exchange(client, status))._unsafeUnwrap()).toEqual(status);
  }
}

function isPromise(type: string): boolean {
  return type === "PROMISE";
}

function isOfDiagnostics(type: string): boolean {
  return type.startsWith("FleetInternalClient");
}

/** How many such async resources are made by a call that sends a status, until all that it brings has come. */
function resourcesAround(isCounted: (type: string) => boolean, call: () => void): Promise<number> {
  return new Promise((resolve) => {
    let made = 0;
    const hook = createHook({ init: (_id, type) => (made += isCounted(type) ? 1 : 0) });
    const before = getCommand(client)._unsafeUnwrap();
    // By timers, as a promise would be counted.
    const end = (): void => {
      if (getCommand(client)._unsafeUnwrap() === before) return void setTimeout(end, 50);
      hook.disable();
      resolve(made);
    };
    setTimeout(() => {
      hook.enable();
      call();
      setTimeout(end, 50);
    }, 20);
  });
}

/** The least of three counts: whatever else happens in the process can only add to one. */
async function promisesMadeBy(call: () => void): Promise<number> {
  const counts: number[] = [];
  while (counts.length < 3) counts.push(await resourcesAround(isPromise, call));
  return Math.min(...counts);
}

/** The most timers that a client sets in that time, however many statuses it sends: it may start anew with each beat. */
function timersIn(milliseconds: number): number {
  return 3 * (milliseconds / 25 + 1);
}

describe("an exchange", () => {
  it.each<[what: string, promises: number, call: () => unknown]>([
    ["one promise", 1, () => exchange(client, status)],
    ["two as sendStatus: the second is for the handle instead of the command", 2, () => sendStatus(client, status)],
    ["five in its throwing form: two, and three that awaiting takes", 5, () => throwing.exchange(client, status)],
  ])("makes %s", async (_, promises, call) => {
    expect(await promisesMadeBy(() => void call())).toBe(promises);
  });

  it("makes no async resource for diagnostics, and one where somebody subscribes", async () => {
    let outcome: ResultAsync<unknown, unknown> | undefined;
    const call = (): void => void (outcome = exchange(client, status));
    expect(await resourcesAround(isOfDiagnostics, call)).toBe(0);
    const listener = (): void => undefined;
    subscribe("fleet-internal-client:drop", listener);
    expect(await resourcesAround(isOfDiagnostics, call)).toBe(1);
    unsubscribe("fleet-internal-client:drop", listener);
    expect(await resourcesAround(isOfDiagnostics, call)).toBe(0);
    expect((await outcome)?.isOk()).toBe(true);
  });

  it("runs in no context of the library's, and has no message made, while nobody subscribes", async () => {
    const run = jest.spyOn(AsyncResource.prototype, "runInAsyncScope");
    const publish = jest.spyOn(Channel.prototype, "publish");
    const [, elapsedMs] = await timed(() => exchangeTimes(1_000));
    expect(run.mock.calls.length).toBeLessThanOrEqual(timersIn(elapsedMs)); // each is made outside any call
    expect(publish).not.toHaveBeenCalled();
  });

  it("sets no timer: that of the first one stays armed, and another one beats for all", async () => {
    let timers = 0;
    const hook = createHook({ init: (_id, type) => (timers += ["Timeout", "Immediate"].includes(type) ? 1 : 0) });
    hook.enable();
    const [, elapsedMs] = await timed(() => exchangeTimes(1_000));
    hook.disable();
    expect(timers).toBeLessThanOrEqual(timersIn(elapsedMs));
  });

  it("takes the memory for its frame from the one before, when that has the same length", async () => {
    const allocate = jest.spyOn(Buffer, "allocUnsafe");
    await exchangeTimes(1_000);
    expect(allocate).not.toHaveBeenCalled();
  });

  it("adds no listener to a signal that is not given, and one to a signal that is", async () => {
    const listen = jest.spyOn(EventTarget.prototype, "addEventListener");
    await exchangeTimes(10);
    expect(listen).not.toHaveBeenCalled();
    (await exchange(client, status, { signal: new AbortController().signal }))._unsafeUnwrap();
    expect(listen).toHaveBeenCalledTimes(1);
  });
});
