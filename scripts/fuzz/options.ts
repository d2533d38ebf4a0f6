import { parseArgs } from "node:util";

/** A whole-number option of a script, with what it is when it is not given. */
export interface WholeNumber {
  readonly least: number;
  readonly most: number;
  readonly otherwise: number;
}

/** Reads `--name number` options. What is wrong with them is said in one line, and the process ends with code 2. */
export function wholeNumberOptions<Name extends string>(
  wanted: Readonly<Record<Name, WholeNumber>>,
  args = process.argv.slice(2),
): Record<Name, number> {
  try {
    return parsed(wanted, args);
  } catch (thrown) {
    // parseArgs goes on to explain over several lines.
    const [line] = (thrown instanceof Error ? thrown.message : String(thrown)).split("\n");
    process.stderr.write(`${line}\n`);
    process.exit(2);
  }
}

function parsed<Name extends string>(
  wanted: Readonly<Record<Name, WholeNumber>>,
  args: readonly string[],
): Record<Name, number> {
  const names = Object.keys(wanted) as Name[];
  const options = Object.fromEntries(names.map((name) => [name, { type: "string" as const }]));
  const { values } = parseArgs({ args: [...args], options, strict: true });
  const given = values as Record<string, string | undefined>;
  return Object.fromEntries(names.map((name) => [name, wholeNumber(name, given[name], wanted[name])])) as Record<
    Name,
    number
  >;
}

function wholeNumber(name: string, given: string | undefined, { least, most, otherwise }: WholeNumber): number {
  if (given === undefined) return otherwise;
  const value = /^\d+$/.test(given) ? Number(given) : NaN;
  if (value >= least && value <= most) return value;
  throw new Error(`--${name} is ${JSON.stringify(given)}, but must be a whole number from ${least} to ${most}`);
}
