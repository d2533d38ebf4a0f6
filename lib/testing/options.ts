import { callback, checkFields, explain, integer, integerOrInfinity, MAX_DELAY_MS, milliseconds } from "./checks.js";
import {
  checkModules,
  toModules,
  toPlainModule,
  type AnswerBytes,
  type AnyModule,
  type Module,
  type Servable,
  type ServedModules,
} from "./modules.js";

/**
 * The options of a testing gateway, all optional. A wrong value rejects `startGateway` with an error that names the field.
 *
 * @example
 * const options: GatewayOptions = { modules: [{ module: 1000, deviceTypes: [0] }], moduleTimeoutMs: 100 };
 */
export interface GatewayOptions<Modules extends readonly Servable[] = readonly AnyModule[]> {
  /**
   * Where it listens: an address or a host name of this machine.
   *
   * @defaultValue `"127.0.0.1"`
   */
  readonly host?: string | undefined;

  /**
   * The port on which it listens, 0 to 65535. 0 is any free port; the gateway's `port` says which.
   *
   * @defaultValue 0
   */
  readonly port?: number | undefined;

  /**
   * The modules that it serves. Each is a module, a number, or an object with a module and what it does. The known modules answer as the
   * real ones do: 1 (mission), 2 (I/O), 3 (transparent), 1000 (example), and `missionProtobuf`. As on a real gateway, a device of another
   * module or type is refused, its socket stays open and its slot stays taken until the device closes the socket.
   *
   * @defaultValue every module and device type, answering with the status itself
   *
   * @example
   * await startGateway({ modules: [example, { module: door, answer: (status) => ({ locked: !status.open }) }, 1234] });
   */
  readonly modules?: ServedModules<Modules> | undefined;

  /**
   * Returns the command for a status, in bytes, or a promise of it; for modules without an `answer` of their own.
   * `undefined` means that the status is invalid: it gets no answer, and the socket is closed after `moduleTimeoutMs`. The
   * same happens if `answer` throws, rejects or returns anything but bytes; the gateway's `errors` then say why. As on a
   * real gateway, one module works at a time: meanwhile every other device waits, and an answer that comes too late goes
   * to the device's next connection. The gateway stops waiting for an answer after 100 times `moduleTimeoutMs`, and `errors`
   * says so. Do not change the bytes of the status: the gateway's `received` shows them too.
   *
   * @defaultValue see {@link ServedModule.answer}
   */
  readonly answer?: AnswerBytes | undefined;

  /**
   * How long `answer` may take before the device's socket is closed, in milliseconds, 1 to 2,147,483,647.
   *
   * @defaultValue 250, as on a real gateway
   */
  readonly moduleTimeoutMs?: number | undefined;

  /**
   * How long a device's slot stays taken after its socket has ended, in milliseconds, 0 to 2,147,483,647. A real gateway needs up to about
   * 5. As on a real gateway, the end of a socket is not noticed while one of its statuses waits for its answer: up to `moduleTimeoutMs`.
   *
   * @defaultValue 0
   */
  readonly cleanUpMs?: number | undefined;

  /**
   * How long after its last status a silent device is disconnected, in milliseconds, 1 to 2,147,483,647, or Infinity for
   * never. As on a real gateway, pushes do not count, a device that never sent a status stays connected, and a device
   * of the modules 1, 2 and 1000 whose last statuses said nothing new may be disconnected after half of that time.
   *
   * @defaultValue 30,000
   */
  readonly silenceMs?: number | undefined;
}

/** The options, checked and complete. */
export interface Settings {
  readonly host: string;
  readonly port: number;
  /** Undefined if it is not served. */
  readonly moduleOf: (number: number) => Module | undefined;
  readonly moduleTimeoutMs: number;
  readonly cleanUpMs: number;
  readonly silenceMs: number;
}

const CHECKS = {
  host,
  port: integer(0, 65_535),
  modules: checkModules,
  answer: callback,
  moduleTimeoutMs: integer(1, MAX_DELAY_MS),
  cleanUpMs: milliseconds,
  silenceMs: integerOrInfinity(1, MAX_DELAY_MS),
};

export function toSettings(options: GatewayOptions): Settings {
  checkFields("options", options, CHECKS);
  return {
    host: options.host ?? "127.0.0.1",
    port: options.port ?? 0,
    moduleOf: toModuleOf(options),
    moduleTimeoutMs: options.moduleTimeoutMs ?? 250,
    cleanUpMs: options.cleanUpMs ?? 0,
    silenceMs: options.silenceMs ?? 30_000,
  };
}

function toModuleOf({ modules, answer }: GatewayOptions): Settings["moduleOf"] {
  if (modules === undefined) {
    const plain = toPlainModule(answer);
    return () => plain;
  }
  const served = toModules(modules, answer);
  return (number) => served.get(number);
}

function host(name: string, value: unknown): void {
  if (typeof value !== "string" || value === "") throw new TypeError(explain(name, "a non-empty string", value));
}
