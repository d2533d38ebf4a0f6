import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, expect, it, jest } from "@jest/globals";
import * as results from "../../lib/index.js";
import type { ClientHandle, Config, Result, Stream } from "../../lib/index.js";
import * as throwing from "../../lib/throwing.js";
import { startGateway, type TestingGateway } from "../../lib/testing.js";
import {
  hostileConfig,
  hostileHandle,
  hostileOptions,
  hostileSource,
  hostileValue,
  seededRandom,
  type Random,
} from "../support/hostile-values.js";
import { button } from "../support/opened.js";
import { propertyRuns } from "../support/property-runs.js";

// Every function with arguments that are made to break it: it never throws, never rejects, and settles.

const SETTLES_WITHIN_MS = 30_000;
const READS_FOR_MS = 5;
const MAX_ITEMS = 5;
// Each run goes over TCP.
const RUNS = Math.ceil(propertyRuns.numRuns / 3);

jest.setTimeout(6 * SETTLES_WITHIN_MS);

let gateway: TestingGateway;
let client: ClientHandle | undefined;
const unhandled: unknown[] = [];
function onUnhandled(reason: unknown): void {
  unhandled.push(reason);
}

beforeAll(async () => {
  process.on("unhandledRejection", onUnhandled);
  gateway = await startGateway();
});

afterAll(async () => {
  await gateway.stop();
  process.off("unhandledRejection", onUnhandled);
});

afterEach(async () => {
  if (client !== undefined) await results.destroy(client);
  await new Promise((resolve) => setImmediate(resolve));
  expect(unhandled.splice(0)).toEqual([]);
});

/** Says in which run a check failed, as the values cannot be shown. */
async function holds(check: (random: Random) => Promise<void>): Promise<void> {
  for (let run = 0; run < RUNS; run++) {
    const seed = propertyRuns.seed + run;
    try {
      await connectAgain();
      await check(seededRandom(seed));
    } catch (cause) {
      throw new Error(`With seed ${seed}: ${String((cause as Error | undefined)?.stack)}`, { cause });
    }
  }
}

/** What a check did to the shared client may have ended it. */
async function connectAgain(): Promise<void> {
  if (client !== undefined && results.getCommand(client).isOk()) return;
  client = (await results.connect(validConfig("shared")))._unsafeUnwrap();
  (await results.exchange(client, Uint8Array.of(1)))._unsafeUnwrap();
}

/** Often one that is connected, so that what comes behind it is reached. Not async: that would read a hostile `then`. */
function handleFrom(random: Random): ClientHandle {
  return random(2) === 0 ? client! : (hostileHandle(random) as ClientHandle);
}

function validConfig(deviceRole: string): Config {
  return { host: gateway.host, port: gateway.port, device: { ...button, deviceRole } };
}

let devices = 0;

/** Of a device of its own, as those before may still be about to leave. */
function configFrom(random: Random): Config {
  return hostileConfig(random, validConfig(`role${++devices}`)) as Config;
}

async function settled<Value>(promise: PromiseLike<Value>): Promise<Value> {
  const controller = new AbortController();
  const late = sleep(SETTLES_WITHIN_MS, undefined, { signal: controller.signal }).then(() => {
    throw new Error("it did not settle");
  });
  late.catch(() => undefined);
  try {
    return await Promise.race([promise, late]);
  } finally {
    controller.abort();
  }
}

/** The errors are of this library, whatever else they are. */
function expectResult(result: Result<unknown, unknown>): void {
  if (result.isErr()) expect(results.isInternalClientError(result.error)).toBe(true);
}

async function itemsOf<Item>(stream: Stream<Item>): Promise<Item[]> {
  const items: Item[] = [];
  const read = async (): Promise<void> => {
    for await (const item of stream) if (items.push(item) === MAX_ITEMS) return;
  };
  const reading = read();
  await Promise.race([reading.catch(() => undefined), sleep(READS_FOR_MS)]);
  await settled(stream.return!());
  await settled(reading);
  return items;
}

async function expectResults(stream: Stream<Result<unknown, unknown>>): Promise<void> {
  for (const item of await itemsOf(stream)) expectResult(item);
}

/** What the throwing entry throws is what the other one has in its Err. */
async function expectOwnError(call: () => unknown): Promise<void> {
  try {
    await call();
  } catch (thrown) {
    if (!results.isInternalClientError(thrown)) throw thrown;
  }
}

type Check = (random: Random) => Promise<void>;

