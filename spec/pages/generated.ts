import { FIXED_LIMITS } from "../../lib/client/client.js";
import { checkedConfig, checkedStatusOptions } from "../../lib/client/arguments.js";
import { families } from "../../lib/errors/internal-client-error.js";
import { reasons } from "../../lib/errors/reasons.js";
import { ReturnCode, type ErrorCode } from "../../lib/errors/return-code.js";
import {
  callOf,
  codesOf,
  codeTexts,
  exported,
  firstSentence,
  listOf,
  membersOf,
  returnTypeOf,
  summaryOf,
} from "./api.js";
import { table, wrapped } from "./markdown.js";
import { transitionDiagram, transitionTable } from "./transitions.js";

/** What stands in a page between the marks `<!-- generated: … -->` and `<!-- end of generated part -->`. */
export function generatedPart(what: string): string {
  const [kind, ...names] = what.split(" ");
  const write = parts[kind!];
  if (write === undefined) throw new Error(`nothing writes the part "${what}"`);
  return write(...names);
}

const parts: Readonly<Record<string, (...names: string[]) => string>> = {
  functions,
  options,
  fields,
  members,
  list,
  channels,
  errors,
  codes: codesByFunction,
  limits,
  transitions: transitionTable,
  diagram: transitionDiagram,
};

const FUNCTIONS = [
  "connect",
  "sendStatus",
  "exchange",
  "getCommand",
  "commands",
  "sendStatuses",
  "runDevice",
  "every",
  "closed",
  "destroy",
  "withClient",
  "lazyClient",
  "defineModule",
];

function functions(): string {
  const rows = FUNCTIONS.map((name) => exported(name)).map((symbol) => [
    code(callOf(symbol)),
    code(returnTypeOf(symbol).replace("Exclude<Command, undefined>", "Command")),
    summaryOf(symbol),
  ]);
  return table(["function", "returns", "what it does"], rows);
}

/** Options with their defaults; one without a default that need not be given has none. */
function options(name: string, entry?: string): string {
  const rows = membersOf(name, entry).map((member) => [
    code(member.name.replace("?", "")),
    member.defaultValue ?? (member.name.endsWith("?") ? "none" : "required"),
    member.text,
  ]);
  return table(["option", "default", "meaning"], rows);
}

function fields(name: string, entry?: string): string {
  const rows = membersOf(name, entry).map(({ name: field, type, text }) => [code(field), code(type), text]);
  return table(["field", "type", "meaning"], rows);
}

function members(name: string, entry?: string): string {
  const rows = membersOf(name, entry).map((member) => [
    code(member.parameters === undefined ? member.name : `${member.name}(${member.parameters.join(", ")})`),
    firstSentence(member.text),
  ]);
  return table(["member", "meaning"], rows);
}

function list(name: string, entry?: string): string {
  return listOf(exported(name, entry))
    .map((item) => wrapped(`- ${item}`))
    .join("\n");
}

function channels(): string {
  const rows = membersOf("DiagnosticsMessages").map(({ name, text }) => [code(`fleet-internal-client:${name}`), text]);
  return table(["channel", "published when"], rows);
}

const ERRORS = Object.keys(families) as ErrorCode[];

function errors(): string {
  const texts = codeTexts();
  const rows = [...ERRORS]
    .sort((one, other) => ReturnCode[other] - ReturnCode[one])
    .map((name) => [
      code(name),
      `${ReturnCode[name]}`,
      families[name],
      reasons[name].map(code).join(", "),
      texts.get(name)!,
    ]);
  return table(["code", "number", "family", "reasons", "what happened"], rows);
}

const ERROR_TYPES = {
  "`connect`, `lazyClient`": "ConnectError",
  "`sendStatus`, `exchange`, `sendStatuses`, `closed`": "SendStatusError",
  "`getCommand`": "GetCommandError",
  "`commands`": "CommandsError",
  "`runDevice`": "RunDeviceError",
};

function codesByFunction(): string {
  const columns = Object.entries(ERROR_TYPES);
  const rows = ERRORS.map((name) => [
    code(name),
    ...columns.map(([, type]) => (codesOf(type).includes(name) ? "yes" : "")),
  ]);
  return table(["code", ...columns.map(([head]) => head)], rows);
}

function limits(): string {
  const device = { module: 1000, deviceType: 0, deviceRole: "", deviceName: "" };
  const { connectTimeoutMs } = checkedConfig({ host: "localhost", port: 1636, device });
  const { timeoutMs } = checkedStatusOptions(undefined);
  const { askAgainForMs, askAgainEveryMs, reconnectPauseMs, maxWaiting, maxWaitingBytes } = FIXED_LIMITS;
  const inAll = 2 * timeoutMs + 2 * (connectTimeoutMs + askAgainForMs);
  return table(
    ["what", "limit"],
    [
      ["an attempt to connect", `\`connectTimeoutMs\`, ${count(connectTimeoutMs)} ms unless given`],
      ["an attempt to send a status", `\`timeoutMs\`, ${count(timeoutMs)} ms unless given`],
      [
        "`exchange` or `sendStatus` in all, from its turn on",
        `2 × \`timeoutMs\` + 2 × (\`connectTimeoutMs\` + ${count(askAgainForMs)} ms): ${count(inAll)} ms with the defaults`,
      ],
      [
        "waiting for its turn",
        `no time limit of its own; at most ${count(maxWaiting)} statuses and ${maxWaitingBytes / 2 ** 20} MiB wait`,
      ],
      ["the pause before a reconnection", `${count(reconnectPauseMs)} ms`],
      [
        "`DEVICE_ALREADY_CONNECTED` when reconnecting",
        `asked again every ${count(askAgainEveryMs)} ms, for at most ${count(askAgainForMs)} ms`,
      ],
    ],
  );
}

function count(number: number): string {
  return number.toLocaleString("en-US");
}

function code(text: string): string {
  return `\`${text}\``;
}
