import { errAsync, ResultAsync } from "neverthrow";
import { argumentError, checkedConfig, type CheckedConfig } from "../client/arguments.js";
import { Client } from "../client/client.js";
import type { ClientHandle } from "../client/handle.js";
import type { Config } from "../client/options.js";
import type { ConnectError } from "../errors/error-types.js";

/**
 * Connects a device to its vehicle's module gateway: TCP, then the device says who it is and awaits the gateway's answer.
 *
 * A first connect is one attempt and never tried again; it ends within `connectTimeoutMs` (default 4,000 ms). When it
 * fails, nothing is left open. It never throws and never rejects.
 *
 * Errors, by the C header's `init_connection`:
 * - `UNABLE_TO_CONNECT`: no TCP connection, no answer in time, or the gateway closed without one
 * - `DEVICE_ALREADY_CONNECTED`, `HIGHER_PRIORITY_ALREADY_CONNECTED`, `MODULE_NOT_SUPPORTED`, `DEVICE_TYPE_NOT_SUPPORTED`: the gateway refused the device
 * - `DEVICE_INCORRECT`: the connect response names another device
 * - `NOT_OK`: a wrong configuration (the message names the field, the value and what is allowed), an abort by `config.signal`
 *   (its reason is the `cause`), both of family `usage`; or a gateway off the protocol, of family `communication`
 *
 * @example
 * const connected = await connect({
 *   host: "127.0.0.1",
 *   port: 1636,
 *   device: { module: 1000, deviceType: 0, deviceRole: "left_button", deviceName: "button1" },
 * });
 * if (connected.isErr()) console.error(connected.error.message);
 */
export function connect(config: Config): ResultAsync<ClientHandle, ConnectError> {
  let checked: CheckedConfig;
  try {
    checked = checkedConfig(config);
  } catch (thrown) {
    return errAsync(argumentError(thrown));
  }
  return new ResultAsync(new Client(checked).connect());
}
