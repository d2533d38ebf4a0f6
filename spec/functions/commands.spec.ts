import { getEventListeners } from "node:events";
import { Readable } from "node:stream";
import { afterEach, describe, expect, it, jest } from "@jest/globals";
import {
  commands,
  destroy,
  exchange,
  getCommand,
  ok,
  type ClientHandle,
  type CommandsError,
  type CommandsOptions,
  type Result,
  type Stream,
} from "../../lib/index.js";
import { Mailbox } from "../../lib/client/mailbox.js";
import { commandFrame, type TestingGateway } from "../../lib/testing.js";
import { armedTimers } from "../support/armed-timers.js";
import { hex } from "../support/bytes.js";
import { eventually } from "../support/eventually.js";
import { button, endAll, openButton } from "../support/opened.js";

afterEach(endAll);

const END = { done: true, value: undefined };

type Item = Result<Uint8Array, CommandsError>;

function command(number: number) {
  return { done: false, value: ok(Uint8Array.of(number)) };
}

/** A button, a reader of its commands, and a function that pushes commands, and settles when the last has arrived. */
async function openReader(options?: CommandsOptions) {
  const { gateway, client } = await openButton();
  async function arrive(...numbers: number[]): Promise<void> {
    for (const number of numbers) gateway.push(Uint8Array.of(number));
    await eventually(() => expect(getCommand(client)._unsafeUnwrap()).toEqual(Uint8Array.of(numbers.at(-1)!)));
  }
  return { gateway, client, arrive, stream: commands(client, options) };
}

/** Settles when the commands are delivered, and before a reader that reads nothing has its turn. */
async function arriveInOneChunk(gateway: TestingGateway, client: ClientHandle, numbers: number[]): Promise<void> {
  const first = commands(client).next();
  gateway.send(Buffer.concat(numbers.map((number) => commandFrame(button, Uint8Array.of(number)))));
  await first;
}

/** A command in hex, or why there is none. */
function word(item: Item): string {
  return item.match(hex, ({ code, reason }) => ` ${code} ${reason}`);
}

async function readAll(stream: Stream<Item>): Promise<string> {
  let read = "";
  for await (const one of stream) read += word(one);
  return read;
}

describe("a reader of commands", () => {
  it("gets answers and pushed commands in the order of arrival", async () => {
    const { gateway, client, stream, arrive } = await openReader();
    gateway.misbehave("status", { do: "push first", command: Uint8Array.of(1) });
    (await exchange(client, Uint8Array.of(2)))._unsafeUnwrap();
    await arrive(3, 4);
    await destroy(client);
    expect(await readAll(stream)).toBe("01020304");
  });

  it("gets every command from its call on, however many readers there are and however fast each of them is", async () => {
    const { client, stream: slow, arrive } = await openReader();
    const readByFast = readAll(commands(client));
    await arrive(1, 2);
    const late = commands(client);
    await arrive(3);
    await destroy(client);
    expect(await readByFast).toBe("010203");
    expect(await readAll(slow)).toBe("010203");
    expect(await readAll(late)).toBe("03");
  });

  it("answers concurrent reads in order, and ends those that still wait when its client is destroyed", async () => {
    const { client, stream, arrive } = await openReader();
    const reads = [stream.next(), stream.next(), stream.next(), stream.next()];
    await arrive(1, 2);
    await destroy(client);
    expect(await Promise.all(reads)).toEqual([command(1), command(2), END, END]);
  });

  it("ends without an error when a status that failed twice destroys its client", async () => {
    const { gateway, client, stream, arrive } = await openReader();
    await arrive(1);
    gateway.misbehave("status", { do: "close" }, { times: 2 });
    expect((await exchange(client, Uint8Array.of(2)))._unsafeUnwrapErr().code).toBe("UNABLE_TO_CONNECT");
    expect(await readAll(stream)).toBe("01");
  });
});

describe("leaving a reader", () => {
  const ways: Record<string, (stream: Stream<Item>) => Promise<unknown>> = {
    return: async (stream) => stream.return?.(),
    break: async (stream) => {
      for await (const one of stream) if (one.isOk()) break;
    },
    "await using": async (stream) => {
      await using left = stream;
      expect(left).toBe(stream);
    },
  };
  it.each(Object.keys(ways))("by %s unsubscribes it, and the other readers go on", async (way) => {
    const { client, stream, arrive } = await openReader();
    const other = commands(client);
    await arrive(1, 2);
    await ways[way]!(stream);
    await arrive(3);
    expect(await stream.next()).toEqual(END);
    await destroy(client);
    expect(await readAll(other)).toBe("010203");
  });

  it("ends its reads that wait, may be repeated, and leaves no listener on its signal", async () => {
    const { signal } = new AbortController();
    const { stream } = await openReader({ signal });
    const waiting = stream.next();
    expect([await stream.return?.(), await waiting, await stream.return?.()]).toEqual([END, END, END]);
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });
});

