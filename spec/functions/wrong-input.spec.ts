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
import type { TestingGateway } from "../../lib/testing.js";
import { button, configFor, endAll, openClient, openGateway } from "../support/opened.js";

afterEach(endAll);

function throwing(field: string, thrown: unknown): object {
  return Object.defineProperty({}, field, {
    enumerable: true,
    get() {
      throw thrown;
    },
  });
}

function revokedProxy(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

function detached(): Uint8Array {
  const bytes = Uint8Array.of(1, 2, 3);
  structuredClone(bytes, { transfer: [bytes.buffer] });
  return bytes;
}

function moduleOf(number: number): object {
  const codec = { encode: () => Uint8Array.of(1), decode: () => 1 };
  return { name: "module", number, status: codec, command: codec };
}

const LONE_SURROGATE = "\ud800";

const PORT = "a whole number from 1 to 65535";
const HOST = "a host name, an IPv4 or an IPv6 address";
const UINT32 = "a whole number from 0 to 4294967295";
const MODULE = "a whole number from 0 to 2147483647 or a Module";
const TEXT = "a string without lone surrogates";
const MILLISECONDS = "a number of milliseconds above 0 and up to 2147483647";
const MESSAGE_BYTES = "a whole number from 1 to 4294967295";

describe("a wrong configuration", () => {
  const wrongFields: [string, unknown, string, string][] = [
    ["port", 0, "0", PORT],
    ["port", -1, "-1", PORT],
    ["port", 65_536, "65536", PORT],
    ["port", 1.5, "1.5", PORT],
    ["port", NaN, "NaN", PORT],
    ["port", "8888", "'8888'", PORT],
    ["port", 8888n, "8888n", PORT],
    ["port", null, "null", PORT],
    ["port", undefined, "undefined", PORT],
    ["host", "", "''", HOST],
    ["host", 127, "127", HOST],
    ["host", null, "null", HOST],
    ["host", "tcp://127.0.0.1", "'tcp://127.0.0.1'", `${HOST}, without a scheme`],
    ["host", "127.0.0.1:1636", "'127.0.0.1:1636'", `${HOST}, without a port: use config.port`],
    ["host", "[::1]:1636", "'[::1]:1636'", `${HOST}, without a port: use config.port`],
    ["host", "[::1]", "'[::1]'", `${HOST}, without brackets`],
    ["host", "gate way", "'gate way'", `${HOST}, without white space`],
    ["host", "gateway\0", "'gateway\\x00'", `${HOST}, without control characters`],
    ["createConnection", "tls", "'tls'", "a function"],
    ["keepProcessAlive", "no", "'no'", "true or false"],
    ["host", undefined, "undefined", HOST],
    ["connectTimeoutMs", 0, "0", MILLISECONDS],
    ["connectTimeoutMs", -1, "-1", MILLISECONDS],
    ["connectTimeoutMs", NaN, "NaN", MILLISECONDS],
    ["connectTimeoutMs", Infinity, "Infinity", MILLISECONDS],
    ["connectTimeoutMs", 2 ** 31, "2147483648", MILLISECONDS],
    ["connectTimeoutMs", "4000", "'4000'", MILLISECONDS],
    ["connectTimeoutMs", null, "null", MILLISECONDS],
    ["maxMessageBytes", 0, "0", MESSAGE_BYTES],
    ["maxMessageBytes", 0.5, "0.5", MESSAGE_BYTES],
    ["maxMessageBytes", 2 ** 32, "4294967296", MESSAGE_BYTES],
    ["maxMessageBytes", null, "null", MESSAGE_BYTES],
    ["signal", null, "null", "an AbortSignal"],
    ["signal", new AbortController(), "AbortController", "an AbortSignal"],
    ["signal", {}, "{}", "an AbortSignal"],
    ["device", undefined, "undefined", "an object"],
    ["device", null, "null", "an object"],
    ["device", "button1", "'button1'", "an object"],
    ["device", () => button, "Function", "an object"],
    ["device.module", -1, "-1", MODULE],
    ["device.module", 1.5, "1.5", MODULE],
    ["device.module", 2 ** 31, "2147483648", MODULE],
    ["device.module", "1000", "'1000'", MODULE],
    ["device.module", undefined, "undefined", MODULE],
    ["device.module", null, "null", MODULE],
    ["device.module", {}, "{}", `${MODULE}, as defineModule returns it`],
    ["device.module", moduleOf(-1), "number: -1", `${MODULE}, as defineModule returns it`],
    ["device.module", moduleOf(1.5), "number: 1.5", `${MODULE}, as defineModule returns it`],
    ["device.module", moduleOf(2 ** 31), "number: 2147483648", `${MODULE}, as defineModule returns it`],
    ["device.module", { ...moduleOf(1), status: {} }, "status: {}", `${MODULE}, as defineModule returns it`],
    ["device.deviceType", -1, "-1", UINT32],
    ["device.deviceType", 0.1, "0.1", UINT32],
    ["device.deviceType", 2 ** 32, "4294967296", UINT32],
    ["device.deviceType", null, "null", UINT32],
    ["device.priority", -1, "-1", UINT32],
    ["device.priority", 0.1, "0.1", UINT32],
    ["device.priority", 2 ** 32, "4294967296", UINT32],
    ["device.priority", "0", "'0'", UINT32],
    ["device.priority", null, "null", UINT32],
    ["device.deviceRole", undefined, "undefined", TEXT],
    ["device.deviceRole", 7, "7", TEXT],
    ["device.deviceRole", Buffer.from("left"), "Buffer", TEXT],
    ["device.deviceRole", `left${LONE_SURROGATE}`, "'left\\ud800'", TEXT],
    ["device.deviceName", null, "null", TEXT],
    ["device.deviceName", {}, "{}", TEXT],
    ["device.deviceName", LONE_SURROGATE, "'\\ud800'", TEXT],
  ];

  function withField(gateway: TestingGateway, field: string, value: unknown): Config {
    const ofDevice = field.startsWith("device.");
    const changes = ofDevice ? { device: { ...button, [field.slice(7)]: value } } : { [field]: value };
    return { ...configFor(gateway), ...changes };
  }

  it.each(wrongFields)(
    "with %s %p gives NOT_OK that names it, before any I/O",
    async (field, value, shown, allowed) => {
      const gateway = await openGateway();
      const error = (await connect(withField(gateway, field, value)))._unsafeUnwrapErr();
      expect(error).toMatchObject({ code: "NOT_OK", returnCode: -1, family: "usage" });
      expect(error.message.startsWith(`NOT_OK: config.${field} is `)).toBe(true);
      expect(error.message).toContain(shown);
      expect(error.message.endsWith(`, but must be ${allowed}`)).toBe(true);
      expect(gateway.connections).toBe(0);
    },
  );

  it.each([
    ["undefined", undefined],
    ["null", null],
    ["a number", 8888],
    ["a string", "127.0.0.1:8888"],
    ["a symbol", Symbol("config")],
    ["a function", () => undefined],
  ])("that is %s returns NOT_OK that says so", async (_, config) => {
    const error = (await connect(config as never))._unsafeUnwrapErr();
    expect(error).toMatchObject({ code: "NOT_OK", family: "usage" });
    expect(error.message).toMatch(/^NOT_OK: config is .+, but must be an object$/);
  });

  it.each([
    ["an array", []],
    ["an empty object", {}],
    ["an object without a prototype", Object.create(null) as object],
    ["a Map", new Map([["host", "127.0.0.1"]])],
  ])("that is %s returns NOT_OK that names the first field missing", async (_, config) => {
    const error = (await connect(config as never))._unsafeUnwrapErr();
    expect(error.message).toBe(`NOT_OK: config.host is undefined, but must be ${HOST}`);
  });

  it("that is a revoked proxy returns NOT_OK", async () => {
    const error = (await connect(revokedProxy() as never))._unsafeUnwrapErr();
    expect(error).toMatchObject({ code: "NOT_OK", family: "usage" });
    expect(error.message).toContain("config threw when it was read");
    expect(error.cause).toMatchObject({ name: "TypeError" });
  });

  it("whose device is a revoked proxy returns NOT_OK", async () => {
    const gateway = await openGateway();
    const error = (await connect(configFor(gateway, { device: revokedProxy() as never })))._unsafeUnwrapErr();
    expect(error).toMatchObject({ code: "NOT_OK", family: "usage" });
    expect(error.message).toContain("config.device threw when it was read");
    expect(gateway.connections).toBe(0);
  });

  it.each(["host", "port", "device", "connectTimeoutMs", "maxMessageBytes", "signal"])(
    "whose %s throws when it is read gives NOT_OK that names it, with what was thrown as cause",
    async (field) => {
      const gateway = await openGateway();
      const config = Object.defineProperties(
        { ...configFor(gateway) },
        Object.getOwnPropertyDescriptors(throwing(field, "boom")),
      );
      const error = (await connect(config))._unsafeUnwrapErr();
      expect(error).toMatchObject({ code: "NOT_OK", family: "usage", cause: "boom" });
      expect(error.message).toContain(`config.${field}`);
      expect(gateway.connections).toBe(0);
    },
  );

  it("whose field throws an error of this library still returns NOT_OK", async () => {
    const foreign = (await connect(null as never))._unsafeUnwrapErr();
    Object.assign(foreign, { code: "TIMEOUT_OCCURRED", returnCode: -12 });
    const error = (await connect(throwing("host", foreign) as never))._unsafeUnwrapErr();
    expect(error).toMatchObject({ code: "NOT_OK", family: "usage" });
    expect(error.cause).toBe(foreign);
  });

  it("given to withClient is the same error, and use is not called", async () => {
    const gateway = await openGateway();
    let calls = 0;
    const outcome = await withClient(configFor(gateway, { port: 0 }), () => ++calls);
    expect(outcome._unsafeUnwrapErr().message).toBe(`NOT_OK: config.port is 0, but must be ${PORT}`);
    expect(calls).toBe(0);
    expect(gateway.connections).toBe(0);
  });

  it.each([0, 2 ** 31 - 1])("is none with a module of the number %d", async (number) => {
    const gateway = await openGateway({ modules: [number] });
    const client = await openClient(gateway, {
      device: { ...button, module: moduleOf(number) as Config["device"]["module"] },
    });
    expect(client.device.module).toBe(number);
  });

  it("takes fields that are undefined as left out", async () => {
    const gateway = await openGateway();
    const device = { ...button, priority: undefined };
    const config = { connectTimeoutMs: undefined, maxMessageBytes: undefined, signal: undefined };
    const client = await openClient(gateway, { ...config, device });
    expect(client.device.priority).toBe(0);
  });
});

describe("a use that is not a function", () => {
  it.each([undefined, null, {}, "use"])("%p returns withClient's NOT_OK, before any I/O", async (use) => {
    const gateway = await openGateway();
    const error = (await withClient(configFor(gateway), use as never))._unsafeUnwrapErr();
    expect(error).toMatchObject({ code: "NOT_OK", family: "usage" });
    expect((error as Error).message).toMatch(/^NOT_OK: use is .+, but must be a function$/);
    expect(gateway.connections).toBe(0);
  });
});

describe("a wrong status", () => {
  const wrongStatuses: [string, unknown][] = [
    ["a string", '{"pressed":true}'],
    ["an ArrayBuffer", new ArrayBuffer(4)],
    ["a Uint16Array", Uint16Array.of(1, 2)],
    ["a Uint8ClampedArray", Uint8ClampedArray.of(1, 2)],
    ["a DataView", new DataView(new ArrayBuffer(4))],
    ["an array of numbers", [1, 2, 3]],
    ["undefined", undefined],
    ["null", null],
    ["an object with a length", { length: 1, 0: 1 }],
    ["an object made from Uint8Array's prototype", Object.create(Uint8Array.prototype)],
    ["a proxy of a Uint8Array", new Proxy(Uint8Array.of(1), {})],
    ["a revoked proxy", revokedProxy()],
    ["a Uint8Array whose bytes were transferred away", detached()],
  ];

  it.each(wrongStatuses)("%s returns NOT_OK, is not sent, and the client goes on", async (_, status) => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    for (const send of [sendStatus, exchange]) {
      const error = (await send(client, status as never))._unsafeUnwrapErr();
      expect(error).toMatchObject({ code: "NOT_OK", returnCode: -1, family: "usage" });
      expect(error.message).toMatch(/^NOT_OK: status is .+, but must be a Uint8Array/);
    }
    expect(gateway.statuses()).toEqual([]);
    expect((await exchange(client, Uint8Array.of(7)))._unsafeUnwrap()).toEqual(Uint8Array.of(7));
    expect(gateway.connections).toBe(1);
  });

  it("is not: a Buffer, a part of a larger array, bytes in shared memory", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const shared = new Uint8Array(new SharedArrayBuffer(2));
    shared.set([5, 6]);
    const statuses = [Buffer.from([1, 2]), Uint8Array.of(0, 3, 4, 0).subarray(1, 3), shared];
    for (const status of statuses) (await sendStatus(client, status))._unsafeUnwrap();
    expect(gateway.statuses()).toEqual([Uint8Array.of(1, 2), Uint8Array.of(3, 4), Uint8Array.of(5, 6)]);
  });

  it("larger than maxMessageBytes returns NOT_OK that says how large, and the client goes on", async () => {
    const gateway = await openGateway();
    // Around the status stand 2 + 20 bytes and, for a status of 1 to 127 bytes, its 2.
    const client = await openClient(gateway, { maxMessageBytes: 26 });
    const error = (await exchange(client, new Uint8Array(3)))._unsafeUnwrapErr();
    expect(error).toMatchObject({ code: "NOT_OK", family: "usage" });
    expect(error).toHaveProperty("reason", "too-large");
    expect(error.message).toMatch(/^NOT_OK: status .*27 bytes.* 26/);
    expect((await exchange(client, new Uint8Array(2)))._unsafeUnwrap()).toEqual(new Uint8Array(2));
    expect(gateway.connections).toBe(1);
  });
});

