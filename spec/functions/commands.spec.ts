import { getEventListeners } from "node:events";
import { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { afterEach, describe, expect, it, jest } from "@jest/globals";
import {
  commands,
  destroy,
  exchange,
  getCommand,
  ok,
  type ClientHandle,
  type CommandsError,
  type Result,
  type Stream,
} from "../../lib/index.js";
import { Mailbox } from "../../lib/client/mailbox.js";
import { commandFrame, type TestingGateway } from "../../lib/testing.js";
import { armedTimers } from "../support/armed-timers.js";
import { hex } from "../support/bytes.js";
import { eventually } from "../support/eventually.js";
import { button, endAll, openClient, openGateway } from "../support/opened.js";

afterEach(endAll);

const END = { done: true, value: undefined };

function command(number: number) {
  return { done: false, value: ok(Uint8Array.of(number)) };
}

function push(gateway: TestingGateway, ...numbers: number[]): void {
  for (const number of numbers) gateway.push(Uint8Array.of(number));
}

async function arrival(client: ClientHandle, number: number): Promise<void> {
  await eventually(() => expect(getCommand(client)._unsafeUnwrap()).toEqual(Uint8Array.of(number)));
}

type Item = Result<Uint8Array, CommandsError>;

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
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const stream = commands(client);
    gateway.misbehave("status", { do: "push first", command: Uint8Array.of(1) });
    (await exchange(client, Uint8Array.of(2)))._unsafeUnwrap();
    await arrival(client, 2);
    push(gateway, 3, 4);
    await arrival(client, 4);
    await destroy(client);
    expect(await readAll(stream)).toBe("01020304");
  });

  it("subscribes at the call: it gets what came before its first read, and nothing from before the call", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    push(gateway, 1);
    await arrival(client, 1);
    const stream = commands(client);
    push(gateway, 2);
    await arrival(client, 2);
    expect(await stream.next()).toEqual(command(2));
  });

  it("gets every command, however many readers there are and however fast each of them is", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const [slow, fast] = [commands(client), commands(client)];
    const readByFast = readAll(fast);
    push(gateway, 1, 2);
    await arrival(client, 2);
    const late = commands(client);
    push(gateway, 3);
    await arrival(client, 3);
    await destroy(client);
    expect(await readByFast).toBe("010203");
    expect(await readAll(slow)).toBe("010203");
    expect(await readAll(late)).toBe("03");
  });

  it("answers concurrent reads in order", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const stream = commands(client);
    const reads = [stream.next(), stream.next(), stream.next(), stream.next()];
    push(gateway, 1, 2, 3);
    await arrival(client, 3);
    await destroy(client);
    expect(await Promise.all(reads)).toEqual([command(1), command(2), command(3), END]);
  });

  it("goes on through a reconnection", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const stream = commands(client);
    (await exchange(client, Uint8Array.of(1)))._unsafeUnwrap();
    gateway.kick();
    (await exchange(client, Uint8Array.of(2)))._unsafeUnwrap();
    expect(gateway.connections).toBe(2);
    expect([await stream.next(), await stream.next()]).toEqual([command(1), command(2)]);
  });

  it("does not see a message that breaks the protocol", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const stream = commands(client);
    gateway.send(new Uint8Array(4));
    await eventually(() => expect(gateway.openSockets).toBe(0));
    (await exchange(client, Uint8Array.of(1)))._unsafeUnwrap();
    expect(await stream.next()).toEqual(command(1));
  });
});

describe("the end of a client", () => {
  it("by destroy: its readers get what is unread, and then they end", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const stream = commands(client);
    push(gateway, 1);
    await arrival(client, 1);
    await destroy(client);
    expect([await stream.next(), await stream.next(), await stream.next()]).toEqual([command(1), END, END]);
  });

  it("by a status that failed twice: the same, without an error", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const stream = commands(client);
    push(gateway, 1);
    await arrival(client, 1);
    gateway.misbehave("status", { do: "close" }, { times: 2 });
    expect((await exchange(client, Uint8Array.of(2)))._unsafeUnwrapErr().code).toBe("UNABLE_TO_CONNECT");
    expect(await readAll(stream)).toBe("01");
  });

  it("ends the reads that wait", async () => {
    const client = await openClient(await openGateway());
    const stream = commands(client);
    const reads = [stream.next(), stream.next()];
    await destroy(client);
    expect(await Promise.all(reads)).toEqual([END, END]);
  });

  it("before the call: the only item says that the client is destroyed", async () => {
    const client = await openClient(await openGateway());
    await destroy(client);
    expect(await readAll(commands(client))).toBe(" CONTEXT_INCORRECT destroyed");
  });
});

