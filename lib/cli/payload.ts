import { isDeepStrictEqual } from "node:util";
import type { Codec, Device } from "../index.js";
import { carAccessory } from "../modules/car-accessory.js";
import { example } from "../modules/example.js";
import { missionProtobuf } from "../modules/mission-protobuf.js";
import { mission } from "../modules/mission.js";
import { transparent } from "../modules/transparent.js";
import { CommandLineError, wrongValue, type Given, type Options } from "./command-line.js";
import { jsonOf, oneLine, severalLines, spacedJson } from "./text.js";

const MAX_LINE = 2_000;

interface KnownModule {
  readonly status: Codec<never, unknown>;
  readonly command: Codec<never, unknown>;
}

const knownModules: Readonly<Record<string, KnownModule>> = {
  mission,
  "mission-protobuf": missionProtobuf,
  "car-accessory": carAccessory,
  transparent,
  example,
};

/** The known modules by number. */
const namesByNumber: Readonly<Record<number, string>> = {
  [mission.number]: "mission",
  [carAccessory.number]: "car-accessory",
  [transparent.number]: "transparent",
  [example.number]: "example",
};

export const knownNumbers: readonly number[] = Object.keys(namesByNumber).map(Number);

const choices = [...Object.keys(knownModules), "none"];

export const payloadOptions = {
  decode: {
    value: "MODULE",
    help: `the module whose codec reads the payloads: ${choices.slice(0, -1).join(", ")}, or none`,
    default: `by the number: ${knownNumbers.map((number) => `${number} ${namesByNumber[number] ?? ""}`).join(", ")}`,
  },
  hex: { help: "show payloads as hex" },
} as const satisfies Options;

/** What a payload belongs to. */
export interface Origin {
  readonly kind: "status" | "command";
  readonly device: Device;
}

type Meaning =
  /** JSON, or what a module reads from another form. */
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "bytes" };

/** How the payloads of one command line are read and shown. */
export class Payloads {
  private readonly hex: boolean;
  private readonly chosen: string | undefined;

  /** @throws CommandLineError for a module that is not known */
  constructor(given: Given) {
    this.hex = given.has("hex");
    this.chosen = given.text("decode");
    if (this.chosen !== undefined && !choices.includes(this.chosen)) {
      throw new CommandLineError(wrongValue("--decode", this.chosen, `one of ${choices.join(", ")}`));
    }
  }

  /** For people, in one line. Text is quoted and hex is marked, so that neither can be taken for the other. */
  inLine(bytes: Uint8Array, origin?: Origin): string {
    if (bytes.length === 0) return "(empty)";
    if (this.hex) return shortened(`hex ${hexOf(bytes)}`, bytes);
    const { meaning, problem } = this.read(bytes, origin);
    return `${shortened(written(meaning, bytes), bytes)}${problem === undefined ? "" : ` (${problem})`}`;
  }

  /** For output that is only the payload: JSON on several lines if `pretty`, and text unchanged. */
  alone(bytes: Uint8Array, origin: Origin, isPretty: boolean): string {
    if (this.hex) return hexOf(bytes);
    if (bytes.length === 0) return "";
    const { meaning } = this.read(bytes, origin);
    if (meaning.kind === "value" && (isPretty || !isText(bytes)))
      return jsonOf(meaning.value, isPretty ? 2 : undefined);
    const text = textOf(bytes);
    return text === undefined || isDriving(text) ? `hex ${hexOf(bytes)}` : severalLines(text);
  }

  /** For JSON lines. */
  fields(bytes: Uint8Array, origin?: Origin): Record<string, unknown> {
    const { meaning, problem } = this.read(bytes, origin);
    const text = textOf(bytes);
    return {
      bytes: bytes.length,
      hex: hexOf(bytes),
      ...(text === undefined ? {} : { text }),
      ...(meaning.kind === "value" ? { value: meaning.value } : {}),
      ...(problem === undefined ? {} : { problem }),
    };
  }

  /**
   * The bytes to send. They are sent unchanged, except for JSON of a known module that compares bytes: that is rewritten in the module's spelling.
   * @throws CommandLineError for a status that the module considers invalid
   */
  toSend(bytes: Uint8Array, device: Device): Uint8Array {
    const name = this.nameFor(device);
    const codec = name === undefined ? undefined : knownModules[name]?.status;
    if (name === undefined || codec === undefined) return bytes;
    const read = codec.decode(bytes, device);
    if (read.isOk()) return bytes;
    const spelled = spelledBy(codec, bytes, device);
    if (spelled !== undefined) return spelled;
    const { path, message } = read.error;
    const problem = `the module ${name} considers this status invalid: ${path}: ${message}`;
    throw new CommandLineError(`${problem}; --decode none sends it anyway`);
  }

  private nameFor({ module }: Device): string | undefined {
    return this.chosen ?? namesByNumber[module];
  }

  private read(bytes: Uint8Array, origin?: Origin): { readonly meaning: Meaning; readonly problem?: string } {
    const name = origin === undefined ? undefined : this.nameFor(origin.device);
    const known = name === undefined ? undefined : knownModules[name];
    if (origin === undefined || known === undefined || bytes.length === 0) return { meaning: plainMeaning(bytes) };
    const read = known[origin.kind].decode(bytes, origin.device);
    if (read.isErr()) {
      const problem = `no ${origin.kind} of ${name ?? ""}: ${oneLine(read.error.message)}`;
      return { meaning: plainMeaning(bytes), problem };
    }
    return { meaning: typeof read.value === "string" ? plainMeaning(bytes) : { kind: "value", value: read.value } };
  }
}

/** For people, in one line, whatever it means. */
export function shown(bytes: Uint8Array): string {
  return bytes.length === 0 ? "(empty)" : shortened(written(plainMeaning(bytes), bytes), bytes);
}

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Without a module: JSON objects and lists are recognised, because nothing else looks like them. */
function plainMeaning(bytes: Uint8Array): Meaning {
  const text = textOf(bytes);
  if (text === undefined || isDriving(text)) return { kind: "bytes" };
  const value = jsonIn(text);
  return typeof value === "object" && value !== null ? { kind: "value", value } : { kind: "text", text };
}

function written(meaning: Meaning, bytes: Uint8Array): string {
  if (meaning.kind === "value") return spacedJson(meaning.value);
  return meaning.kind === "text" ? jsonOf(meaning.text) : `hex ${hexOf(bytes)}`;
}

function shortened(text: string, bytes: Uint8Array): string {
  return text.length <= MAX_LINE ? text : `${text.slice(0, MAX_LINE)}… (${bytes.length} bytes)`;
}

/** The bytes as text; undefined unless they are UTF-8. */
function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function isText(bytes: Uint8Array): boolean {
  const text = textOf(bytes);
  return text !== undefined && !isDriving(text);
}

/** Whether it has control characters other than line breaks and tabs: then it is not text. */
function isDriving(text: string): boolean {
  return /[^\P{Cc}\n\t]/u.test(text);
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
}

function jsonIn(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Undefined unless it is the module's JSON. */
function spelledBy(codec: Codec<never, unknown>, bytes: Uint8Array, device: Device): Uint8Array | undefined {
  const value = jsonIn(textOf(bytes));
  if (value === undefined) return undefined;
  const spelled = codec.encode(value as never, device);
  return spelled.isOk() && isSameJson(spelled.value, bytes) ? spelled.value : undefined;
}

function isSameJson(one: Uint8Array, other: Uint8Array): boolean {
  const value = jsonIn(textOf(one));
  return value !== undefined && isDeepStrictEqual(value, jsonIn(textOf(other)));
}
