import { callback, checkFields, explain, flag, integer, MAX_INT32, MAX_UINT32, MIN_INT32, object } from "./checks.js";
import { type Device } from "./device.js";
import { genuineModules, type GenuineModule } from "./genuine-modules.js";

/**
 * What a codec returns: a neverthrow `Result`, or any value of that shape.
 *
 * @example
 * const outcome: Outcome<Uint8Array> = ok(Uint8Array.of(1));
 */
export type Outcome<Value> =
  | { isErr(): boolean; readonly value: Value }
  // The two differ only in this field, so that a `Result` is one or the other.
  | { isErr(): boolean; readonly error: unknown };

/**
 * A module by value, such as `defineModule` makes: its number and name, how a status is read and a command is written.
 *
 * @example
 * const module: ModuleValue<ExampleStatus, ExampleCommand> = example;
 */
export interface ModuleValue<Status = unknown, Command = never> {
  /** For error messages. */
  readonly name: string;
  /** int32. */
  readonly number: number;
  /** How a status is read. */
  readonly status: { decode(bytes: Uint8Array, device: Device): Outcome<Status> };
  /**
   * How a command is written; and read, which shows whether a module with a known number is the known module:
   * missionProtobuf has the number of mission.
   */
  readonly command: {
    encode(command: Command, device: Device): Outcome<Uint8Array>;
    decode?(bytes: Uint8Array, device: Device): Outcome<unknown>;
  };
}

/**
 * A module by value, or its number: then statuses and commands are bytes.
 *
 * @example
 * const modules: AnyModule[] = [example, 1234];
 */
export type AnyModule = number | ModuleValue;

/**
 * The type of a module's statuses: bytes, if only its number is known.
 *
 * @example
 * const pressed: StatusOf<typeof example> = { pressed: true };
 */
export type StatusOf<Module> = Module extends ModuleValue<infer Status> ? Status : Uint8Array;

/**
 * The type of a module's commands: bytes, if only its number is known.
 *
 * @example
 * const dark: CommandOf<typeof example> = { lit_up: false };
 */
export type CommandOf<Module> = Module extends ModuleValue<unknown, infer Command> ? Command : Uint8Array;

/**
 * A module that the gateway serves, and what it does.
 *
 * @example
 * const served: ServedModule<typeof door> = { module: door, deviceTypes: [1], answer: () => ({ locked: true }), pushes: true };
 */
export interface ServedModule<Module = AnyModule> {
  /** The module, or its number. */
  readonly module: Module;

  /**
   * The device types that it supports, each 0 to 4,294,967,295; a device of another type is refused.
   *
   * @defaultValue those of the real module for a known module, else all
   */
  readonly deviceTypes?: readonly number[] | undefined;

  /**
   * Returns the command for a status, or a promise of it, until the cloud has sent a command. `undefined` means that the status is invalid
   * and gets no answer; with `pushes`, it means nothing new.
   *
   * @defaultValue {@link GatewayOptions.answer}; else the answer of the real module for a known module; else the status
   * itself, or nothing new with `pushes`
   */
  answer?(
    status: StatusOf<ModuleIn<Module>>,
    device: Device,
  ): CommandOf<ModuleIn<Module>> | undefined | Promise<CommandOf<ModuleIn<Module>> | undefined>;

  /**
   * Whether the module pushes its commands instead of keeping them for the next status: see {@link TestingGateway.command}.
   *
   * @defaultValue false
   */
  readonly pushes?: boolean | undefined;
}

/**
 * The modules that a gateway serves: modules by value, modules with what they do, and numbers.
 *
 * @example
 * const modules: ServedModules = [example, { module: 2, deviceTypes: [1] }, 1234];
 */
export type ServedModules<Modules extends readonly Servable[] = readonly AnyModule[]> = {
  readonly [Index in keyof Modules]: ServedModule<Modules[Index]> | Bare<Modules[Index]>;
};

/**
 * An entry of {@link ServedModules}, as the compiler needs it to find each module.
 *
 * @example
 * const start = <const M extends readonly Servable[]>(options: GatewayOptions<M>) => startGateway(options);
 */
export type Servable = AnyModule | { readonly module: AnyModule };

// Depending on how `answer` is written, the compiler finds the module or the object around it. Both mean the same.
type ModuleIn<Found> = Found extends { readonly module: infer Module } ? Module : Found;
type Bare<Found> = Found extends { readonly module: unknown } ? never : Found;

/** The module on the gateway's side, in bytes. */
export interface Module {
  readonly pushes: boolean;
  readonly serves: (deviceType: number) => boolean;
  readonly isValidStatus: (status: Uint8Array, device: Device) => boolean;
  readonly isValidCommand: (command: Uint8Array, device: Device) => boolean;
  /** The answer to a status until the cloud has sent a command; undefined: `answer` decides. */
  readonly firstCommand: (device: Device) => Uint8Array | undefined;
  /** Turns the cloud's command, or the first one, into what the device gets. */
  readonly shape: (command: Uint8Array, status: Uint8Array) => Uint8Array;
  /** Whether the status tells the cloud something new. */
  readonly isNews: (status: Uint8Array, last: Uint8Array) => boolean;
  /** Undefined: no answer. */
  readonly answer: AnswerBytes;
}

/**
 * Makes the command for a status, in bytes; undefined for no answer.
 *
 * @example
 * const answer: AnswerBytes = (status, device) => (device.deviceType === 1 ? status : undefined);
 */
export type AnswerBytes = (
  status: Uint8Array,
  device: Device,
) => Uint8Array | undefined | Promise<Uint8Array | undefined>;

export function isModuleValue(value: unknown): value is ModuleValue {
  if (typeof value !== "object" || value === null) return false;
  const { name, number, status, command } = value as Partial<Record<keyof ModuleValue, unknown>>;
  return typeof name === "string" && typeof number === "number" && has(status, "decode") && has(command, "encode");
}

