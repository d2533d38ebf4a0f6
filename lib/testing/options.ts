import type { Check } from "./checks.js";
import {
  callback,
  checkFields,
  explain,
  HIGHEST_INT32,
  HIGHEST_UINT32,
  integer,
  integerOrInfinity,
  LONGEST_DELAY_MS,
  LOWEST_INT32,
  milliseconds,
  object,
} from "./checks.js";
import type { Device } from "./device.js";

/**
 * The modules that a gateway serves: by the module's number, the device types that it knows, or `"any"`.
 *
 * @example
 * const modules = { 2: [1, 2, 3, 4], 1000: "any" } as const;
 */
export type ServedModules = Readonly<Record<number, readonly number[] | "any">>;

/**
 * How a testing gateway shall be. Everything may be left out; a wrong value rejects `startGateway`, naming the field.
 *
 * @example
 * const options: GatewayOptions = { modules: { 1000: [0, 10] }, answer: (status) => status, moduleTimeoutMs: 100 };
 */
export interface GatewayOptions {
  /** Where it listens: an address or a host name of this machine. Default: `"127.0.0.1"`. */
  readonly host?: string | undefined;

  /** 0 to 65535. Default: 0, a free port; the gateway's `port` says which. */
  readonly port?: number | undefined;

  /**
   * What is served. Default: every module and every device type. As on a real gateway, a device of another module or
   * type is refused, the socket stays open, and its slot taken until the device closes it.
   */
  readonly modules?: ServedModules | undefined;

  /**
   * The module: makes of a status the command that answers it. Default: the status itself comes back as the command.
   * `undefined` means that the module finds the status invalid; it then gets no answer, and the socket is closed when
   * `moduleTimeoutMs` is over, as on a real gateway. So it is if `answer` throws or rejects, is too slow, or gives
   * something else than bytes; the gateway's `errors` then tell why. The statuses of one device are answered one after
   * the other. Nobody may change the bytes of the status: the gateway's `received` shows them too.
   */
  readonly answer?:
    ((status: Uint8Array, device: Device) => Uint8Array | undefined | Promise<Uint8Array | undefined>) | undefined;

  /** How long the module may take for an answer, in milliseconds, 1 to 2,147,483,647. Default: 250, as on a real one. */
  readonly moduleTimeoutMs?: number | undefined;

  /**
   * How long a device's slot stays taken after its socket has ended, in milliseconds, 0 to 2,147,483,647. Default: 0.
   * A real gateway needs up to about 5. Besides, as on a real one, a slot whose status is still unanswered when the
   * socket ends stays taken until that status's `moduleTimeoutMs` is over; a planned `close` or `reset` frees it at once.
   */
  readonly cleanUpMs?: number | undefined;

  /**
   * How long after its last status a silent device is cut, in milliseconds, 1 to 2,147,483,647, or Infinity for never.
   * Default: 30,000. As on a real gateway it may take a tenth longer, pushes do not count as activity, and a device that
   * never sent a status is never cut.
   */
  readonly silenceMs?: number | undefined;
}

/** The options, checked and complete; without `modules`, everything is served. */
export interface Settings {
  readonly host: string;
  readonly port: number;
  readonly modules: ServedModules | undefined;
  readonly answer: NonNullable<GatewayOptions["answer"]>;
  readonly moduleTimeoutMs: number;
  readonly cleanUpMs: number;
  readonly silenceMs: number;
}

const deviceType = integer(0, HIGHEST_UINT32);

const CHECKS: Readonly<Record<keyof GatewayOptions, Check>> = {
  host: (name, value) => {
    if (typeof value !== "string" || value === "") throw new TypeError(explain(name, "a string, not empty", value));
  },
  port: integer(0, 65_535),
  modules: checkModules,
  answer: callback,
  moduleTimeoutMs: integer(1, LONGEST_DELAY_MS),
  cleanUpMs: milliseconds,
  silenceMs: integerOrInfinity(1, LONGEST_DELAY_MS),
};

export function toSettings(options: GatewayOptions): Settings {
  checkFields("options", options, CHECKS);
  return {
    host: options.host ?? "127.0.0.1",
    port: options.port ?? 0,
    modules: options.modules,
    answer: options.answer ?? ((status) => status),
    moduleTimeoutMs: options.moduleTimeoutMs ?? 250,
    cleanUpMs: options.cleanUpMs ?? 0,
    silenceMs: options.silenceMs ?? 30_000,
  };
}

function checkModules(name: string, value: unknown): void {
  object(name, value);
  for (const [module, deviceTypes] of Object.entries(value as object)) {
    integer(LOWEST_INT32, HIGHEST_INT32)(`a module's number in ${name}`, Number(module));
    checkDeviceTypes(`${name}[${module}]`, deviceTypes);
  }
}

function checkDeviceTypes(name: string, value: unknown): void {
  if (value === "any") return;
  if (!Array.isArray(value)) throw new TypeError(explain(name, `an array of device types or "any"`, value));
  value.forEach((type, index) => deviceType(`${name}[${index}]`, type));
}
