/** What the programs do with the library, which is the built one: see `build-programs.ts`. */
import * as library from "../../../lib/index.js";
import type { ClientHandle, Config } from "../../../lib/index.js";
import { device, host } from "./frames.js";

export const configFor = (port: number): Config => ({ host, port, device });

export type Library = typeof library;

/** The present build, or the one at that address. */
export const libraryAt = async (address: string | undefined): Promise<Library> =>
  address === undefined ? library : ((await import(address)) as Library);

export const connectHandle = async (port: number, { connect } = library): Promise<ClientHandle> => {
  const connected = await connect(configFor(port));
  if (connected.isErr()) {
    throw connected.error;
  }
  return connected.value;
};
