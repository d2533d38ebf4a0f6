import { err, errAsync, ok, ResultAsync, type Result } from "neverthrow";
import { argumentError, checkedConfig } from "../client/arguments.js";
import { Client } from "../client/client.js";
import { noHandleError } from "../client/failure-error.js";
import { clientBehind, type AnyHandle, type ClientBehindHandle, type ClientHandle } from "../client/handle.js";
import type { Config, SendStatusOptions } from "../client/options.js";
import { readCommand, writeStatus } from "../codecs/payloads.js";
import type { ConnectError, ErrorWith, GetCommandError, SendStatusError } from "../errors/error-types.js";

/**
 * Connects a device to its vehicle's module gateway, in one attempt.
 *
 * The attempt ends within `connectTimeoutMs` (default 4,000 ms), TCP and the gateway's connect response included. If it fails, nothing
 * is left open. It never throws and never rejects.
 *
 * Errors, with the codes of the C header's `init_connection`:
 * - `UNABLE_TO_CONNECT`: no TCP connection, no connect response in time, or the gateway closed the connection without one
 * - `DEVICE_ALREADY_CONNECTED`, `HIGHER_PRIORITY_ALREADY_CONNECTED`, `MODULE_NOT_SUPPORTED`, `DEVICE_TYPE_NOT_SUPPORTED`: the gateway refused the device
 * - `DEVICE_INCORRECT`: the connect response names another device
 * - `NOT_OK`: a wrong configuration (the message names the field, the value and what is allowed), an abort by `config.signal`
 *   (its reason is the `cause`), both of family `usage`; or a gateway that breaks the protocol, of family `communication`
 *
 * @example
 * const connected = await connect({
 *   host: "127.0.0.1",
 *   port: 1636,
 *   device: { module: 1000, deviceType: 0, deviceRole: "left_button", deviceName: "button1" },
 * });
 * if (connected.isErr()) console.error(connected.error.message);
 */
export function connect<Status = Uint8Array, Command = Uint8Array>(
  config: Config<Status, Command>,
): ResultAsync<ClientHandle<Status, Command>, ConnectError> {
  try {
    const connecting = new Client(checkedConfig(config)).connect();
    return new ResultAsync(connecting as Promise<Result<ClientHandle<Status, Command>, ConnectError>>);
  } catch (thrown) {
    return errAsync(argumentError(thrown));
  }
}

/**
 * Sends a status and waits until a command has arrived; returns the same handle, for chaining.
 *
 * One attempt takes at most `timeoutMs` (default 10,000 ms) from the moment the operating system has taken the status. If the connection
 * fails, the client reconnects once and sends the status again. So a status may reach the gateway twice. That is safe, because a status is
 * a snapshot of the device's state. From its turn on, a call takes at most 2 × `timeoutMs` + 2 × (`connectTimeoutMs` + 350 ms). Concurrent
 * calls send their statuses one after the other, in call order; at most 64 may wait. The bytes are copied at the call. It never throws and
 * never rejects.
 *
 * Errors, with the codes of the C header's `send_status`; those marked * destroy the client:
 * - `TIMEOUT_OCCURRED` *: no command in time, not even after the reconnection
 * - `UNABLE_TO_CONNECT` *: the reconnection failed, or the gateway closed both connections without an answer (the module may consider the status invalid)
 * - `DEVICE_ALREADY_CONNECTED`, `HIGHER_PRIORITY_ALREADY_CONNECTED`, `MODULE_NOT_SUPPORTED`, `DEVICE_TYPE_NOT_SUPPORTED` *: the gateway refused the reconnection
 * - `COMMAND_INCORRECT`: the gateway sent something other than what was due, a command or, when reconnecting, a connect response;
 *   the client drops the connection, and the next status reconnects
 * - `DEVICE_INCORRECT`: the gateway sent a message for another device; the same happens
 * - `CONTEXT_INCORRECT`: not a handle (`no-handle`), or its client is destroyed (`destroyed`)
 * - `NOT_OK`: a wrong argument, a status that the module's codec refuses, an abort by `options.signal`, a status above `maxMessageBytes`,
 *   64 statuses already waiting; `reason` says which
 *
 * @example
 * const command = await connect(config)
 *   .andThen((client) => sendStatus(client, status, { timeoutMs: 10_000 }))
 *   .andThen(getCommand);
 */
