import { err, type Result } from "neverthrow";
import { argumentError, checkedConfig, checkedDeviceOptions } from "../client/arguments.js";
import { DeviceRun, last, type RetryDelay } from "../client/device-run.js";
import type { Stream } from "../client/mailbox.js";
import type { CommandsOptions, Config, SendStatusesOptions } from "../client/options.js";
import { mapStream, streamOf, streamOfOne } from "../client/streams.js";
import type { ErrorWith, RunDeviceError } from "../errors/error-types.js";
import { InternalClientError } from "../errors/internal-client-error.js";
import { readOutcome } from "./functions.js";

/**
 * How a device runs: `timeoutMs` applies to each status, `signal` ends the device, `repeatAfterMs` is 5,000 unless given, and
 * `highWaterMark` is how many commands may be unread before the oldest are dropped.
 *
 * @example
 * const options: RunDeviceOptions = { signal, retryDelayMs: (failures, error) => (error.family === "connect" ? undefined : 1_000 * failures) };
 */
export interface RunDeviceOptions extends SendStatusesOptions, CommandsOptions {
  /**
   * A function that returns how long to wait before connecting again, in milliseconds, 0 to 2^31-1; `undefined` ends the device. It gets
   * the number of failures in a row and the last error.
   *
   * @defaultValue 1,000 ms, doubled with each failure up to 30,000 ms, each varied at random by a quarter
   */
  readonly retryDelayMs?: ((failuresInARow: number, error: RunDeviceError) => number | undefined) | undefined;
}

/**
 * Runs a device that stays connected: sends every status of the source, and yields every command and every failure.
 *
 * It connects, repeats the last status when no new one comes, yields each command once and in order, answers and pushed ones, and
 * connects again after a failure that destroyed its client; then it sends the last status first. It starts with the first read.
 *
 * Every failure is an `Err` among the commands, a refusal too, and the device keeps running. The last item is an `Err` if `retryDelayMs`
 * ended the device, an argument is wrong, or the source threw (`source-failed`). It also ends when the source ends or `signal` aborts; its
 * client is then destroyed, as it is when the loop is left. It sends statuses whether or not you read commands: beyond `highWaterMark`
 * (default 1,024) or 64 MiB unread, it drops the oldest, and one `Err`, `fell-behind`, says how many. It never rejects.
 *
 * @example
 * const device = { module: example, deviceType: 0, deviceRole: "left_button", deviceName: "button1" };
 * for await (const command of runDevice({ host, port, device }, every(1_000, () => ({ pressed: isPressed() })), { signal })) {
 *   command.match(({ lit_up }) => lamp(lit_up), (error) => console.warn(error.message));
 * }
 */
export function runDevice<Status = Uint8Array, Command = Uint8Array>(
  config: Omit<Config<Status, Command>, "signal">,
  source: Iterable<NoInfer<Status>> | AsyncIterable<NoInfer<Status>>,
  options?: RunDeviceOptions,
): Stream<Result<Exclude<Command, undefined>, RunDeviceError>> {
  try {
    const checked = checkedConfig(config);
    if (checked.signal !== undefined) throw misplacedSignal();
    const run = new DeviceRun(checked, source, checkedDeviceOptions<RetryDelay>(options));
    const items = streamOf(
      () => run.next(),
      () => run.leave(),
    );
    return mapStream(items, (item) => readOutcome(checked, item)) as Stream<
      Result<Exclude<Command, undefined>, RunDeviceError>
    >;
  } catch (thrown) {
    return streamOfOne(err(last(argumentError(thrown))));
  }
}

function misplacedSignal(): ErrorWith<"NOT_OK"> {
  return new InternalClientError("NOT_OK", { message: "runDevice does not take config.signal. Use options.signal." });
}
