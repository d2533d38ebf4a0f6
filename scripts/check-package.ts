/**
 * Packs the built package, looks at the tarball as publint and attw do, installs it in an empty project, and uses it there
 * as users do: with import, with require, with TypeScript in both module formats, and from the command line. Prints what
 * the package weighs, and fails where that is more than it may be.
 */
import { readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { entries } from "./entries.js";
import { bundleOf, inTemporaryFolder, installIn, pack, type Tarball } from "./packed.js";
import { bin, root, runNode, runNpm } from "./tools.js";

const packageName = "fleet-internal-client";

const expected = [
  /^(package\.json|README\.md|CHANGELOG\.md|LICENSE)$/,
  /^dist\/(esm|cjs)\/.+\.(js|d\.ts)$/,
  /^dist\/(cjs\/package\.json|command\.js|THIRD-PARTY-NOTICES\.txt)$/,
];

const notInDeclarations = [
  { text: "@bufbuild/", because: "it is not installed with the package" },
  { text: "Uint8Array<", because: "before TypeScript 5.7 it takes no type argument" },
];

/** What a program may weigh that is bundled and minified with all that it needs, in bytes. */
const programs = [
  { name: "connect", most: 78_000, code: `export { connect } from "${packageName}";` },
  { name: "all of the library", most: 94_000, code: `export * from "${packageName}";` },
  { name: "mission", most: 25_000, code: `export * from "${packageName}/modules/mission";` },
  {
    name: "mission, connect and exchange",
    most: 89_000,
    code: `export { connect, exchange } from "${packageName}"; export { mission } from "${packageName}/modules/mission";`,
  },
  {
    name: "mission and testing",
    most: 56_000,
    code: `export * from "${packageName}/modules/mission"; export * from "${packageName}/testing";`,
  },
];

/** What an installation may weigh, in bytes: the files of this package, and all that npm installs. */
const mostOwn = 1_300_000;
const mostInstalled = 3_400_000;

function weigh(what: string, bytes: number, most: number): void {
  console.log(`${bytes.toString().padStart(9)} bytes of ${most}: ${what}`);
  if (bytes > most) throw new Error(`${what}: ${bytes} bytes, ${bytes - most} more than it may have`);
}

function sizeOf(folder: string): number {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((file) => statSync(join(folder, file)))
    .reduce((sum, stats) => sum + (stats.isFile() ? stats.size : 0), 0);
}

function checkContents({ files }: Tarball): void {
  const unexpected = files.filter(({ path }) => !expected.some((pattern) => pattern.test(path)));
  if (unexpected.length > 0) throw new Error(`not for users: ${unexpected.map(({ path }) => path).join(", ")}`);
  for (const { path } of files.filter(({ path }) => path.endsWith(".d.ts"))) {
    const declarations = readFileSync(join(root, path), "utf8");
    const wrong = notInDeclarations.find(({ text }) => declarations.includes(text));
    if (wrong !== undefined) throw new Error(`${path} names ${wrong.text}: ${wrong.because}`);
  }
}

async function checkPrograms(project: string): Promise<void> {
  for (const { name, most, code } of programs) {
    weigh(`a bundle of ${name}`, (await bundleOf(code, project)).length, most);
  }
}

/** Loads an entry in both formats, in a fresh process, and returns the names that it exports. */
function exportedNames(project: string, specifier: string): string[] {
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
}

function checkTypes(project: string, namesByEntry: ReadonlyMap<string, readonly string[]>): void {
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
  const compilerOptions = {
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    module: "NodeNext",
    target: "ES2022",
    types: ["node"],
    noEmit: true,
  };
  const files = ["consumer.mts", "consumer.cts"];
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));
  runNode(bin("typescript", "tsc"), ["-p", project], project);
}

/** Runs the installed command as users do. */
function checkCommand(project: string): void {
  const help = runNpm(["exec", "--no", "--", packageName, "--help"], project);
  if (!help.includes(`Usage: ${packageName}`)) throw new Error(`${packageName} --help says\n${help}`);
}

await inTemporaryFolder("package", async (project) => {
  const tarball = pack(project);
  checkContents(tarball);
  runNode(bin("publint", "publint"), ["--strict", tarball.file]);
  runNode(bin("@arethetypeswrong/cli", "attw"), ["--profile", "node16", tarball.file]);

  installIn(project, [tarball.file]);
  weigh(`${tarball.files.length} files of the package`, tarball.unpackedSize, mostOwn);
  weigh("all that is installed", sizeOf(join(project, "node_modules")), mostInstalled);
  await checkPrograms(project);

  const namesByEntry = new Map(entries.map(({ specifier }) => [specifier, exportedNames(project, specifier)]));
  for (const [specifier, names] of namesByEntry) console.log(`${specifier}: ${names.join(", ")}`);
  checkTypes(project, namesByEntry);
  checkCommand(project);
});
