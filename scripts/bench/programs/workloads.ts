/** The ways to do the work: the library's, and those that it is compared with. */
import { execFileSync } from "node:child_process";
import { setImmediate, setTimeout } from "node:timers/promises";
import type * as library from "../../../lib/index.js";
import type { Module, Result } from "../../../lib/index.js";
import type * as exampleModule from "../../../lib/modules/example.js";
import type * as throwing from "../../../lib/throwing.js";
import { median, type Sample } from "../sample.js";
import { openRawDevice, type RawDevice } from "./raw-device.js";
import { awaitedLoop, callbackLoop, timed } from "./slices.js";
import { device, host, microsecondsSince, payloadOf } from "./wire.js";

export interface Work {
  readonly port: number;
  readonly bytes: number;
  readonly devices: number;
  readonly sliceMs: number;
  /** Where the library's ES modules are, as a URL that ends with a slash. */
  readonly build: string;
}

/** What is done again and again, when all that it needs has been opened once. */
type Slice = () => Promise<Sample>;

async function load<Entry = typeof library>({ build }: Work, file = "index.js"): Promise<Entry> {
  return (await import(build + file)) as Entry;
}

function valueOf<T>(result: Result<T, Error>): T {
  if (result.isErr()) throw result.error;
  return result.value;
}

function expectThat(isSo: boolean): void {
  if (!isSo) throw new Error("what came is not what the gateway sends");
}

async function openMany<Opened>(count: number, open: () => Promise<Opened>): Promise<Opened[]> {
  const opened: Opened[] = [];
  while (opened.length < count) {
    const batch = Math.min(100, count - opened.length);
    opened.push(...(await Promise.all(Array.from({ length: batch }, open))));
  }
  return opened;
}

function openRaw({ port, bytes }: Work): Promise<RawDevice> {
  return new Promise((resolve) => openRawDevice(port, payloadOf(bytes), resolve));
}

async function openClient({ port }: Work, { connect }: typeof library) {
  return valueOf(await connect({ host, port, device }));
}

async function netExchange(work: Work): Promise<Slice> {
  const devices = await openMany(work.devices, () => openRaw(work));
  const loops = devices.map(({ exchange }) => callbackLoop(exchange));
  return () => timed(loops, work.sliceMs);
}

async function exchanges<Status, Command>(
  work: Work,
  module: Module<Status, Command> | number,
  nextStatus: () => Status,
  use: (command: Command) => void,
): Promise<Slice> {
  const { connect, exchange } = await load(work);
  const config = { host, port: work.port, device: { ...device, module } } as library.Config<Status, Command>;
  const clients = await openMany(work.devices, async () => valueOf(await connect(config)));
  const loops = clients.map((client) =>
    awaitedLoop(
      () => exchange(client, nextStatus()),
      (exchanged) => use(valueOf(exchanged)),
    ),
  );
  return () => timed(loops, work.sliceMs);
}

function exchange(work: Work): Promise<Slice> {
  const payload = payloadOf(work.bytes);
  return exchanges<Uint8Array, Uint8Array>(
    work,
    device.module,
    () => payload,
    (command) => expectThat(command.length === payload.length),
  );
}

function isLitUp(command: object): boolean {
  return "lit_up" in command && command.lit_up === true;
}

function byHand(work: Work): Promise<Slice> {
  const encoder = new TextEncoder();
  const decoder = new TextDecoder();
  let pressed = false;
  return exchanges<Uint8Array, Uint8Array>(
    work,
    device.module,
    () => encoder.encode(`{"pressed": ${(pressed = !pressed)}}`),
    (command) => expectThat(isLitUp(JSON.parse(decoder.decode(command)) as object)),
  );
}

async function typed(work: Work): Promise<Slice> {
  const { example } = await load<typeof exampleModule>(work, "modules/example.js");
  let pressed = false;
  return exchanges(
    work,
    example,
    () => ({ pressed: (pressed = !pressed) }),
    (command) => expectThat(isLitUp(command)),
  );
}

