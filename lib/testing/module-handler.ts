import { isUint8Array } from "node:util/types";
import { performance } from "node:perf_hooks";
import { NOTHING } from "./wire.js";
import { bytes as checkBytes, MAX_DELAY_MS } from "./checks.js";
import { MAX_ENTRIES, MAX_STATUS_BYTES } from "./journal.js";
import { matches, slotOf, type Device, type DeviceFilter } from "./device.js";
import { type Module } from "./modules.js";
import { type Settings } from "./options.js";
import { type Timers } from "./state.js";

/** Of four, the oldest is dropped, as on the real gateway. */
const MAX_QUEUED_COMMANDS = 3;

/** The gateway stops waiting for a module's answer after this many times `moduleTimeoutMs`. */
const MAX_ANSWER_TIMES = 100;

/**
 * The only worker for all devices: it handles statuses, connects and disconnects one after the other, and while a
 * module is busy with one, all others wait. It knows devices, not sockets.
 */
export interface ModuleHandler {
  /** Runs when everything before it is done. */
  readonly inTurn: (task: () => void) => void;
  /** `deliver` is called with the command, but not for an invalid status. Without `deliver`, the status is only recorded. */
  readonly status: (device: Device, status: Uint8Array, deliver?: (command: Uint8Array) => void) => void;
  /** The device has disconnected: forgets what its module stored for it. */
  readonly disconnect: (device: Device) => void;
  /** A command from the cloud; returns for how many devices. A push names the device as the cloud does. */
  readonly command: (
    encode: (device: Device) => Uint8Array,
    which: DeviceFilter | undefined,
    deviceName?: string,
  ) => number;
  /** Returns the devices that have been silent for too long, each once. */
  readonly takeSilent: (now: number) => readonly Device[];
  /** When the first of the devices will have been silent for too long; Infinity if there is none. */
  readonly nextSilentAt: () => number;
  /** Stops finally: what is under way is no longer delivered. */
  readonly close: () => void;
}

/** What the gateway stores for a device from its first valid status on. */
interface DeviceState {
  /** As in its last status. */
  device: Device;
  /** The answer to a status without a new command; undefined if the module makes an answer each time. */
  current: Uint8Array | undefined;
  readonly queue: Uint8Array[];
  lastStatus: Uint8Array;
  lastStatusAt: number;
  /** When the last status with news came. */
  lastNewsAt: number;
}

