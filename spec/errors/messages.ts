import { maxValue, number, object, pipe } from "valibot";
import {
  checkedCommandsOptions,
  checkedConfig,
  checkedDeviceOptions,
  checkedSourceOptions,
  checkedStatus,
  checkedStatusOptions,
} from "../../lib/client/arguments.js";
import { CommandReaders } from "../../lib/client/command-readers.js";
import {
  abortedError,
  destroyedError,
  errorOf,
  noCommandError,
  noHandleError,
  queueFullError,
  tooLargeError,
  type Aftermath,
} from "../../lib/client/failure-error.js";
import { describeEndpoint } from "../../lib/client/handle.js";
import { readCommand, writeStatus } from "../../lib/codecs/payloads.js";
import {
  connect,
  defineModule,
  destroy,
  every,
  json,
  ok,
  protobuf,
  runDevice,
  sendStatuses,
  text,
  withClient,
  type Config,
} from "../../lib/index.js";
import { carAccessory } from "../../lib/modules/car-accessory.js";
import { example } from "../../lib/modules/example.js";
import { AutonomyCommand } from "../../lib/modules/mission-protobuf.js";
import { failureOf, type Circumstances, type FirstAttempt, type Trouble } from "../../lib/protocol/failures.js";
import { TRANSITIONS, type Action, type State } from "../../lib/protocol/transitions.js";
import { startGateway } from "../../lib/testing.js";
import { configFor, endAll, openGateway } from "../support/opened.js";
import { VirtualDevice } from "../support/virtual-device.js";
import { BUTTON, button, byte, connectedOf, framed, payloadOf, refused } from "../testing/wire.js";

/** An error's message, and when a user meets it. */
export interface Shown {
  readonly when: string;
  readonly message: string;
}

export type Section = readonly [title: string, shown: readonly Shown[]];

const endpoint = describeEndpoint({ host: "127.0.0.1", port: 1636, device: button });

/** Every message that the library's errors can have. */
export async function everyMessage(): Promise<readonly Section[]> {
  return [
    ["A failed connect", failures(["opening", "handshaking"], "Nothing is left open.")],
    ["A failed status; the client lives", failures(["awaiting", "rehandshaking", "awaitingAgain"], LIVES)],
    ["A failed status; the client is destroyed", failures(["reopening", "rehandshaking", "awaitingAgain"], ENDS)],
    ["Using a client", await uses()],
    ["Payloads", payloads()],
    ["Functions of yours", await functionsOfYours()],
    ["Arguments", await wrongArguments()],
    ["Definitions of modules", definitions()],
    ["The testing gateway", await testingGateway()],
  ];
}

// ——— failures: whatever the table of transitions lets happen ———

const LIVES = "The client lives and reconnects with the next status.";
const ENDS = "The client is destroyed; connect again.";
const ACTIONS: Readonly<Partial<Record<Aftermath, readonly Action[]>>> = {
  "Nothing is left open.": ["end"],
  [LIVES]: ["fail"],
  [ENDS]: ["end", "askAgain"],
};

function failures(states: readonly State[], aftermath: Aftermath): Shown[] {
  const troubles = everyTrouble();
  return unique(
    states.flatMap((state) =>
      troubles
        .filter(({ kind }) => ACTIONS[aftermath]?.includes(TRANSITIONS[kind][state]))
        .flatMap((input) => attemptsBefore(state).map((firstAttempt) => ({ state, firstAttempt, input })))
        .map(({ input, ...now }) => ({ when: input.kind, message: messageOf(input, now, aftermath) })),
    ),
  );
}

function messageOf(input: Trouble, now: Omit<Circumstances, "timeoutMs">, aftermath: Aftermath): string {
  const failure = failureOf(input, { ...now, timeoutMs: 10_000 });
  return errorOf(failure as never, endpoint, aftermath).message;
}

function attemptsBefore(state: State): readonly FirstAttempt[] {
  if (state === "reopening" || state === "rehandshaking") return ["unsent", "closed", "timed out"];
  return state === "awaitingAgain" ? ["closed", "timed out"] : ["closed"];
}

function everyTrouble(): Trouble[] {
  return [
    { kind: "closed", cause: undefined },
    { kind: "closed", cause: new Error("connect ECONNREFUSED 127.0.0.1:1636") },
    { kind: "deadline", cause: undefined },
    { kind: "accepted" },
    { kind: "refused", code: "DEVICE_ALREADY_CONNECTED" },
    { kind: "refused", code: "MODULE_NOT_SUPPORTED" },
    { kind: "refused", code: "DEVICE_TYPE_NOT_SUPPORTED" },
    { kind: "refused", code: "HIGHER_PRIORITY_ALREADY_CONNECTED" },
    { kind: "foreign", detail: detailOf(payloadOf(OTHER, "01")) },
    { kind: "misaddressed", detail: detailOf(connectedOf(OTHER)) },
    { kind: "misaddressed", detail: detailOf(framed("12021200")) },
    { kind: "garbage", detail: detailOf(refused(99)) },
    { kind: "garbage", detail: detailOf(framed("1a00")) },
    { kind: "garbage", detail: detailOf(framed("12ff")) },
    { kind: "garbage", detail: detailOf("00000000") },
    { kind: "garbage", detail: detailOf("ffffff7f") },
  ];
}

