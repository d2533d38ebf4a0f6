import { bytes as checkBytes, checkFields, flag, milliseconds, text } from "./checks.js";
import type { Connection } from "./connection.js";
import { isGone, sendBytes, sendFrame } from "./connection.js";
import type { Context } from "./context.js";
import { createContext } from "./context.js";
import type { Device, DeviceFilter } from "./device.js";
import { checkFilter, matches } from "./device.js";
import type { FaultAt, FaultPoint } from "./faults.js";
import { close, reset } from "./hang-up.js";
import type { Received, ReceivedConnect, ReceivedStatus } from "./journal.js";
import type { Listener } from "./listener.js";
import { openListener } from "./listener.js";
import type { GatewayOptions } from "./options.js";
import { toSettings } from "./options.js";
import { pushed } from "./reply.js";
import { watchForSilence } from "./silence.js";

/**
 * A module gateway in this process, as {@link startGateway} starts it.
 *
 * @example
 * let gateway: TestingGateway;
 * beforeEach(async () => (gateway = await startGateway()));
 * afterEach(() => gateway.stop());
 */
export interface TestingGateway {
  /** Where it listens, as given. */
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
   * Every connect and status received, in order: those too that got a refusal or no answer, but nothing that could not
   * be read. Kept are the latest 10,000, or fewer: those of the latest whose statuses make up to 256 MiB together.
   *
   * @example
   * expect(gateway.received.map(({ kind }) => kind)).toEqual(["connect", "status", "status"]);
   */
  readonly received: readonly Received[];

  /**
   * What `answer` threw, rejected with or wrongly gave, and errors of the listening socket: the latest 1,000. `stop` does
   * not throw them, so a test of a device does well to expect this to be empty.
   */
  readonly errors: readonly unknown[];

  /** How many planned faults have not come yet; Infinity if one of them was planned to come for ever. */
  readonly planned: number;

  /**
   * Just the bytes of the statuses received, as far as `received` goes back; of matching devices.
   *
   * @example
   * expect(gateway.statuses({ deviceRole: "left_button" })).toEqual([Uint8Array.of(1)]);
   */
  readonly statuses: (which?: DeviceFilter) => Uint8Array[];

  /**
   * The next status of a matching device to arrive after this call. Rejects when the gateway is stopped.
   *
   * @example
   * const arrived = gateway.nextStatus();
   * button.press();
   * expect((await arrived).status).toEqual(pressed);
   */
  readonly nextStatus: (which?: DeviceFilter) => Promise<ReceivedStatus>;

  /** The next connect of a matching device to arrive after this call. Rejects when the gateway is stopped. */
  readonly nextConnect: (which?: DeviceFilter) => Promise<ReceivedConnect>;

  /** Forgets what is `received`, and the `errors`; for instance between two tests that share a gateway. */
  readonly forget: () => void;

  /**
   * Pushes a command to each matching connected device, and returns to how many. As on a real gateway it may come at any
   * time, also while a status waits for its answer, and nothing in it tells it from an answer. A real gateway's push
   * may carry another name than the device's: that is what `deviceName` is for.
   *
   * @example
   * expect(gateway.push(command, { module: 1000 })).toBe(1);
   */
  readonly push: (
    command: Uint8Array,
    which?: DeviceFilter,
    options?: { readonly deviceName?: string | undefined },
  ) => number;

  /**
   * Sends raw bytes in one write, now, and returns to how many sockets: those of the matching devices, refused ones too;
   * without `which` every open one, also those on which nobody has connected yet.
   *
   * @example
   * gateway.send(Uint8Array.of(0, 0, 0, 0)); // the frame of an empty body
   */
  readonly send: (bytes: Uint8Array, which?: DeviceFilter) => number;

  /**
   * Closes sockets in order (FIN, after what was written to them has gone out), or resets them (RST), and returns how
   * many: those of the matching devices, refused ones too; without `which` every open one. For the slots see
   * {@link GatewayOptions.cleanUpMs}.
   *
   * @example
   * gateway.kick({ deviceRole: "left_button" }, { reset: true });
   */
  readonly kick: (which?: DeviceFilter, options?: { readonly reset?: boolean | undefined }) => number;

  /**
   * Plans a fault: it comes `times` times (1 to Number.MAX_SAFE_INTEGER, or Infinity; default: 1), to the devices that
   * match `which`. Plans for the same point are used up in the order in which they were made. The plan of a status's
   * fault is used by a status of the connected device when its turn has come, valid or not. Throws a TypeError or
   * RangeError if the fault makes no sense there.
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

  /** Forgets all plans of faults. What one of them has begun goes on, for instance a silence. */
  readonly behave: () => void;

  /**
   * As a gateway's restart: closes all sockets and the port, frees all slots, and after `downMs` milliseconds
   * (0 to 2,147,483,647; default: 0) listens on the same port again. Plans and what was received stay. Rejects if the
   * port could not be had again or the gateway was stopped.
   */
  readonly restart: (options?: { readonly downMs?: number | undefined }) => Promise<void>;

  /** Closes every socket and the port and ends every timer. May be called again at any time, and never rejects. */
  readonly stop: () => Promise<void>;