export function createModuleHandler(
  settings: Settings,
  timers: Timers,
  push: (device: Device, command: Uint8Array) => void,
  recordError: (error: unknown) => void,
): ModuleHandler {
  const devices = new Map<string, DeviceState>();
  const maxAnswerMs = Math.min(settings.moduleTimeoutMs * MAX_ANSWER_TIMES, MAX_DELAY_MS);
  const tasks: (() => void | Promise<void>)[] = [];
  let waitingBytes = 0;
  let isBusy = false;
  let isClosed = false;

  function inTurn(task: () => void | Promise<void>): void {
    tasks.push(task);
    if (!isBusy) void work();
  }

  async function work(): Promise<void> {
    isBusy = true;
    for (let task = tasks.shift(); task !== undefined; task = tasks.shift()) {
      try {
        const running = task();
        // Awaited only if it is a promise, so that an immediate answer is sent at once.
        if (running !== undefined) await running;
      } catch (error) {
        recordError(error);
      }
    }
    isBusy = false;
  }

  function status(device: Device, bytes: Uint8Array, deliver?: (command: Uint8Array) => void): void {
    if (tasks.length >= MAX_ENTRIES || waitingBytes + bytes.length > MAX_STATUS_BYTES) {
      const bound = `${MAX_ENTRIES} statuses or ${MAX_STATUS_BYTES} bytes of them`;
      return recordError(new Error(`More than ${bound} wait for a module that is at work: one was left out.`));
    }
    waitingBytes += bytes.length;
    inTurn(() => {
      waitingBytes -= bytes.length;
      const module = settings.moduleOf(device.module);
      if (module?.serves(device.deviceType) !== true || !module.isValidStatus(bytes, device)) return undefined;
      const state = register(module, device, bytes);
      if (deliver === undefined) return undefined;
      const command = commandOf(module, state, bytes, device);
      if (!isUint8Array(command)) return answerLater(module, device, command, deliver);
      deliver(command);
      return undefined;
    });
  }

  function register(module: Module, device: Device, bytes: Uint8Array): DeviceState {
    const key = slotOf(device);
    const now = performance.now();
    const state = devices.get(key) ?? newState(module, device, bytes, now);
    if (module.isNews(bytes, state.lastStatus)) state.lastNewsAt = now;
    state.device = device;
    state.lastStatus = bytes;
    state.lastStatusAt = now;
    devices.set(key, state);
    return state;
  }

  function commandOf(module: Module, state: DeviceState, bytes: Uint8Array, device: Device): unknown {
    const fresh = state.queue.shift();
    const command = fresh ?? (module.pushes ? undefined : state.current);
    if (command === undefined) return module.answer(bytes, device);
    state.current = module.shape(command, bytes);
    return state.current;
  }

  async function answerLater(
    module: Module,
    device: Device,
    answer: unknown,
    deliver: (command: Uint8Array) => void,
  ): Promise<void> {
    const command = await inBoundedTime(answer, device);
    if (isClosed) return;
    if (command === undefined && !module.pushes) return;
    checkBytes("the answer", command ?? NOTHING);
    deliver((command as Uint8Array | undefined) ?? NOTHING);
  }

  /** Meanwhile, all other devices wait. */
  async function inBoundedTime(answer: unknown, { deviceRole }: Device): Promise<unknown> {
    let callOff = (): void => undefined;
    const tooLate = new Promise((_, reject) => {
      const role = JSON.stringify(deviceRole);
      const error = new Error(`The answer to a status of role ${role} has not come in ${maxAnswerMs} ms.`);
      callOff = timers.after(maxAnswerMs, () => reject(error));
    });
    return Promise.race([answer, tooLate]).finally(callOff);
  }

  function disconnect(device: Device): void {
    inTurn(() => void devices.delete(slotOf(device)));
  }

  function command(
    encode: (device: Device) => Uint8Array,
    which: DeviceFilter | undefined,
    deviceName?: string,
  ): number {
    const reached = [...devices.values()].filter(({ device }) => matches(device, which));
    return reached.filter((state) => take(state, encode(state.device), deviceName)).length;
  }

  function take(state: DeviceState, bytes: Uint8Array, deviceName = state.device.deviceName): boolean {
    const { device, queue } = state;
    const module = settings.moduleOf(device.module);
    if (module === undefined || bytes.length === 0 || !module.isValidCommand(bytes, device)) return false;
    queue.push(new Uint8Array(bytes)); // its owner may overwrite it
    if (queue.length > MAX_QUEUED_COMMANDS) queue.shift();
    if (module.pushes) inTurn(() => forward(module, state, { ...device, deviceName }));
    return true;
  }

  function forward(module: Module, state: DeviceState, device: Device): void {
    // An earlier status may have taken it, and the device may have disconnected.
    const fresh = devices.get(slotOf(device)) === state ? state.queue.shift() : undefined;
    if (fresh === undefined) return;
    state.current = module.shape(fresh, state.lastStatus);
    push(device, state.current);
  }

  function takeSilent(now: number): readonly Device[] {
    const silent = [...devices.values()].filter((state) => silentAt(state, settings.silenceMs) <= now);
    for (const state of silent) state.lastStatusAt = Infinity;
    return silent.map(({ device }) => device);
  }

  function nextSilentAt(): number {
    let next = Infinity;
    for (const state of devices.values()) next = Math.min(next, silentAt(state, settings.silenceMs));
    return next;
  }

  function close(): void {
    isClosed = true;
    tasks.length = 0;
    waitingBytes = 0;
    devices.clear();
  }

  return { inTurn, status, disconnect, command, takeSilent, nextSilentAt, close };
}

function newState(module: Module, device: Device, bytes: Uint8Array, now: number): DeviceState {
  const current = module.firstCommand(device);
  return { device, current, queue: [], lastStatus: bytes, lastStatusAt: now, lastNewsAt: now };
}

/** The real gateway checks twice in that time, counted from the last news, and disconnects at the second check without a status. */
function silentAt({ lastStatusAt, lastNewsAt }: DeviceState, silenceMs: number): number {
  const everyMs = silenceMs / 2;
  return lastStatusAt === Infinity
    ? Infinity
    : lastNewsAt + (Math.floor((lastStatusAt - lastNewsAt) / everyMs) + 2) * everyMs;
}
