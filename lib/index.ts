export { commands } from "./api/commands.js";
export { connect } from "./api/connect.js";
export {
  defineModule,
  type Module,
  type ModuleCommandStream,
  type ModuleConfig,
  type ModuleDefinition,
  type UnreadableCommandError,
  type WithModuleClient,
} from "./api/define-module.js";
export { destroy } from "./api/destroy.js";
export { exchange } from "./api/exchange.js";
export { getCommand } from "./api/get-command.js";
export { reusable, type ReusableConfig } from "./api/reusable.js";
export { sendStatus } from "./api/send-status.js";
export { statuses, type StatusesOptions, type StatusOutcomes, type StatusSource } from "./api/statuses.js";
export { withClient } from "./api/with-client.js";

export type {
  CommandDiagnostics,
  ConnectDiagnostics,
  DestroyDiagnostics,
  DiagnosticsMessage,
  DiagnosticsMessages,
  DropDiagnostics,
  IgnoreDiagnostics,
  ReconnectDiagnostics,
  RefusalDiagnostics,
  StatusDiagnostics,
} from "./client/diagnostics.js";
export type { ClientHandle, CommandStream } from "./client/handle.js";
export type { CommandsOptions, Config, DeviceConfig, SendStatusOptions } from "./client/options.js";
export type { Device } from "./protocol/device.js";

export type { Codec, PayloadProblem } from "./codecs/codec.js";
export { json } from "./codecs/json.js";
export { protobuf, type ProtobufMessage } from "./codecs/protobuf.js";
export { text } from "./codecs/text.js";
export type { StandardSchema, Validator } from "./codecs/validator.js";

export type {
  ConnectError,
  ConnectErrorCode,
  GetCommandError,
  GetCommandErrorCode,
  RefusalCode,
  SendStatusError,
  SendStatusErrorCode,
} from "./errors/error-types.js";
export { isCommunicationError, isConnectError, isInternalClientError, isUsageError } from "./errors/guards.js";
export { InternalClientError, type ErrorDetails, type ErrorFamily } from "./errors/internal-client-error.js";
export { ReturnCode, type ErrorCode, type ReturnCodeName, type ReturnCodeNumber } from "./errors/return-code.js";
