import dns from "node:dns";
import { getEventListeners } from "node:events";
import { afterEach, describe, expect, it, jest } from "@jest/globals";
import type { Lookup } from "../../lib/client/dial.js";
import { connect, destroy, exchange, type ClientHandle, type Config } from "../../lib/index.js";
import { eventually } from "../support/eventually.js";
import { startFrozenGateway, type FrozenGateway } from "../support/frozen-gateway.js";
import { button, endAll, keep, openGateway } from "../support/opened.js";
import { CONNECTED } from "../testing/wire.js";
import { leftovers } from "../transport/leftovers.js";

const ONE = Uint8Array.of(1);
const TWENTY = Array.from({ length: 20 }, (_, index) => `127.0.0.${index + 1}`);
const LIMIT_MS = 600;
const LONG_MS = 20_000;

let frozen: FrozenGateway | undefined;

afterEach(async () => {
  await endAll();
  jest.restoreAllMocks();
  await frozen?.stop();
  frozen = undefined;
});

/** What "gateway.test" resolves to from now on. */
function resolveTo(...addresses: string[]): void {
  const found = addresses.map((address) => ({ address, family: 4 }));
  const lookup: Lookup = (_host, _options, callback) => void setImmediate(callback, null, found);
  jest.spyOn(dns, "lookup").mockImplementation(lookup as never);
}

interface Place {
  readonly port: number;
  /** Settles when the attempt has come to rest there; to be called once it was begun. */
  readonly reached: () => Promise<unknown>;
  /** What an error that ends it there says is in the way. */
  readonly obstacle: string | undefined;
}

// Where an attempt to connect by name can be when it is ended. In each it rests until something ends it.
const PLACES: Record<string, (port?: number) => Promise<Place>> = {
  "while the name is looked up": async (port = 1) => {
    jest.spyOn(dns, "lookup").mockImplementation(() => undefined);
    const reached = () => eventually(() => expect(dns.lookup).toHaveBeenCalled());
    return { port, reached, obstacle: "the look-up of gateway.test has not finished" };
  },
  "while twenty addresses swallow every packet": async (port) => {
    if (port === undefined) {
      frozen = await startFrozenGateway(CONNECTED, "0.0.0.0");
      await frozen.freeze();
    }
    resolveTo(...TWENTY);
    const at = port ?? frozen!.port;
    const { connecting } = leftovers(at);
    const reached = () => eventually(() => expect(leftovers(at).connecting).toBeGreaterThan(connecting + 1));
    return { port: at, reached, obstacle: "no answer from 127.0.0.1; no answer from 127.0.0.2" };
  },
  "while the gateway says nothing": async () => {
    const gateway = await openGateway();
    gateway.misbehave("connect", { do: "stay silent" }, { times: Infinity });
    const arrived = gateway.nextConnect();
    resolveTo("127.0.0.1");
    return { port: gateway.port, reached: () => arrived, obstacle: undefined };
  },
};

function configFor(port: number, changes: Partial<Config> = {}): Config {
  return { host: "gateway.test", port, device: button, connectTimeoutMs: LIMIT_MS, ...changes };
}

describe.each(Object.entries(PLACES))("a connect by name, ended %s,", (_, prepare) => {
  it("by its limit is UNABLE_TO_CONNECT, timed-out, says what was in the way, and leaves nothing, no listener either", async () => {
    const { port, obstacle } = await prepare();
    const before = leftovers(port);
    const { signal } = new AbortController();
    const error = (await connect(configFor(port, { signal })))._unsafeUnwrapErr();
    expect([error.code, error.reason]).toEqual(["UNABLE_TO_CONNECT", "timed-out"]);
    expect(getEventListeners(signal, "abort")).toEqual([]);
    if (obstacle !== undefined) expect(error.message).toContain(obstacle);
    expect(leftovers(port)).toEqual(before);
  });

  it("by its signal is NOT_OK, aborted, with the signal's reason, and leaves nothing, no listener either", async () => {
    const { port, reached } = await prepare();
    const before = leftovers(port);
    const controller = new AbortController();
    const connecting = connect(configFor(port, { connectTimeoutMs: LONG_MS, signal: controller.signal }));
    await reached();
    expect(getEventListeners(controller.signal, "abort")).toHaveLength(1);
    controller.abort("the driver has left");
    const error = (await connecting)._unsafeUnwrapErr();
    expect(error).toMatchObject({ code: "NOT_OK", reason: "aborted", cause: "the driver has left" });
    expect(getEventListeners(controller.signal, "abort")).toEqual([]);
    expect(leftovers(port)).toEqual(before);
  });
});

describe("a reconnection by name while twenty addresses swallow every packet", () => {
  /** A client that has lost its connection, and whose gateway's name resolves to addresses that swallow packets now. */
  async function prepare(connectTimeoutMs: number): Promise<{ client: ClientHandle } & Place> {
    frozen = await startFrozenGateway(CONNECTED, "0.0.0.0");
    resolveTo("127.0.0.1");
    const client = keep((await connect(configFor(frozen.port, { connectTimeoutMs })))._unsafeUnwrap());
    await frozen.freeze();
    return { client, ...(await PLACES["while twenty addresses swallow every packet"]!(frozen.port)) };
  }

  it("ends with its limit: UNABLE_TO_CONNECT, which names the addresses tried", async () => {
    const { client, obstacle } = await prepare(3 * LIMIT_MS); // it has to connect at first
    const error = (await exchange(client, ONE, { timeoutMs: 50 }))._unsafeUnwrapErr();
    expect([error.code, error.reason]).toEqual(["UNABLE_TO_CONNECT", "timed-out"]);
    expect(error.message).toContain(obstacle);
  });

  it.each<[string, string, (controller: AbortController) => void]>([
    ["with the status's signal", "NOT_OK", (controller) => controller.abort()],
    ["when the client is destroyed", "CONTEXT_INCORRECT", () => undefined],
  ])("ends %s: %s, and nothing is left once it is destroyed", async (_, code, end) => {
    const { client, port, reached } = await prepare(LONG_MS);
    const { synSent, connecting } = leftovers(port);
    const controller = new AbortController();
    const sending = exchange(client, ONE, { timeoutMs: 50, signal: controller.signal });
    await reached();
    end(controller);
    await destroy(client);
    expect(leftovers(port)).toMatchObject({ synSent, connecting });
    expect((await sending)._unsafeUnwrapErr().code).toBe(code);
  });
});
