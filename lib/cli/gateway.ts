import { once } from "node:events";
import { createInterface } from "node:readline";
import { startGateway, type Disconnect, type Received, type ServedModule, type TestingGateway } from "../testing.js";
import { CommandLineError, integerOf, wrongValue, type Given, type Syntax } from "./command-line.js";
import { describePlace } from "./describe.js";
import { generalOptions, readPlace } from "./device-options.js";
import { ExitCode } from "./exit-code.js";
import { gatewayJsonOf, gatewayLineOf, type GatewayEvent, type RefusalCode } from "./gateway-events.js";
import { bytesOf, oneLine } from "./payload.js";
import type { Surroundings } from "./surroundings.js";

const LARGEST_MODULE = 2 ** 31 - 1;
const LARGEST_UINT32 = 2 ** 32 - 1;

/** By the response type; a second connect on a connection gets none. */
const REFUSALS: readonly (RefusalCode | undefined)[] = [
  undefined,
  "DEVICE_ALREADY_CONNECTED",
  "MODULE_NOT_SUPPORTED",
  "DEVICE_TYPE_NOT_SUPPORTED",
  "HIGHER_PRIORITY_ALREADY_CONNECTED",
];
const ALREADY_CONNECTED = 1;

export const gatewaySyntax = {
  command: "gateway",
  options: {
    host: { value: "HOST", help: "where to listen (default 127.0.0.1); 0.0.0.0 for devices on other machines too" },
    port: { value: "PORT", help: "the port (default 1636); 0 for any that is free" },
    module: {
      value: "NUMBER[:TYPES]",
      isRepeatable: true,
      help: "serve this module, and may be given again; with types, such as 2:1,4, only those (default: every module)",
    },
    answer: { value: "TEXT", help: "answer every status with this command (default: with the status itself)" },
    "push-stdin": { help: "push each line of standard input to all devices; so it is at a terminal anyway" },
    ...generalOptions,
  },
} as const satisfies Syntax;

type Tell = (event: GatewayEvent) => void;

/** Is a gateway until it is ended, and shows what devices do. */
export async function gateway(given: Given, surroundings: Surroundings): Promise<number> {
  const { input, output, errors, signal } = surroundings;
  const { host, port } = readPlace(given);
  const modules = servedModulesOf(given.all("module"));
  const answer = given.text("answer");
  const command = answer === undefined ? undefined : bytesOf(answer);
  const hex = given.has("hex");
  const tell: Tell = (event) =>
    output.write(`${given.has("json") ? gatewayJsonOf(event) : gatewayLineOf(event, hex)}\n`);

  let running: TestingGateway;
  try {
    running = await startGateway({ host, port, modules, answer: command === undefined ? undefined : () => command });
  } catch (error) {
    errors.write(`cannot listen on ${describePlace(host, port)}: ${oneLine((error as Error).message)}\n`);
    return ExitCode.COMMUNICATION;
  }
  let stopPushing: (() => void) | undefined;
  try {
    tell({ time: new Date(), event: "listening", host, port: running.port, serves: inWords(modules) });
    follow(running, tell).catch((error: unknown) => errors.write(`${oneLine((error as Error).message)}\n`));
    if (given.has("push-stdin") || input.isTTY === true) stopPushing = pushLines(running, input, tell);
    if (!signal.aborted) await once(signal, "abort");
  } finally {
    stopPushing?.();
    await running.stop();
  }
  return ExitCode.DONE;
}

/** @throws CommandLineError for what is no module */
export function servedModulesOf(given: readonly string[]): readonly ServedModule<number>[] | undefined {
  if (given.length === 0) return undefined;
  const served = new Map<number, readonly number[] | undefined>();
  for (const one of given) {
    const [module = "", types, ...rest] = one.split(":");
    if (rest.length > 0) {
      throw new CommandLineError(wrongValue("--module", one, "a module, or a module and types such as 2:1,4"));
    }
    const number = integerOf("--module", module, 0, LARGEST_MODULE);
    const former = served.has(number) ? served.get(number) : [];
    const added = types?.split(",").map((type) => integerOf(`a type in --module ${one}`, type, 0, LARGEST_UINT32));
    served.set(number, added === undefined || former === undefined ? undefined : [...former, ...added]);
  }
  return [...served].map(([module, deviceTypes]) => ({ module, deviceTypes }));
}

function inWords(modules: readonly ServedModule<number>[] | undefined): string {
  if (modules === undefined) return "every module";
  const each = modules.map(({ module, deviceTypes }) =>
    deviceTypes === undefined ? String(module) : `${module} (types ${deviceTypes.join(", ")})`,
  );
  return `${each.length === 1 ? "module" : "modules"} ${each.join(", ")}`;
}

/** Tells what comes in, in the order in which it came, until the gateway is stopped. */
async function follow(running: TestingGateway, tell: Tell): Promise<void> {
  for await (const event of running.events()) {
    // For the hours that a gateway may run: what has been told is not kept.
    running.forget();
    tell(eventOf(event));
  }
}

function eventOf(message: Received | Disconnect): GatewayEvent {
  const time = new Date();
  const { device } = message;
  if (message.kind === "disconnect") return { time, event: "disconnect", device, by: message.by };
  if (message.kind === "status") return { time, event: "status", device, status: message.status };
  const code = REFUSALS[message.response ?? ALREADY_CONNECTED];
  return code === undefined ? { time, event: "connect", device } : { time, event: "refusal", device, code };
}

/** Until the function given back is called; where the input ends before, the gateway goes on. */
function pushLines(running: TestingGateway, input: Surroundings["input"], tell: Tell): () => void {
  const lines = createInterface({ input });
  lines.on("line", (line) => {
    const command = bytesOf(line);
    tell({ time: new Date(), event: "push", devices: running.push(command), command });
  });
  return () => {
    lines.close();
    // An input that is still open would keep the process.
    input.destroy();
  };
}