describe("leaving", () => {
  it("a loop by break unsubscribes, and the other readers go on", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const left = commands(client);
    const other = commands(client);
    push(gateway, 1, 2);
    for await (const one of left) {
      expect(word(one)).toBe("01");
      break;
    }
    push(gateway, 3);
    await arrival(client, 3);
    expect(await left.next()).toEqual(END);
    await destroy(client);
    expect(await readAll(other)).toBe("010203");
  });

  it("by return ends the reads that wait, may be repeated, and forgets what was unread", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const stream = commands(client);
    const waiting = stream.next();
    expect(await stream.return?.()).toEqual(END);
    expect(await waiting).toEqual(END);
    expect(await stream.return?.()).toEqual(END);
    push(gateway, 1);
    await arrival(client, 1);
    expect(await stream.next()).toEqual(END);
  });

  it("before the first read unsubscribes too: nothing piles up, and the highWaterMark is not passed", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const stream = commands(client, { highWaterMark: 1 });
    await stream.return?.();
    push(gateway, 1, 2, 3);
    await arrival(client, 3);
    expect(await stream.next()).toEqual(END);
  });

  it("by await using unsubscribes", async () => {
    const client = await openClient(await openGateway());
    let kept: Stream<Item>;
    {
      await using stream = commands(client);
      kept = stream;
    }
    expect(await kept.next()).toEqual(END);
  });

  it("does no harm after the client is destroyed", async () => {
    const client = await openClient(await openGateway());
    const stream = commands(client);
    await destroy(client);
    expect(await stream.return?.()).toEqual(END);
  });
});

