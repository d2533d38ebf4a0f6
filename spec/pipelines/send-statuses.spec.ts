import { getEventListeners } from "node:events";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it, jest } from "@jest/globals";
import {
  destroy,
  every,
  getCommand,
  sendStatuses,
  type Result,
  type SendStatusError,
  type Stream,
} from "../../lib/index.js";
import { clientBehind } from "../../lib/client/handle.js";
import { example } from "../../lib/modules/example.js";
import { armedTimers } from "../support/armed-timers.js";
import { hex, utf8 } from "../support/bytes.js";
import { eventually } from "../support/eventually.js";
import { endAll, openButton, openDevice, openGateway } from "../support/opened.js";
import { END, words } from "./words.js";

afterEach(endAll);

const one = Uint8Array.of(1);
const two = Uint8Array.of(2);
const three = Uint8Array.of(3);

type Outcomes = Stream<Result<Uint8Array, SendStatusError>>;

/** A source that says nothing after its first status. */
async function* quiet() {
  yield one;
  await new Promise(() => undefined);
}

describe("statuses of an iterable", () => {
  it.each<[string, () => Iterable<Uint8Array> | AsyncIterable<Uint8Array>]>([
    ["an array", () => [one, two, three]],
    ["an async iterable", () => Readable.from([one, two, three])],
  ])("are sent one after the other, and each yields the command that completed it: %s", async (_, source) => {
    const { gateway, client } = await openButton();
    expect(await words(sendStatuses(client, source()))).toEqual(["01", "02", "03"]);
    expect(gateway.statuses().map(hex)).toEqual(["01", "02", "03"]);
  });

  it("of a module are payloads, and yield its commands", async () => {
    const gateway = await openGateway({ answer: () => utf8('{"lit_up":true}') });
    const client = await openDevice(gateway, example);
    const outcomes = sendStatuses(client, [{ pressed: true }]);
    expect((await outcomes.next()).value?._unsafeUnwrap()).toEqual({ lit_up: true });
    expect(gateway.statuses()).toEqual([utf8('{"pressed": true}')]);
  });

  it("are read from the source only when the next outcome is asked for", async () => {
    const { client } = await openButton();
    let taken = 0;
    function* counted() {
      for (; taken < 10; taken++) yield one;
    }
    const outcomes = sendStatuses(client, counted());
    await sleep(20);
    expect(taken).toBe(0);
    await outcomes.next();
    await outcomes.next();
    await sleep(20);
    expect(taken).toBeLessThanOrEqual(2);
    await outcomes.return?.();
  });

  it("go on after an error that leaves the client alive, and end after the one that destroyed it", async () => {
    const { gateway, client } = await openButton();
    function* source() {
      yield "not bytes" as never;
      yield two;
      gateway.misbehave("status", { do: "close" }, { times: 2 });
      yield three;
      yield one;
    }
    expect(await words(sendStatuses(client, source()))).toEqual(["NOT_OK", "02", "UNABLE_TO_CONNECT"]);
  });

  it("compose with Node's streams", async () => {
    const { client } = await openButton();
    const outcomes = Readable.from(sendStatuses(client, Readable.from([one, two])));
    const commands = outcomes.map(({ value }: { value: Uint8Array }) => hex(value));
    expect(await commands.toArray()).toEqual(["01", "02"]);
  });
});

describe("a loop over statuses that is left", () => {
  it("ends when its source has been cleared up", async () => {
    const { client } = await openButton();
    let isClear = false;
    async function* source() {
      try {
        yield one;
      } finally {
        await sleep(20);
        isClear = true;
      }
    }
    for await (const outcome of sendStatuses(client, source())) if (outcome.isOk()) break;
    expect(isClear).toBe(true);
  });

  it("does not return a source that has ended", async () => {
    const { client } = await openButton();
    const close = jest.fn(() => END);
    const source = { [Symbol.iterator]: () => ({ next: () => END, return: close }) } as never;
    expect(await words(sendStatuses(client, source))).toEqual([]);
    expect(close).not.toHaveBeenCalled();
  });

  it("does not send what the source gives just then", async () => {
    const { gateway, client } = await openButton();
    let leaving: Promise<unknown> | undefined;
    const status = {
      then: (give: (bytes: Uint8Array) => void) => {
        give(one);
        queueMicrotask(() => void (leaving = outcomes.return?.()));
      },
    };
    const outcomes: Outcomes = sendStatuses(client, [status as never]);
    expect(await outcomes.next()).toEqual(END);
    await leaving;
    expect(gateway.statuses()).toEqual([]);
  });

  it("ends at once while the source says nothing, though its return rejects, which surfaces nowhere", async () => {
    const { client } = await openButton();
    const onUnhandled = jest.fn();
    process.on("unhandledRejection", onUnhandled);
    const source = {
      next: () => new Promise<never>(() => undefined),
      return: () => Promise.reject(new Error("broken")),
    };
    const outcomes = sendStatuses(client, { [Symbol.asyncIterator]: () => source });
    const next = outcomes.next();
    await sleep(5);
    expect([await outcomes.return?.(), await next]).toEqual([END, END]);
    await sleep(5);
    process.off("unhandledRejection", onUnhandled);
    expect(onUnhandled).not.toHaveBeenCalled();
  });
});

