import { Buffer } from "node:buffer";
import { isDeepStrictEqual, TextDecoder } from "node:util";
import { eachField, NOTHING, type Field } from "./wire.js";

/** How one of the known modules behaves, byte for byte. */
export interface GenuineModule {
  /** Undefined: any. */
  readonly deviceTypes: readonly [number, ...number[]] | undefined;
  readonly isValidStatus: (status: Uint8Array, deviceType: number) => boolean;
  readonly isValidCommand: (command: Uint8Array) => boolean;
  /** The answer to a status until the cloud has sent a command. */
  readonly firstCommand: (deviceType: number) => Uint8Array;
  /** Turns the cloud's command into what the device gets; it also answers the next status. */
  readonly shape: (command: Uint8Array, status: Uint8Array) => Uint8Array;
  /** Whether the status tells the cloud something new. */
  readonly isNews: (status: Uint8Array, last: Uint8Array) => boolean;
}

const mission: GenuineModule = {
  deviceTypes: [1],
  isValidStatus: isMissionStatus,
  isValidCommand: isMissionCommand,
  firstCommand: () => utf8('{"action":"NO_ACTION","route":"","stops":[]}'),
  shape: withoutReachedStop,
  isNews: isMissionNews,
};

/** Up to 1.2.13, in protobuf: it accepts every status. */
const missionProtobuf: GenuineModule = {
  deviceTypes: [1],
  isValidStatus: () => true,
  isValidCommand: () => true,
  firstCommand: () => NOTHING,
  shape: withoutReachedStopProtobuf,
  isNews: isMissionProtobufNews,
};

/** By device type: Opta, Mega, Uno, button. */
const BOARDS: Readonly<Record<number, { readonly inputs: number; readonly outputs: number }>> = {
  1: { inputs: 6, outputs: 4 },
  2: { inputs: 4, outputs: 4 },
  3: { inputs: 6, outputs: 7 },
  4: { inputs: 1, outputs: 0 },
};
const BUTTON = 4;
const ALL_OFF = '[{"outNum":0,"actType":0},{"outNum":1,"actType":0},{"outNum":2,"actType":0},{"outNum":3,"actType":0}]';

const io: GenuineModule = {
  deviceTypes: [1, 2, 3, 4],
  isValidStatus: isBoardStatus,
  isValidCommand: isBoardCommand,
  firstCommand: (deviceType) => utf8(deviceType === BUTTON ? "null" : ALL_OFF),
  shape: (command) => command,
  isNews: isBoardNews,
};

const transparent: GenuineModule = {
  deviceTypes: undefined,
  isValidStatus: () => true,
  isValidCommand: () => true,
  firstCommand: () => utf8('"default_command"'),
  shape: (command) => command,
  isNews: () => true,
};

const DARK = '{"lit_up": false}';
const LIT = '{"lit_up": true}';
/** Compared byte by byte, the space included. */
const LAMPS: Readonly<Record<string, string>> = { '{"pressed": true}': DARK, '{"pressed": false}': LIT };

const example: GenuineModule = {
  deviceTypes: [0],
  isValidStatus: (status) => Object.hasOwn(LAMPS, latin1(status)),
  isValidCommand: (command) => [DARK, LIT].includes(latin1(command)),
  firstCommand: () => utf8(DARK),
  // The cloud's commands change nothing.
  shape: (_command, status) => utf8(LAMPS[latin1(status)] ?? DARK),
  isNews: (status, last) => latin1(status) !== latin1(last),
};

/** By number; of several forms, the current one first. */
export const genuineModules: ReadonlyMap<number, readonly GenuineModule[]> = new Map([
  [1, [mission, missionProtobuf]],
  [2, [io]],
  [3, [transparent]],
  [1000, [example]],
]);

type Json = Readonly<Record<string, unknown>>;

const STATES: readonly unknown[] = ["IDLE", "DRIVE", "IN_STOP", "OBSTACLE", "ERROR"];
const ACTIONS: readonly unknown[] = ["NO_ACTION", "STOP", "START"];

function isMissionStatus(bytes: Uint8Array): boolean {
  const status = objectIn(bytes);
  if (status === undefined || !STATES.includes(status["state"]) || !Object.hasOwn(status, "nextStop")) return false;
  return isObject(status["telemetry"]) && typeof status["telemetry"]["speed"] === "number";
}

function isMissionCommand(bytes: Uint8Array): boolean {
  const command = objectIn(bytes);
  if (command === undefined || !ACTIONS.includes(command["action"])) return false;
  return Array.isArray(command["stops"]) && typeof command["route"] === "string";
}

