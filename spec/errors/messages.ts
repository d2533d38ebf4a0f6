import { maxValue, number, object, pipe } from "valibot";
import * as checks from "../../lib/client/arguments.js";
import { CommandReaders } from "../../lib/client/command-readers.js";
import * as errors from "../../lib/client/failure-error.js";
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
import { configFor, endAll, openButton, openGateway } from "../support/opened.js";
import { VirtualDevice } from "../support/virtual-device.js";
import { BUTTON, button, byte, connectedOf, framed, payloadOf, refused } from "../testing/wire.js";

export type Section = readonly [title: string, messages: readonly string[]];

const endpoint = describeEndpoint({ host: "127.0.0.1", port: 1636, device: button });

/** Every message that the library's errors can have. */
export async function everyMessage(): Promise<readonly Section[]> {
  return [
    ["A failed connect", failures(["opening", "handshaking"], "Nothing is left open.")],
    ["A failed status; the client can still be used", failures(["awaiting", "rehandshaking", "awaitingAgain"], USABLE)],
    ["A failed status; the client is destroyed", failures(["reopening", "rehandshaking", "awaitingAgain"], ENDS)],
    ["Using a client", await uses()],
    ["Payloads", payloads()],
    ["Your own functions", unique(await functionsOfYours())],
    ["Arguments", await wrongArguments()],
    ["Definitions of modules", definitions()],
    ["The testing gateway", await testingGateway()],
  ];
}

// ——— failures: whatever the table of transitions lets happen ———

const USABLE = "The client can still be used; the next status reconnects.";
const ENDS = "The client is destroyed; connect again.";
const ACTIONS: Readonly<Partial<Record<errors.Aftermath, readonly Action[]>>> = {
  "Nothing is left open.": ["end"],
  [USABLE]: ["fail"],
  [ENDS]: ["end", "askAgain"],
};

function failures(states: readonly State[], aftermath: errors.Aftermath): string[] {
  const troubles = everyTrouble();
  return unique(
    states.flatMap((state) =>
      troubles
        .filter(({ kind }) => ACTIONS[aftermath]?.includes(TRANSITIONS[kind][state]))
        .flatMap((input) => attemptsBefore(state).map((firstAttempt) => ({ state, firstAttempt, input })))
        .map(({ input, ...now }) => messageOf(input, now, aftermath)),
    ),
  );
}

