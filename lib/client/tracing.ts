import { tracingChannel, type TracingChannel } from "node:diagnostics_channel";
import type { Result } from "neverthrow";
import type { ConnectError, SendStatusError } from "../errors/error-types.js";
import type { Device } from "../protocol/device.js";
import type { AnyHandle } from "./handle.js";

/**
 * The message of a call on a TracingChannel. All events of the call have the same object.
 *
 * @example
 * tracingChannel<unknown, TracingMessages["exchange"]>("fleet-internal-client:exchange").start.subscribe((message) => start(message));
 */
interface TracingMessage<Value, Failure> {
  /** The client of the call. */
  readonly client: AnyHandle;
  /** The device, its priority filled in. */
  readonly device: Device;
  /** The gateway's host, as in the config. */
  readonly serverAddress: string;
  /** The gateway's port. */
  readonly serverPort: number;
  /** The outcome of a call that succeeded; absent before, and if it failed. */
  result?: Value;
  /** The error of a call that failed; absent otherwise. */
  error?: Failure;
}

/**
 * The messages on the TracingChannels `fleet-internal-client:connect`, for every connect but not for reconnections, and
 * `fleet-internal-client:exchange`, for every status, whichever function sends it. `start` and `end` are published within the call, in the
 * caller's async context; `error` (if the call failed), `asyncStart` and `asyncEnd` when it has an outcome. The result of an exchange is the
 * command's bytes, as they came from the gateway: escape them before you write them to a log.
 *
 * @example
 * tracingChannel<unknown, TracingMessages["connect"]>("fleet-internal-client:connect").subscribe({
 *   start: (message) => spans.set(message, tracer.startSpan("connect", { attributes: { "server.address": message.serverAddress } })),
 *   end: () => undefined,
 *   asyncStart: () => undefined,
 *   asyncEnd: (message) => spans.get(message)?.end(),
 *   error: (message) => spans.get(message)?.recordException(message.error as Error),
 * });
 */
export interface TracingMessages {
  /** A device connects. */
  readonly connect: TracingMessage<AnyHandle, ConnectError>;
  /** A status is sent, and a command completes it. */
  readonly exchange: TracingMessage<Uint8Array, SendStatusError>;
}

const channels = {
  connect: tracingChannel("fleet-internal-client:connect"),
  exchange: tracingChannel("fleet-internal-client:exchange"),
} as const satisfies Record<keyof TracingMessages, TracingChannel>;

/** Not every runtime has `hasSubscribers` on the TracingChannel itself. */
export function isTraced(name: keyof TracingMessages): boolean {
  const { start, end, asyncStart, asyncEnd, error } = channels[name];
  return (
    start.hasSubscribers ||
    end.hasSubscribers ||
    asyncStart.hasSubscribers ||
    asyncEnd.hasSubscribers ||
    error.hasSubscribers
  );
}

/** Does what the channel's own `tracePromise` does, for a promise that never rejects. */
export function traced<Value, Failure>(
  name: keyof TracingMessages,
  client: AnyHandle,
  call: () => Promise<Result<Value, Failure>>,
): Promise<Result<Value, Failure>> {
  const { start, end, asyncStart, asyncEnd, error } = channels[name];
  const { device, host, port } = client;
  const message: TracingMessage<Value, Failure> = { client, device, serverAddress: host, serverPort: port };
  const settle = (outcome: Result<Value, Failure>): Result<Value, Failure> => {
    if (outcome.isOk()) message.result = outcome.value;
    else message.error = outcome.error;
    if (outcome.isErr()) error.publish(message);
    asyncStart.publish(message);
    asyncEnd.publish(message);
    return outcome;
  };
  return start.runStores(message, () => {
    const settled = call().then(settle);
    end.publish(message);
    return settled;
  });
}
