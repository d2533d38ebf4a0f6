import { afterEach, describe, expect, it } from "@jest/globals";
import { nearest } from "../../lib/cli/command-line.js";
import { endAll, run } from "./surroundings.js";

afterEach(endAll);

describe("a wrong command line prints one line that names what is wrong, and exits with 2", () => {
  const sent = "send --status a --module 1";
  const watched = "watch --status a --module 1";
  const texts = "--status TEXT, --status-file FILE";
  const modules = "a whole number from 0 to 2147483647";
  const commands = "give watch, send, gateway or check";

  it.each([
    ["", "give a command: watch, send, gateway or check; see fleet-internal-client help"],
    ["wach", 'there is no command "wach"; did you mean watch?'],
    ["help wach", 'there is no command "wach"; did you mean watch?'],
    ["--verison", 'there is no command "--verison"; did you mean --version?'],
    ["connect", `there is no command "connect": ${commands}`],
    ["constructor", `there is no command "constructor": ${commands}`],
    ["--host x send", `--host comes before the command: ${commands} first`],
    ["'two\nlines'", `there is no command "two\\nlines": ${commands}`],
    ["send --prot 3", "send has no option --prot; did you mean --port?"],
    ["send --verbose", "send has no option --verbose; see fleet-internal-client send --help"],
    ["send --constructor", "send has no option --constructor; see fleet-internal-client send --help"],
    ["send -x", "send has no option -x; see fleet-internal-client send --help"],
    ["send --every 3", "send has no option --every; see fleet-internal-client send --help"],
    ["send hosts", 'send takes no argument "hosts"; did you mean --host?'],
    ["watch -", 'watch takes no argument "-"; see fleet-internal-client watch --help'],
    ["send --port", "--port needs a value: --port PORT"],
    ["send --port -5", "--port needs a value; one that begins with - is written --port=-5"],
    ["send --json=yes", "--json takes no value"],
    ["send --module 1 --module 2", "--module is given more than once"],
    ["send --module 1", `send needs a status: ${texts}, --status-hex HEX, or - for standard input`],
    ["watch --module 1", "watch needs a status: --status TEXT, --status-file FILE or --status-hex HEX"],
    ["check --module 1234", "check needs a status: --status TEXT, --status-file FILE or --status-hex HEX"],
    ["check --status a", "a status or type needs its module: --module NUMBER"],
    ["send --status a -", "send takes one status, but got --status and -"],
    ["send --status-hex 7b7", '--status-hex is "7b7", but must be pairs of hex digits, for example 7b7d'],
    ["send --status a", "send needs the device's module, for example --module 1000"],
    ["send --status a --module x", '--module is "x", but must be a whole number from 0 to 2147483647'],
    ["send --status a --module 2147483648", `--module is "2147483648", but must be ${modules}`],
    [`${sent} --port 0`, '--port is "0", but must be a whole number from 1 to 65535'],
    [`${sent} --host ''`, "--host must not be empty"],
    [`${sent} --timeout 1s`, '--timeout is "1s", but must be a number of milliseconds above 0 and up to 2147483647'],
    [`${watched} --every 0`, '--every is "0", but must be a number of seconds above 0 and up to 2147483.647'],
    [`${watched} --count 0`, '--count is "0", but must be a whole number from 1 to 4294967296'],
    [
      `${watched} --decode mision`,
      '--decode is "mision", but must be one of mission, mission-protobuf, car-accessory, transparent, example, none',
    ],
    ["gateway --module 1:2:3", '--module is "1:2:3", but must be a module, or a module and types such as 2:1,4'],
    ["gateway --module 2:a", 'a type in --module 2:a is "a", but must be a whole number from 0 to 4294967295'],
    ["gateway --answer a --echo", "gateway takes one of --answer and --echo"],
  ])("%j", async (line, words) => {
    expect(await run(line)).toEqual({ code: 2, output: "", errors: `fleet-internal-client: ${words}\n` });
  });
});

describe("help", () => {
  it.each(["help", "--help", "-h"])("%s names the commands and the exit codes", async (line) => {
    const { code, output, errors } = await run(line);
    expect({ code, errors }).toEqual({ code: 0, errors: "" });
    expect(output).toContain("Usage: fleet-internal-client COMMAND [OPTIONS]\n");
    expect(output).toMatch(/^ {2}watch .*\n {2}send .*\n {2}gateway /m);
    expect(output).toMatch(/^ {2}3 .*refused/m);
    expect(output).toMatch(/^ {2}130 .*interrupted/m);
  });

  it.each([
    ["watch", ["--status TEXT", "--every SECONDS", "--count NUMBER", "--role TEXT", "--connect-timeout MS"]],
    ["send", ["--status-file FILE", "--status-hex HEX", "--priority NUMBER", "--timeout MS", "--json"]],
    ["gateway", ["--port PORT", "--module NUMBER[:TYPES]", "--answer TEXT", "--push-stdin", "-h, --help"]],
    ["check", ["--module NUMBER", "--silence"]],
  ])("of %s shows its options, examples and the exit codes, asked for in either way", async (command, options) => {
    const { code, output, errors } = await run(`${command} --help`);
    expect({ code, errors }).toEqual({ code: 0, errors: "" });
    expect(output).toMatch(new RegExp(`^Usage: fleet-internal-client ${command} `));
    for (const option of options) expect(output).toContain(`\n  ${option} `);
    expect(output).toContain(`\nExamples:\n  fleet-internal-client ${command}`);
    expect(output).toContain("\nExit codes:\n  0 ");
    expect(await run(`help ${command}`)).toEqual({ code, output, errors });
  });

  it.each(["send --prot 3 --help", "send -Vh"])("is printed whatever else is in the line: %s", async (line) => {
    expect((await run(line)).output).toMatch(/^Usage: fleet-internal-client send /);
  });
});

it.each(["--version", "-V", "watch --version"])("%s prints the version and nothing else", async (line) => {
  expect(await run(line)).toEqual({ code: 0, output: "1.2.3\n", errors: "" });
});

it.each([
  ["prot", "port"],
  ["hosts", "host"],
  ["statsu-file", "status-file"],
  ["conect-timeout", "connect-timeout"],
  ["status", "status"],
  ["conn", "connect-timeout"],
  ["x", undefined],
  ["verbose", undefined],
  ["", undefined],
  ["po", undefined],
])("the word that was probably meant with %j is %j", (word, meant) => {
  expect(nearest(word, ["host", "port", "status", "status-file", "connect-timeout"])).toBe(meant);
});
