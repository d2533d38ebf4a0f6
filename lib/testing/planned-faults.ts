import { isUint8Array } from "node:util/types";
import {
  bytes,
  checkFields,
  explain,
  integer,
  integerOrInfinity,
  MAX_INT32,
  MAX_UINT32,
  milliseconds,
  MIN_INT32,
  object,
  oneOf,
  text,
  type Check,
} from "./checks.js";
import { checkFilter, matches, type Device, type DeviceFilter } from "./device.js";
import { type ConnectFault, type FaultAt, type FaultPoint } from "./faults.js";

interface Plan {
  readonly at: FaultPoint;
  readonly fault: FaultAt[FaultPoint];
  readonly which: DeviceFilter | undefined;
  times: number;
}

interface PlanOptions {
  readonly times?: number | undefined;
  readonly which?: DeviceFilter | undefined;
}

/** The misbehaviour that is still to come, in the order in which it was asked for. */
export interface Plans {
  readonly add: <At extends FaultPoint>(at: At, fault: FaultAt[At], options?: PlanOptions) => void;
  /** The fault for this occasion, which uses it up; undefined to behave. */
  readonly take: <At extends FaultPoint>(at: At, device?: Device) => FaultAt[At] | undefined;
  readonly count: () => number;
  readonly clear: () => void;
}

export function createPlans(): Plans {
  let plans: Plan[] = [];

  function add<At extends FaultPoint>(at: At, fault: FaultAt[At], options: PlanOptions = {}): void {
    checkFault(at, fault);
    checkFields("options", options, { times: integerOrInfinity(1, Number.MAX_SAFE_INTEGER), which: checkFilter });
    const { times = 1, which } = options;
    if (at === "accept" && which !== undefined) {
      throw new TypeError(explain("which", `left out at "accept": no device has said yet who it is`, which));
    }
    plans.push({ at, fault: taken(fault), which, times });
  }

  function take<At extends FaultPoint>(at: At, device?: Device): FaultAt[At] | undefined {
    if (plans.length === 0) return undefined;
    const plan = plans.find((one) => one.at === at && (device === undefined || matches(device, one.which)));
    if (plan === undefined) return undefined;
    plan.times -= 1;
    if (plan.times === 0) plans = plans.filter((one) => one !== plan);
    return plan.fault as FaultAt[At];
  }

  return {
    add,
    take,
    count: () => plans.reduce((total, plan) => total + plan.times, 0),
    clear: () => {
      plans = [];
    },
  };
}

/** As it is now: its owner may write something else into its bytes. */
function taken<Fault extends object>(fault: Fault): Fault {
  const copies = Object.entries(fault).map(([field, value]: [string, unknown]) => [field, copyOf(value)]);
  return Object.fromEntries(copies) as Fault;
}

function copyOf(value: unknown): unknown {
  if (isUint8Array(value)) return new Uint8Array(value);
  return Array.isArray(value) ? value.map(copyOf) : value;
}

interface FaultForm {
  readonly at: readonly FaultPoint[];
  readonly required?: Readonly<Record<string, Check>>;
  readonly optional?: Readonly<Record<string, Check>>;
  /** They speak of the reply, and at `accept` there is none. */
  readonly optionalInReply?: Readonly<Record<string, Check>>;
}

const FAULT_POINTS: readonly FaultPoint[] = ["accept", "connect", "status"];
const IN_A_REPLY = ["connect", "status"] as const;
const afterBytes = integer(0, MAX_UINT32);

const FORMS: Readonly<Record<ConnectFault["do"], FaultForm>> = {
  refuse: { at: ["connect"], required: { responseType: refusal } },
  "stay silent": { at: FAULT_POINTS, optionalInReply: { afterBytes } },
  close: endOfConnection(),
  reset: endOfConnection(),
  drip: { at: IN_A_REPLY, optional: { bytes: integer(1, MAX_UINT32), everyMs: milliseconds } },
  merge: {
    at: IN_A_REPLY,
    required: { with: commands },
    optional: { order: oneOf("before", "after"), deviceName: text },
  },
  send: { at: FAULT_POINTS, required: { bytes } },
  delay: { at: FAULT_POINTS, required: { ms: milliseconds }, optionalInReply: { afterBytes } },
  "stop reading": { at: FAULT_POINTS },
  vanish: { at: IN_A_REPLY },
  "push first": { at: IN_A_REPLY, required: { command: bytes }, optional: { deviceName: text } },
  "push instead": { at: IN_A_REPLY, required: { command: bytes }, optional: { deviceName: text } },
};

/** Faults come from test code, often without types: a plan that cannot work must say so at once, not by a test that hangs. */
function checkFault(at: FaultPoint, fault: ConnectFault): void {
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
  integer(MIN_INT32, MAX_INT32)(name, value);
  if (value === 0) throw new RangeError(explain(name, "other than 0, which means OK", value));
}

function commands(name: string, value: unknown): void {
  if (!Array.isArray(value)) return bytes(name, value);
  value.forEach((command, index) => bytes(`${name}[${index}]`, command));
}
