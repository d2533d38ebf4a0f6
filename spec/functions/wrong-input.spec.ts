import { inspect } from "node:util";
import { afterEach, describe, expect, it, jest } from "@jest/globals";
import {
  commands,
  connect,
  destroy,
  exchange,
  getCommand,
  ok,
  sendStatus,
  sendStatuses,
  withClient,
  type ClientHandle,
  type Config,
} from "../../lib/index.js";
import { boom, detached, revoked, withGetter } from "../support/hostile-values.js";
import { button, configFor, endAll, openButton, openClient, openGateway } from "../support/opened.js";

afterEach(endAll);

const END = { done: true, value: undefined };
const ONE = Uint8Array.of(1);

class Longer extends Uint8Array {
  override get length(): number {
    return 4096;
  }
}

function moduleOf(number: number, status: object = { encode: () => ONE, decode: () => 1 }): Config["device"]["module"] {
  return { name: "module", number, status, command: status } as never;
}

const PORT = "a whole number from 1 to 65535";
const HOST = "a host name, an IPv4 or an IPv6 address";
const UINT32 = "a whole number from 0 to 4294967295";
const ROLE = "config.device.deviceRole";
const COUNT = "a whole number from 1 to 4294967295";
const MODULE = "a whole number from 0 to 2147483647 or a Module";
const DEFINED = `${MODULE}, as defineModule returns it`;
const MILLISECONDS = "a number of milliseconds above 0 and up to 2147483647";

