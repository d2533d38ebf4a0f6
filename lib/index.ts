export { commands } from "./api/commands.js";
export { closed, connect, destroy, exchange, getCommand, sendStatus } from "./api/functions.js";
export { lazyClient, type LazyClient } from "./api/lazy-client.js";
export { runDevice, type RunDeviceOptions } from "./api/run-device.js";
export { sendStatuses } from "./api/send-statuses.js";
export { withClient } from "./api/with-client.js";

export { every } from "./client/every.js";
export type { DiagnosticsMessages } from "./client/diagnostics.js";
export type { ClientHandle } from "./client/handle.js";
export type { Stream } from "./client/mailbox.js";
export type {
  CommandsOptions,
  Config,
  DeviceConfig,
  SendStatusesOptions,
  SendStatusOptions,
} from "./client/options.js";
export type { TracingMessages } from "./client/tracing.js";
export type { Device } from "./protocol/device.js";

export type { Codec, PayloadProblem } from "./codecs/codec.js";
export { defineModule } from "./codecs/define-module.js";
export { json } from "./codecs/json.js";
export type { Module } from "./codecs/module.js";
export { optional } from "./codecs/optional.js";
export { protobuf, type ProtobufMessage } from "./codecs/protobuf.js";
export { text } from "./codecs/text.js";
export type { StandardSchema, Validator } from "./codecs/validator.js";

export type {
  CommandsError,
  ConnectError,
  ErrorWith,
  GetCommandError,
  RunDeviceError,
  SendStatusError,
} from "./errors/error-types.js";
export { isCommunicationError, isInternalClientError, isRefusal, isUsageError } from "./errors/guards.js";
export { InternalClientError } from "./errors/internal-client-error.js";
export type { ErrorReason } from "./errors/reasons.js";
export { ReturnCode, type ErrorCode } from "./errors/return-code.js";

export { err, errAsync, ok, okAsync, Result, ResultAsync } from "neverthrow";
