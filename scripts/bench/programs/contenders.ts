/** The ways to exchange a status for its answer. */
import { ok, ResultAsync } from "neverthrow";

import { getCommand, sendStatus } from "../../../lib/index.js";
import { exchange as throwingExchange } from "../../../lib/throwing.js";
import { connectHandle, libraryAt } from "./library.js";
import { discarding, openRawDevice, owning, type Reading, type Source } from "./raw-device.js";
import { awaitedLoop, callbackLoop, type Loop } from "./slices.js";

/** Opens one device and gives its loop. `source` is where a raw socket reads from; the library has its own. */
type Open = (port: number, payload: Uint8Array, source: Source, build?: string) => Promise<Loop>;

type Check = (command: Uint8Array | undefined) => void;

/** Every exchange is checked for its length, which costs nothing; the first one for its bytes. */
const checks = (payload: Uint8Array): { readonly first: Check; readonly each: Check } => ({
  first: (command) => {
    if (command === undefined || !Buffer.from(payload).equals(command)) {
      throw new Error("the answer is not the status that was sent");
    }
  },
  each: (command) => {
    if (command?.length !== payload.length) {
      throw new Error("an answer is not as long as the status that was sent");
    }
  },
});

const raw =
  (reading: Reading): Open =>
  async (port, payload, source) => {
    const device = await openRawDevice(port, source, reading, payload);
    return callbackLoop(device.exchange);
  };

export const contenders = {
  /** The floor that the targets are relative to. */
  owning: async (port, payload, source) => {
    const device = await openRawDevice(port, source, owning, payload);
    checks(payload).first(await new Promise((resolve) => device.exchange(resolve)));
    return callbackLoop(device.exchange);
  },

  owningAwaited: async (port, payload, source) => {
    const device = await openRawDevice(port, source, owning, payload);
    const turn = (): Promise<Uint8Array | undefined> => new Promise((resolve) => device.exchange(resolve));
    return awaitedLoop(turn, checks(payload).each);
  },

  /** What the library gives, made of nothing but the floor: a part of its cost that no work on the library can take away. */
  owningResult: async (port, payload, source) => {
    const device = await openRawDevice(port, source, owning, payload);
    const { each } = checks(payload);
    const turn = (): ResultAsync<Uint8Array | undefined, Error> =>
      new ResultAsync(new Promise((resolve) => device.exchange((command) => resolve(ok(command)))));
    return awaitedLoop(turn, (exchanged) => each(exchanged.unwrapOr(undefined)));
  },

  discarding: raw(discarding),

  exchange: async (port, payload, _source, build) => {
    const library = await libraryAt(build);
    const { exchange } = library;
    const handle = await connectHandle(port, library);
    const { first, each } = checks(payload);
    first((await exchange(handle, payload)).unwrapOr(undefined));
    return awaitedLoop(
      () => exchange(handle, payload),
      (exchanged) => {
        if (exchanged.isErr()) {
          throw exchanged.error;
        }
        each(exchanged.value);
      },
    );
  },

  sendStatus: async (port, payload) => {
    const handle = await connectHandle(port);
    const { each } = checks(payload);
    return awaitedLoop(
      () => sendStatus(handle, payload),
      (sent) => {
        const command = sent.isOk() ? getCommand(handle) : sent;
        if (command.isErr()) {
          throw command.error;
        }
        each(command.value);
      },
    );
  },

  throwing: async (port, payload) => {
    const handle = await connectHandle(port);
    return awaitedLoop(() => throwingExchange(handle, payload), checks(payload).each);
  },
} satisfies Record<string, Open>;

export type ContenderKind = keyof typeof contenders;
