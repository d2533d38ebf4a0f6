/** What the programs do with the library, which is the built one: see `build-programs.ts`. */
import { connect, type ClientHandle, type Config } from "../../../lib/index.js";
import { device, host } from "./frames.js";

export const configFor = (port: number): Config => ({ host, port, device });

export const connectHandle = async (port: number): Promise<ClientHandle> => {
  const connected = await connect(configFor(port));
  if (connected.isErr()) {
    throw connected.error;
  }
  return connected.value;
};