describe("a source that fails", () => {
  const broken = new Error("sensor unplugged");
  const throws = (error: Error) => () => {
    throw error;
  };

  it("is the last outcome, with what it threw as the cause, and the client can still be used", async () => {
    const { client } = await openButton();
    async function* failing() {
      yield one;
      await sleep(0);
      throw broken;
    }
    const outcomes = sendStatuses(client, failing());
    expect((await outcomes.next()).value?._unsafeUnwrap()).toEqual(one);
    const failed = (await outcomes.next()).value?._unsafeUnwrapErr();
    expect(failed).toMatchObject({ code: "NOT_OK", family: "usage", reason: "source-failed", cause: broken });
    expect(await outcomes.next()).toEqual(END);
    expect(await words(sendStatuses(client, [two]))).toEqual(["02"]);
  });

  const ofLibrary = getCommand(null as never)._unsafeUnwrapErr();
  it.each<[string, object, Error]>([
    ["throws an error of this library", { [Symbol.iterator]: () => ({ next: throws(ofLibrary) }) }, ofLibrary],
    ["gives what is no object", { [Symbol.iterator]: () => ({ next: () => 5 }) }, expect.any(TypeError) as never],
    ["is every() of a function that throws", every(10, throws(broken)), broken],
  ])("is the last outcome though it %s", async (_, source, cause) => {
    const { client } = await openButton();
    const outcomes = sendStatuses(client, source as never);
    const failed = (await outcomes.next()).value?._unsafeUnwrapErr();
    expect(failed).toMatchObject({ code: "NOT_OK", reason: "source-failed", cause });
    expect(await outcomes.next()).toEqual(END);
  });

  it.each<[string, unknown, object?]>([
    ["argument source is null", null],
    ["argument source is 'text'", "text"],
    ["argument source is {}", {}],
    ["argument source is Uint8Array(1) [ 1 ]", one],
    ["argument source is [Function: source]", function source() {}],
    ["argument intervalMs is 0", every(0, () => one)],
    ["argument intervalMs is NaN", every(NaN, () => one)],
    ["argument intervalMs is '5'", every("5" as never, () => one)],
    ["argument intervalMs is 2147483648", every(2 ** 31, () => one)],
    ["options.repeatAfterMs is 0", [one], { repeatAfterMs: 0 }],
    ["options.repeatAfterMs is '5'", [one], { repeatAfterMs: "5" }],
    ["options.repeatAfterMs is 2147483648", [one], { repeatAfterMs: 2 ** 31 }],
  ])("to be what it must be is the only outcome: %s", async (given, source, options = {}) => {
    const { gateway, client } = await openButton();
    const outcomes = sendStatuses(client, source as never, options);
    const error = (await outcomes.next()).value?._unsafeUnwrapErr();
    expect(error).toMatchObject({ code: "NOT_OK", reason: "invalid-argument" });
    expect(error?.message).toContain(`NOT_OK: ${given}, but must be `);
    expect(await outcomes.next()).toEqual(END);
    expect(gateway.statuses()).toEqual([]);
  });
});

describe("every", () => {
  it("reads at once and then at each interval, and awaits what the function promises", async () => {
    const { client } = await openButton();
    const readAt: number[] = [];
    const readSensor = async () => Uint8Array.of(readAt.push(performance.now()));
    for await (const outcome of sendStatuses(client, every(40, readSensor)))
      if (hex(outcome._unsafeUnwrap()) === "03") break;
    const [first, second, third] = readAt as [number, number, number];
    expect(second - first).toBeGreaterThanOrEqual(39);
    expect(third - second).toBeGreaterThanOrEqual(39);
  });

  it("ends a read that waits when it is returned", async () => {
    const iterator = every(60_000, () => one)[Symbol.asyncIterator]();
    await iterator.next();
    const next = iterator.next();
    expect([await iterator.return?.(), await next]).toEqual([END, END]);
  });
});

