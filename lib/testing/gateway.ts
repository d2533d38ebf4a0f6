import { bytes as checkBytes, checkFields, flag, milliseconds, object, text } from "./checks.js";
import { close, isGone, reset, sendBytes, sendFrame, type Connection } from "./connection.js";
import { checkFilter, matches, type Device, type DeviceFilter } from "./device.js";
import {
  type Disconnect,
  type GatewayEvent,
  type Received,
  type ReceivedConnect,
  type ReceivedStatus,
} from "./journal.js";
import { type FaultAt, type FaultPoint } from "./faults.js";
import { openListener, type Listener } from "./listener.js";
import {
  decodeStatus,
  encodeCommand,
  type AnyModule,
  type CommandOf,
  type Servable,
  type StatusOf,
} from "./modules.js";
import { toSettings, type GatewayOptions } from "./options.js";
import { pushed } from "./session.js";
import { createState, type State, watchForSilence } from "./state.js";

/**
 * A module gateway in this process, as {@link startGateway} starts it.
 *
 * @example
 * let gateway: TestingGateway;
 * beforeEach(async () => (gateway = await startGateway()));
 * afterEach(() => gateway.stop());
 */
export interface TestingGateway {
  /** Where it listens, as in the options. */
  readonly host: string;

  /** The TCP port on which it listens; a restart does not change it. */
  readonly port: number;

  /** The devices connected now; not those that were refused. */
  readonly devices: readonly Device[];

  /** How many TCP connections it has accepted so far, before a restart too. */
  readonly connections: number;

  /** How many TCP connections are open now, whether a device has connected on them or not. */
  readonly openSockets: number;

  /**
   * Every connect and status received, in order, including those that were refused or got no answer, but no unreadable
   * messages. It keeps the latest 10,000, and at most 256 MiB of statuses.
   *
   * @example
   * expect(gateway.received.map(({ kind }) => kind)).toEqual(["connect", "status", "status"]);
   */
  readonly received: readonly Received[];

  /**
   * What `answer` threw or wrongly returned, what a codec threw, and the listening socket's errors; assert that it is empty.
   * It keeps the latest 1,000. `stop` does not throw them.
   */
  readonly errors: readonly unknown[];

  /** How many planned faults have not happened yet; Infinity if one was planned for ever. */
  readonly planned: number;

  /**
   * The statuses received from the matching devices: bytes, or the module's own type if `which.module` is a module by value.
   * It goes back as far as `received`. Throws a TypeError if the module cannot read one.
   *
   * @example
   * expect(gateway.statuses({ deviceRole: "left_button" })).toEqual([Uint8Array.of(1)]);
   * expect(gateway.statuses({ module: example })).toEqual([{ pressed: true }]);
   */
  readonly statuses: <Module extends AnyModule = number>(which?: DeviceFilter<Module>) => StatusOf<Module>[];

  /**
   * The next status of a matching device to arrive after this call; in bytes, or as with `statuses` in the module's own type.
   * Rejects when the gateway is stopped, and if the module cannot read it.
   *
   * @example
   * const arrived = gateway.nextStatus();
   * button.press();
   * expect((await arrived).status).toEqual(pressed);
   */
  readonly nextStatus: <Module extends AnyModule = number>(
    which?: DeviceFilter<Module>,
  ) => Promise<ReceivedStatus<StatusOf<Module>>>;

  /** The next connect of a matching device to arrive after this call. Rejects when the gateway is stopped. */
  readonly nextConnect: (which?: DeviceFilter) => Promise<ReceivedConnect>;

  /** The next disconnect of a matching device after this call. Rejects when the gateway is stopped. */
  readonly nextDisconnect: (which?: DeviceFilter) => Promise<Disconnect>;

  /**
   * Every connect, status and disconnect of the matching devices from this call on, as an async iterable; its statuses are those of
   * `nextStatus`. Once all unread events were read, it ends when the gateway is stopped or the signal aborts. A reader that leaves more
   * than 10,000 events or 256 MiB of statuses unread gets an Error.
   *
   * @example
   * for await (const event of gateway.events({ module: example }, { signal })) if (event.kind === "disconnect") break;
   */
  readonly events: <Module extends AnyModule = number>(
    which?: DeviceFilter<Module>,
    options?: { readonly signal?: AbortSignal | undefined },
  ) => AsyncIterableIterator<GatewayEvent<StatusOf<Module>>>;

  /** Empties `received` and `errors`, for example between two tests that share a gateway. */
  readonly forget: () => void;

  /**
   * Gives the module a command for the matching devices, as the cloud does, and returns the number of devices. It counts those that have
   * sent a valid status since they connected. The command is bytes, or the module's own type if `which.module` is a module by value; it
   * throws a TypeError if the codec rejects the command. A command that is empty, or that one of the known modules considers invalid, goes
   * to no device.
   *
   * Without `pushes`, the command waits for the device's next status, behind earlier ones; at most three wait, and a fourth drops the
   * oldest. Once sent, it answers every later status too (but the example's lamp still follows its button, and a mission loses the stops
   * that are reached). With `pushes`, the command is pushed as soon as no module is busy. Other statuses get an empty command, and nothing
   * is repeated. A pushed command has the name from the device's last status, or the `deviceName` given.
   *
   * @example
   * expect(gateway.command([{ outNum: 1, actType: 1 }], { module: carAccessory, deviceType: 1 })).toBe(1);
   */
  readonly command: <Module extends AnyModule = number>(
    command: CommandOf<Module>,
    which?: DeviceFilter<Module>,
    options?: { readonly deviceName?: string | undefined },
  ) => number;

