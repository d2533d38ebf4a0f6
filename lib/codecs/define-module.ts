import { types } from "node:util";
import { err, ok } from "neverthrow";
import { MAX_INT32 } from "../limits.js";
import type { Codec } from "./codec.js";
import type { Module } from "./module.js";

/** What {@link defineModule} takes. */
export interface ModuleDefinition<Status = Uint8Array, Command = Uint8Array> {
  /** For error messages. */
  readonly name: string;
  /** The module's number, a whole number from 0 to 2^31-1. Anyone may use a number from 1000 up. */
  readonly number: number;
  /** How a status is written. Default: statuses are bytes. */
  readonly status?: Codec<Status, unknown> | undefined;
  /** How a command is read. Default: commands are bytes. */
  readonly command?: Codec<never, Command> | undefined;
}

/**
 * Makes a module: a value that types its device's statuses and commands.
 *
 * Use it as `config.device.module`. Statuses and commands without a codec are bytes. A wrong definition throws a TypeError, or a
 * RangeError for the number.
 *
 * @example
 * const door = defineModule({ name: "door", number: 1001, status: json<DoorStatus>(), command: json(isDoorCommand) });
 * const command = await withClient({ host, port, device: { module: door, ...front } }, (client) => exchange(client, { open: true }));
 */
export function defineModule<Status = Uint8Array, Command = Uint8Array>(
  definition: ModuleDefinition<Status, Command>,
): Module<Status, Command> {
  const { name, number, status = bytes, command = bytes } = definition;
  if (typeof name !== "string" || name === "") throw new TypeError("a module's name must be a non-empty string");
  if (!Number.isInteger(number) || number < 0 || number > MAX_INT32) {
    throw new RangeError(`a module's number is ${String(number)}, but must be a whole number from 0 to ${MAX_INT32}`);
  }
  assertCodec("status", status);
  assertCodec("command", command);
  // A codec whose schema transforms is typed by what the device passes and gets.
  return Object.freeze({ name, number, status, command }) as unknown as Module<Status, Command>;
}

const bytes: Codec<Uint8Array> = {
  encode: (payload) =>
    types.isUint8Array(payload) ? ok(payload) : err({ path: "$", message: "it is not a Uint8Array (a Buffer is one)" }),
  decode: (payload) => ok(payload),
};

function assertCodec(field: string, codec: unknown): void {
  const { encode, decode } = (codec ?? {}) as Partial<Codec<unknown>>;
  if (typeof encode === "function" && typeof decode === "function") return;
  throw new TypeError(`a module's ${field} must be a codec: an object with the functions encode and decode`);
}
