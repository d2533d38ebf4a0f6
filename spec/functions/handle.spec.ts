import { inspect } from "node:util";
import { afterEach, beforeAll, describe, expect, it, jest } from "@jest/globals";
import * as library from "../../lib/index.js";
import {
  closed,
  commands,
  destroy,
  err,
  exchange,
  getCommand,
  ok,
  sendStatus,
  sendStatuses,
  type ClientHandle,
} from "../../lib/index.js";
import { example } from "../../lib/modules/example.js";
import { eventually } from "../support/eventually.js";
import { button, configFor, endAll, keep, openClient, openDevice, openGateway } from "../support/opened.js";
import { loadInRealm } from "../support/realm.js";

afterEach(endAll);

const status = Uint8Array.of(1);

describe("a handle", () => {
  it("shows its device, host and port, and nothing else", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    expect(Object.keys(client)).toEqual(["device", "host", "port"]);
    expect({ ...client }).toEqual({ device: { ...button, priority: 0 }, host: "127.0.0.1", port: gateway.port });
  });

  it("has its module, if that was given", async () => {
    expect((await openDevice(await openGateway(), example)).module).toBe(example);
    expect((await openClient(await openGateway())).module).toBeUndefined();
  });

  it("is frozen, and so is its device", async () => {
    const client = await openClient(await openGateway());
    expect(Object.isFrozen(client)).toBe(true);
    expect(Object.isFrozen(client.device)).toBe(true);
    expect(Object.isFrozen(Object.getPrototypeOf(client))).toBe(true);
  });

  it("never changes, whatever becomes of its connection", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const before = { ...client };
    gateway.kick();
    (await exchange(client, status))._unsafeUnwrap();
    await destroy(client);
    expect({ ...client }).toEqual(before);
  });

  it("is written as JSON by its device, host and port", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    expect(JSON.parse(JSON.stringify(client))).toEqual({
      device: { ...button, priority: 0 },
      host: "127.0.0.1",
      port: gateway.port,
    });
  });

  it("as a copy of its fields is not a handle", async () => {
    const client = await openClient(await openGateway());
    for (const copy of [{ ...client }, Object.assign({}, client), structuredClone({ ...client })]) {
      const outcomes = [await sendStatus(copy, status), getCommand(copy)];
      for (const outcome of outcomes) expect(outcome._unsafeUnwrapErr().code).toBe("CONTEXT_INCORRECT");
    }
  });
});

describe("a printed handle", () => {
  it("as a string names the device, the endpoint and the state", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const endpoint = `device "button1", module 1000, type 0, role "test", at 127.0.0.1:${gateway.port}`;
    expect(String(client)).toBe(`ClientHandle(${endpoint}, connected)`);
    await destroy(client);
    expect(String(client)).toBe(`ClientHandle(${endpoint}, destroyed)`);
  });

  it("as a string puts an IPv6 address in brackets", async () => {
    const gateway = await openGateway({ host: "::1" });
    expect(String(await openClient(gateway))).toContain(`[::1]:${gateway.port}`);
  });

  it("by util.inspect shows device, endpoint and state, and nothing internal", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const shown = inspect(client, { breakLength: Infinity });
    expect(shown).toMatch(/^ClientHandle \{ device: \{ module: 1000, /);
    expect(shown).toContain(`host: '127.0.0.1', port: ${gateway.port}, state: 'connected' }`);
    expect(shown).not.toMatch(/socket|timer|waiting/i);
  });

  it.each([
    ["no client", undefined],
    ["idle", { state: "idle" }],
    ["unknown", { state: 7 }],
  ])("tells %s where another copy has put that under its key", async (shown, behind) => {
    const client = await openClient(await openGateway());
    const made = Object.assign(Object.create(Object.getPrototypeOf(client) as object) as ClientHandle, { ...client });
    if (behind !== undefined) {
      const key = Symbol.for("fleet-internal-client.client.2");
      Object.defineProperty(made, key, { value: { device: client.device, exchange: () => undefined, ...behind } });
    }
    expect(String(made)).toMatch(new RegExp(`, ${shown}\\)$`));
    expect(inspect(made)).toContain(`state: '${shown}'`);
    await made[Symbol.asyncDispose]();
  });

  it("shows its state: awaiting a command, disconnected", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    gateway.misbehave("status", { do: "delay", ms: 20 });
    const outcome = exchange(client, status);
    expect(inspect(client)).toContain("awaiting a command");
    (await outcome)._unsafeUnwrap();
    gateway.kick();
    await eventually(() => expect(inspect(client)).toContain("disconnected"));
  });
});

