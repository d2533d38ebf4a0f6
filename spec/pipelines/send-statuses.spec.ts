import { getEventListeners } from "node:events";
import { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it, jest } from "@jest/globals";
import {
  commands,
  destroy,
  every,
  exchange,
  getCommand,
  sendStatuses,
  type Result,
  type SendStatusError,
  type Stream,
} from "../../lib/index.js";
import { clientBehind } from "../../lib/client/handle.js";
import { example } from "../../lib/modules/example.js";
import * as throwing from "../../lib/throwing.js";
import { armedTimers } from "../support/armed-timers.js";
import { hex, utf8 } from "../support/bytes.js";
import { eventually } from "../support/eventually.js";
import { endAll, openClient, openDevice, openGateway } from "../support/opened.js";

afterEach(endAll);

const END = { done: true, value: undefined };
const one = Uint8Array.of(1);
const two = Uint8Array.of(2);
const three = Uint8Array.of(3);

/** Each outcome as one word: the command in hex, or the error's code. */
async function words(outcomes: Stream<Result<Uint8Array, SendStatusError>>): Promise<string[]> {
  const read: string[] = [];
  for await (const outcome of outcomes) read.push(outcome.match(hex, (error) => error.code));
  return read;
}

async function* numbers(until: number, onEnd: () => void = () => undefined): AsyncGenerator<Uint8Array> {
  try {
    for (let number = 1; number <= until; number++) {
      await sleep(0);
      yield Uint8Array.of(number);
    }
  } finally {
    onEnd();
  }
}

