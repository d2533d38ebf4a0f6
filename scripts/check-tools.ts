/**
 * Uses the packed package in the tools that people use it in, each in a project of its own, and prints which of them work.
 * Their versions come from the package registry: to be run by hand, before a release.
 *
 *   npm run check:tools [-- --own] [NAME …]
 *
 * With --own it takes only the tools that this repository has itself, and downloads nothing; with names, those that
 * begin so.
 */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { entries } from "./entries.js";
import { inTemporaryFolder, installIn, pack } from "./packed.js";
import { bin, root, run, runNode, runNpm } from "./tools.js";

interface Tool {
  readonly name: string;
  /** What is installed beside the package, as `name@version`. */
  readonly packages: readonly string[];
  /** Throws unless the tool does in this project what people want of it. */
  readonly check: (project: string, tarball: string) => void;
}

const { devDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  readonly devDependencies: Readonly<Record<string, string>>;
};
function own(name: string): string {
  return `${name}@${devDependencies[name] ?? "missing"}`;
}

function isOwn(spec: string): boolean {
  return Object.keys(devDependencies).some((name) => own(name) === spec);
}

function exec(project: string, command: string): string {
  return runNpm(["exec", "--no", "--", ...command.split(" ")], project);
}

function expectLamp(output: string): void {
  if (!output.includes("the lamp is lit")) throw new Error(`the lamp is not lit:\n${output}`);
}

/** The files that are the same for all tools. */
function copyFiles(project: string): void {
  cpSync(join(root, "spec", "tools"), project, { recursive: true });
}

/** The example project without its tests, which are jest's. */
function copyExample(project: string, isFor: (file: string) => boolean): void {
  const source = join(root, "spec", "example-project");
  cpSync(join(source, "tsconfig.json"), join(project, "tsconfig.json"));
  cpSync(join(source, "src"), join(project, "src"), { recursive: true, filter: isFor });
}

const example = JSON.parse(readFileSync(join(root, "spec", "example-project", "package.json"), "utf8")) as {
  readonly devDependencies: Readonly<Record<string, string>>;
};

/** The example project's own tests, in either module format. Without --forceExit: jest has to end by itself. */
function jest(type: "commonjs" | "module", nodeOptions: string, environment = "node"): Tool {
  return {
    name: `${own("jest")}, "type": "${type}", in ${environment}`,
    packages: Object.entries(example.devDependencies)
      .map(([name, version]) => `${name}@${version}`)
      .concat(environment === "node" ? [] : `jest-environment-${environment}@${devDependencies["jest"] ?? "missing"}`),
    check: (project) => {
      copyExample(project, () => true);
      writeFileSync(join(project, "package.json"), JSON.stringify({ ...example, type }));
      const args = ["--", "--env", environment, "--detectOpenHandles", "--cacheDirectory", join(project, "cache")];
      run("npm", ["test", ...args], project, { NODE_OPTIONS: nodeOptions });
    },
  };
}

/** One test, with the tool's own `test`. */
function testRunner(name: string, module: string, packages: readonly string[], command: readonly string[]): Tool {
  return {
    name,
    packages,
    check: (project) => {
      copyFiles(project);
      const imports = `import { test } from "${module}";\nimport { lightsItsLamp } from "./lamp.js";\n`;
      writeFileSync(join(project, "lamp.test.js"), `${imports}test("a lamp is lit", lightsItsLamp);\n`);
      const [file = "", ...args] = command;
      run(file === "node" ? process.execPath : join(project, "node_modules", ".bin", file), args, project);
    },
  };
}

/** A serverless handler, bundled to one file, and called where there is no other. */
function bundler(format: string, packages: readonly string[], command: string): Tool {
  return {
    name: `${packages[0] ?? ""}, ${format}`,
    packages,
    check: (project) => {
      copyFiles(project);
      exec(project, command);
      const file = /\.\.\/bundle\/\S+/.exec(command)?.[0] ?? "";
      expectLamp(runNode("invoke.js", [join(project, file)], project));
    },
  };
}

/** The example project and every entry, by the strictest compiler. */
function typescript(version: string): Tool {
  return {
    name: `typescript@${version}`,
    packages: [`typescript@${version}`, own("@types/node")],
    check: (project) => {
      copyExample(project, (file) => !file.endsWith(".test.ts"));
      const everything = entries.map(({ specifier }, n) => `export * as entry${n} from "${specifier}";\n`).join("");
      writeFileSync(join(project, "src", "import.mts"), everything);
      writeFileSync(join(project, "src", "require.cts"), everything);
      for (const type of ["commonjs", "module"]) {
        runNpm(["pkg", "set", `type=${type}`], project);
        exec(project, "tsc --skipLibCheck false --exactOptionalPropertyTypes --declaration");
      }
    },
  };
}

