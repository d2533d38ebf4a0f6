import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Duplex } from "node:stream";
import { afterEach, describe, expect, it, jest } from "@jest/globals";
import { duplexPair } from "../support/duplex-pair.js";
import { eventually } from "../support/eventually.js";
import { byNodeTimer, timed } from "../support/timed.js";
import { startEchoServer, stopServers } from "./echo-server.js";
import { leftovers } from "./leftovers.js";
import { closeAll, expectEcho, failureOf, opened, Recorder } from "./recorder.js";

const SEVEN = Uint8Array.of(7);

afterEach(async () => {
  await closeAll();
  await stopServers();
});

/** A stream that swallows what is written to it. */
class Sink extends Duplex {
  override _read(): void {
    // It has nothing to read.
  }

  override _write(_chunk: unknown, _encoding: string, done: () => void): void {
    done();
  }
}

function openWith(stream: Duplex): Promise<Recorder> {
  return opened({ createConnection: () => stream });
}

function failureWith(createConnection: () => unknown): Promise<Error> {
  return failureOf({ createConnection: createConnection as () => Duplex });
}

/** A socket that begins to connect in a later turn. */
function connectLater(port: number): Socket {
  const socket = new Socket();
  setImmediate(() => socket.connect(port, "127.0.0.1"));
  return socket;
}

async function connected(socket: Socket): Promise<Socket> {
  await once(socket, "connect");
  return socket;
}

function throws(thrown: unknown): never {
  throw thrown;
}

describe("a stream that createConnection returns", () => {
  it("is a Unix socket, if the user likes", async () => {
    const folder = await mkdtemp(join(tmpdir(), "fleet-"));
    const path = join(folder, "gateway");
    await startEchoServer({ path });
    const recorder = await openWith(connect(path));
    await expectEcho(recorder);
    expect(recorder.story).toEqual(["opened", "07"]);
    await stopServers();
    await recorder.until("closed");
    await rm(folder, { recursive: true });
  });

  it.each<[string, (port: number) => Socket | Promise<Socket>]>([
    ["still connects", (port) => connect(port, "127.0.0.1")],
    ["has not even started to connect", (port) => connectLater(port)],
    ["is already open", async (port) => connected(connect(port, "127.0.0.1"))],
  ])("may be a socket that %s: the transport opens when it can be used", async (_, make) => {
    const { port } = await startEchoServer();
    const socket = await make(port);
    const recorder = await openWith(socket);
    expect([socket.connecting, socket.pending]).toEqual([false, false]);
    await expectEcho(recorder);
  });

  it("may be any Duplex; what its other end sends before the transport opens is not lost", async () => {
    const [near, far] = duplexPair();
    far.write(Uint8Array.of(1, 2));
    const recorder = await openWith(near);
    await recorder.until("0102");
    recorder.transport.write(SEVEN);
    await eventually(() => expect(far.read()).toEqual(Buffer.of(7)));
    far.end();
    await recorder.until("closed");
    expect(recorder.story).toEqual(["opened", "0102", "closed"]);
    expect(near.destroyed).toBe(true);
  });

  it("is read as plain bytes even if it emits Buffers, so that a command is not a Buffer", async () => {
    const [near, far] = duplexPair();
    const recorder = await openWith(near);
    const received = jest.spyOn(recorder, "received");
    far.write(SEVEN);
    await recorder.until("07");
    expect(received.mock.calls.map(([chunk]) => Buffer.isBuffer(chunk))).toEqual([false]);
  });

  it("is read even if its user has paused it", async () => {
    const [near, far] = duplexPair();
    near.pause();
    const recorder = await openWith(near);
    far.write(SEVEN);
    await recorder.until("07");
  });

  it("that answers within the write is read after the write", async () => {
    const [near, far] = duplexPair();
    far.on("data", (bytes) => far.write(bytes));
    const { transport, story, until } = await openWith(near);
    transport.write(SEVEN);
    story.push("written");
    await until("07");
    expect(story).toEqual(["opened", "written", "07"]);
  });

  it("may keep the bytes that are written to it: they are never flushed", async () => {
    const { transport } = await openWith(new Sink());
    transport.write(SEVEN);
    await Promise.resolve();
    expect(transport.isFlushed).toBe(false);
  });

  it("is asked to send small frames at once and to probe an idle connection after 10 s, if it can", async () => {
    const socket = Object.assign(new Sink(), { setNoDelay: jest.fn(), setKeepAlive: jest.fn() });
    await openWith(socket);
    expect(socket.setNoDelay.mock.calls).toEqual([[true]]);
    expect(socket.setKeepAlive.mock.calls).toEqual([[true, 10_000]]);
  });

  it("keeps the process alive or not as the transport does, if it can, and from its beginning", async () => {
    const socket = Object.assign(new Sink(), { ref: jest.fn(), unref: jest.fn() });
    const { transport, until } = new Recorder({ createConnection: () => socket });
    transport.setRef(false);
    await until("opened");
    expect([socket.unref, socket.ref].map(({ mock }) => mock.calls.length)).toEqual([1, 0]);
    transport.setRef(true);
    expect([socket.unref, socket.ref].map(({ mock }) => mock.calls.length)).toEqual([1, 1]);
  });

  it("needs neither ref nor unref, and is destroyed by close", async () => {
    const stream = new Sink();
    const { transport, story } = await openWith(stream);
    transport.setRef(false);
    transport.setRef(true);
    await transport.close();
    expect([stream.destroyed, stream.closed]).toEqual([true, true]);
    expect(story).toEqual(["opened"]);
  });

  it("that never reports its end counts as gone after a second", async () => {
    const { transport } = await openWith(new Sink({ destroy: () => undefined }));
    const [, elapsedMs] = await timed(() => transport.close());
    expect(elapsedMs).toBeGreaterThanOrEqual(byNodeTimer(1_000));
  });
});

