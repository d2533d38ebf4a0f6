import { err, every, json, optional, protobuf, text } from "../../lib/index.js";
import { Random as SeededRandom } from "../../scripts/random.js";

// Values made to break the code that reads them; property testing libraries read their values, so these are drawn by hand. None waits for
// ever by itself: what must settle is the library.

/** Throws "hostile". */
export function boom(): never {
  throw new Error("hostile");
}

function rejection(): Promise<never> {
  const rejected = Promise.reject(new Error("hostile"));
  rejected.catch(() => undefined); // not every value is looked at
  return rejected;
}

export function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

export function detached(): Uint8Array {
  const bytes = Uint8Array.of(1, 2, 3);
  structuredClone(bytes, { transfer: [bytes.buffer] });
  return bytes;
}

/** The base with a property that throws "hostile" when it is read. */
export function withGetter(property: PropertyKey, base: object = {}): object {
  return Object.defineProperty(base, property, { enumerable: true, configurable: true, get: boom });
}

const traps: ProxyHandler<object> = {
  get: boom,
  has: boom,
  ownKeys: boom,
  getOwnPropertyDescriptor: boom,
  getPrototypeOf: boom,
};

const cycle: Record<string, unknown> = {};
cycle["self"] = cycle;

/** What stands behind a handle, by the key that every copy of the library knows. */
const CLIENT = Symbol.for("fleet-internal-client.client.2");

const plain: readonly (() => unknown)[] = [
  () => undefined,
  () => null,
  () => true,
  () => -1,
  () => 5,
  () => 1.5,
  () => NaN,
  () => 2 ** 40,
  () => 5n,
  () => "",
  () => "\ud800",
  () => Symbol("hostile"),
  () => boom,
  () => rejection,
  () => Map,
  () => ({}),
  () => [],
  () => Object.create(null) as object,
  () => cycle,
  revoked,
  rejection,
  () => Promise.resolve(1),
  () => new Proxy({}, traps),
  () => new Proxy(() => undefined, { ...traps, apply: boom }),
  () => ({ then: boom }),
  () => ({ then: (_: unknown, reject: (thrown: unknown) => void) => reject(undefined) }),
  () => withGetter("then"),
  () => ({ toString: boom, valueOf: boom, toJSON: boom, [Symbol.toPrimitive]: boom }),
  () => withGetter(Symbol.toStringTag),
  () => withGetter("message", new Error("hidden")),
  () => ({ name: "InternalClientError", code: "NOT_OK", returnCode: -1 }),
  () => ({ isOk: boom, isErr: boom }),
  () => ({ isOk: () => true, isErr: () => false }),
  () => ({ isOk: () => false, isErr: () => true }),
  () => err(undefined),
  () => err(revoked()),
  detached,
  () => new Proxy(Uint8Array.of(1), {}),
  () => Object.defineProperty(Uint8Array.of(1), "length", { value: 4_096 }),
  () => withGetter("length", Uint8Array.of(1)),
  () => withGetter("buffer", new Uint8Array(0)),
  () => withGetter("aborted", new AbortController().signal),
  () => AbortSignal.abort(revoked()),
];

/** A whole number from 0 up to below the bound. */
export type Random = (bound: number) => number;

/** Always the same numbers for a seed. */
export function seededRandom(seed: number): Random {
  const random = new SeededRandom(seed);
  return (bound) => random.between(0, bound - 1);
}

function oneOf<Made>(random: Random, makers: readonly (() => Made)[]): Made {
  return makers[random(makers.length)]!();
}

/** Any of them, or a function that returns one. */
export function hostileValue(random: Random): unknown {
  const make = plain[random(plain.length)]!;
  return random(5) === 0 ? () => make() : make();
}

/** The base with up to two fields that are hostile, or throw when they are read. */
function objectWith(random: Random, keys: readonly PropertyKey[], base: object = {}): object {
  const made: object = { ...base };
  for (let left = random(3); left > 0; left--) {
    const key = keys[random(keys.length)]!;
    if (random(3) === 0) withGetter(key, made);
    else Object.defineProperty(made, key, { enumerable: true, configurable: true, value: hostileValue(random) });
  }
  return made;
}

