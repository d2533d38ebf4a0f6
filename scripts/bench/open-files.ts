import { spawnSync } from "node:child_process";

/** What a process needs besides its sockets. */
const spare = 100;

/** How many sockets one process may have open. Node raises its own limit to the hard one, and the shell inherits it. */
export const openFilesLimit = (): number => {
  if (process.platform === "win32") {
    return Infinity;
  }
  const printed = spawnSync("sh", ["-c", "ulimit -n"], { encoding: "utf8" }).stdout.trim();
  return /^\d+$/.test(printed) ? Number(printed) - spare : Infinity;
};