const OTHER = `${BUTTON}28${byte(7)}`;

/** What the client says of that frame, if it comes while no status is in flight. */
function detailOf(frame: string): string {
  const device = VirtualDevice.idle();
  device.receive(frame);
  for (const { effect } of device.effects) {
    if (effect.kind === "dropped") return effect.failure.message;
    if (effect.kind === "ignored") return effect.message;
  }
  throw new Error(`${frame} is no trouble`);
}

// ——— the rest: each is brought about as a user would ———

async function uses(): Promise<Shown[]> {
  const reason = new DOMException("This operation was aborted", "AbortError");
  const late = failureOf(
    { kind: "deadline", cause: undefined },
    { state: "awaitingAgain", firstAttempt: "timed out", timeoutMs: 10_000 },
  );
  return [
    { when: "getCommand before any command", message: noCommandError(endpoint).message },
    { when: "a client that its owner destroyed", message: destroyedError(endpoint, undefined).message },
    {
      when: "a client that a failed status destroyed",
      message: destroyedError(endpoint, errorOf(late as never, endpoint, ENDS)).message,
    },
    { when: "a promise in place of the handle", message: noHandleError(Promise.resolve()).message },
    { when: "a Result in place of the handle", message: noHandleError(ok(1)).message },
    { when: "anything else in place of the handle", message: noHandleError({}).message },
    { when: "an aborted connect", message: abortedError(endpoint, reason, "Nothing is left open.").message },
    { when: "an aborted status", message: abortedError(endpoint, reason).message },
    { when: "one status more than may wait", message: queueFullError(endpoint, 64).message },
    { when: "a large status", message: tooLargeError(endpoint, "status", 20_000_044, 16_777_216).message },
    { when: "a small maxMessageBytes", message: tooLargeError(endpoint, "config.device", 24, 16).message },
    { when: "a slow reader of commands", message: await fellBehind() },
    { when: "a device whose commands nobody reads", message: await deviceFellBehind() },
  ];
}

async function fellBehind(): Promise<string> {
  const readers = new CommandReaders(false, endpoint);
  const reader = readers.subscribe(checkedCommandsOptions(undefined));
  for (let megabytes = 0; megabytes <= 64; megabytes += 32) readers.deliver(new Uint8Array(32 * 1024 * 1024));
  for await (const item of reader) if (item.isErr()) return item.error.message;
  return "";
}

async function deviceFellBehind(): Promise<string> {
  const gateway = await openGateway();
  const gone = gateway.nextDisconnect();
  const statuses = [1, 2, 3, 4].map((value) => Uint8Array.of(value));
  const items = runDevice(configFor(gateway), statuses, { highWaterMark: 1 });
  await items.next();
  await gone;
  const message = await lastError(items);
  await endAll();
  return message.replaceAll(`:${gateway.port}`, ":1636");
}

