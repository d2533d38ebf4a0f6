/**
 * Packs the built package, installs the tarball in an empty project, and uses it there as users do: with import, with
 * require, with TypeScript in both module formats, and from the command line.
 */
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { entries } from "./entries.js";
import { packTarball, type Packed } from "./package-tarball.js";
import { bin, root, runNode, runNpm } from "./tools.js";

const expected = [
  /^(package\.json|README\.md|LICENSE)$/,
  /^dist\/(esm|cjs)\/.+\.(js|d\.ts)$/,
  /^dist\/cjs\/package\.json$/,
  /^dist\/THIRD-PARTY-NOTICES\.txt$/,
];

const checkContents = ({ filename, size, unpackedSize, files }: Packed): void => {
  for (const file of files) {
    console.log(`${file.size.toString().padStart(8)}  ${file.path}`);
  }
  console.log(`${filename}: ${files.length} files, ${size} bytes packed, ${unpackedSize} bytes unpacked`);
  const unexpected = files.filter(({ path }) => !expected.some((pattern) => pattern.test(path)));
  if (unexpected.length > 0) {
    throw new Error(`not for users: ${unexpected.map(({ path }) => path).join(", ")}`);
  }
};

/** Loads an entry in both formats, in a fresh process, and gives the names that it exports. */
const exportedNames = (project: string, specifier: string): string[] => {
  writeFileSync(
    join(project, "load.cjs"),
    `import("${specifier}").then((esm) => {
      const cjs = require("${specifier}");
      console.log(JSON.stringify([Object.keys(esm).sort(), Object.keys(cjs).sort()]));
    });`,
  );
  const [esm, cjs] = JSON.parse(runNode("load.cjs", [], project)) as [string[], string[]];
  if (esm.length === 0 || esm.join() !== cjs.join()) {
    throw new Error(`${specifier} exports [${esm.join(", ")}] to import and [${cjs.join(", ")}] to require`);
  }
  return esm;
};

const checkTypes = (project: string, namesByEntry: ReadonlyMap<string, readonly string[]>): void => {
  const uses = [...namesByEntry].map(([specifier, names], n) => ({
    specifier,
    module: `entry${n}`,
    names: names.map((name) => `entry${n}.${name}`).join(", "),
  }));
  const used = uses.map(({ names }) => `[${names}]`).join(", ");
  const imports = uses.map(({ module, specifier }) => `import * as ${module} from "${specifier}";`);
  const requires = uses.map(({ module, specifier }) => `import ${module} = require("${specifier}");`);
  writeFileSync(join(project, "consumer.mts"), [...imports, `export const used = [${used}];`].join("\n"));
  writeFileSync(join(project, "consumer.cts"), [...requires, `export const used = [${used}];`].join("\n"));
  // Linked, not installed: the package itself brings no types of Node and no compiler.
  symlinkSync(join(root, "node_modules", "@types"), join(project, "node_modules", "@types"), "junction");
  const compilerOptions = { strict: true, module: "NodeNext", target: "ES2022", types: ["node"], noEmit: true };
  const files = ["consumer.mts", "consumer.cts"];
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));
  runNode(bin("typescript", "tsc"), ["-p", project], project);
};

/** Runs the installed command as users do. */
const checkCommand = (project: string): void => {
  const help = runNpm(["exec", "--no", "--", "fleet-internal-client", "--help"], project);
  if (!help.includes("Usage: fleet-internal-client")) {
    throw new Error(`fleet-internal-client --help says\n${help}`);
  }
};

const project = mkdtempSync(join(tmpdir(), "package-"));
try {
  const packed = packTarball(project);
  checkContents(packed);
  writeFileSync(join(project, "package.json"), '{ "private": true }');
  runNpm(["install", "--prefer-offline", "--no-audit", "--no-fund", `./${packed.filename}`], project);
  const namesByEntry = new Map(entries.map(({ specifier }) => [specifier, exportedNames(project, specifier)]));
  for (const [specifier, names] of namesByEntry) {
    console.log(`${specifier}: ${names.join(", ")}`);
  }
  checkTypes(project, namesByEntry);
  checkCommand(project);
} finally {
  rmSync(project, { recursive: true });
}
