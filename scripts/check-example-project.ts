/**
 * Takes the example project to a folder of its own, installs the packed package there, and has its tests run by its own jest,
 * as users do: as CommonJS, and as ES modules. It fails when a test fails, when jest finds an open handle, and when jest
 * does not end by itself.
 */
import { spawnSync } from "node:child_process";
import { copyFileSync, cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { packTarball } from "./package-tarball.js";
import { root, runNpm } from "./tools.js";

const source = join(root, "spec", "example-project");

const modes = [
  { type: "commonjs", nodeOptions: "" },
  { type: "module", nodeOptions: "--experimental-vm-modules" },
];

/** Without --forceExit: a process that does not end runs into the time limit. */
const runJest = (project: string, type: string, nodeOptions: string): string => {
  const jest = join(project, "node_modules", "jest", "bin", "jest.js");
  const cache = join(project, `jest-cache-${type}`);
  const { status, signal, stdout, stderr } = spawnSync(
    process.execPath,
    [jest, "--detectOpenHandles", "--cacheDirectory", cache],
    {
      cwd: project,
      encoding: "utf8",
      env: { ...process.env, NODE_OPTIONS: nodeOptions },
      timeout: 60_000,
      killSignal: "SIGKILL",
    },
  );
  const output = stdout + stderr;
  if (status !== 0) {
    throw new Error(`jest ended with ${status ?? signal ?? "nothing"} as ${type}\n${output}`);
  }
  return output;
};

const checkTests = (project: string, type: string, nodeOptions: string): void => {
  runNpm(["pkg", "set", `type=${type}`], project);
  rmSync(join(project, "dist"), { recursive: true, force: true });
  runNpm(["run", "build"], project);
  const output = runJest(project, type, nodeOptions);
  console.log(`as ${type}:\n${output}`);
  if (/open handle/i.test(output)) {
    throw new Error(`jest found open handles as ${type}`);
  }
};

const project = mkdtempSync(join(tmpdir(), "example-project-"));
try {
  for (const name of ["package.json", "tsconfig.json", "src"]) {
    cpSync(join(source, name), join(project, name), { recursive: true });
  }
  // With the versions of this repository's lock file, npm finds everything in the cache that `npm ci` filled.
  copyFileSync(join(root, "package-lock.json"), join(project, "package-lock.json"));
  const { filename } = packTarball(project);
  runNpm(["install", "--prefer-offline", "--no-audit", "--no-fund", `./${filename}`], project);
  for (const { type, nodeOptions } of modes) {
    checkTests(project, type, nodeOptions);
  }
} finally {
  rmSync(project, { recursive: true });
}