describe("statuses of an iterable", () => {
  it("are sent one after the other, and each yields the command that completed it", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    expect(await words(sendStatuses(client, [one, two, three]))).toEqual(["01", "02", "03"]);
    expect(gateway.statuses().map(hex)).toEqual(["01", "02", "03"]);
  });

  it("may come from an async iterable", async () => {
    const client = await openClient(await openGateway());
    expect(await words(sendStatuses(client, numbers(3)))).toEqual(["01", "02", "03"]);
  });

  it("are read from the source only when the next outcome is asked for", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
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

  it("call return() of their source when the loop is left", async () => {
    const client = await openClient(await openGateway());
    let isReturned = false;
    for await (const outcome of sendStatuses(
      client,
      numbers(10, () => void (isReturned = true)),
    )) {
      expect(outcome.isOk()).toBe(true);
      break;
    }
    expect(isReturned).toBe(true);
  });

  it("are left when their source has been cleared up", async () => {
    const client = await openClient(await openGateway());
    let isClear = false;
    async function* source() {
      try {
        yield one;
      } finally {
        await sleep(20);
        isClear = true;
      }
    }
    const outcomes = sendStatuses(client, source());
    await outcomes.next();
    await outcomes.return?.();
    expect(isClear).toBe(true);
  });

  it("do not return a source that has ended", async () => {
    const client = await openClient(await openGateway());
    const close = jest.fn(() => END);
    const source = { [Symbol.iterator]: () => ({ next: () => END, return: close }) } as never;
    expect(await words(sendStatuses(client, source))).toEqual([]);
    expect(close).not.toHaveBeenCalled();
  });

  it("are not sent where the loop is left just as the source gives one", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    let leaving: Promise<unknown> | undefined;
    const status = {
      then: (give: (bytes: Uint8Array) => void) => {
        give(one);
        queueMicrotask(() => void (leaving = outcomes.return?.()));
      },
    };
    const outcomes: Stream<Result<Uint8Array, SendStatusError>> = sendStatuses(client, [status as never]);
    expect(await outcomes.next()).toEqual(END);
    await leaving;
    expect(gateway.statuses()).toEqual([]);
  });

  it("can be left while the source yields nothing", async () => {
    const client = await openClient(await openGateway());
    const never: AsyncIterable<Uint8Array> = {
      [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => undefined) }),
    };
    const outcomes = sendStatuses(client, never);
    const next = outcomes.next();
    await sleep(5);
    expect(await outcomes.return?.()).toEqual(END);
    expect(await next).toEqual(END);
  });

  it("can be left so though the source's return rejects, which surfaces nowhere", async () => {
    const client = await openClient(await openGateway());
    const onUnhandled = jest.fn();
    process.on("unhandledRejection", onUnhandled);
    const source: AsyncIterable<Uint8Array> = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise(() => undefined),
        return: () => Promise.reject(new Error("sensor unplugged")),
      }),
    };
    const outcomes = sendStatuses(client, source);
    void outcomes.next();
    expect(await outcomes.return?.()).toEqual(END);
    await sleep(5);
    process.off("unhandledRejection", onUnhandled);
    expect(onUnhandled).not.toHaveBeenCalled();
  });

  it("end with an error whose cause is the source's, and the client lives", async () => {
    const client = await openClient(await openGateway());
    const broken = new Error("sensor unplugged");
    async function* failing() {
      yield one;
      await sleep(0);
      throw broken;
    }
    const outcomes = sendStatuses(client, failing());
    expect((await outcomes.next()).value?._unsafeUnwrap()).toEqual(one);
    const failed = (await outcomes.next()).value?._unsafeUnwrapErr();
    expect(failed).toMatchObject({ code: "NOT_OK", family: "usage", cause: broken });
    expect(await outcomes.next()).toEqual(END);
    expect(await words(sendStatuses(client, [two]))).toEqual(["02"]);
  });

  it("end so though the source throws an error of this library", async () => {
    const client = await openClient(await openGateway());
    const broken = getCommand(client)._unsafeUnwrapErr();
    function* failing(): Generator<Uint8Array> {
      throw broken;
    }
    const failed = (await sendStatuses(client, failing()).next()).value?._unsafeUnwrapErr();
    expect(failed).toMatchObject({ code: "NOT_OK", reason: "source-failed", cause: broken });
  });

  it("end so though what the source's iterator gives is no object", async () => {
    const client = await openClient(await openGateway());
    const outcomes = sendStatuses(client, { [Symbol.iterator]: () => ({ next: () => 5 as never }) });
    expect((await outcomes.next()).value?._unsafeUnwrapErr().reason).toBe("source-failed");
    expect(await outcomes.next()).toEqual(END);
  });

  it("go on after an error that leaves the client alive", async () => {
    const client = await openClient(await openGateway());
    const source = ["not bytes", two] as unknown as Uint8Array[];
    expect(await words(sendStatuses(client, source))).toEqual(["NOT_OK", "02"]);
  });

  it("end after the error that destroyed the client", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    gateway.misbehave("status", { do: "close" }, { times: 2 });
    expect(await words(sendStatuses(client, [one, two, three]))).toEqual(["UNABLE_TO_CONNECT"]);
  });

  it("end with CONTEXT_INCORRECT for a client that is destroyed, and for what is not a handle", async () => {
    const client = await openClient(await openGateway());
    await destroy(client);
    expect(await words(sendStatuses(client, [one, two]))).toEqual(["CONTEXT_INCORRECT"]);
    expect(await words(sendStatuses(null as never, [one, two]))).toEqual(["CONTEXT_INCORRECT"]);
  });

  it("compose with Node's streams", async () => {
    const client = await openClient(await openGateway());
    const written: string[] = [];
    const sink = new Writable({
      objectMode: true,
      write(outcome: { value: Uint8Array }, _encoding, done) {
        written.push(hex(outcome.value));
        done();
      },
    });
    await pipeline(
      Readable.from([one, two]),
      (source: AsyncIterable<Uint8Array>) => sendStatuses(client, source),
      sink,
    );
    expect(written).toEqual(["01", "02"]);
    const commands = Readable.from(sendStatuses(client, [three])).map(({ value }: { value: Uint8Array }) => hex(value));
    expect(await commands.toArray()).toEqual(["03"]);
  });
});