  /**
   * Pushes a command to each matching connected device at once, and returns to how many. It is bytes, or the module's own
   * type as with `command`. Nothing in it distinguishes it from an answer. A real gateway pushes only after the device's
   * first status. The push may carry a name other than the device's: use `options.deviceName`.
   *
   * @example
   * expect(gateway.push({ lit_up: true }, { module: example })).toBe(1);
   */
  readonly push: <Module extends AnyModule = number>(
    command: CommandOf<Module>,
    which?: DeviceFilter<Module>,
    options?: { readonly deviceName?: string | undefined },
  ) => number;

  /**
   * Sends raw bytes at once, in one write, and returns to how many sockets. They are those of the matching devices, refused
   * ones too; without `which`, every open one, also those on which no device has connected yet.
   *
   * @example
   * gateway.send(Uint8Array.of(0, 0, 0, 0)); // the frame of an empty body
   */
  readonly send: (bytes: Uint8Array, which?: DeviceFilter) => number;

  /**
   * Closes sockets (FIN), or resets them (RST) with `options.reset`, and returns how many. They are those of the matching devices, refused
   * ones too; without `which`, every open one. What was written before a FIN goes out first. {@link GatewayOptions.cleanUpMs} says when
   * their slots are free.
   *
   * @example
   * gateway.kick({ deviceRole: "left_button" }, { reset: true });
   */
  readonly kick: (which?: DeviceFilter, options?: { readonly reset?: boolean | undefined }) => number;

  /**
   * Plans a fault, once or `options.times` times, for the devices that match `options.which`. `times` is 1 to Number.MAX_SAFE_INTEGER, or
   * Infinity; default: 1. Plans for the same point are used up in the order in which they were made. A status uses up a plan when it is
   * processed, valid or not. Throws a TypeError or RangeError if that fault cannot happen at that point.
   *
   * @example
   * gateway.misbehave("status", { do: "reset" });
   * gateway.misbehave("connect", { do: "refuse", responseType: 1 }, { times: 3 });
   */
  readonly misbehave: <At extends FaultPoint>(
    at: At,
    fault: FaultAt[At],
    options?: { readonly times?: number | undefined; readonly which?: DeviceFilter | undefined },
  ) => void;

  /** Cancels all planned faults. A fault that has already begun continues, for example a silence. */
  readonly behave: () => void;

  /**
   * Restarts: closes all sockets and the port, frees all slots, and listens on the same port again after `options.downMs`. `downMs` is in
   * milliseconds, 0 to 2,147,483,647; default: 0. Plans and what was received stay. Rejects if the port is taken by then or the gateway was
   * stopped.
   */
  readonly restart: (options?: { readonly downMs?: number | undefined }) => Promise<void>;

  /**
   * Ends like a gateway that gets SIGTERM: it is mute for `options.muteMs`, then closes its port and its sockets. `muteMs` is in
   * milliseconds, 0 to 2,147,483,647; default: 3,000. Meanwhile its port still takes connections. Sockets that are new, or have sent
   * something meanwhile, are reset. `restart` brings it back. Rejects if the gateway was stopped.
   *
   * @example
   * await gateway.terminate({ muteMs: 100 });
   */
  readonly terminate: (options?: { readonly muteMs?: number | undefined }) => Promise<void>;

  /** Closes every socket and the port and ends every timer. May be called again at any time, and never rejects. */
  readonly stop: () => Promise<void>;

  /** The same as `stop`, for `await using`. */
  readonly [Symbol.asyncDispose]: () => Promise<void>;
}

/**
 * Starts a module gateway in this process, over real TCP, to test devices against. Without options it serves every device and echoes each
 * status as its command.
 *
 * It has the habits of a real gateway. It answers in two writes, header and body; leaves the socket open after refusing a module or type;
 * lets a device of a higher priority take over; closes the connection at once when a message breaks the protocol or a header comes in
 * pieces. It handles one message of a connection at a time, and those of at most two connections. One module works at a time, so a slow
 * status delays every other device. Two invalid statuses do the same, for the 250 ms after which their connections are closed. An answer or
 * command goes to the device, not to the socket: a late one may arrive on the device's next connection, before the connect response. For
 * worse habits see {@link TestingGateway.misbehave}.
 *
 * A device in the same process and thread always reads an answer's two writes together; to have it read the header
 * alone, plan the fault `{ do: "delay", ms: 0, afterBytes: 4 }`. It stores at most 64 MiB of one message, and as much of what a
 * device does not read.
 *
 * Rejects with a TypeError or RangeError that names the wrong option, or with the system's error if it cannot listen.
 *
 * @example
 * const gateway = await startGateway({ modules: [example] });
 * const button = await startButton(gateway.host, gateway.port); // the code to test
 * expect(await button.press()).toEqual({ lit_up: false });
 * await gateway.stop();
 */
