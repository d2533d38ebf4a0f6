import { Buffer } from "node:buffer";
import { type Socket } from "node:net";
import { isUint8Array } from "node:util/types";
import {
  answered,
  close,
  type Connection,
  createConnection,
  drained,
  drop,
  expectAnswer,
  isGone,
  reset,
  route,
  sendBytes,
  sendFrame,
} from "./connection.js";
import { type Device, isSameDevice } from "./device.js";
import { type ConnectFault, type StatusFault } from "./faults.js";
import { recordError, type State } from "./state.js";
import {
  ALREADY_CONNECTED,
  type ClientMessage,
  commandFrame,
  commandFrameFor,
  connectResponseFrameFor,
  createFrameReader,
  createInput,
  decodeClientMessage,
  DEVICE_NOT_SUPPORTED,
  HIGHER_PRIORITY_ALREADY_CONNECTED,
  MODULE_NOT_SUPPORTED,
  NOTHING,
  OK,
} from "./wire.js";

/** Whether the fault needs the proper reply, or a part of it. */
function needsReply(fault: ConnectFault): boolean {
  switch (fault.do) {
    case "send":
    case "push instead":
    case "vanish":
      return false;
    case "close":
    case "reset":
    case "stay silent":
      return (fault.afterBytes ?? 0) > 0;
    default:
      return true;
  }
}

/** Sends the proper reply, or what the fault makes of it. Settles when the connection is ready for its next message. */
async function reply(
  state: State,
  connection: Connection,
  proper: Uint8Array,
  fault: ConnectFault | undefined,
): Promise<void> {
  switch (fault?.do) {
    case undefined:
    case "refuse":
      sendFrame(state, connection, proper);
      return;
    case "delay":
      return delay(state, connection, proper, fault);
    case "drip":
      return sendPieces(state, connection, piecesOf(proper, fault.bytes ?? 1), fault.everyMs ?? 0);
    case "merge":
      merge(state, connection, proper, fault);
      return;
    case "send":
      sendBytes(state, connection, fault.bytes);
      return;
    case "push first":
      sendFrame(state, connection, pushed(connection, fault.command, fault.deviceName));
      sendFrame(state, connection, proper);
      return;
    case "push instead":
      sendFrame(state, connection, pushed(connection, fault.command, fault.deviceName));
      return;
    case "stop reading":
      sendFrame(state, connection, proper);
      connection.mode = "deaf";
      return;
    case "vanish":
      connection.mode = "vanished";
      return;
    case "stay silent":
      sendBytes(state, connection, proper.subarray(0, fault.afterBytes ?? 0));
      connection.mode = "silent";
      return;
    case "close":
    case "reset":
      return breakOff(state, connection, proper, fault);
  }
}

async function delay(
  state: State,
  connection: Connection,
  proper: Uint8Array,
  fault: Extract<ConnectFault, { do: "delay" }>,
): Promise<void> {
  const first = proper.subarray(0, fault.afterBytes ?? 0);
  if (first.length > 0) return sendPieces(state, connection, [first, proper.subarray(first.length)], fault.ms);
  await state.timers.pause(fault.ms);
  sendFrame(state, connection, proper);
}

function* piecesOf(frame: Uint8Array, size: number): Generator<Uint8Array> {
  for (let offset = 0; offset < frame.length; offset += size) yield frame.subarray(offset, offset + size);
}

async function sendPieces(
  state: State,
  connection: Connection,
  pieces: Iterable<Uint8Array>,
  everyMs: number,
): Promise<void> {
  // A push in the middle of a frame would be another fault than the planned one.
  const held = { frames: [], bytes: 0 };
  connection.held = held;
  let isFirst = true;
  for (const piece of pieces) {
    if (!isFirst) await state.timers.pause(everyMs);
    if (isGone(connection) || connection.socket.destroyed) return;
    sendBytes(state, connection, piece);
    isFirst = false;
  }
  connection.held = undefined;
  for (const frame of held.frames) sendFrame(state, connection, frame);
}

function merge(
  state: State,
  connection: Connection,
  proper: Uint8Array,
  fault: Extract<ConnectFault, { do: "merge" }>,
): void {
  const commands = isUint8Array(fault.with) ? [fault.with] : fault.with;
  const pushes = commands.map((command) => pushed(connection, command, fault.deviceName));
  const frames = fault.order === "before" ? [...pushes, proper] : [proper, ...pushes];
  sendBytes(state, connection, Buffer.concat(frames));
}

async function breakOff(
  state: State,
  connection: Connection,
  proper: Uint8Array,
  fault: Extract<ConnectFault, { do: "close" | "reset" }>,
): Promise<void> {
  sendBytes(state, connection, proper.subarray(0, fault.afterBytes ?? 0));
  if (fault.delayMs !== undefined && fault.delayMs > 0) await state.timers.pause(fault.delayMs);
  if (fault.do === "close") close(state, connection);
  else reset(state, connection);
}

/** A pushed command names the connected device; only its name may differ. */
export function pushed(connection: Connection, command: Uint8Array, deviceName?: string): Uint8Array {
  // Nothing is pushed before a device has connected and so introduced itself.
  const device = connection.device as Device;
  return commandFrame({ ...device, deviceName: deviceName ?? device.deviceName }, command);
}

/** Takes a new, paused socket, and serves the device at its other end. */
export function accept(state: State, socket: Socket): void {
  state.accepted += 1;
  const connection = createConnection(state.accepted, socket);
  connection.isIgnored = state.isEnding;
  state.connections.add(connection);
  // Each error is followed by `close`, and that is all the gateway needs to know.
  socket.on("error", () => undefined);
  socket.on("close", () => {
    // A vanished connection is not noticed; the end of one that is being read is handled in turn.
    if (connection.mode === "deaf") drop(state, connection, "device");
    if (connection.mode !== "vanished") state.connections.delete(connection);
  });
  serve(state, connection).catch((error: unknown) => {
    recordError(state, error);
    close(state, connection);
  });
}