describe("repeatAfterMs", () => {
  it("sends the last status again, as it was when the source yielded it, when no new one comes", async () => {
    const { gateway, client } = await openButton();
    const buffer = Uint8Array.of(1);
    async function* reused() {
      yield buffer;
      buffer[0] = 9;
      await gateway.nextStatus();
      await gateway.nextStatus();
      yield two;
    }
    const read = await words(sendStatuses(client, reused(), { repeatAfterMs: 30 }));
    expect(read.slice(0, 2)).toEqual(["01", "01"]);
    expect(read.filter((word) => word !== "01")).toEqual(["02"]);
    expect(read.at(-1)).toBe("02");
  });

  it("sends one that comes during a repeat next, and reads no further before", async () => {
    let answer = (): void => undefined;
    let give = (_status: Uint8Array): void => undefined;
    const held = new Promise<void>((resolve) => (answer = resolve));
    const { gateway, client } = await openButton({
      answer: async (bytes) => {
        if (gateway.statuses().length === 2) await held;
        return bytes;
      },
    });
    const next = jest.fn(async () => ({
      done: false,
      value: await new Promise<Uint8Array>((resolve) => (give = resolve)),
    }));
    const outcomes = sendStatuses(client, { [Symbol.asyncIterator]: () => ({ next }) }, { repeatAfterMs: 10 });
    const first = outcomes.next();
    give(one);
    expect((await first).value?._unsafeUnwrap()).toEqual(one);
    const repeat = outcomes.next();
    await eventually(() => expect(gateway.statuses()).toHaveLength(2));
    give(two);
    answer();
    expect((await repeat).value?._unsafeUnwrap()).toEqual(one);
    expect((await outcomes.next()).value?._unsafeUnwrap()).toEqual(two);
    expect(next).toHaveBeenCalledTimes(2);
    await outcomes.return?.();
  });

  it("repeats nothing before the first status", async () => {
    const { client } = await openButton();
    async function* late() {
      await sleep(50);
      yield one;
    }
    expect(await words(sendStatuses(client, late(), { repeatAfterMs: 5 }))).toEqual(["01"]);
  });
});

describe("in the middle of an interval, or before a repeat,", () => {
  const read = jest.fn(() => one);
  const pauses = [
    ["every()", () => every(60_000, read), undefined],
    ["repeatAfterMs", quiet, { repeatAfterMs: 60_000 }],
  ] as const;

  it.each(pauses)("the process is kept alive until the loop is left: %s", async (_, source, options) => {
    const { client } = await openButton(undefined, { keepProcessAlive: false });
    const timers = armedTimers();
    read.mockClear();
    const outcomes = sendStatuses(client, source(), options);
    await outcomes.next();
    const next = outcomes.next();
    await eventually(() => expect(armedTimers()).toBe(timers + 1));
    await outcomes.return?.();
    expect(await next).toEqual(END);
    expect(armedTimers()).toBe(timers);
    await sleep(0);
    expect(read.mock.calls.length).toBeLessThanOrEqual(1);
  });

  it.each(pauses)("the end of the client ends the iteration: %s", async (_, source, options) => {
    const { client } = await openButton();
    const outcomes = sendStatuses(client, source(), options);
    await outcomes.next();
    const last = outcomes.next();
    await sleep(20);
    await destroy(client);
    expect(await last).toEqual(END);
  });

  it.each(pauses)("a signal ends the iteration, and the client can still be used: %s", async (_, source, options) => {
    const { client } = await openButton();
    const controller = new AbortController();
    const outcomes = sendStatuses(client, source(), { ...options, signal: controller.signal });
    await outcomes.next();
    const next = outcomes.next();
    await sleep(5);
    controller.abort();
    expect(await next).toEqual(END);
    expect(await words(sendStatuses(client, [two]))).toEqual(["02"]);
  });
});

describe("a signal", () => {
  it("aborts the status that is under way, which is the last outcome, and ends the reading of the source", async () => {
    const { gateway, client } = await openButton();
    gateway.misbehave("status", { do: "stay silent" });
    const controller = new AbortController();
    const next = jest.fn(() => ({ done: false as const, value: one }));
    const outcomes = words(
      sendStatuses(client, { [Symbol.iterator]: () => ({ next }) }, { signal: controller.signal }),
    );
    await eventually(() => expect(gateway.statuses()).toHaveLength(1));
    controller.abort();
    expect(await outcomes).toEqual(["NOT_OK"]);
    expect(next).toHaveBeenCalledTimes(1);
  });

  it("that has aborted before sends nothing", async () => {
    const { gateway, client } = await openButton();
    expect(await words(sendStatuses(client, [one], { signal: AbortSignal.abort() }))).toEqual([]);
    expect(gateway.statuses()).toEqual([]);
  });

  it("has no listener after the iteration, and neither has the client", async () => {
    const { client } = await openButton();
    const { signal } = new AbortController();
    const stopListening = jest.fn();
    const onClosed = jest.fn(() => stopListening);
    const behind = clientBehind(client)!;
    const { device, module, state } = behind;
    const watched = { device, module, state, exchange: behind.exchange.bind(behind), isDestroyed: false, onClosed };
    const handle = { [Symbol.for("fleet-internal-client.client.2")]: watched } as never;
    const outcomes: Outcomes = sendStatuses(handle, [one], { signal });
    expect((await outcomes.next()).done).toBe(false);
    expect(onClosed).toHaveBeenCalledTimes(1);
    expect(stopListening).not.toHaveBeenCalled();
    expect(await outcomes.next()).toEqual(END);
    expect(stopListening).toHaveBeenCalledTimes(1);
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });
});
