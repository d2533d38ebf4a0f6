import { afterEach, describe, expect, it } from "@jest/globals";
import { err, errAsync, ok, okAsync } from "neverthrow";
import { exchange, getCommand, withClient, type ClientHandle } from "../../lib/index.js";
import { watchClientSockets } from "../support/client-sockets.js";
import { eventually } from "../support/eventually.js";
import { configFor, endAll, openGateway } from "../support/opened.js";

afterEach(endAll);

const sockets = watchClientSockets();

const status = Uint8Array.of(1);

function isDestroyed(client: ClientHandle | undefined): boolean {
  const isGone = getCommand(client!).isErr() && getCommand(client!)._unsafeUnwrapErr().code === "CONTEXT_INCORRECT";
  return isGone && sockets.made > 0 && sockets.open === 0;
}

describe("what use returns is the outcome of withClient", () => {
  const value = { some: "value" };
  const failure = new Error("some failure");
  const values: [string, () => unknown][] = [
    ["a plain value", () => value],
    ["a promise of one", async () => value],
    ["an Ok", () => ok(value)],
    ["a promise of an Ok", async () => ok(value)],
    ["a ResultAsync that is Ok", () => okAsync(value)],
    ["a promise of a ResultAsync that is Ok", async () => okAsync(value)],
  ];
  const failures: [string, () => unknown][] = [
    ["an Err", () => err(failure)],
    ["a promise of an Err", async () => err(failure)],
    ["a ResultAsync that is Err", () => errAsync(failure)],
  ];

  it.each(values)("if it is %s, and the client is destroyed before", async (_, use) => {
    const gateway = await openGateway();
    let used: ClientHandle | undefined;
    const outcome = await withClient(configFor(gateway), (client) => {
      used = client;
      return use();
    });
    expect(outcome._unsafeUnwrap()).toBe(value);
    expect(isDestroyed(used)).toBe(true);
    await eventually(() => expect(gateway.openSockets).toBe(0));
  });

  it.each(failures)("if it is %s, and the client is destroyed before", async (_, use) => {
    const gateway = await openGateway();
    let used: ClientHandle | undefined;
    const outcome = await withClient(configFor(gateway), (client) => {
      used = client;
      return use();
    });
    expect(outcome._unsafeUnwrapErr()).toBe(failure);
    expect(isDestroyed(used)).toBe(true);
    await eventually(() => expect(gateway.openSockets).toBe(0));
  });

  it.each([undefined, null, 0, "", false, [], { isOk: true }, { value: 1 }])("if it is %p", async (plain) => {
    const outcome = await withClient(configFor(await openGateway()), () => plain);
    expect(outcome._unsafeUnwrap()).toBe(plain);
  });

  it("if it is an exchange: its command, or its error", async () => {
    const gateway = await openGateway();
    const command = await withClient(configFor(gateway), (client) => exchange(client, status));
    expect(command._unsafeUnwrap()).toEqual(status);
    gateway.misbehave("status", { do: "send", bytes: new Uint8Array(4) });
    const failed = await withClient(configFor(gateway), (client) => exchange(client, status));
    expect(failed._unsafeUnwrapErr()).toMatchObject({ code: "COMMAND_INCORRECT" });
  });
});

describe("a use that throws", () => {
  const thrown: [string, unknown][] = [
    ["an error", new Error("thrown")],
    ["a string", "thrown"],
    ["undefined", undefined],
  ];

  it.each(thrown)(
    "%s gives NOT_OK of family usage with it as cause, and the client is destroyed before",
    async (_, what) => {
      const gateway = await openGateway();
      let used: ClientHandle | undefined;
      const throwing = [
        (client: ClientHandle): never => {
          used = client;
          throw what;
        },
        async (client: ClientHandle): Promise<never> => {
          used = client;
          (await exchange(client, status))._unsafeUnwrap();
          throw what;
        },
      ];
      for (const use of throwing) {
        const error = (await withClient(configFor(gateway), use))._unsafeUnwrapErr();
        expect(error).toMatchObject({ code: "NOT_OK", returnCode: -1, family: "usage", reason: "use-failed" });
        expect(error).toHaveProperty("cause", what);
        expect(isDestroyed(used)).toBe(true);
        await eventually(() => expect(gateway.openSockets).toBe(0));
      }
    },
  );
});

describe("withClient", () => {
  it("returns what connect fails with, and does not call use", async () => {
    const gateway = await openGateway({ modules: [] });
    let calls = 0;
    const outcome = await withClient(configFor(gateway), () => ++calls);
    expect(outcome._unsafeUnwrapErr()).toMatchObject({ code: "MODULE_NOT_SUPPORTED", family: "connect" });
    expect(calls).toBe(0);
  });

  it("settles calls that use left unfinished", async () => {
    const gateway = await openGateway();
    gateway.misbehave("status", { do: "stay silent" });
    const left = await withClient(configFor(gateway), async (client) => {
      const unfinished = exchange(client, status);
      await eventually(() => expect(gateway.statuses()).toHaveLength(1));
      return { unfinished };
    });
    const { unfinished } = left._unsafeUnwrap();
    expect((await unfinished)._unsafeUnwrapErr().code).toBe("CONTEXT_INCORRECT");
  });

  it("serves one call after the other, as a handler would make them", async () => {
    const gateway = await openGateway();
    for (let call = 0; call < 5; call++) {
      const command = await withClient(configFor(gateway), (client) => exchange(client, Uint8Array.of(call)));
      expect(command._unsafeUnwrap()).toEqual(Uint8Array.of(call));
      await eventually(() => expect(gateway.openSockets).toBe(0));
    }
    expect(gateway.connections).toBe(5);
  });

  it("can be chained on", async () => {
    const gateway = await openGateway();
    const length = await withClient(configFor(gateway), (client) => exchange(client, status)).map(
      (command) => command.length,
    );
    expect(length._unsafeUnwrap()).toBe(1);
  });
});