describe("a wrong configuration is NOT_OK that says so, before any I/O:", () => {
  it.each<[message: string, changes: object]>([
    [`config.port is 0, but must be ${PORT}`, { port: 0 }],
    [`config.port is 65536, but must be ${PORT}`, { port: 65_536 }],
    [`config.port is 1.5, but must be ${PORT}`, { port: 1.5 }],
    [`config.port is '8888', but must be ${PORT}`, { port: "8888" }],
    [`config.port is undefined, but must be ${PORT}`, { port: undefined }],
    [`config.host is '', but must be ${HOST}`, { host: "" }],
    [`config.host is 127, but must be ${HOST}`, { host: 127 }],
    [`config.host is 'tcp://127.0.0.1', but must be ${HOST}, without a scheme`, { host: "tcp://127.0.0.1" }],
    [`config.host is 'gw:1636', but must be ${HOST}, without a port: use config.port`, { host: "gw:1636" }],
    [`config.host is '[::1]:1636', but must be ${HOST}, without a port: use config.port`, { host: "[::1]:1636" }],
    [`config.host is '[::1]', but must be ${HOST}, without brackets`, { host: "[::1]" }],
    [`config.host is 'gate way', but must be ${HOST}, without white space`, { host: "gate way" }],
    [`config.host is 'gateway\\x00', but must be ${HOST}, without control characters`, { host: "gateway\0" }],
    ["config.createConnection is 'tls', but must be a function", { createConnection: "tls" }],
    ["config.keepProcessAlive is 'no', but must be true or false", { keepProcessAlive: "no" }],
    [`config.connectTimeoutMs is 0, but must be ${MILLISECONDS}`, { connectTimeoutMs: 0 }],
    [`config.connectTimeoutMs is 2147483648, but must be ${MILLISECONDS}`, { connectTimeoutMs: 2 ** 31 }],
    [`config.connectTimeoutMs is null, but must be ${MILLISECONDS}`, { connectTimeoutMs: null }],
    [`config.maxMessageBytes is 0, but must be ${COUNT}`, { maxMessageBytes: 0 }],
    [`config.maxMessageBytes is 4294967296, but must be ${COUNT}`, { maxMessageBytes: 2 ** 32 }],
    ["config.signal is null, but must be an AbortSignal", { signal: null }],
    ["config.signal is {}, but must be an AbortSignal", { signal: {} }],
    ["config.device is undefined, but must be an object", { device: undefined }],
    ["config.device is 'button1', but must be an object", { device: "button1" }],
    [`config.device.module is undefined, but must be ${MODULE}`, { device: { ...button, module: undefined } }],
    [`config.device.module is -1, but must be ${MODULE}`, { device: { ...button, module: -1 } }],
    [`config.device.module is 2147483648, but must be ${MODULE}`, { device: { ...button, module: 2 ** 31 } }],
    [`config.device.module is '1000', but must be ${MODULE}`, { device: { ...button, module: "1000" } }],
    [`config.device.module is {}, but must be ${DEFINED}`, { device: { ...button, module: {} } }],
    [`config.device.deviceType is -1, but must be ${UINT32}`, { device: { ...button, deviceType: -1 } }],
    [`config.device.deviceType is 4294967296, but must be ${UINT32}`, { device: { ...button, deviceType: 2 ** 32 } }],
    [`config.device.priority is -1, but must be ${UINT32}`, { device: { ...button, priority: -1 } }],
    [`config.device.priority is 4294967296, but must be ${UINT32}`, { device: { ...button, priority: 2 ** 32 } }],
    [`${ROLE} is 7, but must be a string`, { device: { ...button, deviceRole: 7 } }],
    [
      `${ROLE} is 'l\\ud800', but must be a string without lone surrogates`,
      { device: { ...button, deviceRole: "l\ud800" } },
    ],
    [`config.device.deviceName is null, but must be a string`, { device: { ...button, deviceName: null } }],
    ['config has no property "connectTimeout". Did you mean connectTimeoutMs?', { connectTimeout: 1 }],
    ['config has no property "Host". Did you mean host?', { Host: "gateway" }],
    ['config has no property "prot". Did you mean port?', { prot: 1 }],
    ['config.device has no property "piority". Did you mean priority?', { device: { ...button, piority: 1 } }],
    ["config.host threw when it was read. Cause: hostile", withGetter("host")],
    ["config.device threw when it was read. Cause: hostile", withGetter("device")],
    ["config.device.module threw when it was read. Cause: hostile", { device: withGetter("module", { ...button }) }],
  ])("%s", async (message, changes) => {
    const gateway = await openGateway();
    const config = Object.defineProperties({ ...configFor(gateway) }, Object.getOwnPropertyDescriptors(changes));
    const error = (await connect(config))._unsafeUnwrapErr();
    expect(error).toMatchObject({ code: "NOT_OK", returnCode: -1, family: "usage", reason: "invalid-argument" });
    expect(error.message).toBe(`NOT_OK: ${message}`);
    expect(gateway.connections).toBe(0);
  });

  it.each([
    ["of the number -1", moduleOf(-1)],
    ["of the number 1.5", moduleOf(1.5)],
    ["of the number 2^31", moduleOf(2 ** 31)],
    ["without codecs", moduleOf(1, {})],
  ])("a module %s", async (_, module) => {
    const config = { host: "127.0.0.1", port: 1, device: { ...button, module } };
    const { message } = (await connect(config))._unsafeUnwrapErr();
    expect(message).toMatch(new RegExp(`^NOT_OK: config.device.module is .*, but must be ${DEFINED}$`));
  });

  it.each<[message: string, config: unknown]>([
    ["config is undefined, but must be an object", undefined],
    ["config is Symbol(config), but must be an object", Symbol("config")],
    ["config is [Function: connect], but must be an object", connect],
    [`config.host is undefined, but must be ${HOST}`, []],
    ["config threw when it was read. Cause: Cannot perform 'ownKeys' on a proxy that has been revoked", revoked()],
  ])("%s", async (message, config) => {
    const error = (await connect(config as never))._unsafeUnwrapErr();
    expect(error).toMatchObject({ code: "NOT_OK", family: "usage", message: `NOT_OK: ${message}` });
  });

  it("one that throws an error of this library, which is the cause", async () => {
    const foreign = getCommand(null as never)._unsafeUnwrapErr();
    const config = {
      get host() {
        throw foreign;
      },
    };
    const error = (await connect(config as never))._unsafeUnwrapErr();
    expect(error).toMatchObject({ code: "NOT_OK", family: "usage", cause: foreign });
  });

  it.each([undefined, {}])("a use of withClient that is %p, which is no function", async (use) => {
    const gateway = await openGateway();
    const error = (await withClient(configFor(gateway), use as never))._unsafeUnwrapErr() as Error;
    expect(error.message).toMatch(/^NOT_OK: argument use is .+, but must be a function$/);
    expect(gateway.connections).toBe(0);
  });
});

describe("a right configuration", () => {
  it.each([0, 2 ** 31 - 1])("may have a module of the number %d", async (number) => {
    const device = { ...button, module: moduleOf(number) };
    const { client } = await openButton({ modules: [number] }, { device });
    expect(client.device.module).toBe(number);
  });

  it("may have fields that are undefined, as if they were left out", async () => {
    const device = { ...button, priority: undefined };
    const left = { connectTimeoutMs: undefined, maxMessageBytes: undefined, signal: undefined };
    const { client } = await openButton(undefined, { ...left, device });
    expect(client.device.priority).toBe(0);
  });
});

