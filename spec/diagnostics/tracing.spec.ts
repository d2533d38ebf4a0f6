import { AsyncLocalStorage } from "node:async_hooks";
import { subscribe, tracingChannel, unsubscribe } from "node:diagnostics_channel";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import {
  connect,
  destroy,
  exchange,
  runDevice,
  sendStatus,
  sendStatuses,
  type TracingMessages,
} from "../../lib/index.js";
import { example } from "../../lib/modules/example.js";
import { utf8 } from "../support/bytes.js";
import { button, configFor, endAll, openButton, openClient, openDevice, openGateway } from "../support/opened.js";

type Message = TracingMessages["connect"] | TracingMessages["exchange"];

const request = new AsyncLocalStorage<string>();
const status = Uint8Array.of(1);

let told: string[] = [];
let messages: Message[] = [];

const subscriptions = ["connect", "exchange"].map((name) => {
  const tell = (event: string) => (message: Message) => {
    told.push(`${name} ${event} in ${request.getStore() ?? "none"}`);
    if (event === "start") messages.push(message);
    else expect(messages).toContain(message);
  };
  const events = ["start", "end", "asyncStart", "asyncEnd", "error"] as const;
  const listeners = Object.fromEntries(events.map((event) => [event, tell(event)])) as never;
  return { channel: tracingChannel<unknown, Message>(`fleet-internal-client:${name}`), listeners };
});

beforeEach(() => {
  told = [];
  messages = [];
  for (const { channel, listeners } of subscriptions) channel.subscribe(listeners);
});

afterEach(async () => {
  for (const { channel, listeners } of subscriptions) channel.unsubscribe(listeners);
  await endAll();
});

function events(call: string, store: string, ...names: string[]): string[] {
  return names.map((name) => `${call} ${name} in ${store}`);
}

describe("a TracingChannel reports", () => {
  it("of a connect: its start and end, and then its outcome, in the caller's async context", async () => {
    const gateway = await openGateway();
    const client = await request.run("A", () => openClient(gateway));
    expect(told).toEqual(events("connect", "A", "start", "end", "asyncStart", "asyncEnd"));
    const { host: serverAddress, port: serverPort } = gateway;
    const device = { ...button, priority: 0 };
    expect(messages).toEqual([{ client, device, serverAddress, serverPort, result: client }]);
  });

  it("of a connect that failed, were it only aborted before it began: the error too", async () => {
    const gateway = await openGateway();
    gateway.misbehave("connect", { do: "refuse", responseType: 2 });
    const refused = await request.run("A", () => connect(configFor(gateway)));
    expect(told).toEqual(events("connect", "A", "start", "end", "error", "asyncStart", "asyncEnd"));
    expect(messages[0]?.error).toBe(refused._unsafeUnwrapErr());
    expect(messages[0]).not.toHaveProperty("result");
    const aborted = await connect(configFor(gateway, { signal: AbortSignal.abort() }));
    expect(messages[1]?.error).toBe(aborted._unsafeUnwrapErr());
  });

  it("of each exchange on a shared handle, in its own caller's async context, and once if it is sent again", async () => {
    const { gateway, client } = await openButton();
    told = [];
    messages = [];
    gateway.misbehave("status", { do: "close" });
    const outcomes = await Promise.all(
      ["A", "B"].map((name) => request.run(name, async () => exchange(client, utf8(name)))),
    );
    expect(told).toEqual([
      ...["A", "B"].flatMap((name) => events("exchange", name, "start", "end")),
      ...["A", "B"].flatMap((name) => events("exchange", name, "asyncStart", "asyncEnd")),
    ]);
    expect(messages.map(({ result }) => result)).toEqual(outcomes.map((outcome) => outcome._unsafeUnwrap()));
  });

  it("of an exchange that failed, were it only for a wrong argument or a client that is destroyed", async () => {
    const { client } = await openButton();
    messages = [];
    const wrong = await exchange(client, status, { timeoutMs: 0 });
    (await destroy(client))._unsafeUnwrap();
    const late = await exchange(client, status);
    expect(messages.map(({ error }) => error)).toEqual([wrong._unsafeUnwrapErr(), late._unsafeUnwrapErr()]);
  });

  it("of a status whichever function sends it", async () => {
    const gateway = await openGateway({ modules: [example] });
    const client = await openDevice(gateway, example);
    told = [];
    const pressed = { pressed: true };
    expect((await sendStatus(client, pressed)).isOk()).toBe(true);
    for await (const outcome of sendStatuses(client, [pressed])) expect(outcome.isOk()).toBe(true);
    (await destroy(client))._unsafeUnwrap();
    const device = { ...button, module: example };
    for await (const command of runDevice({ ...configFor(gateway), device }, [pressed])) {
      expect(command.isOk()).toBe(true);
    }
    expect(told.filter((line) => line.startsWith("exchange start"))).toHaveLength(3);
    expect(told.filter((line) => line.startsWith("connect start"))).toHaveLength(1);
  });
});

describe("a store that is bound to the start of an exchange", () => {
  it("is available where the exchange's status and command are published", async () => {
    const { start } = tracingChannel<unknown, TracingMessages["exchange"]>("fleet-internal-client:exchange");
    const exchanges = new AsyncLocalStorage<unknown>();
    const stores: unknown[] = [];
    const listener = (): void => void stores.push(exchanges.getStore());
    for (const name of ["status", "command"]) subscribe(`fleet-internal-client:${name}`, listener);
    start.bindStore(exchanges, (message) => message);

    const { client } = await openButton();
    messages = [];
    expect((await exchange(client, status)).isOk()).toBe(true);
    expect(stores).toEqual([messages[0], messages[0]]);

    start.unbindStore(exchanges);
    for (const name of ["status", "command"]) unsubscribe(`fleet-internal-client:${name}`, listener);
  });
});

describe("a subscriber of only one event", () => {
  it.each(["start", "end", "asyncStart", "asyncEnd", "error"] as const)("is called: %s", async (event) => {
    for (const { channel, listeners } of subscriptions) channel.unsubscribe(listeners);
    const { client } = await openButton();
    let count = 0;
    const listener = (): void => void (count += 1);
    const name = `tracing:fleet-internal-client:exchange:${event}`;
    subscribe(name, listener);
    await exchange(client, status, { timeoutMs: event === "error" ? 0 : 5_000 }).unwrapOr(undefined);
    unsubscribe(name, listener);
    expect(count).toBe(1);
  });
});