function payloads(): Shown[] {
  const gate = defineModule({
    name: "gate",
    number: 1002,
    status: json(object({ openPercent: pipe(number(), maxValue(100)) })),
    command: json((value): value is boolean => typeof value === "boolean"),
  });
  const raw = defineModule({ name: "raw", number: 1003, command: protobuf(AutonomyCommand) });
  const display = defineModule({ name: "display", number: 1004, status: text(), command: text() });
  const later = defineModule({
    name: "later",
    number: 1005,
    status: json((async () => Promise.resolve(true)) as never),
    command: {
      decode: () => {
        throw new Error("not today");
      },
      encode: () => "bytes" as never,
    },
  });
  const write = (module: Parameters<typeof writeStatus>[0], status: unknown): string =>
    writeStatus(module, button, status)._unsafeUnwrapErr().message;
  const read = (module: Parameters<typeof readCommand>[0], ...bytes: readonly number[]): string =>
    readCommand(module, button, Uint8Array.from(bytes))._unsafeUnwrapErr().message;
  const board = { ...button, module: 2, deviceType: 1 };
  const nothing: unknown = [[], [], { butPr: 0 }];
  const circular: Record<string, unknown> = {};
  circular["self"] = circular;
  const open = defineModule({ name: "open", number: 1006, status: json<unknown>() });
  const silent = { ...open, status: { encode: () => "bytes", decode: () => ok(1) } as never };
  const wordless = { ...open, status: { encode: () => ok("bytes"), decode: () => ok(1) } as never };
  return [
    { when: "a schema refuses a status", message: write(gate, { openPercent: 150 }) },
    {
      when: "a board reports too few inputs",
      message: writeStatus(carAccessory, board, nothing)._unsafeUnwrapErr().message,
    },
    { when: "a status without a JSON form", message: write(open, undefined) },
    { when: "a status that JSON cannot write", message: write(open, circular) },
    { when: "a status that is no text", message: write(display, 1) },
    { when: "a status with a lone surrogate", message: write(display, "\ud800") },
    { when: "a status that is no bytes", message: write(raw, "text") },
    { when: "an asynchronous validator", message: write(later, 1) },
    { when: "a codec that returns no Result", message: write(silent, 1) },
    { when: "a codec that returns no bytes", message: write(wordless, 1) },
    { when: "a codec that throws", message: read(later, 1) },
    { when: "a validator rejects a command", message: read(gate, 0x31) },
    { when: "a command that is no JSON", message: read(gate, 0x7b) },
    { when: "a command that is no text", message: read(display, 0xff) },
    { when: "a command that is no protobuf", message: read(raw, 0xff) },
    { when: "an empty command, without optional()", message: read(gate) },
  ];
}

async function functionsOfYours(): Promise<Shown[]> {
  const gateway = await openGateway();
  const config = configFor(gateway);
  const problem = new Error("the sensor is unplugged");
  const fail = (): never => {
    throw problem;
  };
  const used = ((await withClient(config, fail))._unsafeUnwrapErr() as Error).message;
  const client = (await connect(config))._unsafeUnwrap();
  const created = await connect({ ...config, createConnection: fail });
  const unreachable: Config = { ...config, port: 1 };
  const shown = [
    { when: "the function given to withClient throws", message: used },
    { when: "createConnection throws", message: created._unsafeUnwrapErr().message },
    { when: "createConnection returns no stream", message: await createConnectionOf(config, 1) },
    { when: "createConnection returns a promise", message: await createConnectionOf(config, Promise.resolve()) },
    { when: "a source throws", message: await lastError(sendStatuses(client, every<Uint8Array>(1, fail))) },
    {
      when: "retryDelayMs throws",
      message: await lastError(runDevice(unreachable, [], { retryDelayMs: fail })),
    },
    {
      when: "retryDelayMs returns no delay",
      message: await lastError(runDevice(unreachable, [], { retryDelayMs: () => -1 })),
    },
  ];
  await destroy(client);
  await endAll();
  const withPort = (message: string): string =>
    message.replaceAll(`127.0.0.1:${gateway.port}`, "127.0.0.1:1636").replaceAll(/127.0.0.1:1\b/g, "127.0.0.1:1636");
  return shown.map(({ when, message }) => ({ when, message: withPort(message) }));
}

async function createConnectionOf(config: Config, stream: unknown): Promise<string> {
  const connected = await connect({ ...config, createConnection: () => stream as never });
  return connected._unsafeUnwrapErr().message;
}

/** The first error that is not about the connection. */
async function lastError(items: AsyncIterable<unknown>): Promise<string> {
  for await (const item of items as AsyncIterable<{ isErr(): boolean; error: Error & { code: string } }>) {
    if (item.isErr() && item.error.code === "NOT_OK") return item.error.message;
  }
  return "";
}

