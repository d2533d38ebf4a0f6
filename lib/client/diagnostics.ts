import { AsyncResource } from "node:async_hooks";
import { channel, type Channel } from "node:diagnostics_channel";
import { debuglog } from "node:util";
import type { ConnectError, RefusalCode, SendStatusError } from "../errors/error-types.js";
import { escapeText } from "../errors/escape.js";
import { outsideCalls } from "./async-context.js";
import { describeEndpoint, type AnyHandle } from "./handle.js";

/**
 * What every message on the library's diagnostics channels has.
 *
 * @example
 * subscribe("fleet-internal-client:connect", (message) => console.log(`${(message as DiagnosticsMessage).client}`));
 */
interface DiagnosticsMessage {
  /** The client that it is about: its device, host and port. */
  readonly client: AnyHandle;
}

/**
 * `fleet-internal-client:connect`: the device is connected.
 *
 * @example
 * subscribe("fleet-internal-client:connect", (message) => log("connected", (message as ConnectDiagnostics).client.device));
 */
type ConnectDiagnostics = DiagnosticsMessage;

/**
 * `fleet-internal-client:refusal`: the gateway refused the device.
 *
 * @example
 * subscribe("fleet-internal-client:refusal", (message) => log((message as RefusalDiagnostics).code)); // "MODULE_NOT_SUPPORTED"
 */
interface RefusalDiagnostics extends DiagnosticsMessage {
  /** Why, by the name in the C header. */
  readonly code: RefusalCode;
  /** Whether the client asks again in 5 ms, as it does while a gateway may still consider the old connection alive. */
  readonly willAskAgain: boolean;
}

/**
 * `fleet-internal-client:status`: a status was handed to the kernel.
 *
 * @example
 * subscribe("fleet-internal-client:status", (message) => sentBytes.add((message as StatusDiagnostics).frameBytes));
 */
interface StatusDiagnostics extends DiagnosticsMessage {
  /** The length of its frame: header, device and payload. */
  readonly frameBytes: number;
  /** Whether a reconnection came before it: it may have been sent before. */
  readonly afterReconnect: boolean;
}

export type CommandKind = "answer" | "push";

/**
 * `fleet-internal-client:command`: a command arrived; `getCommand` already returns it.
 *
 * @example
 * subscribe("fleet-internal-client:command", (message) => log((message as CommandDiagnostics).kind)); // "answer" or "push"
 */
interface CommandDiagnostics extends DiagnosticsMessage {
  /** The length of its payload. */
  readonly bytes: number;
  /** `answer`: it completed a status. `push`: no status was waiting for one. The protocol does not distinguish them. */
  readonly kind: CommandKind;
}

/**
 * `fleet-internal-client:reconnect`: the device is connected again.
 *
 * @example
 * subscribe("fleet-internal-client:reconnect", (message) => log("back", (message as ReconnectDiagnostics).client.device));
 */
type ReconnectDiagnostics = DiagnosticsMessage;

/**
 * `fleet-internal-client:drop`: the connection is lost or was dropped; the client can still be used.
 *
 * @example
 * subscribe("fleet-internal-client:drop", (message) => log((message as DropDiagnostics).reason));
 */
interface DropDiagnostics extends DiagnosticsMessage {
  /** What happened, for people. */
  readonly reason: string;
  /** What happened, as an error. The status in flight, if there was one, fails with it or is sent again. */
  readonly error: SendStatusError;
}

/**
 * `fleet-internal-client:ignore`: a command for another device arrived while no status was in flight, and was ignored.
 *
 * @example
 * subscribe("fleet-internal-client:ignore", (message) => log((message as IgnoreDiagnostics).reason));
 */
interface IgnoreDiagnostics extends DiagnosticsMessage {
  /** What happened, for people. */
  readonly reason: string;
}

/**
 * `fleet-internal-client:destroy`: the client was destroyed, or could not connect.
 *
 * @example
 * subscribe("fleet-internal-client:destroy", (message) => log((message as DestroyDiagnostics).error?.code ?? "by its owner"));
 */