describe("a wrong value is shown", () => {
  async function messageFor(status: unknown): Promise<string> {
    const client = await openClient(await openGateway());
    return (await exchange(client, status as never))._unsafeUnwrapErr().message;
  }

  it("in at most a line, however large it is", async () => {
    const wide = Object.fromEntries(Array.from({ length: 100 }, (_, key) => [`key${key}`, key]));
    const message = await messageFor(wide);
    expect(message).toMatch(/^NOT_OK: status is { key0: 0, key1: 1, .+…, but must be a Uint8Array/);
    expect(message.length).toBeLessThan(200);
  });

  it("without calling what it has for being shown", async () => {
    const show = jest.fn(() => "shown");
    expect(await messageFor({ [inspect.custom]: show })).not.toContain("shown");
    expect(show).not.toHaveBeenCalled();
  });
});

describe("wrong options of a status", () => {
  const wrongOptions: [unknown, string, string][] = [
    [null, "options is null", "an object"],
    [1_000, "options is 1000", "an object"],
    ["1s", "options is '1s'", "an object"],
    [{ timeoutMs: 0 }, "options.timeoutMs is 0", MILLISECONDS],
    [{ timeoutMs: -5 }, "options.timeoutMs is -5", MILLISECONDS],
    [{ timeoutMs: NaN }, "options.timeoutMs is NaN", MILLISECONDS],
    [{ timeoutMs: Infinity }, "options.timeoutMs is Infinity", MILLISECONDS],
    [{ timeoutMs: 2 ** 31 }, "options.timeoutMs is 2147483648", MILLISECONDS],
    [{ timeoutMs: "50" }, "options.timeoutMs is '50'", MILLISECONDS],
    [{ timeoutMs: null }, "options.timeoutMs is null", MILLISECONDS],
    [{ signal: null }, "options.signal is null", "an AbortSignal"],
    [{ signal: true }, "options.signal is true", "an AbortSignal"],
  ];

  it.each(wrongOptions)("%j return NOT_OK, and nothing is sent", async (options, given, allowed) => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    for (const send of [sendStatus, exchange]) {
      const error = (await send(client, Uint8Array.of(1), options as never))._unsafeUnwrapErr();
      expect(error).toMatchObject({ code: "NOT_OK", returnCode: -1, family: "usage" });
      expect(error.message).toBe(`NOT_OK: ${given}, but must be ${allowed}`);
    }
    expect(gateway.statuses()).toEqual([]);
  });

  it.each(["timeoutMs", "signal"])("whose %s throws when it is read return NOT_OK that names it", async (field) => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const error = (await exchange(client, Uint8Array.of(1), throwing(field, "boom")))._unsafeUnwrapErr();
    expect(error).toMatchObject({ code: "NOT_OK", family: "usage", cause: "boom" });
    expect(error.message).toContain(`options.${field}`);
    expect(gateway.statuses()).toEqual([]);
  });

  it("are not: those at the edge of what is allowed, undefined ones", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const fine = [{}, { timeoutMs: undefined, signal: undefined }, { timeoutMs: 2 ** 31 - 1 }];
    for (const options of fine) (await exchange(client, Uint8Array.of(1), options as never))._unsafeUnwrap();
    expect(gateway.statuses()).toHaveLength(3);
  });
});

