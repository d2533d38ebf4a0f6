import { once } from "node:events";
import { clearScreenDown, createInterface, cursorTo, moveCursor } from "node:readline";
import type { Device } from "../index.js";
import { startGateway, type GatewayEvent, type ServedModule, type TestingGateway } from "../testing.js";
import { CommandLineError, integerOf, wrongValue, type Command, type Given } from "./command-line.js";
import { generalOptions, MAX_MODULE, MAX_UINT32, placeOptions, readPlace } from "./device-options.js";
import { Lines } from "./output.js";
import { bytesOf, knownNumbers, payloadOptions, Payloads } from "./payload.js";
import { ExitCode, type Output, type Surroundings } from "./surroundings.js";
import { clock, describeDevice, describePlace, jsonOf, oneLine } from "./text.js";

export const gatewayCommand = {
  command: "gateway",
  options: {
    host: { ...placeOptions.host, help: "where to listen; 0.0.0.0 for devices on other machines too" },
    port: { ...placeOptions.port, help: "the port; 0 for any that is free" },
    module: {
      value: "NUMBER[:TYPES]",
      isRepeatable: true,
      help: "serve this module; 2:1,4 serves only the types 1 and 4 of module 2; may be repeated",
      default: `${knownNumbers.join(", ")}; with --echo or --answer every module`,
    },
    answer: { value: "TEXT", help: "answer every status with this command" },
    echo: { help: "answer every status with itself" },
    "push-stdin": { help: "push each line of standard input to all devices; always on at a terminal" },
    ...payloadOptions,
    ...generalOptions,
  },
  usage: "gateway [OPTIONS]",
  summary: "Act as a gateway to develop a device against: answer every status, and show what devices do",
  notes: [
    `Modules ${knownNumbers.join(", ")} answer as the real ones do; others echo the status. At a terminal, or with --push-stdin, each line of input is pushed to all devices. To run it in the background of a terminal, add </dev/null.`,
  ],
  events: [
    ["listening", "host, port"],
    ["connect", "device (module, deviceType, deviceRole, deviceName, priority)"],
    ["refusal", "device, code"],
    ["disconnect", "device, by (device or gateway)"],
    [
      "status",
      "device, bytes, hex, text where it is UTF-8, value where it is JSON or a known module's; problem where it is not",
    ],
    ["push", "devices (how many), bytes, hex, text, value"],
    ["lost", "events: how many were left out because nobody read the output"],
  ],
  examples: [
    "fleet-internal-client gateway",
    `fleet-internal-client gateway --module 1000 --answer '{"lit_up": true}'`,
    "fleet-internal-client gateway --host 0.0.0.0 --port 8888 --module 2:1,2,3,4 --module 1234",
  ],
  run: gateway,
} as const satisfies Command;

/** By response type. A second connect on a connection gets none. */
const REFUSALS = [
  undefined,
  "DEVICE_ALREADY_CONNECTED",
  "MODULE_NOT_SUPPORTED",
  "DEVICE_TYPE_NOT_SUPPORTED",
  "HIGHER_PRIORITY_ALREADY_CONNECTED",
] as const;
const ALREADY_CONNECTED = 1;

/** An event, for people and as fields. */
interface Happened {
  readonly event: string;
  readonly words: string;
  readonly fields: Record<string, unknown>;
}

/** Runs a gateway until it is stopped, and shows what devices do. */
async function gateway(given: Given, surroundings: Surroundings): Promise<number> {
  const { output, errors, signal } = surroundings;
  const { host, port } = readPlace(given);
  const payloads = new Payloads(given);
  const modules = modulesFor(given);
  const answer = answerFor(given);
  let running: TestingGateway;
  try {
    running = await startGateway({ host, port, modules, answer });
  } catch (error) {
    errors.write(`cannot listen on ${describePlace(host, port)}: ${oneLine((error as Error).message)}\n`);
    return ExitCode.COMMUNICATION;
  }
  const keyboard = given.has("json") ? undefined : openKeyboard(surroundings);
  const lines = new Lines(keyboard?.output ?? output, (events) => lineFor(lost(events)));
  const tell = (happened: Happened): void => lines.write(lineFor(happened));
  try {
    tell(listening(host, running.port, modules));
    follow(running, payloads, tell).catch((error: unknown) => {
      errors.write(`nothing more is shown: ${oneLine((error as Error).message)}\n`);
    });
    const push = (line: string): void => {
      const command = bytesOf(line);
      tell(pushed(running.push(command), command, payloads));
    };
    if (keyboard !== undefined) keyboard.onLine(push);
    else if (given.has("push-stdin") || surroundings.input.isTTY === true) void pushLines(surroundings, push);
    if (!signal.aborted) await once(signal, "abort");
  } finally {
    keyboard?.close();
    // An open input would keep the process alive.
    if (given.has("push-stdin") || surroundings.input.isTTY === true) surroundings.input.destroy();
    await running.stop();
  }
  return ExitCode.DONE;

  function lineFor({ event, words, fields }: Happened): string {
    const time = new Date();
    return given.has("json") ? jsonOf({ time, event, ...fields }) : `${clock(time)} ${words}`;
  }
}

type Served = readonly ServedModule<number>[] | undefined;

function modulesFor(given: Given): Served {
  const named = servedModulesOf(given.all("module"));
  if (named !== undefined || given.has("echo") || given.has("answer")) return named;
  return knownNumbers.map((module) => ({ module }));
}

