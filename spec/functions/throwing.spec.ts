import { afterEach, describe, expect, it } from "@jest/globals";
import { err, errAsync, ok, okAsync } from "neverthrow";
import * as results from "../../lib/index.js";
import * as throwing from "../../lib/throwing.js";
import { utf8 } from "../support/bytes.js";
import { configFor, endAll, keep, openClient, openGateway } from "../support/opened.js";

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

  it("shares with the other entry all that does not fail", () => {
    expect(throwing.commands).toBe(results.commands);
    expect(throwing.InternalClientError).toBe(results.InternalClientError);
    expect(throwing.ReturnCode).toBe(results.ReturnCode);
    expect(throwing.isUsageError).toBe(results.isUsageError);
  });

  it("gives values where the other one gives Results", async () => {
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

  it("throws from getCommand at once, not by a promise", async () => {
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

describe("a module of the throwing entry", () => {
  const definition = { name: "text", number: 1001, status: throwing.text(), command: throwing.text() };
  const device = { deviceType: 0, deviceRole: "test", deviceName: "display" };

  it("gives values where the other one gives Results", async () => {
    const gateway = await openGateway();
    const module = throwing.defineModule(definition);
    const client = keep(await module.connect(configFor(gateway, { device: device as never })));
    expect(client.device.module).toBe(1001);
    const stream = module.commands(client);
    expect(await module.exchange(client, "a")).toBe("a");
    expect(await module.sendStatus(client, "b")).toBe(client);
    expect(module.getCommand(client)).toBe("b");
    expect(await stream.next()).toEqual({ done: false, value: "a" });
    await module.destroy(client);
    expect(() => module.getCommand(client)).toThrow(/^CONTEXT_INCORRECT/);
    const config = configFor(gateway, { device: device as never });
    expect(await module.withClient(config, (other) => module.exchange(other, "c"))).toBe("c");
  });

  it("can be made from one of the other entry", () => {
    const module = throwing.defineModule(results.defineModule(definition));
    expect(module).toMatchObject({ name: "text", number: 1001 });
    expect(Object.keys(module).sort()).toEqual(Object.keys(results.defineModule(definition)).sort());
  });

  it("throws what its codecs do not take, and the connection is not harmed", async () => {
    const gateway = await openGateway({ answer: () => Uint8Array.of(0xff) });
    const module = throwing.defineModule(definition);
    const client = keep(await module.connect(configFor(gateway, { device: device as never })));
    const unwritable = await thrownBy(() => module.exchange(client, 7 as never));
    expect(unwritable).toMatchObject({ code: "NOT_OK", family: "usage" });
    const unreadable = await thrownBy(() => module.exchange(client, "a"));
    expect(unreadable).toMatchObject({ code: "COMMAND_INCORRECT", payload: Uint8Array.of(0xff) });
    expect(() => module.getCommand(client)).toThrow(/^COMMAND_INCORRECT/);
    expect(gateway.connections).toBe(1);
  });

  it("rejects the read of a command that cannot be read, and reading goes on", async () => {
    const gateway = await openGateway();
    const module = throwing.defineModule(definition);
    const client = keep(await module.connect(configFor(gateway, { device: device as never })));
    const stream = module.commands(client);
    gateway.push(Uint8Array.of(0xff));
    gateway.push(utf8("readable"));
    await expect(stream.next()).rejects.toMatchObject({ code: "COMMAND_INCORRECT", payload: Uint8Array.of(0xff) });
    expect(await stream.next()).toEqual({ done: false, value: "readable" });
    expect(await stream.return?.()).toEqual({ done: true, value: undefined });
  });

  it("throws what use throws as it is, from withClient too", async () => {
    const gateway = await openGateway();
    const module = throwing.defineModule(definition);
    const failure = { not: "even an error" };
    const config = configFor(gateway, { device: device as never });
    expect(await thrownBy(() => module.withClient(config, () => Promise.reject(failure as unknown as Error)))).toBe(
      failure,
    );
  });
});