export function sendStatus<Status, Command>(
  handle: ClientHandle<Status, Command>,
  status: NoInfer<Status>,
  options?: SendStatusOptions,
): ResultAsync<ClientHandle<Status, Command>, SendStatusError> {
  const client = clientBehind(handle);
  if (client === undefined) return errAsync(noHandleError(handle));
  const sent = exchangeBytes(client, status, options);
  return new ResultAsync(sent.then((outcome) => (outcome.isErr() ? err(outcome.error) : ok(handle))));
}

/**
 * Sends a status and returns the command that completed it.
 *
 * Limits and errors are those of {@link sendStatus}. In addition, a command that the module's codec cannot read is `COMMAND_INCORRECT`,
 * `unreadable-command`, with the bytes as `payload`; the connection stays open.
 *
 * The first command after a status completes it. The protocol does not distinguish a pushed command from an answer: if the gateway
 * pushes, this may be a push, and the status's own answer is then the next command.
 *
 * @example
 * const command = await exchange(client, { pressed: true }, { timeoutMs: 2_000 });
 */
export function exchange<Status, Command>(
  handle: ClientHandle<Status, Command>,
  status: NoInfer<Status>,
  options?: SendStatusOptions,
): ResultAsync<Command, SendStatusError> {
  const client = clientBehind(handle);
  if (client === undefined) return errAsync(noHandleError(handle));
  const exchanged = exchangeBytes(client, status, options);
  const read = client.module === undefined ? exchanged : exchanged.then((outcome) => readOutcome(client, outcome));
  return new ResultAsync(read as Promise<Result<Command, SendStatusError>>);
}

function exchangeBytes(
  client: ClientBehindHandle,
  status: unknown,
  options: unknown,
): Promise<Result<Uint8Array, SendStatusError>> {
  const { module, device } = client;
  if (module === undefined || client.isDestroyed) return client.exchange(status, options);
  const written = writeStatus(module, device, status);
  return written.isErr() ? Promise.resolve(err(written.error)) : client.exchange(written.value, options);
}

/** Decodes the outcome's bytes with the client's module, if it has one. */
export function readOutcome<E>(
  { module, device }: Pick<ClientBehindHandle, "module" | "device">,
  outcome: Result<Uint8Array, E>,
): Result<unknown, E | ErrorWith<"COMMAND_INCORRECT">> {
  return module === undefined || outcome.isErr() ? outcome : readCommand(module, device, outcome.value);
}

/**
 * Returns the latest command, an answer or a push, at once and without I/O.
 *
 * It may be old: a reconnection does not clear it. The library never changes its bytes, but everyone who gets this command shares them.
 * An empty command counts as a command, unless the module's codec is {@link optional}.
 *
 * Errors, with the codes of the C header's `get_command`:
 * - `NO_COMMAND_AVAILABLE`: none has arrived yet
 * - `CONTEXT_INCORRECT`: not a handle, or its client is destroyed
 * - `COMMAND_INCORRECT`: the module's codec cannot read it
 *
 * @example
 * const command = getCommand(client).unwrapOr(undefined);
 */
export function getCommand<Status, Command>(
  handle: ClientHandle<Status, Command>,
): Result<Exclude<Command, undefined>, GetCommandError> {
  const client = clientBehind(handle);
  if (client === undefined) return err(noHandleError(handle));
  return readOutcome(client, client.getCommand()) as Result<Exclude<Command, undefined>, GetCommandError>;
}

/**
 * Resolves when the client has been destroyed, and says why.
 *
 * Ok: your code destroyed it. Err: the error of the status that destroyed it, or `CONTEXT_INCORRECT` for anything but a handle.
 *
 * @example
 * (await closed(client)).mapErr((error) => console.error(error.message));
 */
export function closed(handle: AnyHandle): ResultAsync<void, SendStatusError> {
  const client = clientBehind(handle);
  return client === undefined ? errAsync(noHandleError(handle)) : new ResultAsync(client.whenClosed());
}

/**
 * Destroys a client, in any state and any number of times.
 *
 * The status in flight and those that wait fail with `CONTEXT_INCORRECT`, the readers of commands end, and the connection is closed. When
 * it resolves, no socket, timer or listener is left. It accepts any value and never fails.
 *
 * @example
 * await destroy(client);
 */
export function destroy(handle: AnyHandle): ResultAsync<void, never> {
  const client = clientBehind(handle);
  return new ResultAsync((client?.destroy() ?? Promise.resolve()).then(() => ok(undefined)));
}
