import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { watchClientSockets } from "../support/client-sockets.js";

const sockets = watchClientSockets();
const SYN_SENT = "02";
const INODE = 9;

/** What is there of sockets that connect from this process, and of connections to that port that have got no answer. */
export function leftovers(port: number): { sockets: number; connecting: number; synSent: number } {
  const connecting = process.getActiveResourcesInfo().filter((name) => name.endsWith("ConnectWrap")).length;
  return { sockets: sockets.open, connecting, synSent: synSentTo(port) };
}

/** Linux only; elsewhere 0. */
function synSentTo(port: number): number {
  if (process.platform !== "linux") return 0;
  const lines = ["/proc/net/tcp", "/proc/net/tcp6"].flatMap((file) => readFileSync(file, "utf8").split("\n"));
  const remotePort = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const inodes = lines
    .map((line) => line.trim().split(/\s+/u))
    .filter(([, , remote, state]) => remote?.endsWith(remotePort) === true && state === SYN_SENT)
    .map((columns) => columns[INODE]);
  // The lists are of the whole machine, and may name a socket twice while others come and go.
  const own = ownSockets();
  return new Set(inodes.filter((inode) => own.has(`socket:[${inode}]`))).size;
}

function ownSockets(): ReadonlySet<string> {
  const targets = readdirSync("/proc/self/fd").map((descriptor) => {
    try {
      return readlinkSync(`/proc/self/fd/${descriptor}`);
    } catch {
      return ""; // that of the folder itself is gone again
    }
  });
  return new Set(targets);
}
