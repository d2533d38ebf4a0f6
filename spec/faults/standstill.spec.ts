import { once } from "node:events";
import { performance } from "node:perf_hooks";
import { Worker } from "node:worker_threads";
import { afterEach, describe, expect, it, jest } from "@jest/globals";
import { connect, exchange } from "../../lib/index.js";
import { eventually } from "../support/eventually.js";
import { button, endAll, keep, openButton } from "../support/opened.js";
import { standStill } from "../support/stand-still.js";
import { CONNECTED } from "../testing/wire.js";

// A status that is under way meanwhile is in spec/faults/stopped-process.spec.ts.

// The gateway runs in a thread of its own, so that it goes on while this process stands still.
const GATEWAY = `
  const { createServer } = require("node:net");
  const { parentPort, workerData } = require("node:worker_threads");
  const frames = workerData.map((frame) => Buffer.from(frame, "hex"));
  const server = createServer((socket) => {
    let answers = 0;
    socket.on("error", () => undefined);
    socket.on("data", () => frames[answers] && socket.write(frames[answers++]));
  });
  server.listen({ host: "127.0.0.1", port: 0 }, () => parentPort.postMessage(server.address().port));
`;

const LIMIT_MS = 300;
const ONE = Uint8Array.of(1);

let worker: Worker | undefined;

afterEach(async () => {
  await endAll();
  await worker?.terminate();
  jest.restoreAllMocks();
});

/** A function that begins to connect to a gateway that answers the frames it gets with those, one each, and is silent then. */
async function startWith(...frames: string[]): Promise<() => ReturnType<typeof connect>> {
  worker = new Worker(GATEWAY, { eval: true, workerData: frames });
  const [port] = (await once(worker, "message")) as [number];
  return () => connect({ host: "127.0.0.1", port, device: button, connectTimeoutMs: LIMIT_MS });
}

describe.each([0.5, 1, 1.1, 3, 10])("a process that stands still for %d times the limit", (times) => {
  const standstillMs = times * LIMIT_MS;

  it("connects all its clients to a gateway that answers", async () => {
    const begin = await startWith(CONNECTED);
    const all = [begin(), begin()];
    standStill(standstillMs);
    for (const connecting of all) keep((await connecting)._unsafeUnwrap());
  });

  it("still gives up on a gateway that does not answer", async () => {
    const begin = await startWith();
    const connecting = begin();
    standStill(standstillMs);
    expect((await connecting)._unsafeUnwrapErr().code).toBe("UNABLE_TO_CONNECT");
  });
});

describe("a process that stands still for a minute", () => {
  /** Nothing is read, and no timer fires, between the two moments. */
  function skipAMinute(): void {
    const clock = performance.now.bind(performance);
    jest.spyOn(performance, "now").mockImplementation(() => clock() + 60_000);
  }

  it("makes a connection that was lost meanwhile again at once: the pause before that begins afterwards", async () => {
    const { gateway, client } = await openButton();
    gateway.misbehave("status", { do: "stay silent" });
    const sending = exchange(client, ONE);
    await gateway.nextStatus();
    skipAMinute();
    gateway.kick();
    await eventually(() => expect(gateway.connections).toBe(2));
    expect((await sending).isOk()).toBe(true);
  });

  it("goes on asking a gateway that refuses to have the device back", async () => {
    const { gateway, client } = await openButton();
    gateway.misbehave("status", { do: "close" });
    gateway.misbehave("connect", { do: "refuse", responseType: 1 }, { times: 2 });
    const sending = exchange(client, ONE);
    await gateway.nextConnect();
    await gateway.nextConnect();
    skipAMinute();
    expect((await sending).isOk()).toBe(true);
  });
});
