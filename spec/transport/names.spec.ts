import dns, { type LookupAddress } from "node:dns";
import net, { type NetConnectOpts } from "node:net";
import { networkInterfaces } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it, jest } from "@jest/globals";
import type { Lookup } from "../../lib/client/dial.js";
import { connect } from "../../lib/index.js";
import { eventually } from "../support/eventually.js";
import { startFrozenGateway, type FrozenGateway } from "../support/frozen-gateway.js";
import { button, endAll, keep, openGateway } from "../support/opened.js";
import { CONNECTED } from "../testing/wire.js";
import { startEchoServer, stopServers } from "./echo-server.js";
import { leftovers } from "./leftovers.js";
import { closeAll, expectEcho, failureOf, opened, Recorder } from "./recorder.js";

// The names resolve to addresses of the loopback. All of 127.0.0.0/8 is this machine's own.

let frozen: FrozenGateway | undefined;

afterEach(async () => {
  jest.restoreAllMocks();
  await closeAll();
  await endAll();
  await stopServers();
  await frozen?.stop();
  frozen = undefined;
  // Those that filled the queue are only about to be gone.
  await eventually(() => expect(leftovers(0)).toEqual({ sockets: 0, connecting: 0, synSent: 0 }));
});

/** Returns a port at which 127.0.0.1 swallows the packets of every new connection. */
async function startSwallowing(): Promise<number> {
  frozen = await startFrozenGateway(CONNECTED);
  await frozen.freeze();
  return frozen.port;
}

async function portWithoutListener(): Promise<number> {
  const server = await startEchoServer();
  const { port } = server;
  await server.stop();
  return port;
}

function resolverOf(...addresses: string[]): Lookup {
  return (_host, _options, callback) => setImmediate(callback, null, entries(addresses));
}

function entries(addresses: readonly string[]): LookupAddress[] {
  return addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
}

const hasIpv6 = Object.values(networkInterfaces()).some((found) => found?.some(({ address }) => address === "::1"));

describe("a name whose first address swallows packets", () => {
  it("opens at its second one, and the first attempt is closed", async () => {
    const port = await startSwallowing();
    await startEchoServer({ host: "127.0.0.2", port });
    const before = leftovers(port);
    const recorder = await opened({ port, lookup: resolverOf("127.0.0.1", "127.0.0.2") });
    await expectEcho(recorder);
    expect(leftovers(port)).toEqual({ ...before, sockets: before.sockets + 1 });
    await recorder.transport.close();
    expect(leftovers(port)).toEqual(before);
    expect(recorder.story).toEqual(["opened", "07"]);
  });

  it("is where connect reaches the gateway", async () => {
    const port = await startSwallowing();
    const gateway = await openGateway({ host: "127.0.0.2", port });
    jest.spyOn(dns, "lookup").mockImplementation(resolverOf("127.0.0.1", "127.0.0.2") as never);
    keep((await connect({ host: "gateway.test", port, device: button }))._unsafeUnwrap());
    expect(gateway.devices).toHaveLength(1);
  });
});

describe("a name that has opened at its first address", () => {
  it("attempts none of the others", async () => {
    const { port } = await startEchoServer();
    const attempts = jest.spyOn(net, "connect");
    await opened({ port, lookup: resolverOf("127.0.0.1", "127.0.0.2") });
    await sleep(350); // the next one would come after 250
    expect(attempts).toHaveBeenCalledTimes(1);
  });
});

describe("a name whose first addresses refuse", () => {
  it("opens at the only one of twenty that does not", async () => {
    const addresses = Array.from({ length: 20 }, (_, index) => `127.0.0.${index + 1}`);
    const { port } = await startEchoServer({ host: "127.0.0.20", port: 0 });
    const before = leftovers(port);
    const recorder = await opened({ port, lookup: resolverOf(...addresses) });
    await expectEcho(recorder);
    expect(recorder.story).toEqual(["opened", "07"]);
    await eventually(() => expect(leftovers(port).sockets).toBe(before.sockets + 1));
  });

  it("fails once the last one has refused too, with every address in its cause, and nothing is left", async () => {
    const port = await portWithoutListener();
    const before = leftovers(port);
    expect(await failureOf({ port, lookup: resolverOf("127.0.0.1", "127.0.0.2") })).toMatchObject({
      code: "ECONNREFUSED",
      message: `connect ECONNREFUSED 127.0.0.1:${port}; connect ECONNREFUSED 127.0.0.2:${port}`,
      errors: [{ address: "127.0.0.1" }, { address: "127.0.0.2" }],
    });
    await closeAll();
    expect(leftovers(port)).toEqual(before);
  });
});

describe("an address instead of a name", () => {
  it.each(["127.0.0.1", ...(hasIpv6 ? ["::1", "::1%lo"] : [])])("is not looked up: %s", async (host) => {
    const { port } = await startEchoServer({ host: host.split("%")[0]!, port: 0 });
    const lookup = jest.fn<Lookup>();
    const recorder = await opened({ host, port, lookup });
    await expectEcho(recorder);
    expect(lookup).not.toHaveBeenCalled();
  });

  it("that refuses fails with the system's error", async () => {
    const port = await portWithoutListener();
    const cause = await failureOf({ host: "127.0.0.1", port });
    expect(cause).toMatchObject({ code: "ECONNREFUSED", address: "127.0.0.1", port });
  });
});