export async function startGateway<const Modules extends readonly Servable[] = readonly AnyModule[]>(
  options: GatewayOptions<Modules> = {},
): Promise<TestingGateway> {
  const state = createState(toSettings(options as GatewayOptions));
  const listener = await openListener(state);
  watchForSilence(state);
  return createGateway(state, listener);
}

function createGateway(state: State, listener: Listener): TestingGateway {
  const { plans, journal } = state;
  const stop = () => stopEverything(state, listener);
  return Object.freeze({
    host: state.settings.host,
    port: listener.port,
    get devices() {
      return connectedDevices(state);
    },
    get connections() {
      return state.accepted;
    },
    get openSockets() {
      return state.connections.size;
    },
    get received() {
      return journal.latest();
    },
    get errors() {
      return Object.freeze([...state.errors]);
    },
    get planned() {
      return plans.count();
    },
    statuses: (which) => statusesOf(journal.latest(), which),
    nextStatus: (which) => journal.next("status", which),
    nextConnect: (which) => journal.next("connect", which),
    nextDisconnect: (which) => journal.next("disconnect", which),
    events: (which, options = {}) => {
      checkFilter("argument which", which);
      checkFields("options", options, { signal: object });
      return journal.events(which, options.signal);
    },
    forget: () => {
      journal.forget();
      state.errors = [];
    },
    command: (command, which, options = {}) => {
      checkFilter("argument which", which);
      checkFields("options", options, { deviceName: text });
      return state.handler.command((device) => commandBytes(command, which, device), which, options.deviceName);
    },
    push: (command, which, options = {}) => push(state, command, which, options),
    send: (bytes, which) => send(state, bytes, which),
    kick: (which, options = {}) => kick(state, which, options),
    misbehave: (at, fault, options) => plans.add(at, fault, options),
    behave: () => plans.clear(),
    restart: async (options = {}) => {
      checkFields("options", options, { downMs: milliseconds });
      await listener.restart(options.downMs ?? 0);
    },
    terminate: async (options = {}) => {
      checkFields("options", options, { muteMs: milliseconds });
      await listener.terminate(options.muteMs ?? 3_000);
    },
    stop,
    [Symbol.asyncDispose]: stop,
  } satisfies TestingGateway);
}

async function stopEverything(state: State, listener: Listener): Promise<void> {
  state.journal.close();
  await listener.stop();
  state.timers.clear();
}

function connectedDevices(state: State): readonly Device[] {
  return Object.freeze(connectedOnes(state, undefined).map(({ device }) => device));
}

function statusesOf<Module extends AnyModule>(
  received: readonly Received[],
  which: DeviceFilter<Module> | undefined,
): StatusOf<Module>[] {
  checkFilter("argument which", which);
  const statuses = received.filter((one) => one.kind === "status" && matches(one.device, which)) as ReceivedStatus[];
  return statuses.map(({ status, device }) => decodeStatus(which?.module, status, device) as StatusOf<Module>);
}

function commandBytes(command: unknown, which: DeviceFilter | undefined, device: Device): Uint8Array {
  const bytes = encodeCommand(which?.module, command, device);
  checkBytes("argument command", bytes);
  return bytes as Uint8Array;
}

function push(
  state: State,
  command: unknown,
  which: DeviceFilter | undefined,
  options: { readonly deviceName?: string | undefined },
): number {
  checkFields("options", options, { deviceName: text });
  const frames = connectedOnes(state, which).map((connection) => ({
    connection,
    frame: pushed(connection, commandBytes(command, which, connection.device), options.deviceName),
  }));
  for (const { connection, frame } of frames) sendFrame(state, connection, frame);
  return frames.length;
}

function send(state: State, bytes: Uint8Array, which: DeviceFilter | undefined): number {
  checkBytes("argument bytes", bytes);
  const reached = openOnes(state, which);
  for (const connection of reached) sendBytes(state, connection, bytes);
  return reached.length;
}

function kick(
  state: State,
  which: DeviceFilter | undefined,
  options: { readonly reset?: boolean | undefined },
): number {
  checkFields("options", options, { reset: flag });
  const kicked = openOnes(state, which);
  for (const connection of kicked) (options.reset === true ? reset : close)(state, connection);
  return kicked.length;
}

type ConnectedOne = Connection & { readonly device: Device };

function connectedOnes(state: State, which: DeviceFilter | undefined): readonly ConnectedOne[] {
  checkFilter("argument which", which);
  return [...state.connections].filter(
    (one): one is ConnectedOne => one.phase === "connected" && one.device !== undefined && matches(one.device, which),
  );
}

function openOnes(state: State, which: DeviceFilter | undefined): readonly Connection[] {
  checkFilter("argument which", which);
  return [...state.connections].filter(
    (one) => !isGone(one) && (which === undefined || (one.device !== undefined && matches(one.device, which))),
  );
}