interface Copy {
  readonly library: typeof library;
}

async function expectUsableBy(copy: Copy["library"], client: ClientHandle): Promise<void> {
  expect(copy.connect).not.toBe(library.connect);
  expect(copy.InternalClientError).not.toBe(library.InternalClientError);
  const stream = copy.commands(client);
  expect(Array.from((await copy.exchange(client, status))._unsafeUnwrap())).toEqual([1]);
  expect((await copy.sendStatus(client, Uint8Array.of(2)))._unsafeUnwrap()).toBe(client);
  expect(Array.from(copy.getCommand(client)._unsafeUnwrap())).toEqual([2]);
  expect(Array.from((await stream.next()).value?._unsafeUnwrap() ?? [])).toEqual([1]);
  expect(String(client)).toContain("connected");
  await copy.destroy(client);
  const error = copy.getCommand(client)._unsafeUnwrapErr();
  expect(error.code).toBe("CONTEXT_INCORRECT");
  expect(library.isInternalClientError(error) && copy.isInternalClientError(error)).toBe(true);
  expect(library.getCommand(client)._unsafeUnwrapErr().code).toBe("CONTEXT_INCORRECT");
}

describe("a second copy of the library", () => {
  let copy: Copy["library"];

  beforeAll(() => {
    jest.isolateModules(() => {
      copy = jest.requireActual<typeof library>("../../lib/index.js");
    });
  });

  it("uses the first one's handles", async () => {
    await expectUsableBy(copy, await openClient(await openGateway()));
  });

  it("makes handles that the first one uses", async () => {
    const gateway = await openGateway();
    const client = keep((await copy.connect(configFor(gateway)))._unsafeUnwrap());
    expect((await exchange(client, status))._unsafeUnwrap()).toEqual(status);
    const stream = commands(client);
    await destroy(client);
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });
});

describe("a copy of the library in another realm", () => {
  let copy: Copy["library"];

  beforeAll(() => {
    copy = loadInRealm('export * from "./lib/index.js"') as typeof library;
  });

  it("uses this realm's handles", async () => {
    await expectUsableBy(copy, await openClient(await openGateway()));
  });

  it("makes handles that are used here", async () => {
    const gateway = await openGateway();
    const client = keep((await copy.connect(configFor(gateway)))._unsafeUnwrap());
    expect(client instanceof Object).toBe(false);
    expect(Array.from((await exchange(client, status))._unsafeUnwrap())).toEqual([1]);
    expect(Array.from(getCommand(client)._unsafeUnwrap())).toEqual([1]);
    await destroy(client);
    expect(getCommand(client)._unsafeUnwrapErr().code).toBe("CONTEXT_INCORRECT");
  });

  it("returns errors that the guards here know", async () => {
    const error = (await copy.connect({} as never))._unsafeUnwrapErr();
    expect(error instanceof Error).toBe(false);
    expect(library.isInternalClientError(error) && library.isUsageError(error)).toBe(true);
  });
});