describe("an option that does not exist", () => {
  it.each([
    ["config.timeout", "config has no property", { timeout: 1 }, {}],
    ["config.connectTimeout", "Did you mean connectTimeoutMs?", { connectTimeout: 1 }, {}],
    ["config.Host", "Did you mean host?", { Host: "gateway" }, {}],
    ["config.prot", "Did you mean port?", { prot: 1 }, {}],
    ["config.device.piority", "Did you mean priority?", { device: { ...button, piority: 1 } }, {}],
    ["config.device.role", "Did you mean deviceRole?", { device: { ...button, devicerole: "x" } }, {}],
    ["options.timeout", "Did you mean timeoutMs?", {}, { timeout: 1 }],
    ["options.sginal", "Did you mean signal?", {}, { sginal: undefined }],
    ["options.ti", "Its properties are timeoutMs, signal.", {}, { ti: 1 }],
    ["options.speed", "Its properties are timeoutMs, signal.", {}, { speed: 1 }],
  ])("%s is NOT_OK and names the most similar one", async (_, hint, ofConfig, ofOptions) => {
    const gateway = await openGateway();
    const outcome = await withClient({ ...configFor(gateway), ...ofConfig }, (client) =>
      exchange(client, Uint8Array.of(1), ofOptions as never),
    );
    const error = outcome._unsafeUnwrapErr();
    expect(error).toMatchObject({ code: "NOT_OK", reason: "invalid-argument" });
    expect(error.message).toContain(hint);
    expect(gateway.statuses()).toEqual([]);
  });
});

