/**
 * A module gateway inside the test process, over real TCP: it behaves like a real one, and misbehaves on request.
 *
 * @packageDocumentation
 */
export { type Device, type DeviceFilter } from "./testing/device.js";
export {
  type Disconnect,
  type GatewayEvent,
  type Received,
  type ReceivedConnect,
  type ReceivedStatus,
} from "./testing/journal.js";
export {
  type AcceptFault,
  type ConnectFault,
  type FaultAt,
  type FaultPoint,
  type StatusFault,
} from "./testing/faults.js";
export { commandFrame, connectResponseFrame, frame, type NamedDevice } from "./testing/wire.js";
export { startGateway, type TestingGateway } from "./testing/gateway.js";
export {
  type AnswerBytes,
  type AnyModule,
  type CommandOf,
  type ModuleValue,
  type Outcome,
  type Servable,
  type ServedModule,
  type ServedModules,
  type StatusOf,
} from "./testing/modules.js";
export { type GatewayOptions } from "./testing/options.js";