describe("createConnection", () => {
  it("is called once for each transport, without an argument, after the constructor has returned", async () => {
    const createConnection = jest.fn(() => new Sink());
    const first = new Recorder({ createConnection });
    expect(createConnection).not.toHaveBeenCalled();
    await first.until("opened");
    await new Recorder({ createConnection }).until("opened");
    expect(createConnection.mock.calls).toEqual([[], []]);
  });

  it("is not called if the transport was closed before", async () => {
    const createConnection = jest.fn(() => new Sink());
    await new Recorder({ createConnection }).transport.close();
    await Promise.resolve();
    expect(createConnection).not.toHaveBeenCalled();
  });

  it("that closes its own transport has its stream destroyed", async () => {
    const stream = new Sink();
    const recorder: Recorder = new Recorder({
      createConnection: () => {
        void recorder.transport.close();
        return stream;
      },
    });
    await once(stream, "close");
    expect(recorder.story).toEqual([]);
  });

  it("that throws fails the transport with what it threw", async () => {
    const error = new Error("no tunnel");
    expect(await failureWith(() => throws(error))).toBe(error);
    expect(await failureWith(() => throws("no tunnel"))).toMatchObject({ cause: "no tunnel" });
  });

  it.each([
    ["nothing", () => undefined],
    ["null", () => null],
    ["a number", () => 7],
    ["an object", () => ({})],
    ["half a stream", () => ({ on: () => undefined, write: () => undefined })],
    ["its class", () => Duplex],
  ])("that returns %s fails the transport", async (_, createConnection) => {
    expect((await failureWith(createConnection)).message).toBe("createConnection did not return a Duplex");
  });

  it("that returns a promise fails the transport, and the promise's stream is not left open", async () => {
    const stream = new Sink();
    const error = await failureWith(async () => stream);
    expect(error.message).toBe("createConnection returned a promise, but must return the Duplex itself");
    await eventually(() => expect(stream.destroyed).toBe(true));
    await failureWith(() => Promise.reject(new Error("no tunnel")));
  });

  it("that returns a stream of an earlier transport fails the transport", async () => {
    const stream = new Sink();
    const { transport } = await openWith(stream);
    await transport.close();
    const error = await failureWith(() => stream);
    expect(error.message).toBe("createConnection returned a stream that is already destroyed");
  });

  it("that returns a stream that is about to emit an error fails the transport with that as its cause", async () => {
    const error = new Error("no tunnel");
    const stream = new Sink();
    const closed = new Promise((resolve) => stream.on("close", resolve));
    const failure = await failureWith(() => stream.destroy(error));
    expect(failure.cause).toBe(error);
    await closed; // which does not come where the error had no listener
  });

  it("that returns a stream whose state cannot be read fails the transport, and the stream is destroyed", async () => {
    const error = new Error("not now");
    const stream = Object.defineProperty(new Sink(), "connecting", { get: () => throws(error) });
    expect(await failureWith(() => stream)).toBe(error);
    expect(stream.destroyed).toBe(true);
  });
});

