import { afterEach, describe, expect, it, jest } from "@jest/globals";
import { err, errAsync, ok, okAsync } from "neverthrow";
import { getCommand, withClient, type ClientHandle } from "../../lib/index.js";
import * as throwing from "../../lib/throwing.js";
import { watchClientSockets } from "../support/client-sockets.js";
import { eventually } from "../support/eventually.js";
import { configFor, endAll, openGateway } from "../support/opened.js";

afterEach(endAll);

const sockets = watchClientSockets();

const value = { some: "value" };
const failure = new Error("some failure");

function fail(): never {
  throw failure;
}

function failWithNothing(): never {
  throw undefined as unknown as Error;
}

/** What withClient and its throwing form come to, each of whose clients was destroyed before the outcome was there. */
async function outcomesOf(use: () => unknown) {
  const gateway = await openGateway();
  let used: ClientHandle | undefined;
  const watched = (client: ClientHandle): unknown => {
    used = client;
    return use();
  };
  const afterwards = async <Outcome>(outcome: PromiseLike<Outcome>): Promise<Outcome> => {
    const settled = await outcome;
    expect(getCommand(used!)._unsafeUnwrapErr().code).toBe("CONTEXT_INCORRECT");
    expect(sockets.made).toBeGreaterThan(0);
    expect(sockets.open).toBe(0);
    await eventually(() => expect(gateway.openSockets).toBe(0));
    return settled;
  };
  const result = await afterwards(withClient(configFor(gateway), watched));
  const thrown = throwing.withClient(configFor(gateway), watched);
  return [
    result,
    await afterwards(
      thrown.then(
        (given) => ok(given),
        (error: unknown) => err(error),
      ),
    ),
  ] as const;
}

describe("the outcome of withClient, which comes when its client is destroyed, is", () => {
  it.each<[string, () => unknown]>([
    ["a plain value", () => value],
    ["a promise of one", async () => value],
    ["an Ok", () => ok(value)],
    ["a promise of an Ok", async () => ok(value)],
    ["a ResultAsync that is Ok", () => okAsync(value)],
    ["a promise of a ResultAsync that is Ok", async () => okAsync(value)],
  ])("the value if use returns %s, in the throwing entry too", async (_, use) => {
    for (const outcome of await outcomesOf(use)) expect(outcome._unsafeUnwrap()).toBe(value);
  });

  it.each<[string, () => unknown]>([
    ["an Err", () => err(failure)],
    ["a promise of an Err", async () => err(failure)],
    ["a ResultAsync that is Err", () => errAsync(failure)],
  ])("the error if use returns %s, which the throwing entry throws", async (_, use) => {
    for (const outcome of await outcomesOf(use)) expect(outcome._unsafeUnwrapErr()).toBe(failure);
  });

  it.each<[string, () => unknown, unknown]>([
    ["throws", fail, failure],
    ["rejects", () => Promise.reject(failure), failure],
    ["throws undefined", failWithNothing, undefined],
  ])("NOT_OK of family usage with the cause if use %s; the throwing entry throws the cause", async (_, use, cause) => {
    const [result, thrown] = await outcomesOf(use);
    const error = result._unsafeUnwrapErr();
    expect(error).toMatchObject({ code: "NOT_OK", returnCode: -1, family: "usage", reason: "use-failed" });
    expect(error).toHaveProperty("cause", cause);
    expect(thrown._unsafeUnwrapErr()).toBe(cause);
  });

  it.each([undefined, null, 0, "", false, [], { isOk: true, isErr: false }, { value: 1 }])(
    "%p as it is",
    async (plain) => {
      const config = configFor(await openGateway());
      expect((await withClient(config, () => plain))._unsafeUnwrap()).toBe(plain);
      expect(await throwing.withClient(config, () => plain)).toBe(plain);
    },
  );
});

describe("withClient", () => {
  it("returns or throws what connect fails with, and does not call use", async () => {
    const config = configFor(await openGateway({ modules: [] }));
    const use = jest.fn();
    const outcome = await withClient(config, use);
    expect(outcome._unsafeUnwrapErr()).toMatchObject({ code: "MODULE_NOT_SUPPORTED", family: "connect" });
    await expect(throwing.withClient(config, use)).rejects.toMatchObject({ code: "MODULE_NOT_SUPPORTED" });
    expect(use).not.toHaveBeenCalled();
  });

  it("of the throwing entry refuses what is not a function before it connects", async () => {
    const gateway = await openGateway();
    await expect(throwing.withClient(configFor(gateway), 5 as never)).rejects.toMatchObject({ code: "NOT_OK" });
    expect(gateway.connections).toBe(0);
  });
});