  /** The same as `stop`, for `await using`. */
  readonly [Symbol.asyncDispose]: () => Promise<void>;
}

/**
 * Starts a module gateway in this process, over real TCP, to test devices against. Without options it serves every device
 * and answers each status with the same bytes as the command.
 *
 * It has the habits of a real gateway: it answers in two writes, header and body; leaves the socket open after refusing a
 * module or type; lets a device of a higher priority take over; gives an invalid status no answer and closes after 250 ms;
 * closes at once on what is not the protocol, on a header that comes in pieces and on a half-closed socket. It reads 1024
 * bytes at a time, as the real one does, so the header of a pipelined message that straddles such a read comes in pieces
 * too. It can be told to have worse habits, see {@link TestingGateway.misbehave}.
 *
 * A device in the same process and thread always reads an answer's two writes together; to have it read the header
 * alone, plan the fault `{ do: "delay", ms: 0, afterBytes: 4 }`. Two things are not as on the real one: a message without a
 * device counts as not the protocol, and devices without an answer do not hold up others.
 *
 * Rejects with a TypeError or RangeError that names the wrong option, or with the system's error if it cannot listen.
 *
 * @example
 * const gateway = await startGateway({ modules: { 1000: [0] }, answer: () => new TextEncoder().encode(`{"lit_up":true}`) });
 * const button = await startButton(gateway.host, gateway.port); // the code to test
 * expect(await button.press()).toEqual({ lit_up: true });
 * await gateway.stop();
 */
export async function startGateway(options: GatewayOptions = {}): Promise<TestingGateway> {
  const context = createContext(toSettings(options));
  const listener = await openListener(context);
  watchForSilence(context);
  return createGateway(context, listener);
}

function createGateway(context: Context, listener: Listener): TestingGateway {
  const { plans, journal } = context;
  const stop = () => stopEverything(context, listener);
  return Object.freeze({
    host: context.settings.host,
    port: listener.port,
    get devices() {
      return connectedDevices(context);
    },
    get connections() {
      return context.accepted;
    },
    get openSockets() {
      return context.connections.size;
    },
    get received() {
      return journal.latest();
    },
    get errors() {
      return Object.freeze([...context.errors]);
    },
    get planned() {
      return plans.count();
    },
    statuses: (which) => statusesOf(journal.latest(), which),
    nextStatus: (which) => journal.next("status", which),
    nextConnect: (which) => journal.next("connect", which),
    forget: () => {
      journal.forget();
      context.errors = [];
    },
    push: (command, which, options = {}) => push(context, command, which, options),
    send: (bytes, which) => send(context, bytes, which),
    kick: (which, options = {}) => kick(context, which, options),
    misbehave: (at, fault, options) => plans.add(at, fault, options),
    behave: () => plans.clear(),
    restart: async (options = {}) => {
      checkFields("options", options, { downMs: milliseconds });
      await listener.restart(options.downMs ?? 0);
    },
    stop,
    [Symbol.asyncDispose]: stop,
  } satisfies TestingGateway);
}

async function stopEverything(context: Context, listener: Listener): Promise<void> {
  context.journal.close();
  await listener.stop();
  context.timers.clear();
}

function connectedDevices(context: Context): readonly Device[] {
  return Object.freeze(connectedOnes(context, undefined).map(({ device }) => device));
}

function statusesOf(received: readonly Received[], which: DeviceFilter | undefined): Uint8Array[] {
  checkFilter("which", which);
  return received.flatMap((one) => (one.kind === "status" && matches(one.device, which) ? [one.status] : []));
}

function push(
  context: Context,
  command: Uint8Array,
  which: DeviceFilter | undefined,
  options: { readonly deviceName?: string | undefined },
): number {
  checkBytes("command", command);
  checkFields("options", options, { deviceName: text });
  const reached = connectedOnes(context, which);
  for (const connection of reached) sendFrame(connection, pushed(connection, command, options.deviceName));
  return reached.length;
}

function send(context: Context, bytes: Uint8Array, which: DeviceFilter | undefined): number {
  checkBytes("bytes", bytes);
  const reached = openOnes(context, which);
  for (const connection of reached) sendBytes(connection, bytes);
  return reached.length;
}

function kick(
  context: Context,
  which: DeviceFilter | undefined,
  options: { readonly reset?: boolean | undefined },
): number {
  checkFields("options", options, { reset: flag });
  const kicked = openOnes(context, which);
  for (const connection of kicked) (options.reset === true ? reset : close)(context, connection);
  return kicked.length;
}

type ConnectedOne = Connection & { readonly device: Device };

function connectedOnes(context: Context, which: DeviceFilter | undefined): readonly ConnectedOne[] {
  checkFilter("which", which);
  return [...context.connections].filter(
    (one): one is ConnectedOne => one.phase === "connected" && one.device !== undefined && matches(one.device, which),
  );
}

function openOnes(context: Context, which: DeviceFilter | undefined): readonly Connection[] {
  checkFilter("which", which);
  return [...context.connections].filter(
    (one) => !isGone(one) && (which === undefined || (one.device !== undefined && matches(one.device, which))),
  );
}
