import type { Codec } from "./codec.js";

/**
 * A module: its number, its name, and how its statuses and commands are written as bytes. Use it as `config.device.module`: it types
 * every call with the device's handle. {@link defineModule} makes one.
 *
 * @example
 * const nameOf = (module: Module<ExampleStatus, ExampleCommand>) => `${module.name} (${module.number})`;
 */
export interface Module<Status = Uint8Array, Command = Uint8Array> {
  /** For error messages. */
  readonly name: string;
  /** The module's number, a whole number from 0 to 2^31-1. Anyone may use a number from 1000 up. */
  readonly number: number;
  /** How a status is written. */
  readonly status: Codec<Status>;
  /** How a command is read. */
  readonly command: Codec<Command>;
}

/** A module whose payload types do not matter. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- codecs take and give payloads, so only `any` stands for all of them
export type AnyModule = Module<any, any>;
