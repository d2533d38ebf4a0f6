import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { getEventListeners } from "node:events";
import { PassThrough } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it, jest } from "@jest/globals";
import { destroy, every, runDevice, type DiagnosticsMessages, type RunDeviceOptions } from "../../lib/index.js";
import { defaultRetryDelayMs } from "../../lib/client/device-run.js";
import { example } from "../../lib/modules/example.js";
import type { TestingGateway } from "../../lib/testing.js";
import { armedTimers } from "../support/armed-timers.js";
import { hex, utf8 } from "../support/bytes.js";
import { watchClientSockets } from "../support/client-sockets.js";
import { eventually } from "../support/eventually.js";
import { button, configFor, endAll, openGateway } from "../support/opened.js";
import { END, nextWord, words } from "./words.js";

afterEach(endAll);

const sockets = watchClientSockets();

const one = Uint8Array.of(1);
const two = Uint8Array.of(2);

/** A device whose source is open until told to end. */
function run(gateway: TestingGateway, options?: RunDeviceOptions, keepProcessAlive = true) {
  const source = new PassThrough({ objectMode: true });
  const push = (...statuses: Uint8Array[]) => statuses.forEach((status) => source.write(status));
  const end = () => void source.end();
  return { items: runDevice(configFor(gateway, { keepProcessAlive }), source, options), push, end };
}

