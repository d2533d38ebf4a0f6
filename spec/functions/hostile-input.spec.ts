import { afterEach, describe, expect, it } from "@jest/globals";
import {
  connect,
  defineModule,
  destroy,
  err,
  exchange,
  getCommand,
  ok,
  sendStatus,
  withClient,
  type Codec,
} from "../../lib/index.js";
import * as throwing from "../../lib/throwing.js";
import { eventually } from "../support/eventually.js";
import { button, configFor, endAll, openClient, openDevice, openGateway } from "../support/opened.js";

afterEach(endAll);

const status = Uint8Array.of(1, 2, 3);

describe("a status with an overridden length", () => {
  class Longer extends Uint8Array {
    override get length(): number {
      return 4096;
    }
  }

  it("is refused: the rest of its frame would be whatever the memory held before", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const ownLength = Object.defineProperty(Uint8Array.of(1), "length", { value: 100 });
    for (const lying of [new Longer([1, 2, 3]), ownLength]) {
      const error = (await exchange(client, lying))._unsafeUnwrapErr();
      expect(error.code).toBe("NOT_OK");
      expect(error.message).toContain("status is");
    }
    expect(gateway.statuses()).toEqual([]);
  });
});

describe("a signal whose own methods throw", () => {
  function hostileSignal(): AbortSignal {
    const thrower = () => {
      throw new Error("hostile");
    };
    const { signal } = new AbortController();
    return Object.assign(signal, { addEventListener: thrower, removeEventListener: thrower });
  }

  it("harms neither the call nor the client", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway, { signal: hostileSignal() });
    expect((await exchange(client, status, { signal: hostileSignal() }))._unsafeUnwrap()).toEqual(status);
    expect((await exchange(client, status))._unsafeUnwrap()).toEqual(status);
  });
});

describe("one signal for a whole process", () => {
  it("causes no warning of a leak, however many statuses and connects it serves at once", async () => {
    const warnings: unknown[] = [];
    const listener = (warning: unknown) => warnings.push(warning);
    process.on("warning", listener);
    const gateway = await openGateway();
    const { signal } = new AbortController();
    const client = await openClient(gateway);
    const outcomes = await Promise.all(Array.from({ length: 40 }, () => exchange(client, status, { signal })));
    const devices = Array.from({ length: 15 }, (_, n) => ({ ...button, deviceRole: `role${n}` }));
    const connected = await Promise.all(devices.map((device) => connect(configFor(gateway, { device, signal }))));
    for (const one of connected) await destroy(one._unsafeUnwrap());
    await new Promise((resolve) => setImmediate(resolve));
    process.off("warning", listener);
    expect(outcomes.every((outcome) => outcome.isOk())).toBe(true);
    expect(warnings).toEqual([]);
  });
});

describe("a codec that does not return Results", () => {
  const bytes = () => status as never;
  const late = () => Promise.resolve(status) as never;

  it.each([
    ["bytes", { encode: bytes, decode: bytes }],
    ["a promise", { encode: late, decode: late }],
    ["a Result without a problem", { encode: () => err(undefined), decode: () => err(undefined) }],
    ["an Ok that is not bytes", { encode: () => ok("text"), decode: () => err({ path: "$", message: "no" }) }],
  ] as unknown as [string, Codec<number>][])("but %s: an error in the Result, never a throw", async (_, codec) => {
    const gateway = await openGateway();
    const writing = await openDevice(gateway, defineModule({ name: "writing", number: 1000, status: codec }));
    expect((await exchange(writing, 5))._unsafeUnwrapErr()).toMatchObject({ reason: "unwritable-status" });
    expect((await sendStatus(writing, 5))._unsafeUnwrapErr()).toMatchObject({ reason: "unwritable-status" });
    expect(gateway.statuses()).toEqual([]);
    await destroy(writing);
    const reading = await openDevice(gateway, defineModule({ name: "reading", number: 1000, command: codec }));
    expect((await exchange(reading, status))._unsafeUnwrapErr()).toMatchObject({ reason: "unreadable-command" });
    expect(getCommand(reading)._unsafeUnwrapErr()).toMatchObject({ reason: "unreadable-command" });
  });
});

describe("a value that cannot even be printed", () => {
  const unshowable = {
    get [Symbol.toStringTag](): string {
      throw new Error("hostile");
    },
  };

  it("is refused like any other wrong argument", async () => {
    const client = await openClient(await openGateway());
    const error = (await exchange(client, unshowable as never))._unsafeUnwrapErr();
    expect(error.code).toBe("NOT_OK");
    expect(error.message).toContain("status is a value that cannot be printed, but must be a Uint8Array");
    expect((await withClient(unshowable as never, unshowable as never)).isErr()).toBe(true);
  });

  it("an empty object under a handle's key is not a handle", async () => {
    const forged = { [Symbol.for("fleet-internal-client.client.2")]: {} } as never;
    expect(getCommand(forged)._unsafeUnwrapErr().reason).toBe("no-handle");
    expect((await exchange(forged, status as never))._unsafeUnwrapErr().reason).toBe("no-handle");
    expect((await destroy(forged)).isOk()).toBe(true);
  });
});

describe("withClient of the throwing entry", () => {
  it("returns a plain value that only resembles a Result unchanged", async () => {
    const gateway = await openGateway();
    const rows = { isOk: true, isErr: false, rows: 3 };
    expect(await throwing.withClient(configFor(gateway), () => rows)).toBe(rows);
  });

  it("refuses what is not a function before it connects", async () => {
    const gateway = await openGateway();
    await expect(throwing.withClient(configFor(gateway), 5 as never)).rejects.toMatchObject({ code: "NOT_OK" });
    expect(gateway.connections).toBe(0);
  });

  it("throws even undefined unchanged, and destroys the client", async () => {
    const gateway = await openGateway();
    const use = () => {
      throw undefined as unknown as Error;
    };
    await expect(throwing.withClient(configFor(gateway), use)).rejects.toBeUndefined();
    await eventually(() => expect(gateway.openSockets).toBe(0));
  });
});
