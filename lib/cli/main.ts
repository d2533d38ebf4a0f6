import { check, checkSyntax } from "./check.js";
import { CommandLineError, parse, type Given, type Syntax } from "./command-line.js";
import { ExitCode } from "./exit-code.js";
import { gateway, gatewaySyntax } from "./gateway.js";
import { commandHelp, generalHelp, type About } from "./help.js";
import { nearest } from "./nearest.js";
import { oneLine } from "./payload.js";
import { send, sendSyntax } from "./send.js";
import type { Surroundings } from "./surroundings.js";
import { watch, watchSyntax } from "./watch.js";

interface Command {
  readonly syntax: Syntax;
  readonly about: About;
  readonly run: (given: Given, surroundings: Surroundings) => Promise<number>;
}

const ONCE_ONLY =
  "A device is told apart by its module, type and role: one that is connected already as the same is refused, and one of a lower priority is thrown out.";

const commands: Readonly<Record<string, Command>> = {
  watch: {
    syntax: watchSyntax,
    run: (given, surroundings) => watch(given, surroundings),
    about: {
      usage: "watch --module NUMBER (--status TEXT | --status-file FILE | --status-hex HEX) [OPTIONS]",
      summary: "Be a device: send a status every few seconds and show the commands as they come",
      notes: [
        ONCE_ONLY,
        "At a terminal it shows one live view, elsewhere a line for each event, with --json an object: time, event, and by event: connect; status (bytes, hex, text); command (kind answer or push, roundTripMs of an answer, bytes, hex, text); drop (reason); reconnect; failure (code, returnCode, family, message); unreadable (message); retry (afterMs). text is left out where the payload is not UTF-8.",
        "When its client is lost it connects anew after a pause: 1 s, then twice as long each time, up to 30 s. It gives up where that cannot help: module or type not supported, or a call that the library refuses. A status's failure is the exit code only if it is the last of --count.",
      ],
      examples: [
        `fleet-internal-client watch --module 1000 --status '{"pressed": true}'`,
        "fleet-internal-client watch --host 10.0.0.5 --module 2 --type 4 --role left_button --status-file status.json --every 1",
        `fleet-internal-client watch --module 1000 --status hello --count 3 --json`,
      ],
    },
  },
  send: {
    syntax: sendSyntax,
    run: send,
    about: {
      usage: "send --module NUMBER (--status TEXT | --status-file FILE | --status-hex HEX | -) [OPTIONS]",
      summary: "Send one status and print the command that answers it",
      notes: [
        ONCE_ONLY,
        "The command is printed as text where it is printable UTF-8, and as hex where not; --json prints time, event (command), kind (answer), roundTripMs, bytes, hex, and text where it is UTF-8. With - the status is read from standard input.",
      ],
      examples: [
        `fleet-internal-client send --module 1000 --role left_button --status '{"pressed": true}'`,
        "fleet-internal-client send --module 1 --status-file status.bin --hex",
        "printf hello | fleet-internal-client send --host 10.0.0.5 --module 3 -",
      ],
    },
  },
  gateway: {
    syntax: gatewaySyntax,
    run: gateway,
    about: {
      usage: "gateway [OPTIONS]",
      summary: "Be a gateway to develop a device against: answer every status, show what devices do",
      notes: [
        "It has the habits of a real gateway, but no modules: it answers with the status itself, or with what --answer says. What is typed is pushed to all connected devices, line by line; in the background, give it < /dev/null.",
        "With --json each event is an object: time, event, and by event: listening (host, port); connect (device); refusal (device, code); status (device, bytes, hex, text); disconnect (device, by: device or gateway); push (devices, bytes, hex, text). A device has module, deviceType, deviceRole, deviceName and priority.",
      ],
      examples: [
        "fleet-internal-client gateway",
        `fleet-internal-client gateway --module 1000 --answer '{"lit_up":true}'`,
        "fleet-internal-client gateway --host 0.0.0.0 --port 8888 --module 2:1,2,3,4 --module 1000",
      ],
    },
  },
  check: {
    syntax: checkSyntax,
    run: check,
    about: {
      usage: "check [--module NUMBER [--type NUMBER --status TEXT]] [OPTIONS]",
      summary: "Go through what a gateway must do, and show for each point what it did",
      notes: [
        "It is a few devices for a few seconds, each with a role of its own (check_…), so it touches no device that is connected; but the gateway tells the cloud of them, and some checks make other devices wait for up to 250 ms. Without --module it sends to each of the modules mission, I/O, transparent and example that is served a status that is right for it; another module needs a status of its own.",
        "With --json each line is an object: time, event (check), name, holds (true, false, or null if it was not checked), seen, expected, ms.",
      ],
      examples: [
        "fleet-internal-client check --host 10.0.0.5 --silence",
        "fleet-internal-client check --host 10.0.0.5 --module 1234 --type 1 --status hello --json",
      ],
    },
  },
};

/** Carries out one command line and gives the exit code. It throws only what nobody expected. */
export async function main(args: readonly string[], surroundings: Surroundings, version: string): Promise<number> {
  try {
    return await carryOut(args, surroundings, version);
  } catch (error) {
    if (!(error instanceof CommandLineError)) throw error;
    surroundings.errors.write(`fleet-internal-client: ${oneLine(error.message)}\n`);
    return ExitCode.COMMAND_LINE;
  }
}

async function carryOut(args: readonly string[], surroundings: Surroundings, version: string): Promise<number> {
  const [name = "", ...rest] = args;
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) {
    surroundings.output.write(answerTo(name, version));
    return ExitCode.DONE;
  }
  const { syntax, about, run } = command;
  // Whoever asks for help gets it, whatever else is wrong with the line.
  const given = rest.includes("--help") ? undefined : parse(syntax, rest);
  if (given === undefined || given.has("help")) {
    surroundings.output.write(commandHelp(about, syntax.options));
    return ExitCode.DONE;
  }
  if (given.has("version")) {
    surroundings.output.write(`${version}\n`);
    return ExitCode.DONE;
  }
  return run(given, surroundings);
}

/** What a line without a command asks for. */
function answerTo(name: string, version: string): string {
  if (name === "--help" || name === "-h") return generalHelp(commands);
  if (name === "--version" || name === "-V") return `${version}\n`;
  const names = Object.keys(commands);
  const all = `${names.slice(0, -1).join(", ")} or ${names.at(-1) ?? ""}`;
  if (name === "") throw new CommandLineError(`name a command: ${all}; see fleet-internal-client --help`);
  const meant = nearest(name, [...names, "--help", "--version"]);
  if (meant !== undefined)
    throw new CommandLineError(`there is no command ${JSON.stringify(name)}; did you mean ${meant}?`);
  if (name.startsWith("-")) throw new CommandLineError(`${name} stands before the command: first name ${all}`);
  throw new CommandLineError(`there is no command ${JSON.stringify(name)}: name ${all}`);
}
