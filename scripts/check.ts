/** Runs every check, the tests among them, and adds up: each check counts as one, and each test. */
import { spawn } from "node:child_process";
import { once } from "node:events";

/** The list. Each is a script of package.json, with its arguments. */
const checks = [
  "generate -- --check",
  "typecheck",
  "format:check",
  "lint",
  "build",
  "api-report -- --check",
  "docs -- --emit none",
  "knip",
  "check:package",
  "check:tools -- --own",
  "test",
];

/** Runs a script, shows what it writes, and tells whether it passes. */
async function run(check: string): Promise<{ readonly passes: boolean; readonly output: string }> {
  const child = spawn("npm", ["run", "--silent", ...check.split(" ")], {
    stdio: ["ignore", "pipe", "inherit"],
    shell: process.platform === "win32",
  });
  const closed = once(child, "close");
  let output = "";
  for await (const chunk of child.stdout.setEncoding("utf8")) {
    process.stdout.write(chunk as string);
    output += chunk as string;
  }
  const [code] = (await closed) as [number | null];
  return { passes: code === 0, output };
}

let passed = 0;
let failed = 0;
for (const check of checks) {
  console.log(`\n== npm run ${check}`);
  const { passes, output } = await run(check);
  const tests = /^(\d+) passed, (\d+) failed$/m.exec(output);
  passed += tests === null ? Number(passes) : Number(tests[1]);
  // What fails without a failed test, such as coverage, counts as well.
  failed += Math.max(Number(tests?.[2] ?? 0), Number(!passes));
  if (!passes) console.log(`== npm run ${check} has failed`);
}
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
