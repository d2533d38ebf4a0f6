// What the packed package has to do in every runtime. The process has to end by itself: nothing may be left behind.
import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { connect as connectSocket } from "node:net";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as library from "fleet-internal-client";
import type { ClientHandle, Config, Module, Result } from "fleet-internal-client";
import { carAccessory } from "fleet-internal-client/modules/car-accessory";
import { example } from "fleet-internal-client/modules/example";
import { mission } from "fleet-internal-client/modules/mission";
import { AutonomyState, missionProtobuf } from "fleet-internal-client/modules/mission-protobuf";
import { transparent } from "fleet-internal-client/modules/transparent";
import { startGateway, type TestingGateway } from "fleet-internal-client/testing";
import * as throwing from "fleet-internal-client/throwing";

const { closed, commands, connect, destroy, exchange, withClient } = library;

type Use = (gateway: TestingGateway, config: Config) => Promise<void>;

const parts = new Map<string, () => Promise<void>>();

const warnings: string[] = [];
process.on("warning", ({ message }) => warnings.push(message));

/** A part with a gateway of its own, which answers with the status itself. */
function part(name: string, use: Use, options: Parameters<typeof startGateway>[0] = {}): void {
  parts.set(name, async () => {
    const gateway = await startGateway(options);
    try {
      await use(gateway, configFor(gateway, 1234));
      assert.deepEqual(gateway.errors, []);
    } finally {
      await gateway.stop();
    }
  });
}

function configFor<Status = Uint8Array, Command = Uint8Array>(
  { host, port }: TestingGateway,
  module: number | Module<Status, Command>,
  deviceType = 1,
): Config<Status, Command> {
  return { host, port, device: { module, deviceType, deviceRole: "role", deviceName: "name" } };
}

function valueOf<T, E extends Error>(result: Result<T, E>): T {
  if (result.isErr()) throw result.error;
  return result.value;
}

function codeOf(result: Result<unknown, library.InternalClientError>): string {
  return result.isErr() ? result.error.code : "OK";
}

function bytes(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => index * 7 + (index >> 8));
}

function text(command: Uint8Array): string {
  return new TextDecoder().decode(command);
}
const hello = new TextEncoder().encode("hello");

/** Connects, and destroys the client afterwards; what fails is thrown. */
async function using(config: Config, use: (client: ClientHandle) => Promise<void>): Promise<void> {
  const client = valueOf(await connect(config));
  try {
    await use(client);
  } finally {
    await destroy(client);
  }
}

/** A part with a client of its own. */
function clientPart(name: string, use: (client: ClientHandle, gateway: TestingGateway) => Promise<void>): void {
  part(name, (gateway, config) => using(config, (client) => use(client, gateway)));
}

for (const [kind, host] of [
  ["an IPv4 address", "127.0.0.1"],
  ["an IPv6 address", "::1"],
  ["a name", "localhost"],
] as const) {
  part(
    `connects by ${kind}`,
    async (_, config) => {
      assert.deepEqual(valueOf(await withClient({ ...config, host }, (client) => exchange(client, hello))), hello);
    },
    { host },
  );
}

part("connects through a stream of the user's own, and connects that anew", async (gateway, config) => {
  const createConnection = () => connectSocket(gateway.port, gateway.host);
  await using({ ...config, createConnection }, async (client) => {
    gateway.misbehave("status", { do: "reset" });
    assert.deepEqual(valueOf(await exchange(client, hello)), hello);
    assert.equal(gateway.connections, 2);
  });
});

part("fails where nobody listens", async (_, config) => {
  const connected = await connect({ ...config, port: 1 });
  assert.equal(codeOf(connected), "UNABLE_TO_CONNECT");
  assert.equal(connected.isErr() && connected.error.reason, "unreachable");
});

part("fails when a gateway says nothing", async (gateway, config) => {
  gateway.misbehave("accept", { do: "stay silent" });
  const connected = await connect({ ...config, connectTimeoutMs: 100 });
  assert.equal(connected.isErr() && connected.error.reason, "timed-out");
});

clientPart("exchanges payloads of every size", async (client) => {
  for (const size of [0, 1, 100, 1_000, 65_535, 65_536, 65_537, 1 << 20, 4 << 20]) {
    assert.ok(Buffer.from(bytes(size)).equals(valueOf(await exchange(client, bytes(size)))), `${size} bytes`);
  }
});

