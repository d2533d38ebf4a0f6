import { parseArgs } from "node:util";
import type { Surroundings } from "./surroundings.js";

/** The error for a wrong command line; the message is one line. */
export class CommandLineError extends Error {}

interface Option {
  /** The placeholder of its value in the help; without it, the option is a flag. */
  readonly value?: string;
  readonly short?: string;
  readonly isRepeatable?: boolean;
  readonly help: string;
  /** The default, for the help. */
  readonly default?: string;
}

export type Options = Readonly<Record<string, Option>>;

/** What a command takes. */
export interface Syntax {
  /** Its name, for example `watch`. */
  readonly command: string;
  readonly options: Options;
  /** The arguments without `--` that it takes. */
  readonly operands?: readonly string[];
}

/** A command, and what its manual says. */
export interface Command extends Syntax {
  readonly usage: string;
  readonly summary: string;
  readonly notes: readonly string[];
  /** With `--json` each line is an object with `time`, `event`, and these fields. */
  readonly events: readonly (readonly [event: string, fields: string])[];
  readonly examples: readonly string[];
  readonly run: (given: Given, surroundings: Surroundings) => Promise<number>;
}

/** A parsed command line. Its methods read a value as what it must be, and throw a {@link CommandLineError} for a wrong one. */
export class Given {
  constructor(
    private readonly values: ReadonlyMap<string, readonly string[]>,
    readonly operands: readonly string[],
  ) {}

  has(name: string): boolean {
    return this.values.has(name);
  }

  all(name: string): readonly string[] {
    return this.values.get(name) ?? [];
  }

  text(name: string): string | undefined {
    return this.values.get(name)?.[0];
  }

  nonEmpty(name: string): string | undefined {
    const text = this.text(name);
    if (text === "") throw new CommandLineError(`--${name} must not be empty`);
    return text;
  }

  integer(name: string, least: number, most: number): number | undefined {
    const text = this.text(name);
    return text === undefined ? undefined : integerOf(`--${name}`, text, least, most);
  }

  /** Above 0, with or without decimals. */
  positive(name: string, unit: string, most: number): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const number = /^\d+(\.\d+)?$/.test(text) ? Number(text) : 0;
    if (number > 0 && number <= most) return number;
    throw new CommandLineError(wrongValue(`--${name}`, text, `a number of ${unit} above 0 and up to ${most}`));
  }
}

export function integerOf(name: string, text: string, least: number, most: number): number {
  const number = /^\d{1,10}$/.test(text) ? Number(text) : -1;
  if (number >= least && number <= most) return number;
  throw new CommandLineError(wrongValue(name, text, `a whole number from ${least} to ${most}`));
}

export function wrongValue(name: string, given: string, allowed: string): string {
  return `${name} is ${JSON.stringify(given)}, but must be ${allowed}`;
}

/** @throws CommandLineError for the first argument that is wrong */
export function parse(syntax: Syntax, args: readonly string[]): Given {
  const values = new Map<string, string[]>();
  const operands: string[] = [];
  for (const token of tokensOf(syntax, args)) {
    if (token.kind === "positional") operands.push(checkedOperand(syntax, token.value));
    if (token.kind !== "option") continue;
    const { name, rawName, value, inlineValue } = token;
    const option = Object.hasOwn(syntax.options, name) ? syntax.options[name] : undefined;
    if (option === undefined) throw unknownOption(syntax, rawName);
    if (option.value === undefined && value !== undefined) throw new CommandLineError(`${rawName} takes no value`);
    if (option.value !== undefined) checkValue(rawName, option.value, value, inlineValue);
    const former = values.get(name);
    if (former !== undefined && option.value !== undefined && option.isRepeatable !== true) {
      throw new CommandLineError(`${rawName} is given more than once`);
    }
    values.set(name, [...(former ?? []), value ?? ""]);
  }
  return new Given(values, operands);
}

/** Node only splits the line; its own messages are several sentences and suggest nothing. */
function tokensOf({ options }: Syntax, args: readonly string[]) {
  const known = Object.entries(options).map(([name, { value, short }]) => {
    const type: "string" | "boolean" = value === undefined ? "boolean" : "string";
    return [name, short === undefined ? { type } : { type, short }] as const;
  });
  return parseArgs({ args: [...args], options: Object.fromEntries(known), strict: false, tokens: true }).tokens;
}

function checkValue(rawName: string, wanted: string, value: string | undefined, isInline: boolean | undefined): void {
  if (value === undefined) throw new CommandLineError(`${rawName} needs a value: ${rawName} ${wanted}`);
  if (isInline !== true && value.length > 1 && value.startsWith("-")) {
    throw new CommandLineError(`${rawName} needs a value; one that begins with - is written ${rawName}=${value}`);
  }
}

function checkedOperand({ command, options, operands = [] }: Syntax, given: string): string {
  if (operands.includes(given)) return given;
  const meant = nearest(given, Object.keys(options));
  const hint = meant === undefined ? seeHelp(command) : `did you mean --${meant}?`;
  throw new CommandLineError(`${command} takes no argument ${JSON.stringify(given)}; ${hint}`);
}

function unknownOption({ command, options }: Syntax, rawName: string): CommandLineError {
  const meant = nearest(rawName.replace(/^-+/, ""), Object.keys(options));
  const hint = meant === undefined ? seeHelp(command) : `did you mean --${meant}?`;
  return new CommandLineError(`${command} has no option ${rawName}; ${hint}`);
}

function seeHelp(command: string): string {
  return `see fleet-internal-client ${command} --help`;
}

/** The word that was probably meant: one with the same letters, or with some missing or added. */
export function nearest(word: string, words: readonly string[]): string | undefined {
  if (word.length < 3) return undefined;
  const letters = sorted(word);
  return words.find((one) => sorted(one) === letters || isWithin(word, one) || isWithin(one, word));
}

function sorted(word: string): string {
  return Array.from(word).sort().join("");
}

/** Whether the longer word has all letters of the shorter one, in order. */
function isWithin(word: string, longer: string): boolean {
  let rest = longer;
  return Array.from(word).every((letter) => {
    const at = rest.indexOf(letter);
    rest = rest.slice(at + 1);
    return at >= 0;
  });
}
