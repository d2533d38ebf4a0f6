import type { Check } from "./checks.js";
import {
  bytes,
  checkFields,
  explain,
  HIGHEST_INT32,
  HIGHEST_UINT32,
  integer,
  LOWEST_INT32,
  milliseconds,
  object,
  oneOf,
  text,
} from "./checks.js";
import type { ConnectFault, FaultPoint } from "./faults.js";
import { FAULT_POINTS } from "./faults.js";

interface FaultForm {
  readonly at: readonly FaultPoint[];
  readonly required?: Readonly<Record<string, Check>>;
  readonly optional?: Readonly<Record<string, Check>>;
  /** They speak of the reply, and at `accept` there is none. */
  readonly optionalInReply?: Readonly<Record<string, Check>>;
}

const IN_A_REPLY = ["connect", "status"] as const;
const afterBytes = integer(0, HIGHEST_UINT32);

const FORMS: Readonly<Record<ConnectFault["do"], FaultForm>> = {
  refuse: { at: ["connect"], required: { responseType: refusal } },
  "stay silent": { at: FAULT_POINTS, optionalInReply: { afterBytes } },
  close: endOfConnection(),
  reset: endOfConnection(),
  drip: { at: IN_A_REPLY, optional: { bytes: integer(1, HIGHEST_UINT32), everyMs: milliseconds } },
  merge: {
    at: IN_A_REPLY,
    required: { with: commands },
    optional: { order: oneOf("before", "after"), deviceName: text },
  },
  send: { at: FAULT_POINTS, required: { bytes } },
  delay: { at: FAULT_POINTS, required: { ms: milliseconds }, optionalInReply: { afterBytes } },
  "stop reading": { at: FAULT_POINTS },
  "push first": { at: IN_A_REPLY, required: { command: bytes }, optional: { deviceName: text } },
  "push instead": { at: IN_A_REPLY, required: { command: bytes }, optional: { deviceName: text } },
};

/** Faults come from test code, often without types: a plan that cannot work must say so at once, not by a hanging test. */
export function checkFault(at: FaultPoint, fault: ConnectFault): void {
  oneOf(...FAULT_POINTS)("at", at);
  object("fault", fault);
  const kinds = Object.entries(FORMS).filter(([, form]) => form.at.includes(at));
  oneOf(...kinds.map(([kind]) => kind))(`fault.do at "${at}"`, fault.do);
  checkForm(at, fault, FORMS[fault.do]);
}

function checkForm(at: FaultPoint, fault: ConnectFault, form: FaultForm): void {
  const inReply = at === "accept" ? {} : form.optionalInReply;
  checkFields("fault", fault, { do: text, ...form.required, ...form.optional, ...inReply });
  for (const [field, check] of Object.entries(form.required ?? {})) {
    check(`fault.${field}`, fault[field as keyof ConnectFault]);
  }
}

function endOfConnection(): FaultForm {
  return { at: FAULT_POINTS, optional: { delayMs: milliseconds }, optionalInReply: { afterBytes } };
}

function refusal(name: string, value: unknown): void {
  integer(LOWEST_INT32, HIGHEST_INT32)(name, value);
  if (value === 0) throw new RangeError(explain(name, "other than 0, which is OK and refuses nothing", value));
}

function commands(name: string, value: unknown): void {
  if (!Array.isArray(value)) return bytes(name, value);
  value.forEach((command, index) => bytes(`${name}[${index}]`, command));
}