describe("what another copy has put under a handle's key", () => {
  const END = { done: true, value: undefined };
  const command = Uint8Array.of(7);

  /** Acts as a client does, but for the changes. */
  function handleOf(changes: object): ClientHandle {
    const behind = {
      device: { ...button, priority: 0 },
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
    return { [Symbol.for("fleet-internal-client.client.2")]: behind } as never;
  }

  function streamOf(changes: object): object {
    return {
      next: async () => ({ done: false, value: ok(command) }),
      [Symbol.asyncDispose]: async () => undefined,
      ...changes,
    };
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

  it.each([
    ["throws", throws],
    ["rejects", async () => throws()],
    ["gives no Result", async () => 7],
    ["gives an Err with no error of the library", async () => err(new Error("from another copy"))],
  ])("gives CONTEXT_INCORRECT where it %s", async (_, act) => {
    const handle = handleOf({ exchange: act, whenClosed: act, destroy: act });
    const outcomes = [await exchange(handle, status), await closed(handle)];
    for (const outcome of outcomes) expect(outcome._unsafeUnwrapErr().code).toBe("CONTEXT_INCORRECT");
    expect((await destroy(handle)).isOk()).toBe(true);
  });

  it.each<[string, () => unknown]>([
    ["throws", throws],
    ["gives no Result", () => 7],
  ])("has no latest command where it %s", (_, act) => {
    expect(getCommand(handleOf({ getCommand: act }))._unsafeUnwrapErr().code).toBe("CONTEXT_INCORRECT");
  });

  it.each<[string, () => unknown]>([
    ["throws", throws],
    ["gives none", () => undefined],
    ["gives one whose next throws", () => streamOf({ next: throws })],
    ["gives one of no Results", () => streamOf({ next: async () => ({ done: false, value: 7 }) })],
  ])("ends its stream of commands with CONTEXT_INCORRECT where it %s", async (_, act) => {
    const stream = commands(handleOf({ commands: act }));
    const first = await stream.next();
    expect([first.done, first.value?._unsafeUnwrapErr().code]).toEqual([false, "CONTEXT_INCORRECT"]);
    expect(await stream.next()).toEqual(END);
    expect(await stream.return?.()).toEqual(END);
  });

  it("has its commands read by a loop", async () => {
    const items = [{ done: false, value: ok(command) }, END];
    const read: Uint8Array[] = [];
    const handle = handleOf({ commands: () => streamOf({ next: async () => items.shift() }) });
    for await (const item of commands(handle)) read.push(item._unsafeUnwrap());
    expect(read).toEqual([command]);
  });

  it("is told when its stream of commands is left, by return and by await using", async () => {
    const leave = jest.fn(async () => undefined);
    const handle = handleOf({ commands: () => streamOf({ [Symbol.asyncDispose]: leave }) });
    const stream = commands(handle);
    expect(await stream.return?.()).toEqual(END);
    expect(leave).toHaveBeenCalledTimes(1);
    expect(await stream.next()).toEqual(END);
    await commands(handle)[Symbol.asyncDispose]();
    expect(leave).toHaveBeenCalledTimes(2);
  });

  it.each([
    ["is", { isDestroyed: true }],
    [
      "cannot say whether it is",
      {
        get isDestroyed() {
          return throws();
        },
      },
    ],
  ])("is asked why, and sent nothing of a source, where it %s destroyed", async (_, changes) => {
    const source = jest.fn(function* () {
      yield status;
    });
    const outcomes = sendStatuses(handleOf(changes), { [Symbol.iterator]: source });
    expect((await outcomes.next()).done).toBe(false);
    expect(await outcomes.next()).toEqual(END);
    expect(source).not.toHaveBeenCalled();
  });

  it.each(["module", "deviceType", "deviceRole", "deviceName", "priority"])(
    "is no client without a device's %s",
    async (field) => {
      const act = jest.fn(async () => ok(command));
      const handle = handleOf({ device: { ...button, priority: 0, [field]: undefined }, exchange: act });
      expect((await exchange(handle, status))._unsafeUnwrapErr().reason).toBe("no-handle");
      expect(act).not.toHaveBeenCalled();
    },
  );
});