/** @throws CommandLineError for what is not a module */
export function servedModulesOf(given: readonly string[]): Served {
  if (given.length === 0) return undefined;
  const served = new Map<number, readonly number[] | undefined>();
  for (const one of given) {
    const [module = "", types, ...rest] = one.split(":");
    if (rest.length > 0) {
      throw new CommandLineError(wrongValue("--module", one, "a module, or a module and types such as 2:1,4"));
    }
    const number = integerOf("--module", module, 0, MAX_MODULE);
    const former = served.has(number) ? served.get(number) : [];
    const added = types?.split(",").map((type) => integerOf(`a type in --module ${one}`, type, 0, MAX_UINT32));
    served.set(number, added === undefined || former === undefined ? undefined : [...former, ...added]);
  }
  return [...served].map(([module, deviceTypes]) => ({ module, deviceTypes }));
}

function answerFor(given: Given): ((status: Uint8Array) => Uint8Array) | undefined {
  const answer = given.text("answer");
  if (answer !== undefined && given.has("echo")) throw new CommandLineError("gateway takes one of --answer and --echo");
  if (given.has("echo")) return (status) => status;
  const command = answer === undefined ? undefined : bytesOf(answer);
  return command === undefined ? undefined : () => command;
}

function listening(host: string, port: number, modules: Served): Happened {
  const each = modules?.map(({ module, deviceTypes }) =>
    deviceTypes === undefined ? String(module) : `${module} (types ${deviceTypes.join(", ")})`,
  );
  const serves = each === undefined ? "every module" : `${each.length === 1 ? "module" : "modules"} ${each.join(", ")}`;
  const words = `listening on ${describePlace(host, port)}, serving ${serves}`;
  return { event: "listening", words, fields: { host, port } };
}

function pushed(devices: number, command: Uint8Array, payloads: Payloads): Happened {
  const words = `pushed to ${devices} ${devices === 1 ? "device" : "devices"}: ${payloads.inLine(command)}`;
  return { event: "push", words, fields: { devices, ...payloads.fields(command) } };
}

function lost(events: number): Happened {
  return { event: "lost", words: `(${events} events that nobody read are left out)`, fields: { events } };
}

/** Reports events, in order, until the gateway is stopped. */
async function follow(running: TestingGateway, payloads: Payloads, tell: (happened: Happened) => void): Promise<void> {
  for await (const event of running.events()) {
    // A gateway may run for hours, so events that were reported are not kept.
    running.forget();
    tell(happenedBy(event, payloads));
  }
}

function happenedBy(event: GatewayEvent, payloads: Payloads): Happened {
  const device: Device = event.device;
  if (event.kind === "status") {
    const origin = { kind: "status", device } as const;
    const words = `status of ${describeDevice(device)}: ${payloads.inLine(event.status, origin)}`;
    return { event: "status", words, fields: { device, ...payloads.fields(event.status, origin) } };
  }
  if (event.kind === "disconnect") {
    const words = `disconnected by the ${event.by}: ${describeDevice(device)}`;
    return { event: "disconnect", words, fields: { device, by: event.by } };
  }
  const code = REFUSALS[event.response ?? ALREADY_CONNECTED];
  if (code === undefined)
    return { event: "connect", words: `connected: ${describeDevice(device)}`, fields: { device } };
  const hint = code === "MODULE_NOT_SUPPORTED" ? ` (--module ${device.module} serves it)` : "";
  return { event: "refusal", words: `refused: ${describeDevice(device)}: ${code}${hint}`, fields: { device, code } };
}

interface Keyboard {
  /** Writes above the line that is being typed. */
  readonly output: Pick<Output, "write">;
  readonly onLine: (push: (line: string) => void) => void;
  readonly close: () => void;
}

/** At a terminal that can redraw, events are shown above the line that is being typed. Undefined elsewhere. */
function openKeyboard({ input, output, canRedraw, interrupt }: Surroundings): Keyboard | undefined {
  if (input.isTTY !== true || output.isTTY !== true || !canRedraw) return undefined;
  const terminal = output as unknown as NodeJS.WritableStream;
  const typing = createInterface({ input, output: terminal, terminal: true, prompt: "push> " });
  let isOpen = true;
  typing.on("SIGINT", interrupt);
  // After Ctrl-Z and fg it no longer reads.
  typing.on("SIGCONT", () => typing.prompt(true));
  typing.on("close", () => (isOpen = false));
  const write = (text: string): void => {
    if (isOpen) {
      moveCursor(terminal, 0, -typing.getCursorPos().rows);
      cursorTo(terminal, 0);
      clearScreenDown(terminal);
    }
    output.write(text);
    if (isOpen) typing.prompt(true);
  };
  return {
    output: { write },
    onLine: (push) => typing.on("line", push),
    close: () => {
      typing.close();
      output.write("\n");
    },
  };
}

const MAX_LINE_LENGTH = 1024 * 1024;

/** Yields each line until the input ends; a line that is too long is left out. */
async function pushLines({ input, errors }: Surroundings, push: (line: string) => void): Promise<void> {
  const refuse = (): unknown => errors.write(`a line of more than ${MAX_LINE_LENGTH} characters is not pushed\n`);
  let [line, isTooLong] = ["", false];
  input.setEncoding("utf8");
  try {
    for await (const text of input as AsyncIterable<string>) {
      const [first = "", ...others] = text.split("\n");
      const parts = [line + first, ...others];
      line = parts.pop() ?? "";
      for (const part of parts) {
        if (isTooLong) isTooLong = false;
        else if (part.length > MAX_LINE_LENGTH) refuse();
        else push(part.replace(/\r$/, ""));
      }
      if (line.length > MAX_LINE_LENGTH && !isTooLong) {
        refuse();
        isTooLong = true;
      }
      if (isTooLong) line = "";
    }
  } catch {
    // It is closed when the gateway ends.
  }
}