describe("a signal that is not a real one", () => {
  const neverAborted = { aborted: false, reason: undefined, removeEventListener: () => undefined };
  const strange: [string, object][] = [
    ["whose addEventListener throws", { ...neverAborted, addEventListener: throwOnCall }],
    ["without removeEventListener", { aborted: false, addEventListener: () => undefined }],
    [
      "whose removeEventListener throws",
      { ...neverAborted, addEventListener: () => 0, removeEventListener: throwOnCall },
    ],
    ["whose reason throws", Object.assign(throwing("reason", "boom"), { aborted: true, addEventListener: () => 0 })],
    ["whose aborted throws", Object.assign(throwing("aborted", "boom"), { addEventListener: () => 0 })],
    ["that is a revoked proxy", revokedProxy()],
  ];

  function throwOnCall(): never {
    throw new Error("boom");
  }

  it.each(strange)("%s never makes connect throw or reject", async (_, signal) => {
    const gateway = await openGateway();
    const outcome = await connect(configFor(gateway, { signal: signal as never }));
    const error = outcome._unsafeUnwrapErr();
    expect(error).toMatchObject({ code: "NOT_OK", family: "usage" });
    expect(error.message).toContain("config.signal");
    expect(gateway.connections).toBe(0);
  });

  it.each(strange)("%s never makes exchange throw or reject, and the client goes on", async (_, signal) => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const error = (await exchange(client, Uint8Array.of(1), { signal: signal as never }))._unsafeUnwrapErr();
    expect(error).toMatchObject({ code: "NOT_OK", family: "usage" });
    expect(error.message).toContain("options.signal");
    expect((await exchange(client, Uint8Array.of(2)))._unsafeUnwrap()).toEqual(Uint8Array.of(2));
  });
});