/** Nothing is hoisted, so that a project finds only what it has asked for itself. */
function strictPnpm(version: string): Tool {
  return {
    name: `pnpm@${version}`,
    packages: [`pnpm@${version}`],
    check: (project, tarball) => {
      const strict = join(project, "..", "strict");
      mkdirSync(strict);
      copyFiles(strict);
      copyExample(strict, (file) => !file.endsWith(".test.ts"));
      const dependencies = { "fleet-internal-client": pathToFileURL(tarball).href };
      const manifest = { private: true, type: "module", dependencies, devDependencies: {} };
      writeFileSync(join(strict, "package.json"), JSON.stringify(manifest));
      const pnpm = join(project, "node_modules", ".bin", "pnpm");
      const noHoisting = ["--config.hoist=false", "--store-dir", join(project, "store")];
      run(pnpm, ["add", "--save-dev", ...noHoisting, own("typescript"), own("@types/node")], strict);
      runNode(bin("typescript", "tsc", strict), ["--declaration"], strict);
      expectLamp(runNode("main.js", [], strict));
    },
  };
}

/** The last commit, as it is cloned. */
function clone(project: string): string {
  const folder = join(project, "..", "clone");
  run("git", ["clone", "--quiet", root, folder], project);
  return folder;
}

const packOfClone: Tool = {
  name: "npm pack in a fresh clone",
  packages: [],
  check: (project) => {
    const folder = clone(project);
    runNpm(["ci", "--prefer-offline", "--no-audit", "--no-fund"], folder);
    runNpm(["pack", "--pack-destination", project], folder);
    const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { readonly version: string };
    installIn(project, [`./fleet-internal-client-${version}.tgz`]);
    copyFiles(project);
    expectLamp(runNode("main.js", [], project));
  },
};

const gitDependency: Tool = {
  name: "npm, from git",
  packages: [],
  check: (project) => {
    installIn(project, [`git+${pathToFileURL(clone(project)).href}`]);
    copyFiles(project);
    expectLamp(runNode("main.js", [], project));
  },
};

const rollup = ["rollup@4.68.8", "@rollup/plugin-node-resolve@16.0.3", "@rollup/plugin-commonjs@29.0.3"];
const rollupCommand = "rollup handler.js -p node-resolve -p commonjs";
const webpack = ["webpack@5.113.0", "webpack-cli@6.0.1"];

const tools: readonly Tool[] = [
  packOfClone,
  gitDependency,
  strictPnpm("12.21.0"),
  jest("commonjs", ""),
  jest("module", "--experimental-vm-modules"),
  jest("commonjs", "", "jsdom"),
  testRunner("vitest@4.1.12", "vitest", ["vitest@4.1.12"], ["vitest", "run"]),
  testRunner("node:test", "node:test", [], ["node", "--test"]),
  testRunner("bun@1.4.5 test", "bun:test", ["bun@1.4.5"], ["bun", "test"]),
  bundler(
    "to ESM",
    [own("esbuild")],
    "esbuild handler.js --bundle --platform=node --format=esm --outfile=../bundle/a.mjs",
  ),
  bundler("to CommonJS", [own("esbuild")], "esbuild handler.js --bundle --platform=node --outfile=../bundle/a.cjs"),
  bundler("to ESM", rollup, `${rollupCommand} -f es -o ../bundle/a.mjs`),
  bundler("to CommonJS", rollup, `${rollupCommand} -f cjs -o ../bundle/a.cjs`),
  bundler(
    "to CommonJS",
    webpack,
    "webpack ./handler.js --mode production --target node --output-library-type commonjs2 -o . --output-filename ../bundle/a.cjs",
  ),
  ...["5.4.5", "5.6.3", "5.8.3", "5.9.3", "6.0.3", "7.0.2"].map(typescript),
];

const { values, positionals } = parseArgs({
  options: { own: { type: "boolean", default: false } },
  allowPositionals: true,
});
const chosen = tools
  .filter(({ packages }) => !values.own || (packages.length > 0 && packages.every(isOwn)))
  .filter(({ name }) => positionals.length === 0 || positionals.some((start) => name.startsWith(start)));

const outcomes: string[] = [];
await inTemporaryFolder("package", async (folder) => {
  const tarball = pack(folder).file;
  for (const { name, packages, check } of chosen) {
    try {
      await inTemporaryFolder("tool", (parent) => {
        const project = join(parent, "project");
        mkdirSync(project);
        installIn(project, [tarball, ...packages]);
        check(project, tarball);
      });
      outcomes.push(`works   ${name}`);
    } catch (error) {
      console.error(error);
      process.exitCode = 1;
      outcomes.push(`FAILS   ${name}`);
    }
    console.log(outcomes.at(-1));
  }
});
console.log(`\n${outcomes.join("\n")}`);
