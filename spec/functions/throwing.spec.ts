import { afterEach, describe, expect, it } from "@jest/globals";
import { err, errAsync, ok, okAsync } from "neverthrow";
import * as results from "../../lib/index.js";
import * as throwing from "../../lib/throwing.js";
import { utf8 } from "../support/bytes.js";
import { eventually } from "../support/eventually.js";
import { configFor, endAll, keep, openClient, openDevice, openGateway } from "../support/opened.js";

afterEach(endAll);

const status = Uint8Array.of(1);

async function thrownBy(call: () => unknown): Promise<unknown> {
  try {
    await call();
  } catch (thrown) {
    return thrown;
  }
  throw new Error("Nothing was thrown.");
}

describe("the throwing entry", () => {
  it("has the same names", () => {
    expect(Object.keys(throwing).sort()).toEqual(Object.keys(results).sort());
  });

  it("shares with the other entry everything that does not fail", () => {
    expect(throwing.defineModule).toBe(results.defineModule);
    expect(throwing.every).toBe(results.every);
    expect(throwing.InternalClientError).toBe(results.InternalClientError);
    expect(throwing.ReturnCode).toBe(results.ReturnCode);
    expect(throwing.isUsageError).toBe(results.isUsageError);
  });

  it("returns values where the other one returns Results", async () => {
    const gateway = await openGateway();
    const client = keep(await throwing.connect(configFor(gateway)));
    expect(await throwing.exchange(client, status)).toEqual(status);
    expect(await throwing.sendStatus(client, Uint8Array.of(2))).toBe(client);
    expect(throwing.getCommand(client)).toEqual(Uint8Array.of(2));
    await expect(throwing.destroy(client)).resolves.toBeUndefined();
  });

  it("supports await using", async () => {
    const gateway = await openGateway();
    let kept: throwing.ClientHandle;
    {
      await using client = await throwing.connect(configFor(gateway));
      kept = client;
    }
    expect(() => throwing.getCommand(kept)).toThrow(/^CONTEXT_INCORRECT/);
  });

  it("throws what connect fails with", async () => {
    const gateway = await openGateway({ modules: [] });
    const refused = await thrownBy(() => throwing.connect(configFor(gateway)));
    expect(refused).toBeInstanceOf(results.InternalClientError);
    expect(refused).toMatchObject({ code: "MODULE_NOT_SUPPORTED", returnCode: -16, family: "connect" });
    const wrong = await thrownBy(() => throwing.connect(null as never));
    expect(wrong).toMatchObject({ code: "NOT_OK", family: "usage" });
  });

  it("throws the very error that the Result holds", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    gateway.misbehave("status", { do: "close" }, { times: 2 });
    const [failed, later] = await Promise.all([
      thrownBy(() => throwing.exchange(client, status)),
      thrownBy(() => throwing.sendStatus(client, status)),
    ]);
    expect(failed).toMatchObject({ code: "UNABLE_TO_CONNECT" });
    expect(later).toMatchObject({ code: "CONTEXT_INCORRECT" });
    expect((later as Error).cause).toBe(failed);
    expect(results.getCommand(client)._unsafeUnwrapErr().cause).toBe(failed);
  });

  it("throws from getCommand synchronously", async () => {
    const client = await openClient(await openGateway());
    expect(() => throwing.getCommand(client)).toThrow(/^NO_COMMAND_AVAILABLE/);
    expect(() => throwing.getCommand(null as never)).toThrow(/^CONTEXT_INCORRECT/);
  });

  it("never throws from destroy", async () => {
    await expect(throwing.destroy(null as never)).resolves.toBeUndefined();
  });
});

describe("the throwing withClient", () => {
  const value = { some: "value" };
  const failure = new Error("some failure");

  it.each([
    ["a plain value", () => value],
    ["a promise of one", async () => value],
    ["an Ok", () => ok(value)],
    ["a ResultAsync that is Ok", () => okAsync(value)],
    ["a promise of an Ok", async () => ok(value)],
  ] as [string, () => unknown][])("gives the value if use returns %s", async (_, use) => {
    expect(await throwing.withClient(configFor(await openGateway()), use)).toBe(value);
  });

  it.each([
    ["throws", () => Promise.reject(failure)],
    ["throws at once", throwFailure],
    ["returns an Err", () => err(failure)],
    ["returns a ResultAsync that is Err", () => errAsync(failure)],
  ] as [string, () => unknown][])(
    "throws it as it is if use %s, and the client is destroyed before",
    async (_, use) => {
      const gateway = await openGateway();
      let used: throwing.ClientHandle | undefined;
      const thrown = await thrownBy(() =>
        throwing.withClient(configFor(gateway), (client) => {
          used = client;
          return use();
        }),
      );
      expect(thrown).toBe(failure);
      expect(() => throwing.getCommand(used!)).toThrow(/^CONTEXT_INCORRECT/);
    },
  );

  function throwFailure(): never {
    throw failure;
  }

  it("throws what connect fails with, and does not call use", async () => {
    let calls = 0;
    const gateway = await openGateway({ modules: [] });
    const thrown = await thrownBy(() => throwing.withClient(configFor(gateway), () => ++calls));
    expect(thrown).toMatchObject({ code: "MODULE_NOT_SUPPORTED" });
    expect(calls).toBe(0);
  });
});

