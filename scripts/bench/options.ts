import { parseArgs } from "node:util";

const partNames = ["exchanges", "connect", "memory", "push", "recovery", "import"] as const;

export type PartName = (typeof partNames)[number];

export interface Options {
  /** The short run, whose exit code says whether the library is as fast as it keeps to. */
  readonly check: boolean;
  readonly parts: readonly PartName[];
  /** The commit whose build is what the present one is compared with, instead of Node itself. */
  readonly against: string | undefined;
}

const usage = `npm run bench -- [--check] [--only ${partNames.join(",")}] [--against REV]`;

const isPartName = (name: string): name is PartName => (partNames as readonly string[]).includes(name);

/** Throws an error whose message is one line. */
export const optionsFrom = (args: readonly string[]): Options => {
  const { check, only, against } = valuesOf(args);
  if (only === undefined) {
    return { check, parts: partNames, against };
  }
  const names = only.split(",");
  const unknown = names.filter((name) => !isPartName(name));
  if (unknown.length > 0) {
    throw new Error(`there is no part ${unknown.map((name) => JSON.stringify(name)).join(", ")}; ${usage}`);
  }
  return { check, parts: partNames.filter((name) => names.includes(name)), against };
};

interface Values {
  readonly check: boolean;
  readonly only: string | undefined;
  readonly against: string | undefined;
}

const valuesOf = (args: readonly string[]): Values => {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { check: { type: "boolean", default: false }, only: { type: "string" }, against: { type: "string" } },
    });
    return { check: values.check, only: values.only, against: values.against };
  } catch (error) {
    const [firstLine] = (error as Error).message.split("\n");
    throw new Error(`${firstLine ?? ""}; ${usage}`, { cause: error });
  }
};