describe("every", () => {
  it("reads at once and then at each interval", async () => {
    const client = await openClient(await openGateway());
    const readAt: number[] = [];
    const readSensor = () => Uint8Array.of(readAt.push(performance.now()));
    for await (const outcome of sendStatuses(client, every(40, readSensor))) {
      if (hex(outcome._unsafeUnwrap()) === "03") break;
    }
    const [first, second, third] = readAt as [number, number, number];
    expect(second - first).toBeGreaterThanOrEqual(39);
    expect(third - second).toBeGreaterThanOrEqual(39);
  });

  it("ends a read that waits when it is returned", async () => {
    const iterator = every(60_000, () => one)[Symbol.asyncIterator]();
    await iterator.next();
    const next = iterator.next();
    expect(await iterator.return?.()).toEqual(END);
    expect(await next).toEqual(END);
  });

  it("awaits what the function promises", async () => {
    const client = await openClient(await openGateway());
    const outcomes = sendStatuses(
      client,
      every(10, () => sleep(5, one)),
    );
    expect((await outcomes.next()).value?._unsafeUnwrap()).toEqual(one);
    await outcomes.return?.();
  });

  it("ends with what the function throws as the cause", async () => {
    const client = await openClient(await openGateway());
    const broken = new Error("sensor unplugged");
    const outcomes = sendStatuses(
      client,
      every(10, (): Uint8Array => {
        throw broken;
      }),
    );
    expect((await outcomes.next()).value?._unsafeUnwrapErr()).toMatchObject({ reason: "source-failed", cause: broken });
    expect(await outcomes.next()).toEqual(END);
  });

  it("leaves no timer behind when the loop is left in the middle of an interval", async () => {
    const client = await openClient(await openGateway(), { keepProcessAlive: false });
    const timers = armedTimers();
    const outcomes = sendStatuses(
      client,
      every(60_000, () => one),
    );
    await outcomes.next();
    const next = outcomes.next();
    await eventually(() => expect(armedTimers()).toBe(timers + 1));
    await outcomes.return?.();
    expect(await next).toEqual(END);
    expect(armedTimers()).toBe(timers);
  });

  it("reads nothing more when the loop is left in the middle of an interval", async () => {
    const client = await openClient(await openGateway());
    const read = jest.fn(() => one);
    const outcomes = sendStatuses(client, every(60_000, read));
    await outcomes.next();
    void outcomes.next();
    await sleep(5);
    await outcomes.return?.();
    await sleep(0);
    expect(read).toHaveBeenCalledTimes(1);
  });

  it.each([0, -1, Number.NaN, Infinity, "5", 2 ** 31])("of %p is a NOT_OK that names it", async (intervalMs) => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const outcomes = sendStatuses(
      client,
      every(intervalMs as number, () => one),
    );
    const error = (await outcomes.next()).value?._unsafeUnwrapErr();
    expect(error).toMatchObject({ code: "NOT_OK", reason: "invalid-argument" });
    expect(error?.message).toContain("intervalMs is");
    expect(await outcomes.next()).toEqual(END);
    expect(gateway.statuses()).toEqual([]);
  });
});