describe("what is not a handle", () => {
  const noHandles: [string, unknown][] = [
    ["undefined", undefined],
    ["null", null],
    ["a number", 7],
    ["a string", "handle"],
    ["a function", () => undefined],
    ["an empty object", {}],
    ["an object with a handle's fields", { host: "127.0.0.1", port: 1636, device: { ...button, priority: 0 } }],
    ["a Result", { isOk: () => true, isErr: () => false, value: {} }],
    ["a revoked proxy", revokedProxy()],
  ];

  async function expectNoContext(handle: ClientHandle): Promise<void> {
    const outcomes = [
      await sendStatus(handle, Uint8Array.of(1)),
      await exchange(handle, Uint8Array.of(1)),
      getCommand(handle),
    ];
    for (const outcome of outcomes) {
      const error = outcome._unsafeUnwrapErr();
      expect(error).toMatchObject({ code: "CONTEXT_INCORRECT", returnCode: -11, family: "usage" });
      expect(error.message).toMatch(/^CONTEXT_INCORRECT: /);
    }
    for (const stream of [commands(handle), sendStatuses(handle, [Uint8Array.of(1)])]) {
      expect((await stream.next()).value?._unsafeUnwrapErr().code).toBe("CONTEXT_INCORRECT");
      expect(await stream.next()).toEqual({ done: true, value: undefined });
    }
    await expect(destroy(handle)).resolves.toMatchObject({ value: undefined });
  }

  it.each(noHandles)("%s returns CONTEXT_INCORRECT from every function, and never a TypeError", async (_, handle) => {
    await expectNoContext(handle as ClientHandle);
  });

  it("nor does the handle of a destroyed client work", async () => {
    const client = await openClient(await openGateway());
    await destroy(client);
    await expectNoContext(client);
  });

  it("returns CONTEXT_INCORRECT whatever else is wrong too", async () => {
    const error = (await exchange(null as never, "text", null as never))._unsafeUnwrapErr();
    expect(error.code).toBe("CONTEXT_INCORRECT");
  });
});

