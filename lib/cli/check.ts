import { randomBytes } from "node:crypto";
import type { Device, InternalClientError } from "../index.js";
import type { Place } from "./check-device.js";
import { checks, createScene, type Check, type Silence } from "./check-list.js";
import { knownModules, otherModule, type Candidate } from "./check-modules.js";
import { CommandLineError, type Command, type Given } from "./command-line.js";
import { generalOptions, MAX_MILLISECONDS, MAX_MODULE, MAX_UINT32, placeOptions, readPlace } from "./device-options.js";
import { readStatus, statusOptions, statusSourceOf } from "./status-source.js";
import { ExitCode, exitCodeOf, type Surroundings } from "./surroundings.js";
import { explain, jsonOf, milliseconds, oneLine, toMicroseconds } from "./text.js";

const WAYS = "--status TEXT, --status-file FILE or --status-hex HEX";
const DEFAULT_TIMEOUT_MS = 5_000;
/** A real gateway disconnects after 30 s, checks every few seconds, and may do so after half of that time. */
const SILENCE: Silence = { leastMs: 14_500, mostMs: 40_000 };

export const checkCommand = {
  command: "check",
  options: {
    ...placeOptions,
    module: {
      value: "NUMBER",
      help: "check with this module",
      default: "each of 1, 2, 3 and 1000 that the gateway serves",
    },
    type: { value: "NUMBER", help: "the device type that goes with the status", default: "0" },
    ...statusOptions,
    silence: { help: "also wait until a silent device is disconnected, which takes 30 s or more" },
    timeout: { value: "MS", help: "how long to wait for each answer", default: DEFAULT_TIMEOUT_MS.toString() },
    ...generalOptions,
  },
  usage: "check [--module NUMBER [--type NUMBER --status TEXT]] [OPTIONS]",
  summary: "Check that a gateway follows the protocol, and show what it did",
  notes: [
    "It connects a few devices for a few seconds, each with its own role (check_…), so no connected device is disturbed; but the gateway reports them to the cloud, and some checks make other devices wait for up to 250 ms. Without --module it sends a valid status to each of the modules mission, I/O, transparent and example that the gateway serves; for another module, give a --status.",
  ],
  events: [["check", "name, holds (true, false, or null if it was not checked), seen, expected, ms"]],
  examples: [
    "fleet-internal-client check --host 10.0.0.5 --silence",
    "fleet-internal-client check --host 10.0.0.5 --module 1234 --type 1 --status hello --json",
  ],
  run: (given, surroundings) => check(given, surroundings),
} as const satisfies Command;

/** The result of one check. */
interface Finding {
  readonly name: string;
  /** Undefined if it was not checked. */
  readonly holds: boolean | undefined;
  readonly seen: string;
  readonly expected: string;
  readonly ms: number;
}

interface Run {
  readonly place: Place;
  readonly tell: (finding: Finding) => void;
  /** A different role for each check, so that no check disturbs another one or a device of the vehicle. */
  readonly nextRole: () => string;
}

/** Checks a gateway, with its own devices. */
async function check(given: Given, surroundings: Surroundings): Promise<number> {
  const { output, errors, signal } = surroundings;
  const candidates = await candidatesOf(given, surroundings);
  const findings: Finding[] = [];
  const tell = (finding: Finding): void => {
    // What happens because the command ends is not a finding.
    if (signal.aborted) return;
    findings.push(finding);
    output.write(`${given.has("json") ? jsonLineOf(finding) : lineOf(finding)}\n`);
  };
  const run = { place: placeOf(given, signal), tell, nextRole: createRoles() };

  const served = await findServed(run, candidates, given.has("module"));
  if (!("code" in served)) await carryOutAll(run, served, given.has("silence"));
  if (signal.aborted) return ExitCode.INTERRUPTED;
  if ("code" in served) {
    errors.write(`${explain(served)}\n`);
    return exitCodeOf(served);
  }
  if (served.length === 0)
    errors.write("no module answers, so the rest is not checked: give one with --module and --status\n");
  else if (!given.has("json")) output.write(`${summaryOf(findings)}\n`);
  return served.length === 0 || findings.some(({ holds }) => holds === false) ? ExitCode.NOT_HELD : ExitCode.DONE;
}

/** @throws CommandLineError */
async function candidatesOf(given: Given, surroundings: Surroundings): Promise<readonly Candidate[]> {
  const module = given.integer("module", 0, MAX_MODULE);
  const hasStatus = Object.keys(statusOptions).some((name) => given.has(name));
  if (module === undefined) {
    if (hasStatus || given.has("type"))
      throw new CommandLineError("a status or type needs its module: --module NUMBER");
    return knownModules;
  }
  const known = knownModules.filter((one) => one.module === module);
  if (!hasStatus && !given.has("type") && known.length > 0) return known;
  const status = await readStatus(statusSourceOf("check", given, WAYS), surroundings);
  return [otherModule(module, given.integer("type", 0, MAX_UINT32) ?? 0, status)];
}