describe("a device that runs", () => {
  it("connects, sends every status of the source, yields every command, and leaves nothing when the source ends", async () => {
    const gateway = await openGateway();
    const { signal } = new AbortController();
    expect(await words(runDevice(configFor(gateway), [one, two], { signal }))).toEqual(["01", "02"]);
    expect(gateway.statuses().map(hex)).toEqual(["01", "02"]);
    expect(sockets.open).toBe(0);
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  it("does nothing before it is read", async () => {
    const gateway = await openGateway();
    const items = runDevice(configFor(gateway), [one]);
    await sleep(20);
    expect([await items.return?.(), await items.next()]).toEqual([END, END]);
    expect(gateway.connections).toBe(0);
  });

  it("is typed by its module", async () => {
    const gateway = await openGateway({ answer: () => utf8('{"lit_up":true}') });
    const config = { ...configFor(gateway), device: { ...button, module: example } };
    const items = runDevice(config, [{ pressed: true }]);
    expect((await items.next()).value?._unsafeUnwrap()).toEqual({ lit_up: true });
    await items.return?.();
  });

  it("yields pushed commands too, those right after the connect response included", async () => {
    const gateway = await openGateway();
    gateway.misbehave("connect", { do: "merge", with: [Uint8Array.of(8), Uint8Array.of(9)] });
    const { items, push, end } = run(gateway);
    push(one);
    expect([await nextWord(items), await nextWord(items), await nextWord(items)]).toEqual(["08", "09", "01"]);
    gateway.push(Uint8Array.of(7));
    expect(await nextWord(items)).toBe("07");
    end();
    expect(await nextWord(items)).toBe("end");
  });

  it("repeats the last status, and is not kept alive by that if keepProcessAlive is false", async () => {
    const gateway = await openGateway();
    const timers = armedTimers();
    const { items, push } = run(gateway, { repeatAfterMs: 20 }, false);
    const first = items.next();
    await eventually(() => expect(gateway.devices).toHaveLength(1));
    push(one);
    await first;
    await new Promise((resolve) => setImmediate(resolve));
    expect(armedTimers()).toBe(timers);
    expect(await nextWord(items)).toBe("01");
    await items.return?.();
  });

  it("gives each status the limit that it was told", async () => {
    const gateway = await openGateway();
    gateway.misbehave("status", { do: "stay silent" }, { times: 2 });
    const items = runDevice(configFor(gateway), [one], { timeoutMs: 30, retryDelayMs: () => undefined });
    expect(await words(items)).toEqual(["TIMEOUT_OCCURRED"]);
  });

  it("goes on after a status that cannot be sent, and after a failure that its client survives", async () => {
    const gateway = await openGateway();
    gateway.misbehave("status", { do: "send", bytes: new Uint8Array(4) });
    const source = ["not bytes" as never, one, two];
    expect(await words(runDevice(configFor(gateway), source))).toEqual(["NOT_OK", "COMMAND_INCORRECT", "02"]);
  });

  it("lets the process do other things though its source yields at once what cannot be sent", async () => {
    const gateway = await openGateway();
    let isOver = false;
    let yielded = 0;
    function* source() {
      setTimeout(() => (isOver = true), 10);
      for (; !isOver && yielded < 100_000; yielded++) yield "not bytes" as never;
    }
    const read = await words(runDevice(configFor(gateway), source(), { highWaterMark: 1 }));
    expect(isOver).toBe(true);
    expect(new Set(read)).toEqual(new Set(["NOT_OK"]));
  });
});

describe("a device whose commands nobody reads", () => {
  it("sends its statuses, drops the oldest commands, and says how many", async () => {
    const gateway = await openGateway();
    const { items, push, end } = run(gateway, { highWaterMark: 2 });
    const first = nextWord(items);
    push(...[1, 2, 3, 4, 5, 6].map((status) => Uint8Array.of(status)));
    await eventually(() => expect(gateway.statuses()).toHaveLength(6));
    end();
    expect(await first).toBe("01");
    await eventually(() => expect(sockets.open).toBe(0));
    const lost = (await items.next()).value?._unsafeUnwrapErr();
    expect(lost).toMatchObject({ code: "NOT_OK", reason: "fell-behind" });
    expect(lost?.message).toContain("3 unread commands");
    expect(await words(items)).toEqual(["05", "06"]);
  });

  it("says nothing of those that were dropped when its loop is left", async () => {
    const gateway = await openGateway();
    const { items, push } = run(gateway, { highWaterMark: 1 });
    const first = nextWord(items);
    push(one, two, one, two);
    await eventually(() => expect(gateway.statuses()).toHaveLength(4));
    expect(await first).toBe("01");
    expect([await items.return?.(), await items.next()]).toEqual([END, END]);
  });

  it.each([
    ["drops the oldest of more than 64 MiB", false, ["NOT_OK", ...Array<string>(7).fill("command")]],
    ["drops none of 64 MiB that were read", true, ["command"]],
  ])("%s", async (_, areRead, left) => {
    const gateway = await openGateway({ answer: () => new Uint8Array(8 * 1024 * 1024) });
    const { items, push, end } = run(gateway);
    push(one);
    expect((await items.next()).value?.isOk()).toBe(true);
    for (let sent = 2; sent <= 11; sent++) {
      push(one);
      await eventually(() => expect(gateway.statuses()).toHaveLength(sent));
      if (areRead && sent > 2) expect((await items.next()).value?.isOk()).toBe(true);
    }
    end();
    await eventually(() => expect(sockets.open).toBe(0));
    const read: string[] = [];
    for await (const item of items) {
      read.push(item.isOk() ? "command" : item.error.code);
      if (item.isErr()) expect(item.error.message).toContain("3 unread commands");
    }
    expect(read).toEqual(left);
  });
});

describe("after a failure that destroyed its client, a device", () => {
  it("connects again, sends the last status first, and counts the failures in a row", async () => {
    const gateway = await openGateway();
    const retryDelayMs = jest.fn((_failures: number) => 1);
    const { items, push, end } = run(gateway, { retryDelayMs, repeatAfterMs: 2 ** 31 - 1 });
    gateway.misbehave("connect", { do: "refuse", responseType: 1 }, { times: 2 });
    push(one);
    for (const read of ["DEVICE_ALREADY_CONNECTED", "DEVICE_ALREADY_CONNECTED", "01"])
      expect(await nextWord(items)).toBe(read);
    gateway.misbehave("status", { do: "close" }, { times: 2 });
    push(two);
    expect(await nextWord(items)).toBe("UNABLE_TO_CONNECT");
    expect(await nextWord(items)).toBe("02");
    expect(retryDelayMs.mock.calls.map(([failures]) => failures)).toEqual([1, 2, 1]);
    end();
    expect(await nextWord(items)).toBe("end");
  });

  it("keeps no more listeners, however often it has failed", async () => {
    const gateway = await openGateway({ modules: [] });
    const add = jest.spyOn(EventTarget.prototype, "addEventListener");
    const remove = jest.spyOn(EventTarget.prototype, "removeEventListener");
    const held: number[] = [];
    const retryDelayMs = (failures: number) => {
      held.push(add.mock.calls.length - remove.mock.calls.length);
      return failures < 5 ? 1 : undefined;
    };
    expect(await words(runDevice(configFor(gateway), [one], { retryDelayMs }))).toHaveLength(5);
    expect(held).toEqual([0, 0, 0, 0, 0]);
    jest.restoreAllMocks();
  });

  const controller = new AbortController();
  it.each<[string, () => unknown, string]>([
    ["returns undefined", () => undefined, "MODULE_NOT_SUPPORTED"],
    ["returns nonsense", () => "soon", "NOT_OK MODULE_NOT_SUPPORTED"],
    ["returns less than 0", () => -1, "NOT_OK MODULE_NOT_SUPPORTED"],
    ["returns more than a timer can wait", () => 2 ** 31, "NOT_OK MODULE_NOT_SUPPORTED"],
    ["throws", () => JSON.parse("{") as unknown, "NOT_OK MODULE_NOT_SUPPORTED"],
    ["aborts its signal", () => (controller.abort(), 2 ** 31 - 1), "MODULE_NOT_SUPPORTED"],
  ])("ends if retryDelayMs %s", async (_, retryDelayMs, expected) => {
    const gateway = await openGateway({ modules: [] });
    const { signal } = controller;
    const items = runDevice(configFor(gateway), [one], { retryDelayMs: retryDelayMs as never, signal });
    expect((await words(items)).join(" ")).toBe(expected);
  });

  it.each([
    [true, 1],
    [false, 0],
  ])("keeps the process alive for its pause if keepProcessAlive is %p", async (keepProcessAlive, timersOfDevice) => {
    const gateway = await openGateway({ modules: [] });
    const timers = armedTimers();
    const items = runDevice(configFor(gateway, { keepProcessAlive }), [one], { retryDelayMs: () => 60_000 });
    expect(await nextWord(items)).toBe("MODULE_NOT_SUPPORTED");
    await new Promise((resolve) => setImmediate(resolve));
    expect(armedTimers() - timers).toBe(timersOfDevice);
    await items.return?.();
    expect(armedTimers()).toBe(timers);
  });

  it("waits by default for a second, doubled up to 30 seconds, each spread by a quarter", () => {
    const least = [1, 2, 3, 4, 5, 6, 100].map((failures) => defaultRetryDelayMs(failures, () => 0));
    const most = [1, 2, 3, 4, 5, 6, 100].map((failures) => defaultRetryDelayMs(failures, () => 1));
    expect(least).toEqual([750, 1_500, 3_000, 6_000, 12_000, 22_500, 22_500]);
    expect(most).toEqual([1_250, 2_500, 5_000, 10_000, 20_000, 37_500, 37_500]);
  });
});

describe("a device ends", () => {
  it("by its signal, at once, whatever the source is doing, and its client is destroyed then", async () => {
    const gateway = await openGateway();
    const controller = new AbortController();
    const { signal } = controller;
    const source = every(60_000, () => one);
    const items = runDevice(configFor(gateway), source, { signal });
    expect(await nextWord(items)).toBe("01");
    const next = items.next();
    controller.abort();
    expect(await next).toEqual(END);
    expect(sockets.open).toBe(0);
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  it.each([
    ["while it connects", { do: "stay silent" }, []],
    ["while it waits to connect again", { do: "refuse", responseType: 2 }, ["MODULE_NOT_SUPPORTED"]],
  ] as const)("by its signal %s", async (_, fault, read) => {
    const gateway = await openGateway();
    gateway.misbehave("connect", fault);
    const controller = new AbortController();
    const { signal } = controller;
    const reading = words(runDevice(configFor(gateway), [one], { signal, retryDelayMs: () => 60_000 }));
    await eventually(() => expect(gateway.connections).toBe(1));
    await sleep(20);
    controller.abort();
    expect(read).toEqual(expect.arrayContaining(await reading));
    expect(sockets.open).toBe(0);
  });

  it("by a signal that has aborted before, without connecting", async () => {
    const gateway = await openGateway();
    expect(await words(runDevice(configFor(gateway), [one], { signal: AbortSignal.abort() }))).toEqual([]);
    expect(gateway.connections).toBe(0);
  });

  it("when its loop is left: its client is destroyed and return() of the source is called", async () => {
    const gateway = await openGateway();
    let isReturned = false;
    async function* source() {
      try {
        for (;;) yield one;
      } finally {
        isReturned = true;
      }
    }
    for await (const item of runDevice(configFor(gateway), source())) if (item.isOk()) break;
    expect(sockets.open).toBe(0);
    expect(isReturned).toBe(true);
  });

  it("when its loop is left while a status is under way, which is aborted", async () => {
    const gateway = await openGateway();
    gateway.misbehave("status", { do: "stay silent" });
    const items = runDevice(configFor(gateway), [one], { timeoutMs: 2 ** 31 - 1 });
    const next = items.next();
    await eventually(() => expect(gateway.statuses()).toHaveLength(1));
    expect([await items.return?.(), await next]).toEqual([END, END]);
    expect(sockets.open).toBe(0);
  });

  it.each([
    ["as it is told of a command", (end: () => void) => end()],
    ["while the device waits for its source", (end: () => void) => void setTimeout(end, 20)],
  ])("with an error when a listener of diagnostics destroys its client %s", async (_, inTime) => {
    const { items, push } = run(await openGateway(), { repeatAfterMs: 2 ** 31 - 1 });
    const channel = "fleet-internal-client:command";
    const destroyIt = (message: unknown) =>
      inTime(() => void destroy((message as DiagnosticsMessages["command"]).client));
    subscribe(channel, destroyIt);
    push(one);
    for (const read of ["01", "CONTEXT_INCORRECT", "end"]) expect(await nextWord(items)).toBe(read);
    unsubscribe(channel, destroyIt);
  });

  it("with the source's error as the last item", async () => {
    const gateway = await openGateway();
    const broken = new Error("sensor unplugged");
    async function* failing() {
      yield one;
      await sleep(0);
      throw broken;
    }
    const items = runDevice(configFor(gateway), failing());
    expect(await nextWord(items)).toBe("01");
    expect((await items.next()).value?._unsafeUnwrapErr()).toMatchObject({ reason: "source-failed", cause: broken });
    expect(await items.next()).toEqual(END);
    expect(sockets.open).toBe(0);
  });

  it.each([
    ["a wrong configuration", { port: 0 }, [one], {}],
    ["a configuration with a signal of its own", { signal: new AbortController().signal }, [one], {}],
    ["a wrong source", {}, 7, {}],
    ["wrong options", {}, [one], { highWaterMark: 0 }],
    ["a wrong delay", {}, [one], { retryDelayMs: 1_000 }],
    ["a device larger than a message may be", { maxMessageBytes: 3 }, [one], {}],
  ])("at once with %s", async (_, ofConfig, source, options) => {
    const gateway = await openGateway();
    const config = { ...configFor(gateway), ...ofConfig };
    expect(await words(runDevice(config, source as never, options as never))).toEqual(["NOT_OK"]);
    expect(gateway.connections).toBe(0);
  });
});