describe("repeatAfterMs", () => {
  it("sends the last status again when no new one comes, so that the gateway sees the device alive", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    async function* quiet() {
      yield one;
      await gateway.nextStatus();
      await gateway.nextStatus();
      yield two;
    }
    const read = await words(sendStatuses(client, quiet(), { repeatAfterMs: 30 }));
    expect(read.slice(0, 2)).toEqual(["01", "01"]);
    expect(read.at(-1)).toBe("02");
    expect(read.filter((word) => word === "02")).toHaveLength(1);
  });

  it("sends it as it was when the source yielded it, whatever was written into it since", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const buffer = Uint8Array.of(1);
    async function* reused() {
      yield buffer;
      buffer[0] = 9;
      await gateway.nextStatus();
      await gateway.nextStatus();
    }
    expect(new Set(await words(sendStatuses(client, reused(), { repeatAfterMs: 20 })))).toEqual(new Set(["01"]));
  });

  it("sends one that comes during a repeat next, and reads no further before", async () => {
    let answer = (): void => undefined;
    let give = (_status: Uint8Array): void => undefined;
    const held = new Promise<void>((resolve) => (answer = resolve));
    let statuses = 0;
    const gateway = await openGateway({
      answer: async (bytes) => {
        statuses += 1;
        if (statuses === 2) await held;
        return bytes;
      },
    });
    const client = await openClient(gateway);
    let reads = 0;
    const next = async () => {
      reads += 1;
      if (reads === 1) return { done: false as const, value: one };
      return { done: false as const, value: await new Promise<Uint8Array>((resolve) => (give = resolve)) };
    };
    const outcomes = sendStatuses(client, { [Symbol.asyncIterator]: () => ({ next }) }, { repeatAfterMs: 10 });
    expect((await outcomes.next()).value?._unsafeUnwrap()).toEqual(one);
    const repeat = outcomes.next();
    await eventually(() => expect(statuses).toBe(2));
    give(two);
    answer();
    expect((await repeat).value?._unsafeUnwrap()).toEqual(one);
    expect((await outcomes.next()).value?._unsafeUnwrap()).toEqual(two);
    expect(reads).toBe(2);
    await outcomes.return?.();
  });

  it("keeps the process alive until the last status is due again, or the loop is left", async () => {
    const client = await openClient(await openGateway(), { keepProcessAlive: false });
    async function* quiet() {
      yield one;
      await new Promise(() => undefined);
    }
    const timers = armedTimers();
    const outcomes = sendStatuses(client, quiet(), { repeatAfterMs: 60_000 });
    await outcomes.next();
    const next = outcomes.next();
    await eventually(() => expect(armedTimers()).toBe(timers + 1));
    await outcomes.return?.();
    expect(await next).toEqual(END);
    expect(armedTimers()).toBe(timers);
  });

  it("repeats nothing before the first status", async () => {
    const client = await openClient(await openGateway());
    const late = async function* () {
      await sleep(50);
      yield one;
    };
    expect(await words(sendStatuses(client, late(), { repeatAfterMs: 5 }))).toEqual(["01"]);
  });

  it.each([0, -1, "5", 2 ** 31])("of %p is a NOT_OK that names it", async (repeatAfterMs) => {
    const client = await openClient(await openGateway());
    const outcomes = sendStatuses(client, [one], { repeatAfterMs: repeatAfterMs as number });
    expect((await outcomes.next()).value?._unsafeUnwrapErr().message).toContain("options.repeatAfterMs");
    expect(await outcomes.next()).toEqual(END);
  });
});

describe("the end of the client", () => {
  const never: AsyncIterable<Uint8Array> = {
    [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => undefined) }),
  };

  it.each([
    ["a source that says nothing", () => never, 0],
    ["an interval", () => every(60_000, () => one), 1],
  ])("ends the iteration at once, whatever the source is doing: %s", async (_, source, given) => {
    const client = await openClient(await openGateway());
    const outcomes = sendStatuses(client, source());
    for (let item = 0; item < given; item++) expect((await outcomes.next()).value?._unsafeUnwrap()).toEqual(one);
    const last = outcomes.next();
    await sleep(20);
    await destroy(client);
    expect(await last).toEqual(END);
  });

  it("leaves nothing listening on a client that lives when the iteration is over", async () => {
    const client = await openClient(await openGateway());
    const { signal } = new AbortController();
    expect(await words(sendStatuses(client, [one], { signal }))).toEqual(["01"]);
    expect(getEventListeners(signal, "abort")).toEqual([]);
    const reader = commands(client);
    expect((await exchange(client, two)).isOk()).toBe(true);
    expect((await reader.next()).value?.isOk()).toBe(true);
  });

  it("has no listener after the iteration", async () => {
    const client = await openClient(await openGateway());
    let listening = 0;
    const onClosed = () => {
      listening += 1;
      return () => void (listening -= 1);
    };
    const behind = clientBehind(client)!;
    const { device, module, state } = behind;
    const watched = { device, module, state, exchange: behind.exchange.bind(behind), isDestroyed: false, onClosed };
    const handle = { [Symbol.for("fleet-internal-client.client.2")]: watched };
    const outcomes = sendStatuses(handle as never, [one] as never);
    expect((await outcomes.next()).done).toBe(false);
    expect(listening).toBe(1);
    expect(await outcomes.next()).toEqual(END);
    expect(listening).toBe(0);
  });
});