function placeOf(given: Given, signal: AbortSignal): Place {
  const answerMs = given.positive("timeout", "milliseconds", MAX_MILLISECONDS) ?? DEFAULT_TIMEOUT_MS;
  return { ...readPlace(given), answerMs, signal };
}

function createRoles(): () => string {
  const prefix = `check_${randomBytes(4).toString("hex")}`;
  let count = 0;
  return () => `${prefix}_${(count += 1)}`;
}

interface Asked {
  readonly form: Candidate;
  readonly answer: string | InternalClientError;
  readonly ms: number;
}

/** Returns the modules that answer; or, if there is no gateway, why. */
async function findServed(
  run: Run,
  candidates: readonly Candidate[],
  isNamed: boolean,
): Promise<readonly Candidate[] | InternalClientError> {
  const served: Candidate[] = [];
  for (const module of new Set(candidates.map((one) => one.module))) {
    const asked = await askEach(
      run,
      candidates.filter((one) => one.module === module),
    );
    const { form, answer } = asked;
    if (typeof answer === "string") served.push(form);
    else if (answer.reason === "unreachable") return answer;
    run.tell(findingOf(asked, isNamed));
  }
  return served;
}

/** If versions of a module differ, it has several forms: if one gets no readable answer, the next is tried. */
async function askEach(run: Run, forms: readonly Candidate[]): Promise<Asked> {
  let first: Asked | undefined;
  for (const form of forms) {
    const startedAt = performance.now();
    const answer = await form.ask(run.place, deviceOf(run, form));
    const asked = { form, answer, ms: performance.now() - startedAt };
    if (typeof answer === "string" || answer.family !== "communication") return asked;
    first ??= asked;
  }
  return first as Asked;
}

function findingOf({ form, answer, ms }: Asked, isNamed: boolean): Finding {
  const about = { name: form.name, expected: "a command", ms };
  if (typeof answer === "string") return { ...about, holds: true, seen: `the command ${answer}` };
  const mayBeAbsent = answer.code === "MODULE_NOT_SUPPORTED" && !isNamed;
  return { ...about, holds: mayBeAbsent ? undefined : false, seen: mayBeAbsent ? "not served" : answer.message };
}

async function carryOutAll(
  run: Run,
  [preferred, ...others]: readonly Candidate[],
  withSlowOnes: boolean,
): Promise<void> {
  if (preferred === undefined) return;
  const strict = [preferred, ...others].find(({ isStrict }) => isStrict);
  for (const one of checks) {
    if (run.place.signal.aborted) return;
    if (one.isSlow === true && !withSlowOnes) continue;
    await carryOut(run, one, one.needsStrictModule === true ? strict : preferred);
  }
}

async function carryOut(run: Run, check: Check, candidate: Candidate | undefined): Promise<void> {
  const { name } = check;
  const expected = check.expected.join(", ");
  if (candidate === undefined) {
    run.tell({ name, holds: undefined, seen: "not checked without module 1, 2 or 1000", expected, ms: 0 });
    return;
  }
  const startedAt = performance.now();
  const { scene, close } = createScene(run.place, deviceOf(run, candidate), candidate.status, SILENCE);
  const seen = await check.see(scene).then(
    (words) => words.join(", "),
    (error: unknown) => (error as Error).message,
  );
  close();
  run.tell({ name, holds: seen === expected, seen, expected, ms: performance.now() - startedAt });
}

function deviceOf(run: Run, { module, deviceType }: Candidate): Device {
  return { module, deviceType, deviceRole: run.nextRole(), deviceName: "check", priority: 0 };
}

function lineOf({ name, holds, seen, expected, ms }: Finding): string {
  if (holds === undefined) return oneLine(`      ${name}: ${seen}`);
  const judgement = holds ? `as expected (${milliseconds(ms)})` : `but expected: ${expected}`;
  return oneLine(`${holds ? "ok    " : "WRONG "}${name}: ${seen}; ${judgement}`);
}

function jsonLineOf(finding: Finding): string {
  const { name, holds = null, seen, expected, ms } = finding;
  return jsonOf({ time: new Date(), event: "check", name, holds, seen, expected, ms: toMicroseconds(ms) });
}

function summaryOf(findings: readonly Finding[]): string {
  const checked = findings.filter(({ holds }) => holds !== undefined);
  return `${checked.filter(({ holds }) => holds).length} of ${checked.length} hold`;
}