const neverThrow: Record<string, Check> = {
  connect: async (random) => {
    const outcome = await settled(results.connect(configFrom(random)));
    expectResult(outcome);
    if (outcome.isOk()) await settled(results.destroy(outcome.value));
  },
  "sendStatus and exchange": async (random) => {
    const handle = handleFrom(random);
    const [status, options] = [hostileValue(random) as never, hostileOptions(random) as never];
    expectResult(await settled(results.sendStatus(handle, status, options)));
    expectResult(await settled(results.exchange(handle, status, options)));
    expectResult(await settled(results.exchange(handle, Uint8Array.of(1), options)));
  },
  "the functions of a hostile module's handle": async (random) => {
    const connected = await settled(results.connect(configFrom(random)));
    if (connected.isErr()) return;
    const handle = connected.value;
    const reader = results.commands(handle);
    for (const status of [hostileValue(random) as never, Uint8Array.of(1)]) {
      expectResult(await settled(results.exchange(handle, status)));
      expectResult(await settled(results.sendStatus(handle, status)));
    }
    expectResult(results.getCommand(handle));
    await expectResults(results.sendStatuses(handle, [hostileValue(random) as never]));
    await expectResults(reader);
    await settled(results.destroy(handle));
  },
  "getCommand, closed and destroy": async (random) => {
    const handle = hostileHandle(random) as ClientHandle;
    expectResult(results.getCommand(handle));
    expectResult(await settled(results.closed(handle)));
    expect((await settled(results.destroy(handle))).isOk()).toBe(true);
  },
  commands: (random) => expectResults(results.commands(handleFrom(random), hostileOptions(random) as never)),
  sendStatuses: async (random) => {
    const [source, options] = [hostileSource(random) as never, hostileOptions(random) as never];
    await expectResults(results.sendStatuses(handleFrom(random), source, options));
  },
  runDevice: async (random) => {
    const [source, options] = [hostileSource(random) as never, hostileOptions(random) as never];
    await expectResults(results.runDevice(configFrom(random), source, options));
  },
  "runDevice, whatever retryDelayMs returns": async (random) => {
    const retryDelayMs = () => hostileValue(random) as never;
    const config = { ...validConfig("nowhere"), port: 1 };
    await expectResults(results.runDevice(config, [Uint8Array.of(1)], { retryDelayMs }));
  },
  withClient: async (random) => {
    const value = hostileValue(random);
    const use = random(2) === 0 ? value : () => value;
    const config = random(2) === 0 ? configFrom(random) : validConfig("used");
    const outcome = await settled(results.withClient(config, use as never));
    expect(typeof outcome.isOk).toBe("function");
  },
  lazyClient: async (random) => {
    const lazy = results.lazyClient(configFrom(random));
    expectResult(await settled(lazy()));
    expect((await settled(lazy.destroy())).isOk()).toBe(true);
  },
  "the guards": async (random) => {
    const { isCommunicationError, isInternalClientError, isRefusal, isUsageError } = results;
    const value = hostileValue(random);
    for (const isOne of [isCommunicationError, isInternalClientError, isRefusal, isUsageError])
      expect(typeof isOne(value)).toBe("boolean");
  },
};

const throwOwnErrors: Record<string, Check> = {
  "connect and lazyClient": async (random) => {
    const config = configFrom(random);
    const lazy = throwing.lazyClient(config);
    await expectOwnError(() => settled(lazy()));
    await settled(lazy.destroy());
    await expectOwnError(async () => throwing.destroy(await settled(throwing.connect(config))));
  },
  "the functions of a handle": async (random) => {
    const handle = handleFrom(random);
    const [status, options] = [hostileValue(random) as never, hostileOptions(random) as never];
    await expectOwnError(() => settled(throwing.exchange(handle, status, options)));
    await expectOwnError(() => settled(throwing.sendStatus(handle, status, options)));
    await expectOwnError(() => void throwing.getCommand(handle));
    await expectOwnError(() => settled(throwing.closed(hostileHandle(random) as ClientHandle)));
    await expectOwnError(() => itemsOf(throwing.commands(handle, options)));
  },
  "sendStatuses and runDevice": async (random) => {
    const options = hostileOptions(random) as never;
    const sending = throwing.sendStatuses(handleFrom(random), hostileSource(random) as never, options);
    await expectOwnError(() => itemsOf(sending));
    const running = throwing.runDevice(configFrom(random), hostileSource(random) as never, options);
    await expectOwnError(() => itemsOf(running));
  },
  "runDevice, when onError is not a function": async (random) => {
    const onError = hostileValue(random) as never;
    if (typeof onError === "function") return; // what it throws is thrown as it is
    const running = throwing.runDevice(validConfig("told"), ["not bytes" as never, Uint8Array.of(1)], { onError });
    await expectOwnError(() => itemsOf(running));
  },
};

it.each(Object.keys(neverThrow))("never throws, never rejects, settles: %s", (name) => holds(neverThrow[name]!));

it.each(Object.keys(throwOwnErrors))(
  "of the throwing entry, throws only this library's errors, and settles: %s",
  (name) => holds(throwOwnErrors[name]!),
);