describe("an open socket", () => {
  it.each([
    ["an address", { host: "127.0.0.1" }],
    ["a name", { lookup: resolverOf("127.0.0.1") }],
  ])("sends small frames at once and probes an idle connection after 10 s: to %s", async (_, target) => {
    const { port } = await startEchoServer();
    const noDelay = jest.spyOn(net.Socket.prototype, "setNoDelay");
    const keepAlive = jest.spyOn(net.Socket.prototype, "setKeepAlive");
    await opened({ port, ...target });
    expect(noDelay).toHaveBeenCalledWith(true);
    expect(keepAlive.mock.calls).toEqual([[true, 10_000]]);
  });

  it("says when the kernel has taken what was written", async () => {
    const server = await startEchoServer();
    const { transport, until } = new Recorder({ host: "127.0.0.1", port: server.port });
    expect(transport.isFlushed).toBe(false);
    await until("opened");
    expect(transport.isFlushed).toBe(true);
    for (const socket of server.sockets) socket.pause();
    transport.write(new Uint8Array(32 * 1024 * 1024));
    expect(transport.isFlushed).toBe(false);
  });
});

describe("a transport that is closed", () => {
  it("while the look-up runs is gone at once, and the look-up's end changes nothing", async () => {
    const server = await startEchoServer();
    const { port } = server;
    const before = leftovers(port);
    let end = (): void => undefined;
    const { transport, story } = new Recorder({
      port,
      lookup: (_host, _options, callback) => (end = () => callback(null, entries(["127.0.0.1"]))),
    });
    expect(transport.obstacle?.message).toBe("the look-up of gateway.test has not finished");
    await transport.close();
    end();
    expect(leftovers(port)).toEqual(before);
    expect([story, server.connections]).toEqual([[], 0]);
  });

  it.each([
    ["one address is attempted", { host: "127.0.0.1" }, 1, "no answer from 127.0.0.1"],
    [
      "two addresses are attempted",
      { lookup: resolverOf("127.0.0.1", "::ffff:127.0.0.1") },
      2,
      "no answer from 127.0.0.1; no answer from ::ffff:127.0.0.1",
    ],
  ])("while %s leaves nothing that waits for an answer", async (_, target, attempts, obstacle) => {
    const port = await startSwallowing();
    const before = leftovers(port);
    const { transport, story } = new Recorder({ port, ...target });
    await eventually(() => expect(leftovers(port).connecting).toBe(before.connecting + attempts));
    expect(transport.obstacle?.message).toBe(obstacle);
    await transport.close();
    expect(leftovers(port)).toEqual(before);
    expect(story).toEqual([]);
  });

  it("in the call of opened, reports nothing more", async () => {
    const { port } = await startEchoServer();
    const before = leftovers(port);
    const recorder = new Recorder({ host: "127.0.0.1", port });
    let gone: Promise<void> | undefined;
    recorder.onOpened = () => {
      recorder.transport.write(Uint8Array.of(7));
      gone = recorder.transport.close();
    };
    await recorder.until("opened");
    await gone;
    expect(leftovers(port)).toEqual(before);
    expect(recorder.story).toEqual(["opened"]);
  });

  it("twice resolves both times", async () => {
    const { port } = await startEchoServer();
    const { transport } = await opened({ host: "127.0.0.1", port });
    await Promise.all([transport.close(), transport.close()]);
    await transport.close();
  });
});

describe("what net.connect throws at once", () => {
  function connectThrows(doesThrow: (options: NetConnectOpts) => boolean): void {
    const original = net.connect as (options: NetConnectOpts) => net.Socket;
    jest.spyOn(net, "connect").mockImplementation(((options: NetConnectOpts) => {
      if (doesThrow(options)) throw new Error("the network is forbidden here");
      return original(options);
    }) as never);
  }

  it.each([
    ["for an address", { host: "127.0.0.1" }],
    ["for a name", { lookup: resolverOf("127.0.0.1") }],
    [
      "for a name that is resolved at once",
      { lookup: (_host, _options, found) => found(null, entries(["127.0.0.1"])) },
    ],
  ])("is the cause of its failure: %s", async (_, target) => {
    connectThrows(() => true);
    expect((await failureOf(target)).message).toBe("the network is forbidden here");
  });

  it("is not reported once the transport is closed", async () => {
    connectThrows(() => true);
    const { transport, story } = new Recorder({ host: "127.0.0.1" });
    await transport.close();
    await Promise.resolve();
    expect(story).toEqual([]);
  });

  it("because there is no onread makes it read by data events", async () => {
    connectThrows(({ onread }) => onread !== undefined);
    const { port } = await startEchoServer();
    const recorder = await opened({ host: "127.0.0.1", port });
    await expectEcho(recorder);
    expect(recorder.story).toEqual(["opened", "07"]);
  });
});

describe("a resolver that fails at once", () => {
  const error = new Error("no resolver");

  it.each<[string, Lookup]>([
    ["throws", () => throws(error)],
    ["calls back with an error", (_host, _options, callback) => callback(error, [])],
  ])("is reported only after the constructor has returned: it %s", async (_, lookup) => {
    expect(await failureOf({ lookup })).toBe(error); // a recorder refuses what comes out of the constructor
  });
});

function throws(error: Error): never {
  throw error;
}