describe("commands and sendStatuses of the throwing entry", () => {
  const display = results.defineModule({ name: "text", number: 1001, status: results.text(), command: results.text() });

  it("yield values", async () => {
    const gateway = await openGateway();
    const client = await openDevice(gateway, display);
    const reader = throwing.commands(client);
    const sent: string[] = [];
    for await (const command of throwing.sendStatuses(client, ["a", "b"])) sent.push(command);
    expect(sent).toEqual(["a", "b"]);
    expect(await reader.next()).toEqual({ done: false, value: "a" });
    expect(await reader.return?.()).toEqual({ done: true, value: undefined });
  });

  it("end by throwing the first error", async () => {
    const gateway = await openGateway();
    const client = await openDevice(gateway, display);
    const reader = throwing.commands(client);
    gateway.push(Uint8Array.of(0xff));
    gateway.push(utf8("readable"));
    await expect(reader.next()).rejects.toMatchObject({ reason: "unreadable-command", payload: Uint8Array.of(0xff) });
    expect(await reader.next()).toEqual({ done: true, value: undefined });
    const sending = throwing.sendStatuses(client, [7 as never, "b"]);
    await expect(sending.next()).rejects.toMatchObject({ reason: "unwritable-status" });
    expect(await sending.next()).toEqual({ done: true, value: undefined });
  });
});

describe("runDevice of the throwing entry", () => {
  it("yields commands, passes errors that do not end it to onError, and throws the one that does", async () => {
    const gateway = await openGateway();
    gateway.misbehave("status", { do: "send", bytes: new Uint8Array(4) });
    const told: string[] = [];
    const read: number[] = [];
    async function* source() {
      yield status;
      yield Uint8Array.of(2);
      throw new Error("sensor unplugged");
    }
    const run = async () => {
      const options = { onError: (error: results.RunDeviceError) => void told.push(error.code) };
      for await (const command of throwing.runDevice(configFor(gateway), source(), options)) read.push(command[0]!);
    };
    expect(await thrownBy(run)).toMatchObject({ reason: "source-failed" });
    expect(told).toEqual(["COMMAND_INCORRECT"]);
    expect(read).toEqual([2]);
  });

  it("throws a wrong argument, and what onError throws", async () => {
    const gateway = await openGateway();
    const wrong = throwing.runDevice({ ...configFor(gateway), port: 0 }, [status]);
    await expect(wrong.next()).rejects.toMatchObject({ reason: "invalid-argument" });
    const optionsOfNone = throwing.runDevice(configFor(gateway), [status], 5 as never);
    await expect(optionsOfNone.next()).rejects.toMatchObject({ reason: "invalid-argument" });
    expect(gateway.connections).toBe(0);
    gateway.misbehave("connect", { do: "refuse", responseType: 2 });
    const failure = new Error("told");
    const telling = throwing.runDevice(configFor(gateway), [status], {
      onError: () => {
        throw failure;
      },
    });
    await expect(telling.next()).rejects.toBe(failure);
    await eventually(() => expect(gateway.openSockets).toBe(0));
  });
});

describe("closed and lazyClient of the throwing entry", () => {
  it("closed resolves when the owner destroys the client, and throws what destroyed it otherwise", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const ended = throwing.closed(client);
    await throwing.destroy(client);
    await expect(ended).resolves.toBeUndefined();
    const other = await openClient(gateway);
    gateway.misbehave("status", { do: "close" }, { times: 2 });
    const failed = await thrownBy(() => throwing.exchange(other, status));
    await expect(throwing.closed(other)).rejects.toBe(failed);
  });

  it("lazyClient resolves to the client, and destroys it", async () => {
    const gateway = await openGateway();
    const button = throwing.lazyClient(configFor(gateway));
    expect(await throwing.exchange(await button(), status)).toEqual(status);
    await button.destroy();
    await eventually(() => expect(gateway.openSockets).toBe(0));
    const nobody = throwing.lazyClient({ ...configFor(gateway), port: 0 });
    await expect(nobody()).rejects.toMatchObject({ code: "NOT_OK" });
    await expect(nobody.destroy()).resolves.toBeUndefined();
  });
});