describe("a wrong status", () => {
  it.each<[string, unknown]>([
    ["a string", '{"pressed":true}'],
    ["an ArrayBuffer", new ArrayBuffer(4)],
    ["a Uint16Array", Uint16Array.of(1, 2)],
    ["a Uint8ClampedArray", Uint8ClampedArray.of(1, 2)],
    ["an array of numbers", [1, 2, 3]],
    ["undefined", undefined],
    ["an object made from Uint8Array's prototype", Object.create(Uint8Array.prototype)],
    ["a proxy of a Uint8Array", new Proxy(ONE, {})],
    ["a revoked proxy", revoked()],
    ["a Uint8Array whose bytes were transferred away", detached()],
    ["a Uint8Array of another length, whose frame would have what the memory held before", new Longer(3)],
    ["a Uint8Array with a length of its own", Object.defineProperty(Uint8Array.of(1), "length", { value: 100 })],
    ["a value that cannot even be printed", withGetter(Symbol.toStringTag)],
  ])("%s returns NOT_OK, is not sent, and the client goes on", async (_, status) => {
    const { gateway, client } = await openButton();
    for (const send of [sendStatus, exchange]) {
      const error = (await send(client, status as never))._unsafeUnwrapErr();
      expect(error).toMatchObject({ code: "NOT_OK", returnCode: -1, family: "usage" });
      expect(error.message).toMatch(/^NOT_OK: argument status is .+, but must be a Uint8Array/);
    }
    expect((await exchange(client, ONE))._unsafeUnwrap()).toEqual(ONE);
    expect(gateway.statuses()).toEqual([ONE]);
    expect(gateway.connections).toBe(1);
  });

  it("is not: a Buffer, a part of a larger array, bytes in shared memory", async () => {
    const { gateway, client } = await openButton();
    const shared = new Uint8Array(new SharedArrayBuffer(2));
    shared.set([5, 6]);
    const statuses = [Buffer.from([1, 2]), Uint8Array.of(0, 3, 4, 0).subarray(1, 3), shared];
    for (const status of statuses) (await sendStatus(client, status))._unsafeUnwrap();
    expect(gateway.statuses()).toEqual([Uint8Array.of(1, 2), Uint8Array.of(3, 4), Uint8Array.of(5, 6)]);
  });

  it("is shown in at most a line, however large it is, and without calling what it has for being shown", async () => {
    const { client } = await openButton();
    const show = jest.fn(() => "shown");
    const wide = Object.fromEntries(Array.from({ length: 100 }, (_, key) => [`key${key}`, key]));
    const { message } = (await exchange(client, { ...wide, [inspect.custom]: show } as never))._unsafeUnwrapErr();
    expect(message).toMatch(/^NOT_OK: argument status is { key0: 0, key1: 1, .+…, but must be a Uint8Array/);
    expect(message.length).toBeLessThan(200);
    expect(show).not.toHaveBeenCalled();
  });
});

it.each<[message: string, options: unknown]>([
  ["options is null, but must be an object", null],
  [`options.timeoutMs is 0, but must be ${MILLISECONDS}`, { timeoutMs: 0 }],
  [`options.timeoutMs is -5, but must be ${MILLISECONDS}`, { timeoutMs: -5 }],
  [`options.timeoutMs is Infinity, but must be ${MILLISECONDS}`, { timeoutMs: Infinity }],
  ["options.signal is null, but must be an AbortSignal", { signal: null }],
  ["options.timeoutMs threw when it was read. Cause: hostile", withGetter("timeoutMs")],
  ["options.signal threw when it was read. Cause: hostile", withGetter("signal")],
  ['options has no property "timeout". Did you mean timeoutMs?', { timeout: 1 }],
  ['options has no property "sginal". Did you mean signal?', { sginal: undefined }],
  ['options has no property "ti". Its properties are timeoutMs, signal.', { ti: 1 }],
  ['options has no property "speed". Its properties are timeoutMs, signal.', { speed: 1 }],
])("wrong options of a status are NOT_OK that says so, and nothing is sent: %s", async (message, options) => {
  const { gateway, client } = await openButton();
  for (const send of [sendStatus, exchange]) {
    const error = (await send(client, ONE, options as never))._unsafeUnwrapErr();
    expect(error).toMatchObject({ code: "NOT_OK", family: "usage", reason: "invalid-argument" });
    expect(error.message).toBe(`NOT_OK: ${message}`);
  }
  expect(gateway.statuses()).toEqual([]);
});

describe("a signal that is not a real one", () => {
  const neverAborted = { aborted: false, reason: undefined, removeEventListener: () => undefined };

  it.each<[string, object]>([
    ["whose addEventListener throws", { ...neverAborted, addEventListener: boom }],
    ["without removeEventListener", { aborted: false, addEventListener: () => undefined }],
    ["whose reason throws", withGetter("reason", { aborted: true, addEventListener: () => 0 })],
    ["whose aborted throws", withGetter("aborted", { addEventListener: () => 0 })],
    ["whose aborted throws, though it is made from a real one", withGetter("aborted", new AbortController().signal)],
    ["that is a proxy of one", new Proxy(new AbortController().signal, {})],
  ])("%s is NOT_OK for connect and exchange, and the client goes on", async (_, signal) => {
    const { gateway, client } = await openButton();
    const options = { signal: signal as never };
    for (const outcome of [await connect(configFor(gateway, options)), await exchange(client, ONE, options)]) {
      const { message } = outcome._unsafeUnwrapErr();
      expect(message).toMatch(/^NOT_OK: (config|options)\.signal is .*, but must be an AbortSignal$/s);
    }
    expect((await exchange(client, ONE))._unsafeUnwrap()).toEqual(ONE);
    expect(gateway.connections).toBe(1);
  });

  it("is not: one whose own methods throw, which harms neither the call nor the client", async () => {
    const methods = { addEventListener: boom, removeEventListener: boom };
    const gateway = await openGateway();
    const client = await openClient(gateway, { signal: Object.assign(new AbortController().signal, methods) });
    const signal = Object.assign(new AbortController().signal, methods);
    expect((await exchange(client, ONE, { signal }))._unsafeUnwrap()).toEqual(ONE);
    expect((await exchange(client, ONE))._unsafeUnwrap()).toEqual(ONE);
  });
});

describe("what is not a handle", () => {
  const HINT = "Pass the handle that connect() returned";

  it.each<[string, unknown, string?]>([
    ["undefined", undefined],
    ["a string", "handle"],
    ["a function", () => undefined],
    ["an object with a handle's fields", { host: "127.0.0.1", port: 1636, device: { ...button, priority: 0 } }],
    ["an empty object under a handle's key", { [Symbol.for("fleet-internal-client.client.2")]: {} }],
    ["a revoked proxy", revoked()],
    ["a Result", ok({}), "it is a Result. Unwrap it first."],
    ["a promise", Promise.resolve({}), "it is a promise. Await it first."],
  ])("%s returns CONTEXT_INCORRECT from every function", async (_, wrong, hint = HINT) => {
    const handle = wrong as ClientHandle;
    const streams = [commands(handle), sendStatuses(handle, [ONE])];
    const items = await Promise.all(streams.map(async (stream) => (await stream.next()).value!));
    for (const outcome of [await sendStatus(handle, ONE), await exchange(handle, ONE), getCommand(handle), ...items]) {
      const error = outcome._unsafeUnwrapErr();
      expect(error).toMatchObject({ code: "CONTEXT_INCORRECT", returnCode: -11, family: "usage" });
      expect(error.message).toContain(hint);
    }
    for (const stream of streams) expect(await stream.next()).toEqual(END);
    expect((await destroy(handle)).isOk()).toBe(true);
  });

  it("returns CONTEXT_INCORRECT whatever else is wrong too", async () => {
    const { client } = await openButton();
    await destroy(client);
    for (const handle of [null as never, client]) {
      const outcomes = [
        await exchange(handle, "text" as never, null as never),
        await sendStatus(handle, ONE, { timeoutMs: -1 }),
        (await commands(handle, { highWaterMark: -1 }).next()).value!,
      ];
      for (const outcome of outcomes) expect(outcome._unsafeUnwrapErr().code).toBe("CONTEXT_INCORRECT");
    }
  });
});

describe("wrong options of commands are NOT_OK as the only item:", () => {
  it.each<[message: string, options: unknown]>([
    ["options is null, but must be an object", null],
    [`options.highWaterMark is 0, but must be ${COUNT}`, { highWaterMark: 0 }],
    [`options.highWaterMark is 1.5, but must be ${COUNT}`, { highWaterMark: 1.5 }],
    [`options.highWaterMark is null, but must be ${COUNT}`, { highWaterMark: null }],
    ["options.signal is null, but must be an AbortSignal", { signal: null }],
    ["options.highWaterMark threw when it was read. Cause: hostile", withGetter("highWaterMark")],
  ])("%s", async (message, options) => {
    const { client } = await openButton();
    const stream = commands(client, options as never);
    const error = (await stream.next()).value?._unsafeUnwrapErr();
    expect(error).toMatchObject({ code: "NOT_OK", family: "usage", message: `NOT_OK: ${message}` });
    expect(await stream.next()).toEqual(END);
  });

  it("none is told once the iteration is left", async () => {
    const { client } = await openButton();
    for (const stream of [commands(client, null as never), commands(null as never)]) {
      await stream.return?.();
      expect(await stream.next()).toEqual(END);
    }
  });
});