describe("a reader that falls behind", () => {
  it("by more than its highWaterMark gets what is unread, then NOT_OK, and then it ends", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const stream = commands(client, { highWaterMark: 2 });
    push(gateway, 1, 2, 3, 4);
    await arrival(client, 4);
    expect([await stream.next(), await stream.next()]).toEqual([command(1), command(2)]);
    const error = (await stream.next()).value?._unsafeUnwrapErr();
    expect(error).toMatchObject({ code: "NOT_OK", returnCode: -1, family: "usage", reason: "fell-behind" });
    expect(error?.message).toContain("more than 2 commands (its highWaterMark)");
    expect(await stream.next()).toEqual(END);
  });

  it("by commands that come one by one is behind too", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const stream = commands(client, { highWaterMark: 2 });
    for (const number of [1, 2, 3, 4]) {
      push(gateway, number);
      await arrival(client, number);
    }
    expect(await readAll(stream)).toBe("0102 NOT_OK fell-behind");
  });

  it("by exactly its highWaterMark loses nothing", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const stream = commands(client, { highWaterMark: 2 });
    push(gateway, 1, 2);
    await arrival(client, 2);
    await destroy(client);
    expect(await readAll(stream)).toBe("0102");
  });

  it("affects neither the other readers nor the client", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const behind = commands(client, { highWaterMark: 1 });
    const other = commands(client, { highWaterMark: 4 });
    push(gateway, 1, 2, 3);
    await arrival(client, 3);
    (await exchange(client, Uint8Array.of(9)))._unsafeUnwrap();
    await destroy(client);
    expect(await readAll(behind)).toBe("01 NOT_OK fell-behind");
    expect(await readAll(other)).toBe("01020309");
  });

  it("gets its error also after the client is destroyed: a command is never lost silently", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const stream = commands(client, { highWaterMark: 1 });
    push(gateway, 1, 2);
    await arrival(client, 2);
    await destroy(client);
    expect(await readAll(stream)).toBe("01 NOT_OK fell-behind");
  });

  it("has room for 1,024 commands by default", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const enough = commands(client);
    for (let count = 0; count < 1_024; count++) push(gateway, 1);
    push(gateway, 2);
    await arrival(client, 2);
    for (let count = 0; count < 1_024; count++) expect(await enough.next()).toEqual(command(1));
    expect(word((await enough.next()).value!)).toBe(" NOT_OK fell-behind");
  });

  it("is judged only after it had a turn: thousands of small commands in one chunk do not end one that keeps reading", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const stream = commands(client, { highWaterMark: 10 });
    let read = 0;
    const reading = (async () => {
      for await (const one of stream) read += one._unsafeUnwrap().length;
    })();
    const frame = commandFrame(button, Uint8Array.of(1));
    gateway.send(Buffer.concat(Array.from({ length: 2_000 }, () => frame)));
    await eventually(() => expect(read).toBe(2_000));
    await destroy(client);
    await reading;
  });

  it("by more than its highWaterMark, but no more when it had its turn, loses nothing until it does again", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const [stream, watcher] = [commands(client, { highWaterMark: 2 }), commands(client)];
    const arrived = watcher.next();
    gateway.send(Buffer.concat([1, 2, 3].map((number) => commandFrame(button, Uint8Array.of(number)))));
    await arrived;
    expect(await stream.next()).toEqual(command(1));
    await new Promise((resolve) => setImmediate(resolve));
    push(gateway, 4);
    await arrival(client, 4);
    expect(await readAll(stream)).toBe("0203 NOT_OK fell-behind");
  });

  it("keeps all that it has when its client ends before it had a turn", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const [stream, watcher] = [commands(client, { highWaterMark: 1 }), commands(client)];
    const arrived = watcher.next();
    gateway.send(Buffer.concat([1, 2, 3].map((number) => commandFrame(button, Uint8Array.of(number)))));
    await arrived;
    await destroy(client);
    await new Promise((resolve) => setImmediate(resolve));
    expect(await readAll(stream)).toBe("010203");
  });

  it("by more than 64 MiB is behind, however few commands they are", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const [stream, watcher] = [commands(client), commands(client)];
    const large = new Uint8Array(8 * 1024 * 1024);
    for (let count = 0; count < 9; count++) {
      gateway.push(large);
      expect((await watcher.next()).value?.isOk()).toBe(true);
    }
    const items: Item[] = [];
    for await (const item of stream) items.push(item);
    expect(items.map((item) => item.isOk())).toEqual([true, true, true, true, true, true, true, false]);
  });

  it("is none that reads: what it has read counts no more", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const [stream, watcher] = [commands(client), commands(client)];
    const large = new Uint8Array(8 * 1024 * 1024);
    for (let count = 0; count < 9; count++) {
      gateway.push(large);
      expect((await watcher.next()).value?.isOk()).toBe(true);
      expect((await stream.next()).value?.isOk()).toBe(true);
    }
  });

  it("costs the same to read however much is unread", async () => {
    const mailbox = new Mailbox<number>();
    const slice = jest.spyOn(Array.prototype, "slice");
    const shift = jest.spyOn(Array.prototype, "shift");
    try {
      const count = 200_000;
      for (let item = 0; item < count; item++) mailbox.put(item);
      shift.mockClear();
      let inOrder = 0;
      for (let item = 0; item < count; item++) inOrder += mailbox.takeOldest() === item ? 1 : 0;
      expect(inOrder).toBe(count);
      expect(shift).not.toHaveBeenCalled();
      // Each slice lets go what was taken, and copies no more than was taken since the last.
      expect(slice.mock.calls.length).toBeGreaterThan(0);
      expect(slice.mock.calls.length).toBeLessThan(20);
    } finally {
      jest.restoreAllMocks();
    }
  });

  it("costs the same to deliver to, however many of its reads wait", async () => {
    const mailbox = new Mailbox<number>();
    const count = 200_000;
    const reads = Array.from({ length: count }, () => mailbox.next());
    const shift = jest.spyOn(Array.prototype, "shift");
    try {
      for (let item = 0; item < count; item++) mailbox.put(item);
      expect(shift).not.toHaveBeenCalled();
    } finally {
      jest.restoreAllMocks();
    }
    const read = await Promise.all(reads);
    expect(read.every(({ value }, at) => value === at)).toBe(true);
  });

  it("and is left before its error is read causes no unhandled rejection", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const stream = commands(client, { highWaterMark: 1 });
    push(gateway, 1, 2);
    await arrival(client, 2);
    await stream.return?.();
    expect(await stream.next()).toEqual(END);
  });
});

