/**
 * Runs the tests in each version of Node that is supported. The versions come from the package registry, into a
 * temporary folder, about 200 MB each: to be run by hand, before a release.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { bin, root } from "./tools.js";

const versions = ["20.20.2", "22.23.3", "24.21.0", "26.10.0"];
const platform = process.platform === "win32" ? "win" : process.platform;
const packageName = `node-${platform}-${process.arch}`;
const executable = process.platform === "win32" ? "node.exe" : "node";

const isRun = (command: string, args: readonly string[], cwd: string): boolean =>
  spawnSync(command, args, { cwd, stdio: ["ignore", "inherit", "inherit"], shell: process.platform === "win32" })
    .status === 0;

const testsPass = (version: string): boolean => {
  const folder = mkdtempSync(join(tmpdir(), `node-${version}-`));
  try {
    if (!isRun("npm", ["install", "--prefix", folder, `${packageName}@${version}`], folder)) return false;
    const node = join(folder, "node_modules", packageName, "bin", executable);
    return isRun(node, [bin("jest", "jest")], root);
  } finally {
    rmSync(folder, { recursive: true });
  }
};

const results = versions.map((version) => {
  console.log(`== Node ${version}`);
  return { version, passes: testsPass(version) };
});
for (const { version, passes } of results) console.log(`Node ${version}: ${passes ? "all tests pass" : "tests fail"}`);
if (results.some(({ passes }) => !passes)) process.exitCode = 1;
