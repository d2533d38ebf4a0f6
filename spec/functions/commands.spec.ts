import { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { afterEach, describe, expect, it } from "@jest/globals";
import { commands, destroy, exchange, getCommand, isInternalClientError, type CommandStream } from "../../lib/index.js";
import type { TestingGateway } from "../../lib/testing.js";
import { hex } from "../support/bytes.js";
import { eventually } from "../support/eventually.js";
import { endAll, openClient, openGateway } from "../support/opened.js";

afterEach(endAll);

const END = { done: true, value: undefined };

function command(number: number) {
  return { done: false, value: Uint8Array.of(number) };
}

function push(gateway: TestingGateway, ...numbers: number[]): void {
  for (const number of numbers) gateway.push(Uint8Array.of(number));
}

async function arrival(client: Parameters<typeof getCommand>[0], number: number): Promise<void> {
  await eventually(() => expect(getCommand(client)._unsafeUnwrap()).toEqual(Uint8Array.of(number)));
}

async function readAll(stream: CommandStream): Promise<string> {
  let read = "";
  for await (const one of stream) read += hex(one);
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

  it("answers concurrent reads in their order", async () => {
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
  it("by destroy: its readers get what they have and then their end", async () => {
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

  it("leaves an ended iteration for who asks later", async () => {
    const client = await openClient(await openGateway());
    await destroy(client);
    expect(await readAll(commands(client))).toBe("");
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
      expect(one).toEqual(Uint8Array.of(1));
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

  it("before the first read unsubscribes too: nothing piles up, and no mark is passed", async () => {
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
    let kept: CommandStream;
    {
      await using stream = commands(client);
      kept = stream;
    }
    expect(await kept.next()).toEqual(END);
  });

  it("does no harm after the client has ended", async () => {
    const client = await openClient(await openGateway());
    const stream = commands(client);
    await destroy(client);
    expect(await stream.return?.()).toEqual(END);
  });
});

describe("a reader that falls behind", () => {
  it("by more than its highWaterMark gets what it has, then NOT_OK, then its end", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const stream = commands(client, { highWaterMark: 2 });
    push(gateway, 1, 2, 3, 4);
    await arrival(client, 4);
    expect([await stream.next(), await stream.next()]).toEqual([command(1), command(2)]);
    const error: unknown = await stream.next().catch((thrown: unknown) => thrown);
    expect(isInternalClientError(error)).toBe(true);
    expect(error).toMatchObject({ code: "NOT_OK", returnCode: -1, family: "usage" });
    expect((error as Error).message).toMatch(/highWaterMark.* 2/);
    expect(await stream.next()).toEqual(END);
  });

  it("by just its highWaterMark loses nothing", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const stream = commands(client, { highWaterMark: 2 });
    push(gateway, 1, 2);
    await arrival(client, 2);
    await destroy(client);
    expect(await readAll(stream)).toBe("0102");
  });

  it("does not take the others with it, nor the client", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const behind = commands(client, { highWaterMark: 1 });
    const other = commands(client, { highWaterMark: 4 });
    push(gateway, 1, 2, 3);
    await arrival(client, 3);
    (await exchange(client, Uint8Array.of(9)))._unsafeUnwrap();
    await destroy(client);
    await expect(readAll(behind)).rejects.toMatchObject({ code: "NOT_OK" });
    expect(await readAll(other)).toBe("01020309");
  });

  it("is told so also after the client has ended: a lost command is never silent", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const stream = commands(client, { highWaterMark: 1 });
    push(gateway, 1, 2);
    await arrival(client, 2);
    await destroy(client);
    expect(await stream.next()).toEqual(command(1));
    await expect(stream.next()).rejects.toMatchObject({ code: "NOT_OK" });
  });

  it("has 1,024 commands of room unless told otherwise", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const enough = commands(client);
    for (let count = 0; count < 1_024; count++) push(gateway, 1);
    push(gateway, 2);
    await arrival(client, 2);
    for (let count = 0; count < 1_024; count++) expect(await enough.next()).toEqual(command(1));
    await expect(enough.next()).rejects.toMatchObject({ code: "NOT_OK" });
  });

  it("and is left before its error is read surfaces nowhere", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const stream = commands(client, { highWaterMark: 1 });
    push(gateway, 1, 2);
    await arrival(client, 2);
    await stream.return?.();
    expect(await stream.next()).toEqual(END);
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
    for await (const one of readable as AsyncIterable<Uint8Array>) read.push(hex(one));
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
      async function* (source: AsyncIterable<Uint8Array>) {
        for await (const one of source) yield hex(one);
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
    for await (const one of readable as AsyncIterable<Uint8Array>) {
      expect(one).toEqual(Uint8Array.of(1));
      break;
    }
    await eventually(() => expect(readable.closed).toBe(true));
    expect(await stream.next()).toEqual(END);
  });
});
