import { setTimeout as sleep } from "node:timers/promises";

import type { ResultAsync } from "neverthrow";

import { destroy, type ClientHandle, type ConnectError } from "../../lib/index.js";
import { nameOf, say } from "./say.js";

const PAUSE_BEFORE_CONNECTING_ANEW_MS = 500;

/**
 * A device's life until the signal: it connects, uses the client for as long as that lives, and connects anew.
 * Gives an error only if it cannot connect at all.
 */
export async function live(
  name: string,
  connect: () => ResultAsync<ClientHandle, ConnectError>,
  use: (client: ClientHandle) => Promise<void>,
  signal: AbortSignal,
): Promise<ConnectError | undefined> {
  for (let isFirst = true; !signal.aborted; isFirst = false) {
    const connected = await connect();
    if (connected.isOk()) {
      const client = connected.value;
      say(nameOf(client), "connected", describe(client));
      await use(client);
      await destroy(client);
    } else if (!isAborted(signal)) {
      if (isFirst) return connected.error;
      say(name, "error", connected.error.message);
    }
    await sleep(PAUSE_BEFORE_CONNECTING_ANEW_MS, undefined, { signal }).catch(() => undefined);
  }
  say(name, "destroyed", "the device was told to stop");
  return undefined;
}

/** The compiler would take the property to stay as it was last seen. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}

function describe({ device, host, port }: ClientHandle): string {
  const { module, deviceType, deviceRole } = device;
  return `module ${module}, type ${deviceType}, role ${deviceRole}, at ${host} port ${port}`;
}