describe("a reader that falls behind", () => {
  it("gets what is unread, then NOT_OK, and ends; the client and a reader with just enough room go on", async () => {
    const { client, stream, arrive } = await openReader({ highWaterMark: 2 });
    const other = commands(client, { highWaterMark: 5 });
    await arrive(1, 2, 3, 4);
    (await exchange(client, Uint8Array.of(5)))._unsafeUnwrap();
    await destroy(client);
    expect([await stream.next(), await stream.next()]).toEqual([command(1), command(2)]);
    const error = (await stream.next()).value?._unsafeUnwrapErr();
    expect(error).toMatchObject({ code: "NOT_OK", returnCode: -1, family: "usage", reason: "fell-behind" });
    expect(error?.message).toContain("more than 2 commands (its highWaterMark)");
    expect(await stream.next()).toEqual(END);
    expect(await readAll(other)).toBe("0102030405");
  });

  it("has room for 1,024 commands by default", async () => {
    const { client, stream, arrive } = await openReader();
    await arrive(...Array.from({ length: 1_024 }, () => 1), 2);
    await destroy(client);
    expect(await readAll(stream)).toBe(`${"01".repeat(1_024)} NOT_OK fell-behind`);
  });

  it("is judged only after it had a turn: thousands of small commands in one chunk do not end one that keeps reading", async () => {
    const { gateway, client, stream } = await openReader({ highWaterMark: 10 });
    let read = 0;
    const reading = (async () => {
      for await (const one of stream) read += one._unsafeUnwrap().length;
    })();
    await arriveInOneChunk(gateway, client, Array<number>(2_000).fill(1));
    await eventually(() => expect(read).toBe(2_000));
    await destroy(client);
    await reading;
  });

  it("but no more when it had its turn, loses nothing until it does again", async () => {
    const { gateway, client, stream, arrive } = await openReader({ highWaterMark: 2 });
    await arriveInOneChunk(gateway, client, [1, 2, 3]);
    expect(await stream.next()).toEqual(command(1));
    await new Promise((resolve) => setImmediate(resolve));
    expect(await stream.next()).toEqual(command(2));
    await arrive(4, 5);
    expect(await readAll(stream)).toBe("0304 NOT_OK fell-behind");
  });

  it("keeps all that it has when its client ends before it had a turn", async () => {
    const { gateway, client, stream } = await openReader({ highWaterMark: 1 });
    await arriveInOneChunk(gateway, client, [1, 2, 3]);
    await destroy(client);
    await new Promise((resolve) => setImmediate(resolve));
    expect(await readAll(stream)).toBe("010203");
  });

  it("by more than 64 MiB is behind, however few commands they are; what it has read counts no more", async () => {
    const { gateway, client, stream } = await openReader();
    const [reader, watcher] = [commands(client), commands(client)];
    for (let count = 0; count < 9; count++) {
      gateway.push(new Uint8Array(8 * 1024 * 1024));
      expect((await watcher.next()).value?.isOk()).toBe(true);
      expect((await reader.next()).value?.isOk()).toBe(true);
    }
    const items: boolean[] = [];
    for await (const item of stream) items.push(item.isOk());
    expect(items).toEqual([true, true, true, true, true, true, true, false]);
  });
});

describe("the cost of a command", () => {
  const count = 200_000;
  afterEach(() => void jest.restoreAllMocks());

  it("is the same to read, however much is unread", () => {
    const mailbox = new Mailbox<number>();
    const slice = jest.spyOn(Array.prototype, "slice");
    const shift = jest.spyOn(Array.prototype, "shift");
    for (let item = 0; item < count; item++) mailbox.put(item);
    shift.mockClear();
    let inOrder = 0;
    for (let item = 0; item < count; item++) inOrder += mailbox.takeOldest() === item ? 1 : 0;
    const [slices, shifts] = [slice.mock.calls.length, shift.mock.calls.length];
    jest.restoreAllMocks();
    expect([inOrder, shifts]).toEqual([count, 0]);
    // Each slice lets go what was taken, and copies no more than was taken since the last.
    expect(slices).toBeGreaterThan(0);
    expect(slices).toBeLessThan(20);
  });

  it("is the same to deliver, however many reads wait", async () => {
    const mailbox = new Mailbox<number>();
    const reads = Array.from({ length: count }, () => mailbox.next());
    const shift = jest.spyOn(Array.prototype, "shift");
    for (let item = 0; item < count; item++) mailbox.put(item);
    expect(shift).not.toHaveBeenCalled();
    expect((await Promise.all(reads)).every(({ value }, at) => value === at)).toBe(true);
  });
});

it("a read that waits while a connection is lost keeps the process alive, whoever else leaves, and nothing else does", async () => {
  const { gateway, client, stream } = await openReader();
  gateway.kick();
  await eventually(() => expect(String(client)).toContain("disconnected"));
  const timers = armedTimers();
  const [other, idle, last] = [commands(client), commands(client), commands(client)];
  expect(armedTimers()).toBe(timers);
  const reads = [stream.next(), stream.next(), other.next()];
  expect(armedTimers()).toBe(timers + 1);
  await other.return?.();
  await idle.return?.();
  expect(armedTimers()).toBe(timers + 1);
  await stream.return?.();
  expect(armedTimers()).toBe(timers);
  expect(await Promise.all(reads)).toEqual([END, END, END]);
  void last.next();
  expect(armedTimers()).toBe(timers + 1);
});

describe("a signal", () => {
  it("ends the reader, after what is unread, and the client goes on", async () => {
    const controller = new AbortController();
    const { stream, arrive } = await openReader({ signal: controller.signal });
    await arrive(1);
    controller.abort();
    await arrive(2);
    expect(await readAll(stream)).toBe("01");
  });

  it("ends a read that waits", async () => {
    const controller = new AbortController();
    const { stream } = await openReader({ signal: controller.signal });
    const waiting = stream.next();
    controller.abort();
    expect(await waiting).toEqual(END);
  });

  it("that has aborted before yields nothing", async () => {
    const { stream, arrive } = await openReader({ signal: AbortSignal.abort() });
    await arrive(1);
    expect(await readAll(stream)).toBe("");
  });
});

it("Node's streams read commands by Readable.from, and unsubscribe when that is destroyed", async () => {
  const { stream, arrive } = await openReader();
  const readable = Readable.from(stream);
  await arrive(1);
  for await (const one of readable as AsyncIterable<Item>) {
    expect(word(one)).toBe("01");
    break;
  }
  await eventually(() => expect(readable.closed).toBe(true));
  expect(await stream.next()).toEqual(END);
});