function messageOf(input: Trouble, now: Omit<Circumstances, "timeoutMs">, aftermath: errors.Aftermath): string {
  const failure = failureOf(input, { ...now, timeoutMs: 10_000 });
  return errors.errorOf(failure, endpoint, aftermath).message;
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

async function uses(): Promise<string[]> {
  const reason = new DOMException("This operation was aborted", "AbortError");
  const late = failureOf(
    { kind: "deadline", cause: undefined },
    { state: "awaitingAgain", firstAttempt: "timed out", timeoutMs: 10_000 },
  );
  return [
    errors.noCommandError(endpoint).message, // getCommand before any command
    errors.destroyedError(endpoint, undefined).message, // a client that its owner destroyed
    errors.destroyedError(endpoint, errors.errorOf(late, endpoint, ENDS)).message, // a client that a failed status destroyed
    errors.noHandleError(Promise.resolve()).message, // a promise in place of the handle
    errors.noHandleError(ok(1)).message, // a Result in place of the handle
    errors.noHandleError({}).message, // anything else in place of the handle
    errors.abortedError(endpoint, reason, "Nothing is left open.").message, // an aborted connect
    errors.abortedError(endpoint, reason).message, // an aborted status
    errors.queueFullError(endpoint, 64).message, // one status more than may wait
    errors.tooLargeError(endpoint, "status", 20_000_044, 16_777_216).message, // a large status
    errors.tooLargeError(endpoint, "config.device", 24, 16).message, // a small maxMessageBytes
    await fellBehind(), // a slow reader of commands
    await deviceFellBehind(), // a device whose commands nobody reads
  ];
}

async function fellBehind(): Promise<string> {
  const readers = new CommandReaders(false, endpoint);
  const reader = readers.subscribe(checks.checkedCommandsOptions(undefined));
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

function payloads(): string[] {
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
    write(gate, { openPercent: 150 }), // a schema refuses a status
    writeStatus(carAccessory, board, nothing)._unsafeUnwrapErr().message, // a board reports too few inputs
    write(open, undefined), // a status without a JSON form
    write(open, circular), // a status that JSON cannot write
    write(display, 1), // a status that is no text
    write(display, "\ud800"), // a status with a lone surrogate
    write(raw, "text"), // a status that is no bytes
    write(later, 1), // an asynchronous validator
    write(silent, 1), // a codec that returns no Result
    write(wordless, 1), // a codec that returns no bytes
    read(later, 1), // a codec that throws
    read(gate, 0x31), // a validator rejects a command
    read(gate, 0x7b), // a command that is no JSON
    read(display, 0xff), // a command that is no text
    read(raw, 0xff), // a command that is no protobuf
    read(gate), // an empty command, without optional()
  ];
}

async function functionsOfYours(): Promise<string[]> {
  const gateway = await openGateway();
  const config = configFor(gateway);
  const unreachable: Config = { ...config, port: 1 };
  const fail = (): never => {
    throw new Error("the sensor is unplugged");
  };
  const connectBy = async (createConnection: () => unknown): Promise<string> =>
    (await connect({ ...config, createConnection: createConnection as never }))._unsafeUnwrapErr().message;
  const used = ((await withClient(config, fail))._unsafeUnwrapErr() as Error).message;
  const client = (await connect(config))._unsafeUnwrap();
  const messages = [
    used,
    await connectBy(fail),
    await connectBy(() => 1),
    await connectBy(() => Promise.resolve()),
    await lastError(sendStatuses(client, every<Uint8Array>(1, fail))),
    await lastError(runDevice(unreachable, [], { retryDelayMs: fail })),
    await lastError(runDevice(unreachable, [], { retryDelayMs: () => -1 })),
  ];
  await destroy(client);
  await endAll();
  return messages.map((message) => message.replaceAll(/127.0.0.1:\d+/g, "127.0.0.1:1636"));
}

/** The first error that is not about the connection. */
async function lastError(items: AsyncIterable<unknown>): Promise<string> {
  for await (const item of items as AsyncIterable<{ isErr(): boolean; error: Error & { code: string } }>) {
    if (item.isErr() && item.error.code === "NOT_OK") return item.error.message;
  }
  return "";
}

async function wrongArguments(): Promise<string[]> {
  const config: Config = { host: "127.0.0.1", port: 1636, device: button };
  const one = Uint8Array.of(1);
  const detached = new Uint8Array(8);
  structuredClone(detached, { transfer: [detached.buffer] });
  const outOfOrder = (): never => {
    throw new Error("out of order");
  };
  const changes: readonly object[] = [
    { timeout: 1_000 },
    { prot: 1636 },
    { colour: "red" },
    { host: "" },
    { host: "tcp://127.0.0.1" },
    { host: "127.0.0.1:1636" },
    { host: "[::1]" },
    { host: "my gateway" },
    { host: "gateway\n" },
    { port: 99_999 },
    { device: undefined },
    { device: { ...button, module: -1 } },
    { device: { ...button, module: {} } },
    { device: { ...button, deviceType: 1.5 } },
    { device: { ...button, deviceRole: undefined } },
    { device: { ...button, deviceName: "\ud800" } },
    { device: { ...button, priority: "high" } },
    { connectTimeoutMs: 0 },
    { maxMessageBytes: 0 },
    { keepProcessAlive: "no" },
    { signal: {} },
    { createConnection: "tls" },
  ];
  const attempts: readonly (() => unknown)[] = [
    () => checks.checkedConfig("127.0.0.1"),
    ...changes.map((change) => () => checks.checkedConfig({ ...config, ...change })),
    () => checks.checkedConfig(new Proxy(config, { ownKeys: outOfOrder })),
    () => checks.checkedConfig(Object.defineProperty({ ...config }, "host", { get: outOfOrder })),
    () => checks.checkedStatusOptions({ timeoutMs: -1 }),
    () => checks.checkedStatusOptions(7),
    () => checks.checkedSourceOptions({ repeatAfterMs: 0 }),
    () => checks.checkedCommandsOptions({ highWaterMark: 0 }),
    () => checks.checkedDeviceOptions({ retryDelayMs: 1_000 }),
    () => checks.checkedStatus("pressed"),
    () => checks.checkedStatus(detached),
    () => checks.checkedStatus(Object.defineProperty(Uint8Array.of(1), "length", { value: 64 })),
  ];
  const client = (await connect(configFor(await openGateway())))._unsafeUnwrap();
  const interval = every(0, () => one);
  const messages = [
    ...attempts.map(thrownBy),
    ((await withClient(config, undefined as never))._unsafeUnwrapErr() as Error).message,
    await lastError(runDevice({ ...config, signal: new AbortController().signal } as Config, [one])),
    await lastError(sendStatuses(client, 7 as never)),
    await lastError(sendStatuses(client, interval)),
    await lastError(sendStatuses(client, every<Uint8Array>(1, undefined as never))),
  ];
  await destroy(client);
  await endAll();
  return messages;
}

function definitions(): string[] {
  return [
    thrownBy(() => defineModule({ name: "", number: 1001 })),
    thrownBy(() => defineModule({ name: "door", number: 1.5 })),
    thrownBy(() => defineModule({ name: "door", number: 1001, status: {} as never })),
  ];
}

async function testingGateway(): Promise<string[]> {
  const { gateway } = await openButton();
  const rejected = (promise: Promise<unknown>): Promise<string> =>
    promise.then(String, (error: unknown) => (error as Error).message);
  const options = [{ port: 99_999 }, { host: "" }, { timeout: 1 }, { modules: ["1"] }, { silenceMs: 0 }];
  const messages = [
    ...(await Promise.all(options.map((given) => rejected(startGateway(given as never))))),
    thrownBy(() => gateway.misbehave("reply" as never, { do: "close" } as never)),
    thrownBy(() => gateway.misbehave("accept", { do: "drip" } as never)),
    thrownBy(() => gateway.misbehave("status", { do: "delay", ms: -1 })),
    thrownBy(() => gateway.misbehave("connect", { do: "refuse", responseType: 0 })),
    thrownBy(() => gateway.misbehave("status", { do: "close" }, { times: 0 })),
    thrownBy(() => gateway.misbehave("accept", { do: "close" }, { which: {} })),
    thrownBy(() => gateway.push("open" as never)),
    thrownBy(() => gateway.kick({ role: "left" } as never)),
    thrownBy(() => gateway.push({} as never, { module: example })),
  ];
  const next = rejected(gateway.nextStatus());
  await endAll();
  return [...messages, await next, await rejected(gateway.restart())];
}

function thrownBy(call: () => unknown): string {
  try {
    call();
  } catch (thrown) {
    return (thrown as Error).message;
  }
  throw new Error("it throws nothing");
}

/** Of those that differ by their cause alone, one. */
function unique(messages: readonly string[]): string[] {
  return [...new Map(messages.map((message) => [message.replace(/ Cause: .*$/s, ""), message])).values()];
}
