import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { programsFolder } from "../build.js";
import { bundleSize } from "../bundle-size.js";
import { entries } from "../../entries.js";
import { root } from "../../tools.js";
import { runFile } from "../processes.js";
import { compare, type Subject } from "../programs/compare.js";
import type { Report } from "../report.js";
import { floorAgain, type Part } from "./part.js";
import type { Effort } from "../effort.js";

type Format = "esm" | "cjs";

const formatNames = { esm: "ES modules", cjs: "CommonJS" } as const;

const metrics = [{ key: "cpu", heading: "CPU ms", digits: 1 }] as const;

const main = entries.find(({ path }) => path === "index")?.specifier ?? "";

/** The CPU time of the whole process, from its start. */
const printCpuTime = `
process.once("exit", () => {
  const { user, system } = process.cpuUsage();
  process.stdout.write(String((user + system) / 1000));
});
`;

const loadedBy = { esm: (module: string) => `import ${module};`, cjs: (module: string) => `require(${module});` };

/** A process that does nothing but load these modules. Its file stands where packages are found as the library finds them. */
const subject = (name: string, format: Format, modules: readonly string[]): Subject => {
  const folder = join(programsFolder, "imports");
  const file = join(folder, `${name.replaceAll(/\W+/g, "-")}.${format === "esm" ? "mjs" : "cjs"}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, modules.map((module) => loadedBy[format](JSON.stringify(module))).join("\n") + printCpuTime);
  return { name, slice: async () => ({ cpu: Number(await runFile(file, [])) }) };
};

const entrySubject = (format: Format, { specifier, path }: (typeof entries)[number]): Subject => {
  const built = join(root, "dist", format, `${path}.js`);
  return subject(specifier, format, [format === "esm" ? pathToFileURL(built).href : built]);
};

const measureImports = async (report: Report, format: Format, { isShort, starts }: Effort): Promise<void> => {
  const netOnly = (name: string) => subject(name, format, ["node:net"]);
  const netAndNeverthrow = (name: string) => subject(name, format, ["node:net", "neverthrow"]);
  const measured = entries.filter(({ specifier }) => !isShort || specifier === main);
  const loaded = measured.map((entry) => entrySubject(format, entry));

  const floor = "node:net and neverthrow";
  const comparisons = await compare(netAndNeverthrow(floor), [netAndNeverthrow(floorAgain), ...loaded], {
    rounds: starts,
    warmUps: 1,
  });
  const title = `CPU time with imports, ${formatNames[format]}`;
  const targets = [{ of: main, metric: "cpu", most: 1.15 }];
  report.table({ title, reference: floor, itself: floorAgain, metrics, comparisons, targets });

  if (!isShort) {
    const against = await compare(netOnly("node:net"), [netOnly(floorAgain), ...loaded], {
      rounds: starts,
      warmUps: 1,
    });
    report.table({ title, reference: "node:net", itself: floorAgain, metrics, comparisons: against });
  }
};

/** Start-up: what importing the library costs, and how large it is. */
export const imports: Part = async (report, effort) => {
  report.heading("Start-up: CPU time of a process that imports and ends");
  await measureImports(report, "esm", effort);
  await measureImports(report, "cjs", effort);

  report.note(`\nBundle of ${main} with all its dependencies`);
  const { minified, gzipped } = await bundleSize();
  report.value("Bundle, minified, bytes", minified, { most: 40_000, kept: 64_000 });
  report.value("Bundle, minified and gzipped, bytes", gzipped, { most: 13_000, kept: 19_500 });
};