clientPart("reads an answer byte by byte", async (client, gateway) => {
  gateway.misbehave("status", { do: "drip" });
  assert.deepEqual(valueOf(await exchange(client, hello)), hello);
});

clientPart("reads every command, pushed ones too", async (client, gateway) => {
  const read: string[] = [];
  const reading = commands(client);
  valueOf(await exchange(client, hello));
  gateway.push(Buffer.from("one"));
  gateway.push(Buffer.from("two"));
  for await (const command of reading) if (read.push(text(valueOf(command))) === 3) break;
  assert.deepEqual(read, ["hello", "one", "two"]);
});

clientPart("gives up on an answer that does not come", async (client, gateway) => {
  gateway.misbehave("status", { do: "stay silent" }, { times: 2 });
  assert.equal(codeOf(await exchange(client, hello, { timeoutMs: 50 })), "TIMEOUT_OCCURRED");
  assert.equal((await closed(client)).isErr(), true);
});

clientPart("aborts: before, while it waits, and in flight", async (client, gateway) => {
  const stop = new AbortController();
  gateway.misbehave("status", { do: "stay silent" });
  const arrived = gateway.nextStatus();
  const inFlight = exchange(client, hello, { signal: stop.signal });
  const waiting = exchange(client, hello, { signal: stop.signal });
  await arrived;
  stop.abort();
  const before = exchange(client, hello, { signal: stop.signal });
  for (const outcome of await Promise.all([inFlight, waiting, before])) {
    assert.equal(outcome.isErr() && outcome.error.reason, "aborted");
  }
  assert.deepEqual(valueOf(await exchange(client, hello)), hello);
});

part(
  "speaks the real modules' languages",
  async (gateway) => {
    const say = async <Status, Command>(module: Module<Status, Command>, deviceType: number, status: NoInfer<Status>) =>
      valueOf(await withClient(configFor(gateway, module, deviceType), (client) => exchange(client, status)));
    assert.deepEqual(await say(example, 0, { pressed: false }), { lit_up: true });
    assert.equal(await say(carAccessory, 4, [[{ inNum: 1, inSt: false }], [], { butPr: 0 }]), null);
    assert.equal(await say(transparent, 1, "Status 0"), '"default_command"');
    const command = await say(mission, 1, { state: "IDLE", telemetry: { speed: 0 }, nextStop: null });
    assert.deepEqual(command, { action: "NO_ACTION", stops: [], route: "" });
  },
  { modules: [example, carAccessory, transparent, mission] },
);

part(
  "speaks protobuf",
  async (gateway) => {
    const status = { telemetry: undefined, state: AutonomyState.IDLE, nextStop: undefined };
    const said = await withClient(configFor(gateway, missionProtobuf), (client) => exchange(client, status));
    assert.deepEqual(valueOf(said), { action: 0, stops: [], route: "" });
  },
  { answer: () => new Uint8Array() },
);

part("throws in its throwing form", async (gateway, config) => {
  assert.deepEqual(await throwing.withClient(config, (client) => throwing.exchange(client, hello)), hello);
  gateway.misbehave("connect", { do: "refuse", responseType: 3 });
  await assert.rejects(throwing.connect(config), { code: "DEVICE_TYPE_NOT_SUPPORTED", family: "connect" });
});

clientPart("is one library to import and to require", async (client) => {
  const required = createRequire(import.meta.url)("fleet-internal-client") as typeof library;
  assert.deepEqual(Object.keys(required).sort(), Object.keys(library).sort());
  assert.deepEqual(valueOf(await required.exchange(client, hello)), hello);
});

part("tells diagnostics channels what happens", async (gateway, config) => {
  const told: string[] = [];
  const names = ["connect", "status", "command", "drop", "reconnect", "destroy"];
  const listeners = names.map((name) => [`fleet-internal-client:${name}`, () => void told.push(name)] as const);
  for (const [channel, listener] of listeners) subscribe(channel, listener);
  await using(config, async (client) => {
    gateway.misbehave("status", { do: "reset" });
    valueOf(await exchange(client, hello));
  });
  for (const [channel, listener] of listeners) unsubscribe(channel, listener);
  assert.deepEqual(told, ["connect", "status", "drop", "reconnect", "status", "command", "destroy"]);
});

