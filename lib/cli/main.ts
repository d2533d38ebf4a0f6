import { checkCommand } from "./check.js";
import { CommandLineError, nearest, parse, type Command } from "./command-line.js";
import { gatewayCommand } from "./gateway.js";
import { commandHelp, generalHelp } from "./manual.js";
import { sendCommand } from "./send.js";
import { ExitCode, type Surroundings } from "./surroundings.js";
import { oneLine } from "./text.js";
import { watchCommand } from "./watch.js";

export const commands: readonly Command[] = [watchCommand, sendCommand, gatewayCommand, checkCommand];

/** Runs one command line and returns the exit code. It throws only unexpected errors. */
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
  const command = commandNamed(name);
  if (command === undefined) {
    surroundings.output.write(answerTo(name, rest, version));
    return ExitCode.DONE;
  }
  // Help is shown whatever else is wrong with the line.
  const given = rest.includes("--help") ? undefined : parse(command, rest);
  if (given !== undefined && !given.has("help") && !given.has("version")) return command.run(given, surroundings);
  surroundings.output.write(given?.has("help") === false ? `${version}\n` : commandHelp(command));
  return ExitCode.DONE;
}

function commandNamed(name: string): Command | undefined {
  return commands.find(({ command }) => command === name);
}

/** The output for a line without a command. */
function answerTo(name: string, [about = ""]: readonly string[], version: string): string {
  if (name === "--version" || name === "-V") return `${version}\n`;
  const isHelp = ["help", "--help", "-h"].includes(name);
  if (isHelp && (about === "" || about.startsWith("-"))) return generalHelp(commands);
  const asked = isHelp ? commandNamed(about) : undefined;
  if (asked !== undefined) return commandHelp(asked);
  throw noCommand(isHelp ? about : name);
}

function noCommand(name: string): CommandLineError {
  const names = commands.map(({ command }) => command);
  const all = `${names.slice(0, -1).join(", ")} or ${names.at(-1) ?? ""}`;
  if (name === "") return new CommandLineError(`give a command: ${all}; see fleet-internal-client help`);
  const meant = nearest(name, [...names, "help", "--help", "--version"]);
  const quoted = JSON.stringify(name);
  if (meant !== undefined) return new CommandLineError(`there is no command ${quoted}; did you mean ${meant}?`);
  if (name.startsWith("-")) return new CommandLineError(`${name} comes before the command: give ${all} first`);
  return new CommandLineError(`there is no command ${quoted}: give ${all}`);
}