describe("a signal", () => {
  it("ends the iteration in the middle of an interval", async () => {
    const client = await openClient(await openGateway());
    const controller = new AbortController();
    const outcomes = sendStatuses(
      client,
      every(60_000, () => one),
      { signal: controller.signal },
    );
    await outcomes.next();
    const next = outcomes.next();
    await sleep(5);
    controller.abort();
    expect(await next).toEqual(END);
  });

  it("aborts the status that is under way, which is the last outcome", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    gateway.misbehave("status", { do: "stay silent" });
    const controller = new AbortController();
    const outcomes = words(sendStatuses(client, [one, two], { signal: controller.signal }));
    await eventually(() => expect(gateway.statuses()).toHaveLength(1));
    controller.abort();
    expect(await outcomes).toEqual(["NOT_OK"]);
  });

  it("ends the reading of the source with the status that it aborts", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    gateway.misbehave("status", { do: "stay silent" });
    const controller = new AbortController();
    let reads = 0;
    const source = {
      [Symbol.iterator]: () => ({ next: () => ({ done: false as const, value: Uint8Array.of((reads += 1)) }) }),
    };
    const outcomes = words(sendStatuses(client, source, { signal: controller.signal }));
    await eventually(() => expect(gateway.statuses()).toHaveLength(1));
    controller.abort();
    expect(await outcomes).toEqual(["NOT_OK"]);
    expect(reads).toBe(1);
  });

  it("that has aborted before sends nothing", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    expect(await words(sendStatuses(client, [one], { signal: AbortSignal.abort() }))).toEqual([]);
    expect(gateway.statuses()).toEqual([]);
  });
});

describe("a source that is not iterable", () => {
  it.each([null, undefined, 5, "text", {}, one, () => one])(
    "%p: one NOT_OK that says what is allowed",
    async (source) => {
      const client = await openClient(await openGateway());
      const outcomes = sendStatuses(client, source as never);
      const error = (await outcomes.next()).value?._unsafeUnwrapErr();
      expect(error?.code).toBe("NOT_OK");
      expect(error?.message).toContain("source is");
      expect(await outcomes.next()).toEqual(END);
    },
  );
});

describe("statuses in other styles", () => {
  it("of a module are payloads, and yield its commands", async () => {
    const gateway = await openGateway({ answer: () => utf8('{"lit_up":true}') });
    const client = await openDevice(gateway, example);
    const read: unknown[] = [];
    for await (const outcome of sendStatuses(client, [{ pressed: true }])) read.push(outcome._unsafeUnwrap());
    expect(read).toEqual([{ lit_up: true }]);
    expect(gateway.statuses()).toEqual([utf8('{"pressed": true}')]);
  });

  it("of the throwing entry yield commands, throw the first error, and then call return() of their source", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    let isReturned = false;
    const source = numbers(3, () => void (isReturned = true));
    const read: string[] = [];
    const loop = async () => {
      for await (const command of throwing.sendStatuses(client, source)) {
        read.push(hex(command));
        gateway.misbehave("status", { do: "close" }, { times: 2 });
      }
    };
    await expect(loop()).rejects.toMatchObject({ code: "UNABLE_TO_CONNECT" });
    expect(read).toEqual(["01"]);
    expect(isReturned).toBe(true);
    expect(getCommand(client)._unsafeUnwrapErr().code).toBe("CONTEXT_INCORRECT");
  });
});
