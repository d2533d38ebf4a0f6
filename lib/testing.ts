/**
 * A module gateway inside the test process, over real TCP: it behaves as a real one does, and misbehaves on request.
 *
 * @packageDocumentation
 */
export type { Device, DeviceFilter } from "./testing/device.js";
export type { AcceptFault, ConnectFault, FaultAt, FaultPoint, StatusFault } from "./testing/faults.js";
export { commandFrame, connectResponseFrame, frame } from "./testing/frames.js";
export type { NamedDevice } from "./testing/frames.js";
export { startGateway } from "./testing/gateway.js";
export type { TestingGateway } from "./testing/gateway.js";
export type { Received, ReceivedConnect, ReceivedStatus } from "./testing/journal.js";
export type { GatewayOptions, ServedModules } from "./testing/options.js";