/** A device for each slice, whose source ends with it. The clock starts with the first command. */
async function runDevice(work: Work): Promise<Slice> {
  const { runDevice: run } = await load(work);
  const payload = payloadOf(work.bytes);
  return async () => {
    let end = Infinity;
    const source = function* () {
      while (performance.now() < end) yield payload;
    };
    const commands = run({ host, port: work.port, device }, source());
    const isGoingOn = async (): Promise<boolean> => {
      const { done, value } = await commands.next();
      return done !== true && valueOf(value).length === payload.length;
    };
    await isGoingOn();
    const loop = async (until: number): Promise<number> => {
      let count = 0;
      for (end = until; await isGoingOn();) count += 1;
      return count;
    };
    return timed([loop], work.sliceMs);
  };
}

function netConnect({ port, sliceMs }: Work): Slice {
  const payload = payloadOf(0);
  const loop = callbackLoop((done) =>
    openRawDevice(port, payload, ({ socket }) => socket.once("close", done).destroy()),
  );
  return () => timed([loop], sliceMs);
}

async function connect(work: Work): Promise<Slice> {
  const built = await load(work);
  const loop = awaitedLoop(
    async () => built.destroy(await openClient(work, built)),
    () => undefined,
  );
  return () => timed([loop], work.sliceMs);
}

/** Several pushes, and what is typical of them: one alone tells more of the scheduler than of the reader. */
async function latencyOf(onePush: () => Promise<Uint8Array>): Promise<Sample> {
  const latencies: number[] = [];
  while (latencies.length < 100) latencies.push(microsecondsSince(await onePush()));
  return { latency: median(latencies) };
}

/** Here the gateway answers the status, and pushes a stamped command after that. */
async function netPush(work: Work): Promise<Slice> {
  const raw = await openRaw(work);
  const onePush = (): Promise<Uint8Array> => new Promise((resolve) => raw.exchange(() => raw.receive(resolve)));
  return () => latencyOf(onePush);
}

async function push(work: Work): Promise<Slice> {
  const { commands, connect: open, exchange: send } = await load<typeof throwing>(work, "throwing.js");
  const client = await open({ host, port: work.port, device });
  const reader = commands(client);
  const payload = payloadOf(work.bytes);
  return () =>
    latencyOf(async () => {
      await send(client, payload);
      await reader.next();
      const { value } = await reader.next();
      return value ?? payload;
    });
}

async function settled(): Promise<NodeJS.MemoryUsage> {
  await setTimeout(100);
  for (let turn = 0; turn < 5; turn += 1) {
    globalThis.gc?.();
    await setImmediate();
  }
  return process.memoryUsage();
}

/** What each of many costs that stays open after one exchange. What is paid once, such as code, is paid before. */
async function memoryOf(devices: number, open: () => Promise<unknown>): Promise<Sample> {
  const opened = await openMany(100, open);
  const before = await settled();
  opened.push(await openMany(devices, open));
  const after = await settled();
  expectThat(opened.length === 101);
  const heap = (after.heapUsed + after.external - before.heapUsed - before.external) / devices;
  return { heap, resident: (after.rss - before.rss) / devices };
}

function netIdle(work: Work): Slice {
  const open = async (): Promise<RawDevice> => {
    const raw = await openRaw(work);
    await new Promise(raw.exchange);
    return raw;
  };
  return () => memoryOf(work.devices, open);
}

async function idle(work: Work): Promise<Slice> {
  const built = await load(work);
  const payload = payloadOf(work.bytes);
  const open = async (): Promise<unknown> => {
    const client = await openClient(work, built);
    valueOf(await built.exchange(client, payload));
    return client;
  };
  return () => memoryOf(work.devices, open);
}

/** The CPU time of a whole process that does nothing but import. */
function startWith(...modules: readonly string[]) {
  const imports = modules.map((module) => `import ${JSON.stringify(module)};`).join("");
  const code = `${imports} const { user, system } = process.cpuUsage(); console.log(user + system);`;
  const args = ["--input-type=module", "-e", code];
  return (): Promise<Sample> => Promise.resolve({ cpu: Number(execFileSync(process.execPath, args).toString()) });
}

export const workloads = {
  netExchange,
  exchange,
  byHand,
  typed,
  runDevice,
  netConnect,
  connect,
  netPush,
  push,
  netIdle,
  idle,
  netImport: () => startWith("node:net", "neverthrow"),
  import: ({ build }: Work) => startWith(`${build}index.js`),
} satisfies Record<string, (work: Work) => Slice | Promise<Slice>>;

export type WorkloadName = keyof typeof workloads;
