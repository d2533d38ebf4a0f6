import type { Socket } from "node:net";
import { performance } from "node:perf_hooks";
import { DeviceConnectResponse_ResponseType as ResponseType } from "../../generated/internal_protocol.js";
import { askModule } from "./ask-module.js";
import type { ClientMessage } from "./client-message.js";
import { decodeClientMessage } from "./client-message.js";
import type { Connection } from "./connection.js";
import { createConnection, isGone } from "./connection.js";
import type { Context } from "./context.js";
import { recordError } from "./context.js";
import type { Device } from "./device.js";
import { isSameDevice } from "./device.js";
import { createFrameReader } from "./frame-reader.js";
import { commandFrame, connectResponseFrame } from "./frames.js";
import { close, drop, leave } from "./hang-up.js";
import type { ServedModules } from "./options.js";
import { forever, needsReply, reply } from "./reply.js";

const NOTHING = new Uint8Array(0);

/** Takes a new socket, which must be paused, and serves the device at its other end. */
export function accept(context: Context, socket: Socket): void {
  context.accepted += 1;
  const connection = createConnection(context.accepted, socket);
  context.connections.add(connection);
  // Each error is followed by `close`, which says all that the gateway wants to know.
  socket.on("error", () => undefined);
  socket.on("close", () => {
    leave(context, connection);
    context.connections.delete(connection);
  });
  void welcome(context, connection);
}

async function welcome(context: Context, connection: Connection): Promise<void> {
  const fault = context.plans.take("accept");
  if (fault?.do === "stop reading") return;
  if (fault?.do === "stay silent") connection.turn = forever();
  else if (fault !== undefined) await reply(context, connection, NOTHING, fault);
  startReading(context, connection);
}

function startReading(context: Context, connection: Connection): void {
  if (isGone(connection)) return;
  const frames = createFrameReader();
  connection.socket.on("data", (chunk: Buffer) => {
    if (isGone(connection)) return;
    const isWhole = frames.read(chunk, (body) => receive(context, connection, body));
    if (!isWhole) inTurn(context, connection, () => close(context, connection));
  });
  // The real gateway does not know half-open connections.
  connection.socket.on("end", () => drop(context, connection));
  connection.socket.resume();
}

function receive(context: Context, connection: Connection, body: Buffer): void {
  const message = decodeClientMessage(body);
  if (message === undefined) return inTurn(context, connection, () => close(context, connection));
  if (message.kind === "status") {
    connection.lastStatusAt = performance.now();
    connection.unanswered += 1;
  }
  context.journal.record({ ...message, connection: connection.number });
  inTurn(context, connection, () => handle(context, connection, message));
}

function inTurn(context: Context, connection: Connection, action: () => void | Promise<void>): void {
  connection.turn = connection.turn.then(async () => {
    if (isGone(connection)) return;
    try {
      await action();
    } catch (error) {
      recordError(context, error);
      close(context, connection);
    }
  });
}

function handle(context: Context, connection: Connection, message: ClientMessage): void | Promise<void> {
  if (message.kind === "connect" && connection.device === undefined) {
    return handleConnect(context, connection, message.device);
  }
  if (message.kind === "status" && connection.device !== undefined) {
    return handleStatus(context, connection, connection.device, message);
  }
  // A second connect, or a status before the connect.
  close(context, connection);
}

async function handleConnect(context: Context, connection: Connection, device: Device): Promise<void> {
  connection.device = device;
  const fault = context.plans.take("connect", device);
  const objection = context.slots.objection(device);
  const refusal = fault?.do === "refuse" ? fault.responseType : objection;
  const responseType = refusal ?? serviceFor(context.settings.modules, device);
  connection.phase = responseType === ResponseType.OK ? "connected" : "refused";
  // A device of a module or type that is not served keeps its slot too.
  if (objection === undefined && !endsConnection(responseType)) takeSlot(context, connection, device);
  await reply(context, connection, connectResponseFrame(device, responseType), fault);
  if (endsConnection(responseType)) close(context, connection);
}

function takeSlot(context: Context, connection: Connection, device: Device): void {
  const former = context.slots.take(device, connection);
  if (former !== undefined) close(context, former);
}

function endsConnection(responseType: number): boolean {
  return (
    responseType === ResponseType.ALREADY_CONNECTED || responseType === ResponseType.HIGHER_PRIORITY_ALREADY_CONNECTED
  );
}

function serviceFor(modules: ServedModules | undefined, device: Device): number {
  if (modules === undefined) return ResponseType.OK;
  if (!Object.hasOwn(modules, device.module)) return ResponseType.MODULE_NOT_SUPPORTED;
  const deviceTypes = modules[device.module];
  const isKnown = deviceTypes === "any" || deviceTypes?.includes(device.deviceType) === true;
  return isKnown ? ResponseType.OK : ResponseType.DEVICE_NOT_SUPPORTED;
}

async function handleStatus(
  context: Context,
  connection: Connection,
  device: Device,
  message: Extract<ClientMessage, { kind: "status" }>,
): Promise<void> {
  const deadline = performance.now() + context.settings.moduleTimeoutMs;
  if (connection.phase === "refused" || !isSameDevice(device, message.device)) {
    return closeAt(context, connection, deadline);
  }
  const fault = context.plans.take("status", device);
  const command = needsReply(fault) ? await askModule(context, message.status, device) : NOTHING;
  if (isGone(connection)) return;
  if (command === undefined) return closeAt(context, connection, deadline);
  await reply(context, connection, commandFrame(device, command), fault);
  connection.unanswered -= 1;
}

/** What becomes of a status without an answer: the gateway waits for its module in vain, then it closes. */
async function closeAt(context: Context, connection: Connection, deadline: number): Promise<void> {
  await context.timers.pause(deadline - performance.now());
  connection.unanswered = 0;
  close(context, connection);
}