async function serve(state: State, connection: Connection): Promise<void> {
  const fault = state.plans.take("accept");
  if (fault?.do === "stop reading") connection.mode = "deaf";
  else if (fault !== undefined) await reply(state, connection, NOTHING, fault);
  if (!isListening(connection)) return;
  const input = createInput(connection.socket);
  const frames = createFrameReader();
  for (let chunk = await input.next(); chunk !== undefined; chunk = await input.next()) {
    for (const body of frames.read(chunk)) {
      await receive(state, connection, body);
      if (!isListening(connection)) return;
      // A device that does not read its answers is not read either.
      await drained(connection);
    }
    if (frames.isBroken()) {
      close(state, connection);
      return;
    }
  }
  // The real gateway does not support half-open connections.
  await state.threads.run(() => close(state, connection, "device"));
}

function isListening({ phase, mode }: Connection): boolean {
  return phase !== "gone" && mode !== "deaf" && mode !== "vanished";
}

async function receive(state: State, connection: Connection, body: Uint8Array): Promise<void> {
  if (state.isEnding) {
    connection.isIgnored = true;
    return forever();
  }
  const message = decodeClientMessage(body);
  if (message === undefined) {
    close(state, connection);
    return;
  }
  if (message.kind === "connect") return handleConnect(state, connection, message);
  const { device, status } = message;
  state.journal.record({ kind: "status", device, status, connection: connection.number });
  if (connection.device === undefined) {
    close(state, connection);
    return;
  }
  if (connection.mode === "silent") state.handler.status(device, status);
  else await handleStatus(state, connection, connection.device, message);
}

/** Never settles, so that nothing after it gets its turn. */
function forever(): Promise<never> {
  return new Promise(() => undefined);
}

async function handleConnect(state: State, connection: Connection, message: ClientMessage): Promise<void> {
  const { device } = message;
  const record = (response: number | undefined): void =>
    state.journal.record({ kind: "connect", device, response, connection: connection.number });
  if (connection.mode === "silent") {
    record(undefined);
    return;
  }
  if (connection.device !== undefined) {
    record(undefined);
    close(state, connection);
    return;
  }
  const fault = state.plans.take("connect", device);
  const objection = state.slots.objection(device);
  const response = fault?.do === "refuse" ? fault.responseType : (objection ?? serviceFor(state, device));
  connection.device = device;
  connection.phase = response === OK ? "connected" : "refused";
  // A device of a module or type that is not served keeps its slot too.
  if (objection === undefined && !endsConnection(response)) takeSlot(state, connection, device);
  record(response);
  const frame = connectResponseFrameFor(message, response);
  if (fault !== undefined || endsConnection(response)) await reply(state, connection, frame, fault);
  else await inTurn(state, connection, () => state.handler.inTurn(() => route(state, device, frame)));
  if (endsConnection(response)) close(state, connection);
}

function takeSlot(state: State, connection: Connection, device: Device): void {
  const former = state.slots.take(device, connection);
  if (former === undefined) return;
  close(state, former);
  state.handler.disconnect(device);
}

function endsConnection(responseType: number): boolean {
  return responseType === ALREADY_CONNECTED || responseType === HIGHER_PRIORITY_ALREADY_CONNECTED;
}

function serviceFor(state: State, device: Device): number {
  const module = state.settings.moduleOf(device.module);
  if (module === undefined) return MODULE_NOT_SUPPORTED;
  return module.serves(device.deviceType) ? OK : DEVICE_NOT_SUPPORTED;
}

async function handleStatus(
  state: State,
  connection: Connection,
  connected: Device,
  message: ClientMessage,
): Promise<void> {
  const { device, status } = message;
  const isOwn = connection.phase === "connected" && isSameDevice(connected, device);
  const fault = isOwn ? state.plans.take("status", device) : undefined;
  if (fault !== undefined) return spoil(state, connection, message, fault);
  await inTurn(state, connection, () =>
    state.handler.status(device, status, (command) => route(state, device, commandFrameFor(message, command))),
  );
}

/** Keeps a thread busy until something is sent to the connection, and closes the connection if that takes too long. */
async function inTurn(state: State, connection: Connection, handOver: () => void): Promise<void> {
  await state.threads.run(async () => {
    if (isGone(connection)) return;
    expectAnswer(state, connection);
    handOver();
    if (!(await answered(state, connection))) close(state, connection);
  });
}

async function spoil(state: State, connection: Connection, message: ClientMessage, fault: StatusFault): Promise<void> {
  // At once: nothing may be sent to it while the status is being processed.
  if (fault.do === "vanish") connection.mode = "vanished";
  expectAnswer(state, connection);
  const frame = await state.threads.run(() => askFor(state, message, fault));
  if (frame === undefined) {
    close(state, connection);
    return;
  }
  // After a silent fault, the status keeps its thread until its time is over, and so does the device's slot.
  if (fault.do !== "stay silent") connection.waitsUntil = 0;
  await reply(state, connection, frame, fault);
}

/** The proper reply; undefined if the module does not answer in time. */
async function askFor(state: State, message: ClientMessage, fault: StatusFault): Promise<Uint8Array | undefined> {
  const { device, status } = message;
  if (!needsReply(fault)) {
    state.handler.status(device, status);
    return NOTHING;
  }
  return new Promise((resolve) => {
    const callOff = state.timers.after(state.settings.moduleTimeoutMs, () => resolve(undefined));
    state.handler.status(device, status, (command) => {
      callOff();
      resolve(commandFrameFor(message, command));
    });
  });
}