/** A stop is reached when the device reports that it is in the first stop of the list. */
function withoutReachedStop(bytes: Uint8Array, statusBytes: Uint8Array): Uint8Array {
  const command = objectIn(bytes) ?? {};
  const status = objectIn(statusBytes) ?? {};
  const [first, ...rest] = command["stops"] as readonly unknown[];
  const isReached =
    first !== undefined && status["state"] === "IN_STOP" && isDeepStrictEqual(status["nextStop"], first);
  // Always rewritten without spaces, as the real module does.
  return utf8(JSON.stringify(isReached ? { ...command, stops: rest } : command));
}

/** In the device's unit: from here on it is moving. */
const MIN_MOVING_SPEED = 1;

function isMissionNews(bytes: Uint8Array, lastBytes: Uint8Array): boolean {
  const status = objectIn(bytes) ?? {};
  const last = objectIn(lastBytes) ?? {};
  const isMoving = isObject(status["telemetry"]) && Number(status["telemetry"]["speed"]) >= MIN_MOVING_SPEED;
  return isMoving || status["state"] !== last["state"] || !isDeepStrictEqual(status["nextStop"], last["nextStop"]);
}

const STOPS = 1;
const STOP_NAME = 1;
const SPEED = 1;
const TELEMETRY = 1;
const STATE = 2;
const IN_STOP = 2;
const NEXT_STOP = 3;

function withoutReachedStopProtobuf(command: Uint8Array, status: Uint8Array): Uint8Array {
  const first = fieldsOf(command).find(({ number }) => number === STOPS);
  if (first === undefined || lastOf(status, STATE)?.varint !== IN_STOP) return command;
  const [stop, reached] = [first, lastOf(status, NEXT_STOP)].map((one) => lastOf(one?.content, STOP_NAME)?.content);
  if (!isDeepStrictEqual(stop ?? NOTHING, reached ?? NOTHING)) return command;
  return Buffer.concat([command.subarray(0, first.start), command.subarray(first.end)]);
}

function isMissionProtobufNews(status: Uint8Array, last: Uint8Array): boolean {
  const isChanged = (wanted: number): boolean =>
    !isDeepStrictEqual(fieldBytes(status, wanted), fieldBytes(last, wanted));
  return speedOf(status) >= MIN_MOVING_SPEED || isChanged(STATE) || isChanged(NEXT_STOP);
}

function speedOf(status: Uint8Array): number {
  const double = fieldBytes(lastOf(status, TELEMETRY)?.content, SPEED);
  return double?.length === 9 ? Buffer.from(double).readDoubleLE(1) : 0;
}

function fieldBytes(message: Uint8Array | undefined, wanted: number): Uint8Array | undefined {
  const field = lastOf(message, wanted);
  return field && message?.subarray(field.start, field.end);
}

function fieldsOf(message: Uint8Array): readonly Field[] {
  const fields: Field[] = [];
  eachField(message, (field) => fields.push(field) > 0);
  return fields;
}

function lastOf(message: Uint8Array | undefined, wanted: number): Field | undefined {
  return fieldsOf(message ?? NOTHING).findLast(({ number }) => number === wanted);
}

/** Each press of the board's own button is news. */
function isBoardNews(bytes: Uint8Array, lastBytes: Uint8Array): boolean {
  const status = json(bytes);
  const button: unknown = Array.isArray(status) ? status[2] : undefined;
  return (isObject(button) && Number(button["butPr"]) > 0) || !isDeepStrictEqual(status, json(lastBytes));
}

function isBoardStatus(bytes: Uint8Array, deviceType: number): boolean {
  const board = BOARDS[deviceType];
  const status = json(bytes);
  if (board === undefined || !Array.isArray(status)) return false;
  const [inputs, outputs, button] = status as readonly unknown[];
  return (
    first(board.inputs, inputs, (input) => isNumeric(input["inNum"]) && typeof input["inSt"] === "boolean") &&
    first(board.outputs, outputs, isOutput) &&
    isObject(button) &&
    isNumeric(button["butPr"])
  );
}

function isOutput(output: Json): boolean {
  return isNumeric(output["outNum"]) && typeof output["outErr"] === "boolean" && typeof output["outSt"] === "boolean";
}

/** The module checks only the first `count` entries. */
function first(count: number, list: unknown, isRight: (one: Json) => boolean): boolean {
  if (count === 0) return true;
  if (!Array.isArray(list) || list.length < count) return false;
  return list.slice(0, count).every((one: unknown) => isObject(one) && isRight(one));
}

function isBoardCommand(bytes: Uint8Array): boolean {
  const command = json(bytes);
  if (command === null) return true;
  if (!Array.isArray(command)) return isObject(command) && Object.keys(command).length === 0;
  return command.every((one: unknown) => isObject(one) && isNumeric(one["outNum"]) && isNumeric(one["actType"]));
}

/** What the module's own parser accepts as a number. */
function isNumeric(value: unknown): boolean {
  return typeof value === "number" || typeof value === "boolean";
}

function objectIn(bytes: Uint8Array): Json | undefined {
  const value = json(bytes);
  return isObject(value) ? value : undefined;
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function json(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

function utf8(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text));
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}
