/**
 * Runs spec/runtimes/suite.ts with the packed package in each runtime that is supported, and prints which parts pass.
 * The runtimes come from the package registry, about 200 MB each: to be run by hand, before a release.
 *
 *   npm run test:runtimes [-- RUNTIME …]
 *
 * A runtime is a name with a version or without, such as `node`, `bun@1.4.5`.
 */
import { join } from "node:path";
import { build } from "esbuild";
import { inTemporaryFolder, installIn, pack } from "./packed.js";
import { bin, root, run } from "./tools.js";

interface Runtime {
  readonly name: string;
  /** What npm installs. */
  readonly packageName: string;
  readonly version: string;
  /** Before the file. */
  readonly args: readonly string[];
}

const system = process.platform === "win32" ? "win" : process.platform;
function node(version: string): Runtime {
  return {
    name: "node",
    packageName: `node-${system}-${process.arch}`,
    version,
    args: [],
  };
}

const runtimes: readonly Runtime[] = [
  ...["20.5.1", "20.20.2", "22.23.3", "24.21.0", "26.10.0"].map(node),
  { name: "bun", packageName: "bun", version: "1.4.5", args: [] },
  { name: "deno", packageName: "deno", version: "2.7.14", args: ["run", "-A"] },
  { name: "deno", packageName: "deno", version: "2.9.6", args: ["run", "-A"] },
];

/** A file, in the projects, that imports the package as users do. */
const suite = "suite.mjs";

function writeSuite(project: string): Promise<unknown> {
  return build({
    absWorkingDir: root,
    entryPoints: ["spec/runtimes/suite.ts"],
    outfile: join(project, suite),
    format: "esm",
    target: "node20",
  });
}

function commandOf(project: string, { name, packageName }: Runtime): readonly string[] {
  if (name === "node") {
    const file = process.platform === "win32" ? "node.exe" : "node";
    return [join(project, "node_modules", packageName, "bin", file)];
  }
  const file = bin(packageName, name, project);
  return file.endsWith("js") ? [process.execPath, file] : [file];
}

async function play(runtime: Runtime, tarball: string): Promise<string> {
  let output = "";
  await inTemporaryFolder("runtime", async (project) => {
    installIn(project, [tarball, `${runtime.packageName}@${runtime.version}`]);
    await writeSuite(project);
    const [command = "", ...args] = commandOf(project, runtime);
    output = run(command, [...args, ...runtime.args, suite], project);
  });
  return output.trim().split("\n").at(-1) ?? "";
}

const names = process.argv.slice(2);
const chosen = runtimes.filter(
  ({ name, version }) => names.length === 0 || names.includes(name) || names.includes(`${name}@${version}`),
);
const outcomes: string[] = [];
await inTemporaryFolder("package", async (folder) => {
  const { file } = pack(folder);
  for (const runtime of chosen) {
    const title = `${runtime.name} ${runtime.version}`.padEnd(14);
    try {
      outcomes.push(`${title} ${await play(runtime, file)}`);
    } catch (error) {
      console.error(error);
      process.exitCode = 1;
      outcomes.push(`${title} fails`);
    }
    console.log(outcomes.at(-1));
  }
});
console.log(`\n${outcomes.join("\n")}`);