async function wrongArguments(): Promise<Shown[]> {
  const config: Config = { host: "127.0.0.1", port: 1636, device: button };
  const detached = new Uint8Array(8);
  structuredClone(detached, { transfer: [detached.buffer] });
  const attempts: readonly (() => unknown)[] = [
    () => checkedConfig("127.0.0.1"),
    () => checkedConfig({ ...config, timeout: 1_000 }),
    () => checkedConfig({ ...config, colour: "red" }),
    () => checkedConfig({ ...config, host: "" }),
    () => checkedConfig({ ...config, host: "tcp://127.0.0.1" }),
    () => checkedConfig({ ...config, host: "127.0.0.1:1636" }),
    () => checkedConfig({ ...config, host: "[::1]" }),
    () => checkedConfig({ ...config, host: "my gateway" }),
    () => checkedConfig({ ...config, host: "gateway\n" }),
    () => checkedConfig({ ...config, port: 99_999 }),
    () => checkedConfig({ ...config, device: undefined }),
    () => checkedConfig({ ...config, device: { ...button, module: -1 } }),
    () => checkedConfig({ ...config, device: { ...button, module: {} } }),
    () => checkedConfig({ ...config, device: { ...button, deviceType: 1.5 } }),
    () => checkedConfig({ ...config, device: { ...button, deviceRole: undefined } }),
    () => checkedConfig({ ...config, device: { ...button, deviceName: "\ud800" } }),
    () => checkedConfig({ ...config, device: { ...button, priority: "high" } }),
    () => checkedConfig({ ...config, connectTimeoutMs: 0 }),
    () => checkedConfig({ ...config, maxMessageBytes: 0 }),
    () => checkedConfig({ ...config, keepProcessAlive: "no" }),
    () => checkedConfig({ ...config, signal: {} }),
    () => checkedConfig({ ...config, createConnection: "tls" }),
    () => checkedConfig(new Proxy(config, { ownKeys: () => fail("out of order") })),
    () => checkedConfig(Object.defineProperty({ ...config }, "host", { get: () => fail("out of order") })),
    () => checkedStatusOptions({ timeoutMs: -1 }),
    () => checkedStatusOptions(7),
    () => checkedSourceOptions({ repeatAfterMs: 0 }),
    () => checkedCommandsOptions({ highWaterMark: 0 }),
    () => checkedDeviceOptions({ retryDelayMs: 1_000 }),
    () => checkedStatus("pressed"),
    () => checkedStatus(detached),
    () => checkedStatus(Object.defineProperty(Uint8Array.of(1), "length", { value: 64 })),
  ];
  const client = (await connect(configFor(await openGateway())))._unsafeUnwrap();
  const use = ((await withClient(config, undefined as never))._unsafeUnwrapErr() as Error).message;
  const others = await Promise.all([
    lastError(runDevice({ ...config, signal: new AbortController().signal } as Config, [] as Uint8Array[])),
    lastError(sendStatuses(client, 7 as never)),
    lastError(
      sendStatuses(
        client,
        every(0, () => Uint8Array.of(1)),
      ),
    ),
    lastError(sendStatuses(client, every<Uint8Array>(1, undefined as never))),
  ]);
  await destroy(client);
  await endAll();
  return [...attempts.map(thrownBy), use, ...others].map((message) => ({
    when: /NOT_OK: ([\w.]+)/.exec(message)?.[1] ?? "",
    message,
  }));
}

function definitions(): Shown[] {
  return [
    thrownBy(() => defineModule({ name: "", number: 1001 })),
    thrownBy(() => defineModule({ name: "door", number: 1.5 })),
    thrownBy(() => defineModule({ name: "door", number: 1001, status: {} as never })),
  ].map((message) => ({ when: "defineModule", message }));
}

async function testingGateway(): Promise<Shown[]> {
  const gateway = await openGateway();
  const client = (await connect(configFor(gateway)))._unsafeUnwrap();
  const attempts: readonly (() => unknown)[] = [
    () => gateway.misbehave("reply" as never, { do: "close" } as never),
    () => gateway.misbehave("accept", { do: "drip" } as never),
    () => gateway.misbehave("status", { do: "delay", ms: -1 }),
    () => gateway.misbehave("connect", { do: "refuse", responseType: 0 }),
    () => gateway.misbehave("status", { do: "close" }, { times: 0 }),
    () => gateway.misbehave("accept", { do: "close" }, { which: {} }),
    () => gateway.push("open" as never),
    () => gateway.kick({ role: "left" } as never),
    () => gateway.push({} as never, { module: example }),
  ];
  const shown = attempts.map(thrownBy);
  const options = await Promise.all(
    [{ port: 99_999 }, { host: "" }, { timeout: 1 }, { modules: ["1"] }, { silenceMs: 0 }].map((given) =>
      startGateway(given as never).then(String, (error: unknown) => (error as Error).message),
    ),
  );
  await destroy(client);
  const next = gateway.nextStatus().then(
    () => "",
    (error: unknown) => (error as Error).message,
  );
  await gateway.stop();
  const restarted = await gateway.restart().then(
    () => "",
    (error: unknown) => (error as Error).message,
  );
  await endAll();
  return [
    ...options.map((message) => ({ when: "startGateway", message })),
    ...shown.map((message) => ({ when: "a method", message })),
    { when: "nextStatus of a gateway that is stopped", message: await next },
    { when: "restart of a gateway that is stopped", message: restarted },
  ];
}

function thrownBy(call: () => unknown): string {
  try {
    call();
  } catch (thrown) {
    return (thrown as Error).message;
  }
  throw new Error("it throws nothing");
}

function fail(message: string): never {
  throw new Error(message);
}

/** Of those that differ by their cause alone, one. */
function unique(shown: readonly Shown[]): Shown[] {
  return [...new Map(shown.map((one) => [one.message.replace(/ Cause: .*$/s, ""), one])).values()];
}