describe("what was probably meant as a handle", () => {
  it.each([
    ["a promise", Promise.resolve({}), "it is a promise. Await it first."],
    ["a Result that was not unwrapped", ok({}), "it is a Result. Unwrap it first."],
    ["a copy", { host: "127.0.0.1" }, "pass the handle that connect() returned, not a copy of it"],
  ])("%s: the error says what is missing", async (_, given, hint) => {
    const error = (await exchange(given as never, Uint8Array.of(1) as never))._unsafeUnwrapErr();
    expect(error).toMatchObject({ code: "CONTEXT_INCORRECT", reason: "no-handle" });
    expect(error.message).toContain(hint);
  });
});

describe("wrong options of commands", () => {
  const wrongMarks: [unknown, string, string][] = [
    [null, "options is null", "an object"],
    [7, "options is 7", "an object"],
    [{ highWaterMark: 0 }, "options.highWaterMark is 0", MESSAGE_BYTES],
    [{ highWaterMark: -1 }, "options.highWaterMark is -1", MESSAGE_BYTES],
    [{ highWaterMark: 1.5 }, "options.highWaterMark is 1.5", MESSAGE_BYTES],
    [{ highWaterMark: Infinity }, "options.highWaterMark is Infinity", MESSAGE_BYTES],
    [{ highWaterMark: "9" }, "options.highWaterMark is '9'", MESSAGE_BYTES],
    [{ highWaterMark: null }, "options.highWaterMark is null", MESSAGE_BYTES],
    [{ signal: null }, "options.signal is null", "an AbortSignal"],
  ];

  it.each(wrongMarks)("%j are NOT_OK as the only item", async (options, given, allowed) => {
    const client = await openClient(await openGateway());
    const stream = commands(client, options as never);
    expect((await stream.next()).value?._unsafeUnwrapErr()).toMatchObject({
      code: "NOT_OK",
      family: "usage",
      message: `NOT_OK: ${given}, but must be ${allowed}`,
    });
    await expect(stream.next()).resolves.toEqual({ done: true, value: undefined });
  });

  it("that throw when they are read do the same", async () => {
    const client = await openClient(await openGateway());
    const stream = commands(client, throwing("highWaterMark", "boom"));
    const error = (await stream.next()).value?._unsafeUnwrapErr();
    expect(error).toMatchObject({ code: "NOT_OK", family: "usage", cause: "boom" });
  });

  it("are told of no more once the iteration is left", async () => {
    const stream = commands(await openClient(await openGateway()), null as never);
    await stream.return?.();
    expect(await stream.next()).toEqual({ done: true, value: undefined });
    const ofNoHandle = commands(null as never);
    await ofNoHandle.return?.();
    expect(await ofNoHandle.next()).toEqual({ done: true, value: undefined });
  });

  it("that nobody reads cause no unhandled rejection", () => {
    expect(() => commands(null as never, null as never)).not.toThrow();
  });
});
