import { inspect } from "node:util";
import { afterEach, describe, expect, it, jest } from "@jest/globals";
import * as library from "../../lib/index.js";
import {
  closed,
  commands,
  destroy,
  err,
  exchange,
  getCommand,
  ok,
  sendStatuses,
  type ClientHandle,
} from "../../lib/index.js";
import { eventually } from "../support/eventually.js";
import { button, configFor, endAll, keep, openButton, openGateway } from "../support/opened.js";
import { loadInRealm } from "../support/realm.js";

afterEach(endAll);

const END = { done: true, value: undefined };
const CLIENT = Symbol.for("fleet-internal-client.client.2");
const status = Uint8Array.of(1);

it("a handle has its device, host and port, and never changes, whatever becomes of its connection", async () => {
  const { gateway, client } = await openButton();
  const fields = { device: { ...button, priority: 0 }, host: "127.0.0.1", port: gateway.port };
  expect({ ...client }).toEqual(fields);
  expect(client.module).toBeUndefined();
  for (const frozen of [client, client.device, Object.getPrototypeOf(client)])
    expect(Object.isFrozen(frozen)).toBe(true);
  gateway.kick();
  (await exchange(client, status))._unsafeUnwrap();
  await destroy(client);
  expect(JSON.parse(JSON.stringify(client))).toEqual(fields);
});

describe("a printed handle", () => {
  it("shows its device, its endpoint and its state, and nothing internal", async () => {
    const { gateway, client } = await openButton();
    const { port } = gateway;
    gateway.misbehave("status", { do: "delay", ms: 20 });
    const device =
      "{ module: 1000, deviceType: 0, deviceRole: 'test', deviceName: 'button1', priority: 0 }, host: '127.0.0.1'";
    const expectShown = (state: string) => {
      const endpoint = `device "button1", module 1000, type 0, role "test", at 127.0.0.1:${port}`;
      expect(String(client)).toBe(`ClientHandle(${endpoint}, ${state})`);
      const shown = inspect(client, { breakLength: Infinity, depth: Infinity });
      expect(shown).toBe(`ClientHandle { device: ${device}, port: ${port}, state: '${state}' }`);
    };
    expectShown("connected");
    const outcome = exchange(client, status);
    expectShown("awaiting a command");
    (await outcome)._unsafeUnwrap();
    gateway.kick();
    await eventually(() => expectShown("disconnected, reconnects with the next status"));
    await destroy(client);
    expectShown("destroyed");
  });

  it("as a string puts an IPv6 address in brackets", async () => {
    const { gateway, client } = await openButton({ host: "::1" });
    expect(String(client)).toContain(`[::1]:${gateway.port}`);
  });

  it.each([
    ["no client", undefined],
    ["idle", { state: "idle" }],
    ["unknown", { state: 7 }],
  ])("tells %s where another copy has put that under its key", async (shown, behind) => {
    const { client } = await openButton();
    const made = Object.assign(Object.create(Object.getPrototypeOf(client) as object) as ClientHandle, { ...client });
    const value = behind && { device: client.device, exchange: () => undefined, ...behind };
    Object.defineProperty(made, CLIENT, { value });
    expect(String(made)).toMatch(new RegExp(`, ${shown}\\)$`));
    expect(inspect(made)).toContain(`state: '${shown}'`);
    await made[Symbol.asyncDispose]();
  });
});

// In another realm nothing is shared, so what works there works with a second copy in the same realm too.
describe("a copy of the library in another realm", () => {
  const copy = loadInRealm('export * from "./lib/index.js"') as typeof library;

  it("uses the first one's handles", async () => {
    const { client } = await openButton();
    expect(copy.connect).not.toBe(library.connect);
    expect(copy.InternalClientError).not.toBe(library.InternalClientError);
    const stream = copy.commands(client);
    expect(Array.from((await copy.exchange(client, status))._unsafeUnwrap())).toEqual([1]);
    expect((await copy.sendStatus(client, Uint8Array.of(2)))._unsafeUnwrap()).toBe(client);
    expect(Array.from(copy.getCommand(client)._unsafeUnwrap())).toEqual([2]);
    expect(Array.from((await stream.next()).value?._unsafeUnwrap() ?? [])).toEqual([1]);
    await copy.destroy(client);
    const error = copy.getCommand(client)._unsafeUnwrapErr();
    expect(error.code).toBe("CONTEXT_INCORRECT");
    expect(library.isInternalClientError(error) && copy.isInternalClientError(error)).toBe(true);
    expect(getCommand(client)._unsafeUnwrapErr().code).toBe("CONTEXT_INCORRECT");
  });

  it("makes handles that the first one uses, and errors that its guards know", async () => {
    const client = keep((await copy.connect(configFor(await openGateway())))._unsafeUnwrap());
    expect(Array.from((await exchange(client, status))._unsafeUnwrap())).toEqual([1]);
    expect(Array.from(getCommand(client)._unsafeUnwrap())).toEqual([1]);
    const stream = commands(client);
    await destroy(client);
    expect(await stream.next()).toEqual(END);
    const error = (await copy.connect({} as never))._unsafeUnwrapErr();
    expect(library.isInternalClientError(error) && library.isUsageError(error)).toBe(true);
  });
});