clientPart("keeps the async context of its caller", async (client) => {
  const context = new AsyncLocalStorage<number>();
  const stores = [1, 2, 3].map((number) =>
    context.run(number, async () => {
      valueOf(await exchange(client, hello));
      return context.getStore();
    }),
  );
  assert.deepEqual(await Promise.all(stores), [1, 2, 3]);
});

clientPart("sends the statuses of a source", async (client) => {
  const answers: string[] = [];
  const statuses = ["a", "b", "c"].map((each) => Buffer.from(each));
  for await (const answer of library.sendStatuses(client, statuses)) answers.push(text(valueOf(answer)));
  assert.deepEqual(answers, ["a", "b", "c"]);
  const again = library.every(1, () => hello);
  for await (const answer of library.sendStatuses(client, again)) {
    assert.deepEqual(valueOf(answer), hello);
    if (answers.push("again") === 6) break;
  }
});

part("is a device that stays connected", async (gateway, config) => {
  const stop = new AbortController();
  const codes: string[] = [];
  const source = library.every(5, () => hello);
  for await (const command of library.runDevice(config, source, { signal: stop.signal, retryDelayMs: () => 5 })) {
    codes.push(codeOf(command));
    if (codes.length === 1) gateway.misbehave("status", { do: "reset" }, { times: 2 });
    if (codes.includes("UNABLE_TO_CONNECT") && codes.at(-1) === "OK") stop.abort();
  }
  assert.deepEqual([...new Set(codes)], ["OK", "UNABLE_TO_CONNECT"]);
});

part("ends a client from any state, and says so", async (gateway, config) => {
  const client = valueOf(await connect(config));
  gateway.misbehave("status", { do: "stay silent" });
  const arrived = gateway.nextStatus();
  const inFlight = exchange(client, hello);
  await arrived;
  const gone = gateway.nextDisconnect();
  valueOf(await destroy(client));
  valueOf(await closed(client));
  assert.equal(codeOf(await inFlight), "CONTEXT_INCORRECT");
  assert.equal(codeOf(await exchange(client, hello)), "CONTEXT_INCORRECT");
  await gone;
  while (gateway.openSockets > 0) await sleep(1);
});

part("does not keep the process alive where it is not to", async (gateway, config) => {
  // The process has to end though this client is never destroyed: its gateway goes before it.
  valueOf(await exchange(valueOf(await connect({ ...config, keepProcessAlive: false })), hello));
  assert.equal(gateway.openSockets, 1);
});

part(
  "gives no cause for a warning, though the process stands still for longer than its limits",
  async (gateway, config) => {
    await using({ ...config, connectTimeoutMs: 100 }, async (client) => {
      gateway.kick();
      const answer = exchange(client, hello, { timeoutMs: 100 });
      for (let turn = 0; turn < 4; turn++) {
        const over = performance.now() + 150;
        while (performance.now() < over);
        await sleep(1);
      }
      assert.equal(text(valueOf(await answer)), "hello");
    });
    assert.deepEqual(warnings, []);
  },
);

part("is a command", async (gateway) => {
  const manifestFile = createRequire(import.meta.url).resolve("fleet-internal-client/package.json");
  const manifest = JSON.parse(readFileSync(manifestFile, "utf8")) as { readonly bin: Readonly<Record<string, string>> };
  const file = join(dirname(manifestFile), manifest.bin["fleet-internal-client"] ?? "");
  const permissions = "Deno" in globalThis ? ["run", "-A"] : [];
  const args = ["send", "--port", `${gateway.port}`, "--module", "1234", "--status", "hello"];
  const command = spawn(process.execPath, [...permissions, file, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(command, "close");
  let output = "";
  command.stdout.setEncoding("utf8").on("data", (chunk: string) => (output += chunk));
  assert.equal((await ended)[0], 0);
  assert.equal(output, "hello\n");
});

/** A part that does not end fails, and the rest goes on. */
async function played(play: () => Promise<void>): Promise<void> {
  const stop = new AbortController();
  const limit = sleep(30_000, undefined, { signal: stop.signal });
  const tooLate = limit.then(
    () => assert.fail("it does not end"),
    () => undefined,
  );
  await Promise.race([play(), tooLate]).finally(() => stop.abort());
}

let passes = 0;
for (const [name, play] of parts) {
  try {
    await played(play);
    passes += 1;
  } catch (error) {
    console.log(`FAILS: ${name}`);
    console.log(error);
  }
}
console.log(`${passes} of ${parts.size} parts`);
process.exitCode = passes === parts.size ? 0 : 1;