interface DestroyDiagnostics extends DiagnosticsMessage {
  /** What destroyed it, or what its connect failed with; undefined when its owner destroyed it. */
  readonly error: SendStatusError | ConnectError | undefined;
}

/**
 * The message of each channel; a channel's name begins with `fleet-internal-client:`. A message that belongs to a call is published in
 * that call's async context, so an `AsyncLocalStorage` has the caller's store there. A message that belongs to no call, such as a
 * push, is published in none.
 *
 * @example
 * const on = <Name extends keyof DiagnosticsMessages>(name: Name, use: (message: DiagnosticsMessages[Name]) => void) =>
 *   subscribe(`fleet-internal-client:${name}`, (message) => use(message as DiagnosticsMessages[Name]));
 */
export interface DiagnosticsMessages {
  /** The device is connected. */
  readonly connect: ConnectDiagnostics;
  /** The gateway refused the device. */
  readonly refusal: RefusalDiagnostics;
  /** A status was handed to the kernel. */
  readonly status: StatusDiagnostics;
  /** A command arrived. */
  readonly command: CommandDiagnostics;
  /** The device is connected again. */
  readonly reconnect: ReconnectDiagnostics;
  /** The connection is lost or was dropped; the client can still be used. */
  readonly drop: DropDiagnostics;
  /** A command for another device arrived while no status was in flight, and was ignored. */
  readonly ignore: IgnoreDiagnostics;
  /** The client was destroyed, or could not connect. */
  readonly destroy: DestroyDiagnostics;
}

// Channels are Node's own and found by name, so both module formats of the package publish to the same ones.
const channels = {
  connect: channel("fleet-internal-client:connect"),
  refusal: channel("fleet-internal-client:refusal"),
  status: channel("fleet-internal-client:status"),
  command: channel("fleet-internal-client:command"),
  reconnect: channel("fleet-internal-client:reconnect"),
  drop: channel("fleet-internal-client:drop"),
  ignore: channel("fleet-internal-client:ignore"),
  destroy: channel("fleet-internal-client:destroy"),
} as const satisfies Record<keyof DiagnosticsMessages, Channel>;

const { connect, refusal, status, command, reconnect, drop, destroy } = channels;

/** `NODE_DEBUG=fleet-internal-client` prints every message. */
const log = debuglog("fleet-internal-client");
const isLogging = log.enabled;

// Messages that nobody subscribes to are not made: that would slow down every status and command.

export function isStatusObserved(): boolean {
  return status.hasSubscribers || isLogging;
}

export function isCommandObserved(): boolean {
  return command.hasSubscribers || isLogging;
}

/** The async context of the current call; undefined while nobody subscribes. */
export function contextOfCall(): AsyncResource | undefined {
  return isCallObserved() ? new AsyncResource("FleetInternalClientCall") : undefined;
}

/** Unrolled: a loop would cost several times as much. */
function isCallObserved(): boolean {
  return (
    status.hasSubscribers ||
    command.hasSubscribers ||
    drop.hasSubscribers ||
    reconnect.hasSubscribers ||
    refusal.hasSubscribers ||
    connect.hasSubscribers ||
    destroy.hasSubscribers
  );
}

/** Publishes in the given call's context, or outside any call. */
export function publish<Name extends keyof DiagnosticsMessages>(
  name: Name,
  client: AnyHandle,
  context: AsyncResource | undefined,
  detailsOf: () => Omit<DiagnosticsMessages[Name], "client">,
): void {
  const channel = channels[name];
  if (!channel.hasSubscribers && !isLogging) return;
  const message = { client, ...detailsOf() };
  if (isLogging) log("%s", escapeText(lineOf(name, message)));
  const tell = (): void => channel.publish(message);
  if (context === undefined) outsideCalls(tell);
  else context.runInAsyncScope(tell);
}

function lineOf(
  name: string,
  { client, error, ...details }: DiagnosticsMessage & { readonly error?: Error | undefined },
): string {
  if (error !== undefined) return `${name}: ${error.message}`;
  const words = Object.entries(details).map(([detail, value]) => `, ${detail} ${String(value)}`);
  return `${name}: ${describeEndpoint(client)}${words.join("")}`;
}
