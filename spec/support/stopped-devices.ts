import { connect, exchange } from "../../lib/index.js";
import { button } from "./opened.js";

// Run as a process of its own: `node --import tsx stopped-devices.ts <limit> <port>…`. A device for each port connects, sends
// a status, and says what came of it. All of them do so at once, so that the process can be stopped with each where it waits.

const [, , limit, ...ports] = process.argv;

async function lifeAt(port: string): Promise<string> {
  const config = { host: "127.0.0.1", port: Number(port), device: button, connectTimeoutMs: Number(limit) };
  const outcome = await connect(config).andThen((client) =>
    exchange(client, Uint8Array.of(1), { timeoutMs: Number(limit) }),
  );
  return outcome.match(
    (command) => Buffer.from(command).toString("hex"),
    ({ code }) => code,
  );
}

console.log(JSON.stringify(await Promise.all(ports.map(lifeAt))));
process.exit();