describe("while a connection is lost, the process", () => {
  async function lose(gateway: TestingGateway, client: ClientHandle): Promise<void> {
    gateway.kick();
    await eventually(() => expect(String(client)).toContain("disconnected"));
  }

  async function openLost(): Promise<ClientHandle> {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    await lose(gateway, client);
    return client;
  }

  it("is not kept alive by a read that was answered before, but by the next", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    await lose(gateway, client);
    const timers = armedTimers();
    const stream = commands(client);
    const read = stream.next();
    (await exchange(client, Uint8Array.of(1)))._unsafeUnwrap();
    expect(await read).toEqual(command(1));
    await lose(gateway, client);
    expect(armedTimers()).toBe(timers);
    void stream.next();
    expect(armedTimers()).toBe(timers + 1);
  });

  it("is kept alive by a read that waits, and by no more than that", async () => {
    const client = await openLost();
    const timers = armedTimers();
    const [stream, other, idle] = [commands(client), commands(client), commands(client)];
    expect(armedTimers()).toBe(timers);
    const reads = [stream.next(), stream.next(), other.next()];
    expect(armedTimers()).toBe(timers + 1);
    await other.return?.();
    expect(armedTimers()).toBe(timers + 1);
    await stream.return?.();
    expect(armedTimers()).toBe(timers);
    expect(await Promise.all(reads)).toEqual([END, END, END]);
    await idle.return?.();
  });

  it("is kept alive by a read that waits though a reader left that had not waited", async () => {
    const client = await openLost();
    const timers = armedTimers();
    const [stream, left] = [commands(client), commands(client)];
    await left.return?.();
    const read = stream.next();
    expect(armedTimers()).toBe(timers + 1);
    await stream.return?.();
    expect(await read).toEqual(END);
  });
});

describe("a signal", () => {
  it("ends the reader, after what is unread", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const controller = new AbortController();
    const stream = commands(client, { signal: controller.signal });
    push(gateway, 1);
    await arrival(client, 1);
    controller.abort();
    push(gateway, 2);
    await arrival(client, 2);
    expect(await readAll(stream)).toBe("01");
  });

  it("ends a read that waits, and the client goes on", async () => {
    const client = await openClient(await openGateway());
    const controller = new AbortController();
    const waiting = commands(client, { signal: controller.signal }).next();
    controller.abort();
    expect(await waiting).toEqual(END);
    expect((await exchange(client, Uint8Array.of(1))).isOk()).toBe(true);
  });

  it("that has aborted before yields nothing", async () => {
    const client = await openClient(await openGateway());
    expect(await readAll(commands(client, { signal: AbortSignal.abort() }))).toBe("");
  });

  it("has no listener when the reader has ended", async () => {
    const client = await openClient(await openGateway());
    const { signal } = new AbortController();
    await commands(client, { signal }).return?.();
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });
});

describe("Node's streams", () => {
  it("Readable.from reads commands", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const readable = Readable.from(commands(client));
    push(gateway, 1, 2);
    await arrival(client, 2);
    await destroy(client);
    const read: string[] = [];
    for await (const one of readable as AsyncIterable<Item>) read.push(word(one));
    expect(read).toEqual(["01", "02"]);
  });

  it("pipeline reads commands, through a step in between", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const written: string[] = [];
    const sink = new Writable({
      objectMode: true,
      write(text: string, _encoding, done) {
        written.push(text);
        done();
      },
    });
    const done = pipeline(
      commands(client),
      async function* (source: AsyncIterable<Item>) {
        for await (const one of source) yield word(one);
      },
      sink,
    );
    push(gateway, 1, 2);
    await eventually(() => expect(written).toEqual(["01", "02"]));
    await destroy(client);
    await done;
  });

  it("a destroyed Readable unsubscribes", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const stream = commands(client);
    const readable = Readable.from(stream);
    push(gateway, 1);
    for await (const one of readable as AsyncIterable<Item>) {
      expect(word(one)).toBe("01");
      break;
    }
    await eventually(() => expect(readable.closed).toBe(true));
    expect(await stream.next()).toEqual(END);
  });
});