/** Options with fields that are hostile, or what is no object at all. */
export function hostileOptions(random: Random): unknown {
  const keys = ["timeoutMs", "signal", "repeatAfterMs", "highWaterMark", "retryDelayMs"];
  return oneOf<unknown>(random, [
    () => undefined,
    () => hostileValue(random),
    () => objectWith(random, keys),
    () => objectWith(random, keys.slice(0, 2)),
    () => objectWith(random, keys.slice(3, 4)),
  ]);
}

const OF_A_CLIENT = ["device", "module", "state", "isDestroyed", "exchange", "getCommand", "commands", "whenClosed"];

/** What stands in a handle's place. */
export function hostileHandle(random: Random): unknown {
  return oneOf<unknown>(random, [
    () => hostileValue(random),
    () => withGetter(CLIENT),
    () => ({ [CLIENT]: hostileValue(random) }),
    () => ({ [CLIENT]: objectWith(random, [...OF_A_CLIENT, "destroy", "onClosed"], { exchange: rejection }) }),
  ]);
}

function hostileCodec(random: Random): unknown {
  const value = hostileValue(random) as never;
  return oneOf<unknown>(random, [
    () => value,
    () => json(value),
    () => json({ "~standard": { version: 1, vendor: "", validate: value } } as never),
    () => json({ "~standard": { version: 1, vendor: "", validate: () => value } } as never),
    () => protobuf(value),
    () => optional(value),
    () => ({ encode: () => value, decode: () => value }),
    () => ({ encode: value, decode: value }),
    () => ({ encode: boom, decode: boom }),
    () => objectWith(random, ["encode", "decode", "isOptional"], text()),
  ]);
}

function hostileModule(random: Random): unknown {
  const module = { number: 1000, status: hostileCodec(random), command: hostileCodec(random) };
  return oneOf<unknown>(random, [
    () => hostileValue(random),
    () => withGetter("name", module),
    () => ({ ...module, name: hostileValue(random) }),
  ]);
}

/** A configuration that leads to a gateway, but for what is hostile in it. */
export function hostileConfig(random: Random, valid: { readonly device: object }): unknown {
  const base = { ...valid, connectTimeoutMs: 200 };
  const keys = ["host", "port", "device", "connectTimeoutMs", "maxMessageBytes", "keepProcessAlive", "signal"];
  const deviceKeys = ["module", "deviceType", "deviceRole", "deviceName", "priority"];
  const withModule = (): unknown => ({ ...base, device: { ...valid.device, module: hostileModule(random) } });
  return oneOf<unknown>(random, [
    () => hostileValue(random),
    () => objectWith(random, keys, base),
    () => ({ ...base, createConnection: () => hostileValue(random) }),
    () => ({ ...base, createConnection: hostileValue(random) }),
    () => ({ ...base, device: objectWith(random, deviceKeys, valid.device) }),
    withModule,
    withModule,
    withModule,
  ]);
}

/** What stands in a source's place. */
export function hostileSource(random: Random): unknown {
  const value = hostileValue(random);
  const ended = { next: () => ({ done: true, value: undefined }) };
  return oneOf<unknown>(random, [
    () => value,
    () => [value, hostileValue(random)],
    () => ({ [Symbol.asyncIterator]: value }),
    () => ({ [Symbol.asyncIterator]: () => value }),
    () => ({ [Symbol.iterator]: () => objectWith(random, ["next", "return"], ended) }),
    () => ({ [Symbol.asyncIterator]: () => ({ next: () => value }) }),
    () => ({ [Symbol.iterator]: () => ({ next: () => ({ done: false, value }), return: boom }) }),
    () => ({ [Symbol.iterator]: () => ({ next: () => withGetter("value", { done: false }), return: () => value }) }),
    () => every(value as never, () => value),
    () => every(1, value as never),
  ]);
}
