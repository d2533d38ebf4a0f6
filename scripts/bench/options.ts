import { parseArgs } from "node:util";

const partNames = ["sequential", "devices", "connect", "memory", "push", "recovery", "import"] as const;

export type PartName = (typeof partNames)[number];

export interface Options {
  /** The short run, whose exit code says whether the library is as fast as it keeps to. */
  readonly check: boolean;
  readonly parts: readonly PartName[];
}

const usage = `npm run bench -- [--check] [--only ${partNames.join(",")}]`;

const isPartName = (name: string): name is PartName => (partNames as readonly string[]).includes(name);

/** Throws an error whose message is one line. */
export const optionsFrom = (args: readonly string[]): Options => {
  const { check, only } = valuesOf(args);
  if (only === undefined) {
    return { check, parts: partNames };
  }
  const names = only.split(",");
  const unknown = names.filter((name) => !isPartName(name));
  if (unknown.length > 0) {
    throw new Error(`there is no part ${unknown.map((name) => JSON.stringify(name)).join(", ")}; ${usage}`);
  }
  return { check, parts: partNames.filter((name) => names.includes(name)) };
};

const valuesOf = (args: readonly string[]): { readonly check: boolean; readonly only: string | undefined } => {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { check: { type: "boolean", default: false }, only: { type: "string" } },
    });
    return { check: values.check, only: values.only };
  } catch (error) {
    const [firstLine] = (error as Error).message.split("\n");
    throw new Error(`${firstLine ?? ""}; ${usage}`, { cause: error });
  }
};