describe("a user's stream that fails", () => {
  it("to connect fails the transport with its error, and nothing is left", async () => {
    const server = await startEchoServer();
    const { port } = server;
    await server.stop();
    const before = leftovers(port);
    expect(await failureWith(() => connect(port, "127.0.0.1"))).toMatchObject({ code: "ECONNREFUSED" });
    await closeAll();
    expect(leftovers(port)).toEqual(before);
  });

  it("once it is open fails the transport once, whatever it emits then", async () => {
    const stream = new Sink();
    const error = new Error("the tunnel fell in");
    const recorder = await openWith(stream);
    stream.emit("error", error);
    stream.emit("error", new Error("again"));
    stream.emit("data", SEVEN);
    stream.emit("end");
    expect(recorder.cause).toBe(error);
    expect(recorder.story).toEqual(["opened", "failed"]);
  });

  it("with something other than an Error fails the transport with an Error", async () => {
    const stream = new Sink();
    const recorder = await openWith(stream);
    stream.emit("error", 42);
    expect(recorder.cause).toMatchObject({ cause: 42 });
  });

  it("by closing without an error ends the transport without a cause", async () => {
    const stream = new Sink();
    const recorder = await openWith(stream);
    stream.destroy();
    await recorder.until("closed");
  });

  it.each([
    ["text", new Sink({ encoding: "utf8" }), "a"],
    ["objects", new Sink({ readableObjectMode: true }), { a: 1 }],
  ])("by emitting %s instead of bytes fails the transport", async (_, stream, chunk) => {
    const recorder = await openWith(stream);
    stream.push(chunk);
    await recorder.until("failed");
    expect(recorder.cause?.message).toMatch(/emitted a (string|object), but must emit bytes/);
    expect(stream.destroyed).toBe(true);
  });

  it.each(["write", "setNoDelay", "setKeepAlive", "unref"])("by throwing in %s fails the transport", async (method) => {
    const error = new Error(`no ${method}`);
    const stream = Object.assign(new Sink(), { [method]: () => throws(error) });
    const recorder = new Recorder({ createConnection: () => stream });
    recorder.onOpened = () => {
      recorder.transport.setRef(false);
      recorder.transport.write(SEVEN);
      expect(recorder.story).toEqual(["opened"]);
    };
    await recorder.until("failed");
    expect(recorder.cause).toBe(error);
    expect(stream.destroyed).toBe(true);
  });

  it("to stop connecting when it is destroyed opens nothing after close", async () => {
    const stream = Object.assign(new Sink({ destroy: () => undefined }), { connecting: true, setNoDelay: jest.fn() });
    const recorder = new Recorder({ createConnection: () => stream });
    await eventually(() => expect(stream.listenerCount("connect")).toBe(1));
    const gone = recorder.transport.close();
    stream.emit("connect");
    stream.emit("data", SEVEN);
    await gone;
    expect(stream.setNoDelay).not.toHaveBeenCalled();
    expect(recorder.story).toEqual([]);
  });

  it("by throwing in destroy does not matter, and close resolves", async () => {
    const stream = Object.assign(new Sink(), { destroy: () => throws(new Error("no destroy")) });
    const { transport, story } = await openWith(stream);
    await transport.close();
    expect(story).toEqual(["opened"]);
  });
});
