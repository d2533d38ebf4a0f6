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
 * How a testing gateway shall be. Everything may be left out; a wrong value rejects `startGateway`, naming the field.
 *
 * @example
 * const options: GatewayOptions = { modules: [{ module: 1000, deviceTypes: [0] }], moduleTimeoutMs: 100 };
 */
export interface GatewayOptions<Modules extends readonly Servable[] = readonly AnyModule[]> {
  /** Where it listens: an address or a host name of this machine. Default: `"127.0.0.1"`. */
  readonly host?: string | undefined;

  /** 0 to 65535. Default: 0, a free port; the gateway's `port` says which. */
  readonly port?: number | undefined;

  /**
   * What is served: modules by value, modules with what they do, and numbers. Modules 1 (mission), 2 (I/O), 3
   * (transparent) and 1000 (example) answer as the genuine ones do. Default: every module and every device type, and the
   * status itself as the command. As on a genuine gateway, a device of another module or type is refused, the socket
   * stays open, and its slot taken until the device closes it.
   *
   * @example
   * await startGateway({ modules: [example, { module: door, answer: (status) => ({ locked: !status.open }) }, 1234] });
   */
  readonly modules?: ServedModules<Modules> | undefined;

  /**
   * Makes of a status the command that answers it, in bytes, for modules without an `answer` of their own. Default: see
   * {@link ServedModule.answer}. `undefined` means that the module finds the status invalid: it gets no answer, and the
   * socket is closed when `moduleTimeoutMs` is over. So it is if `answer` throws, rejects or returns something else than
   * bytes; the gateway's `errors` then say why. As on a genuine gateway there is one module at work at a time: while
   * `answer` is, every other device waits for its answer and its connect response, and an answer that comes too late goes
   * to the device's next connection. Do not change the bytes of the status: the gateway's `received` shows them too.
   */
  readonly answer?: AnswerBytes | undefined;

  /**
   * How long a device waits for an answer until its socket is closed, in milliseconds, 1 to 2,147,483,647. Default: 250,
   * as on a genuine gateway.
   */
  readonly moduleTimeoutMs?: number | undefined;

  /**
   * How long a device's slot stays taken after its socket has ended, in milliseconds, 0 to 2,147,483,647. Default: 0.
   * A genuine gateway needs up to about 5. Besides, as there, the end of a socket is not noticed while a status of it
   * waits for its answer: up to `moduleTimeoutMs`.
   */
  readonly cleanUpMs?: number | undefined;

  /**
   * How long after its last status a silent device is cut, in milliseconds, 1 to 2,147,483,647, or Infinity for never.
   * Default: 30,000. As on a genuine gateway, pushes do not count, a device that never sent a status is never cut, and one
   * of the modules 1, 2 and 1000 whose last statuses said nothing new may be cut after half of that time.
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
  if (typeof value !== "string" || value === "") throw new TypeError(explain(name, "a string, not empty", value));
}