function has(codec: unknown, method: string): boolean {
  return typeof (codec as Record<string, unknown> | undefined | null)?.[method] === "function";
}

export function numberOf(module: AnyModule): number {
  return typeof module === "number" ? module : module.number;
}

/** Throws the codec's problem if the codec rejects the command. */
export function encodeCommand(module: AnyModule | undefined, command: unknown, device: Device): unknown {
  if (module === undefined || typeof module === "number") return command;
  return valueOf(module.command.encode(command as never, device), `a command of ${module.name}`);
}

/** Throws the codec's problem if the codec cannot read the status. */
export function decodeStatus(module: AnyModule | undefined, status: Uint8Array, device: Device): unknown {
  if (module === undefined || typeof module === "number") return status;
  return valueOf(module.status.decode(status, device), `a status of ${module.name}`);
}

function valueOf<Value>(outcome: Outcome<Value>, what: string): Value {
  if (!outcome.isErr() && "value" in outcome) return outcome.value;
  const cause: unknown = "error" in outcome ? outcome.error : undefined;
  const message = (cause as { readonly message?: unknown } | undefined)?.message;
  const why = typeof message === "string" ? `: ${message}` : "";
  throw new TypeError(`the codec rejects ${what}${why}`, { cause });
}

/** Every module, if `modules` is left out. */
export function toPlainModule(answer: AnswerBytes | undefined): Module {
  return plainModule(undefined, false, answer ?? ((status) => status));
}

export function toModules(given: ServedModules, answer: AnswerBytes | undefined): ReadonlyMap<number, Module> {
  return new Map(given.map((one) => toModule(isBare(one) ? { module: one } : one, answer)));
}

function isBare(one: AnyModule | ServedModule): one is AnyModule {
  return typeof one === "number" || !("module" in one);
}

function toModule(served: ServedModule, answerAll: AnswerBytes | undefined): readonly [number, Module] {
  const { module, deviceTypes, pushes = false } = served;
  const number = numberOf(module);
  const genuine = genuineFor(module);
  const types = deviceTypes ?? genuine?.deviceTypes;
  const answer = served.answer === undefined ? answerAll : answerOf(served);
  if (answer === undefined && genuine !== undefined) return [number, genuineModule(genuine, types, pushes)];
  const plain = plainModule(types, pushes, answer ?? (pushes ? () => undefined : (status) => status));
  return [number, { ...plain, isValidStatus: (status, device) => isReadable(module, status, device) }];
}

// Versions of a module share a number, and other modules may use it too. So a module counts as a known one only if it can
// read that one's first command.
function genuineFor(module: AnyModule): GenuineModule | undefined {
  const forms = genuineModules.get(numberOf(module)) ?? [];
  if (typeof module === "number") return forms[0];
  return forms.find(({ deviceTypes: [deviceType] = [0], firstCommand }) => {
    const device = { module: module.number, deviceType, deviceRole: "", deviceName: "", priority: 0 };
    return module.command.decode?.(firstCommand(deviceType), device).isErr() === false;
  });
}

function answerOf(served: ServedModule): AnswerBytes {
  const { module } = served;
  return async (status, device) => {
    const command = await served.answer?.(decodeStatus(module, status, device), device);
    return command === undefined ? undefined : (encodeCommand(module, command, device) as Uint8Array);
  };
}

function isReadable(module: AnyModule, status: Uint8Array, device: Device): boolean {
  return typeof module === "number" || !module.status.decode(status, device).isErr();
}

function plainModule(deviceTypes: readonly number[] | undefined, pushes: boolean, answer: AnswerBytes): Module {
  return {
    pushes,
    serves: (deviceType) => deviceTypes?.includes(deviceType) ?? true,
    isValidStatus: () => true,
    isValidCommand: () => true,
    firstCommand: () => undefined,
    shape: (command) => command,
    isNews: () => true,
    answer,
  };
}

function genuineModule(genuine: GenuineModule, deviceTypes: readonly number[] | undefined, pushes: boolean): Module {
  return {
    ...plainModule(deviceTypes, pushes, () => undefined),
    isValidStatus: (status, { deviceType }) => genuine.isValidStatus(status, deviceType),
    isValidCommand: genuine.isValidCommand,
    firstCommand: ({ deviceType }) => genuine.firstCommand(deviceType),
    shape: genuine.shape,
    isNews: genuine.isNews,
  };
}

const deviceType = integer(0, MAX_UINT32);

const SERVED = { module: moduleOrNumber, deviceTypes, answer: callback, pushes: flag };

export function checkModules(name: string, value: unknown): void {
  if (!Array.isArray(value)) throw new TypeError(explain(name, "an array of modules", value));
  value.forEach((one: unknown, index) => checkModule(`${name}[${index}]`, one));
}

function checkModule(name: string, value: unknown): void {
  if (typeof value === "number" || isModuleValue(value)) return moduleOrNumber(name, value);
  object(name, value);
  checkFields(name, value, SERVED);
  moduleOrNumber(`${name}.module`, (value as { readonly module?: unknown }).module);
}

function moduleOrNumber(name: string, value: unknown): void {
  if (isModuleValue(value)) return integer(MIN_INT32, MAX_INT32)(`${name}.number`, value.number);
  if (typeof value !== "number") throw new TypeError(explain(name, "a module or its number", value));
  integer(MIN_INT32, MAX_INT32)(name, value);
}

function deviceTypes(name: string, value: unknown): void {
  if (!Array.isArray(value)) throw new TypeError(explain(name, "an array of device types", value));
  value.forEach((type, index) => deviceType(`${name}[${index}]`, type));
}