describe("what another copy has put under a handle's key", () => {
  const command = Uint8Array.of(7);
  const device = { ...button, priority: 0 };

  /** Acts as a client does, but for the changes. */
  function handleOf(changes: object): ClientHandle {
    const behind = {
      device,
      module: undefined,
      state: "connected",
      isDestroyed: false,
      exchange: async () => ok(command),
      getCommand: () => ok(command),
      commands: () => streamOf({}),
      whenClosed: async () => ok(undefined),
      destroy: async () => undefined,
      onClosed: () => () => undefined,
    };
    Object.defineProperties(behind, Object.getOwnPropertyDescriptors(changes));
    return { [CLIENT]: behind } as never;
  }

  function streamOf(changes: object): object {
    const next = async () => ({ done: false, value: ok(command) });
    return { next, [Symbol.asyncDispose]: async () => undefined, ...changes };
  }

  const throws = (): never => {
    throw new Error("from another copy");
  };

  it("is a client if it acts as one", async () => {
    const handle = handleOf({});
    expect((await exchange(handle, status))._unsafeUnwrap()).toBe(command);
    expect(getCommand(handle)._unsafeUnwrap()).toBe(command);
    expect(await commands(handle).next()).toEqual({ done: false, value: ok(command) });
    expect((await closed(handle)).isOk()).toBe(true);
    expect((await destroy(handle)).isOk()).toBe(true);
  });

  it("gives its errors as they are", async () => {
    const error = getCommand(null as never)._unsafeUnwrapErr();
    const handle = handleOf({ exchange: async () => err(error), whenClosed: async () => err(error) });
    expect((await exchange(handle, status))._unsafeUnwrapErr()).toBe(error);
    expect((await closed(handle))._unsafeUnwrapErr()).toBe(error);
  });

  it.each<[string, () => unknown]>([
    ["throws", throws],
    ["rejects", async () => throws()],
    ["gives no Result", async () => 7],
    ["gives an Err with no error of the library", async () => err(new Error("from another copy"))],
  ])("gives CONTEXT_INCORRECT where it %s", async (_, act) => {
    const handle = handleOf({ exchange: act, whenClosed: act, destroy: act });
    for (const outcome of [await exchange(handle, status), await closed(handle)])
      expect(outcome._unsafeUnwrapErr().code).toBe("CONTEXT_INCORRECT");
    expect((await destroy(handle)).isOk()).toBe(true);
  });

  it.each([throws, () => 7])("has no latest command where it gives none: %p", (act) => {
    expect(getCommand(handleOf({ getCommand: act }))._unsafeUnwrapErr().code).toBe("CONTEXT_INCORRECT");
  });

  it.each<[string, () => unknown]>([
    ["throws", throws],
    ["gives none", () => undefined],
    ["gives one whose next throws", () => streamOf({ next: throws })],
    ["gives one of no Results", () => streamOf({ next: async () => ({ done: false, value: 7 }) })],
  ])("ends its stream of commands with CONTEXT_INCORRECT where it %s", async (_, act) => {
    const stream = commands(handleOf({ commands: act }));
    expect((await stream.next()).value?._unsafeUnwrapErr().code).toBe("CONTEXT_INCORRECT");
    expect(await stream.next()).toEqual(END);
    expect(await stream.return?.()).toEqual(END);
  });

  it("has its commands read by a loop, and is told when they are left, by return and by await using", async () => {
    const items = [{ done: false, value: ok(command) }, END];
    const leave = jest.fn(async () => undefined);
    const stream = streamOf({ next: async () => items.shift(), [Symbol.asyncDispose]: leave });
    const handle = handleOf({ commands: () => stream });
    for await (const item of commands(handle)) expect(item._unsafeUnwrap()).toBe(command);
    expect(items).toEqual([]);
    const reader = commands(handle);
    expect([await reader.return?.(), await reader.next()]).toEqual([END, END]);
    expect(leave).toHaveBeenCalledTimes(1);
    await commands(handle)[Symbol.asyncDispose]();
    expect(leave).toHaveBeenCalledTimes(2);
  });

  it.each([
    ["is", () => true],
    ["cannot say whether it is", throws],
  ])("is asked why, and sent nothing of a source, where it %s destroyed", async (_, get) => {
    const source = jest.fn(() => [status].values());
    const handle = handleOf(Object.defineProperty({}, "isDestroyed", { get }));
    const outcomes = sendStatuses(handle, { [Symbol.iterator]: source });
    expect((await outcomes.next()).done).toBe(false);
    expect(await outcomes.next()).toEqual(END);
    expect(source).not.toHaveBeenCalled();
  });

  it.each(Object.keys(device))("is no client without a device's %s", async (field) => {
    const act = jest.fn(async () => ok(command));
    const handle = handleOf({ device: { ...device, [field]: undefined }, exchange: act });
    expect((await exchange(handle, status))._unsafeUnwrapErr().reason).toBe("no-handle");
    expect(act).not.toHaveBeenCalled();
  });
});
