// npm run demo                            a gateway and a button in this process: some seconds of their life
// npm run demo -- --host HOST --port PORT the button at a gateway of yours that serves module 1000, until Ctrl-C
import { subscribe } from "node:diagnostics_channel";
import { EventEmitter, once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { connect, every, runDevice, type DiagnosticsMessages } from "../lib/index.js";
import { example } from "../lib/modules/example.js";
import { startGateway } from "../lib/testing.js";

const button = { module: example, deviceType: 0, deviceRole: "left_button", deviceName: "button1" };

const RECONNECTED = "connected again, and sends its status again";
const TRIES_AGAIN = ", and tries again";

/** Emits every line that is said. */
const told = new EventEmitter();

const { host, port } = optionsOf(process.argv.slice(2));
const stop = new AbortController();
for (const name of ["SIGINT", "SIGTERM"]) process.once(name, () => stop.abort());
process.stdout.on("error", () => process.exit()); // nobody reads on, as with `| head`

reportConnections();
if (host === undefined) await tellStory().catch(unlessStopped);
else await liveAt(host, port);

/** The button at a gateway of the user's, pressed for a second in every two. */
async function liveAt(gatewayHost: string, gatewayPort: number): Promise<void> {
  let isPressed = false;
  const source = every(1_000, () => ({ pressed: (isPressed = !isPressed) }));
  await runButton(gatewayHost, gatewayPort, source);
}

async function tellStory(): Promise<void> {
  await using gateway = await startGateway({ modules: [example] });
  say("gateway", `listens on ${gateway.host}:${gateway.port} and serves the example module`);
  let isPressed = false;
  const source = every(100, () => ({ pressed: isPressed }));
  let living: Promise<void> | undefined;

  await untilTold("lamp on", () => void (living = runButton(gateway.host, gateway.port, source)));
  await pause("the person presses the button, and holds it");
  await untilTold("lamp off", () => (isPressed = true));
  await pause("the person releases the button");
  await untilTold("lamp on", () => (isPressed = false));
  await pause("the cloud pushes a command that nobody asked for: lamp off");
  await untilTold("lamp off", () => gateway.push(Buffer.from('{"lit_up": false}')));
  await pause("a second button with the same role connects");
  const twin = await connect({ host: gateway.host, port: gateway.port, device: button });
  say("twin", twin.isErr() ? twin.error.code : "is connected, which should not have happened");
  await pause("the network resets the button's connection");
  await untilTold(`button ${RECONNECTED}`, () => gateway.kick({}, { reset: true }));
  await pause("the gateway restarts, and is gone for a second");
  await untilTold(`button UNABLE_TO_CONNECT${TRIES_AGAIN}`, () => gateway.terminate({ muteMs: 0 }));
  await untilTold("button connected", () => gateway.restart({ downMs: 1_000 }));
  await pause("the story ends");
  stop.abort();
  await living;
}

/** The whole device: what it is told to do, and what goes wrong. */
async function runButton(
  gatewayHost: string,
  gatewayPort: number,
  source: AsyncIterable<{ pressed: boolean }>,
): Promise<void> {
  let lamp: boolean | undefined;
  const config = { host: gatewayHost, port: gatewayPort, device: button, connectTimeoutMs: 2_000 };
  for await (const command of runDevice(config, source, { timeoutMs: 2_000, signal: stop.signal })) {
    if (command.isErr()) say("button", command.error.code + TRIES_AGAIN);
    else if (command.value.lit_up !== lamp) {
      lamp = command.value.lit_up;
      say("lamp", lamp ? "on" : "off");
    }
  }
}

function reportConnections(): void {
  on("connect", () => "connected");
  on("drop", ({ reason }) => `connection lost: ${reason}`);
  on("reconnect", () => RECONNECTED);
}

function on<Name extends keyof DiagnosticsMessages>(
  name: Name,
  words: (message: DiagnosticsMessages[Name]) => string,
): void {
  subscribe(`fleet-internal-client:${name}`, (message) => say("button", words(message as DiagnosticsMessages[Name])));
}

function unlessStopped(error: unknown): void {
  if (!stop.signal.aborted) throw error;
}

/** Does something, and waits for what the button makes of it. */
async function untilTold(words: string, act: () => unknown): Promise<void> {
  await Promise.all([once(told, words, { signal: stop.signal }), act()]);
}

async function pause(words: string): Promise<void> {
  await sleep(700, undefined, { signal: stop.signal });
  say("story", words);
}

function say(who: string, words: string): void {
  console.log(`${new Date().toISOString().slice(11, 23)}  ${who.padEnd(8)}${words}`);
  told.emit(`${who} ${words}`);
}

function optionsOf(args: string[]): { host: string | undefined; port: number } {
  const { values } = parseArgs({ args, options: { host: { type: "string" }, port: { type: "string" } } });
  return {
    host: values.host ?? (values.port === undefined ? undefined : "127.0.0.1"),
    port: Number(values.port ?? 1636),
  };
}
