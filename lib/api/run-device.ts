import { err, type Result } from "neverthrow";
import { argumentError, checkedConfig, checkedDeviceOptions, invalidArgument } from "../client/arguments.js";
import { DeviceRun, last, type RetryDelay } from "../client/device-run.js";
import type { Stream } from "../client/mailbox.js";
import type { CommandsOptions, Config, SendStatusesOptions } from "../client/options.js";
import { mapStream, streamOf, streamOfOne } from "../client/streams.js";
import type { RunDeviceError } from "../errors/error-types.js";
import { readOutcome } from "./functions.js";

/**
 * How a device is run: `timeoutMs` holds for each status, `signal` ends the device, `repeatAfterMs` is 5,000 unless given, and
 * `highWaterMark` is how many commands may lie unread before the oldest give way.
 *
 * @example
 * const options: RunDeviceOptions = { signal, retryDelayMs: (failures, error) => (error.family === "connect" ? undefined : 1_000 * failures) };
 */
export interface RunDeviceOptions extends SendStatusesOptions, CommandsOptions {
  /**
   * How long to wait, in milliseconds from 0 to 2^31-1, before connecting again after that many failures in a row; undefined ends the
   * device. Default: 1 s, doubled with each failure up to 30 s, each spread at random by a quarter.
   */
  readonly retryDelayMs?: ((failuresInARow: number, error: RunDeviceError) => number | undefined) | undefined;
}

/**
 * A device that stays connected: it connects, sends every status of the source, repeats the last one when no new one comes, yields
 * every command that arrives, answers and pushed ones, each once and in order, and connects again after a failure that ended its client. After
 * a reconnection the last status goes out first.
 *
 * Every failure is an `Err` among the commands, and the device goes on, unless `retryDelayMs` ends it or an argument is wrong: that `Err`
 * is the last item. So is a source that throws (`source-failed`). It starts with the first read, and ends when the source ends or `signal` aborts; its client
 * is then destroyed, as it is when the loop is left. Statuses go out whether or not the consumer keeps up: of what lies unread
 * beyond `highWaterMark` (default 1,024) or 64 MiB the oldest give way, and one `Err`, `fell-behind`, says how many. It never rejects.
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
    if (checked.signal !== undefined)
      throw invalidArgument("config.signal", checked.signal, "left out: options.signal");
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
