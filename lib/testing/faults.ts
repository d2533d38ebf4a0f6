import { isUint8Array } from "node:util/types";
import {
  bytes,
  type Check,
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
} from "./checks.js";
import { checkFilter, type Device, type DeviceFilter, matches } from "./device.js";

/**
 * Where the gateway can misbehave: right after it has accepted a TCP connection and before it reads from it
 * (`accept`), in its reply to a device's connect (`connect`), or in its reply to a status (`status`).
 *
 * @example
 * const point: FaultPoint = "status";
 */
export type FaultPoint = "accept" | "connect" | "status";

/**
 * What can go wrong as soon as a TCP connection has been accepted. All times are milliseconds (0 to 2,147,483,647); defaults are in
 * parentheses.
 *
 * - `close`: closes the socket (FIN) after `delayMs` (0), like a gateway that has no room left.
 * - `reset`: resets the socket (RST) after `delayMs` (0), like a gateway that has crashed.
 * - `stay silent`: reads, but never answers.
 * - `send`: sends the bytes before the device has sent anything, then goes on as usual.
 * - `stop reading`: never reads a byte, and so never replies.
 * - `delay`: begins to read after `ms`.
 *
 * @example
 * gateway.misbehave("accept", { do: "reset" });
 */
export type AcceptFault =
  | { readonly do: "close"; readonly delayMs?: number | undefined }
  | { readonly do: "reset"; readonly delayMs?: number | undefined }
  | { readonly do: "stay silent" }
  | { readonly do: "send"; readonly bytes: Uint8Array }
  | { readonly do: "stop reading" }
  | { readonly do: "delay"; readonly ms: number };

/**
 * What can go wrong in the reply to a status. The proper reply is the answer's frame; a fault that uses none of it does
 * not ask the module for an answer. Only this device notices the fault. All times are milliseconds (0 to 2,147,483,647), `afterBytes` is 0 to 4,294,967,295.
 *
 * - `stay silent`: sends the first `afterBytes` (0) bytes of the proper reply, then leaves the socket open and answers
 *   nothing on it any more. It goes on to read.
 * - `close`, `reset`: sends the first `afterBytes` (0) bytes, waits `delayMs` (0) and ends the connection, by a close
 *   (FIN) or by a reset (RST). A reset may overtake the bytes: give it a delay if they must arrive.
 * - `delay`: sends the first `afterBytes` (0) bytes, and the rest after `ms`, even if that is longer than the module may
 *   take. With `afterBytes: 4` the header comes alone, as in 181 of 500 replies of a real gateway.
 * - `drip`: the proper reply in writes of `bytes` (1) bytes, `everyMs` (0) apart.
 * - `merge`: the proper reply in one write with pushed commands, `before` or `after` it (`order`, after). With a real gateway,
 *   a push and an answer can arrive in one segment like this.
 * - `send`: the given bytes instead of the reply.
 * - `stop reading`: the proper reply, and then never reads from this socket again.
 * - `vanish`: no reply, and from then on the socket is not read, written to or closed, as if the network had silently
 *   failed. The device's slot stays taken, even when the device has closed its end, until the gateway disconnects
 *   the device for its silence (see {@link GatewayOptions.silenceMs}; never if it never sent a status), kicks it, or restarts.
 * - `push first`: a pushed command, then the proper reply. With a real gateway, a push can overtake the answer like this.
 * - `push instead`: a pushed command and nothing else. A real gateway did this to 39 of 500 statuses.
 *
 * A push waits for the end of a reply that is going out in pieces. A pushed command names the device as it named itself,
 * or with the `deviceName` given.
 *
 * @example
 * gateway.misbehave("status", { do: "close", afterBytes: 2 });
 */
export type StatusFault =
  | { readonly do: "stay silent"; readonly afterBytes?: number | undefined }
  | { readonly do: "close"; readonly afterBytes?: number | undefined; readonly delayMs?: number | undefined }
  | { readonly do: "reset"; readonly afterBytes?: number | undefined; readonly delayMs?: number | undefined }
  | { readonly do: "delay"; readonly ms: number; readonly afterBytes?: number | undefined }
  | { readonly do: "drip"; readonly bytes?: number | undefined; readonly everyMs?: number | undefined }
  | {
      readonly do: "merge";
      readonly with: Uint8Array | readonly Uint8Array[];
      readonly order?: "before" | "after" | undefined;
      readonly deviceName?: string | undefined;
    }
  | { readonly do: "send"; readonly bytes: Uint8Array }
  | { readonly do: "stop reading" }
  | { readonly do: "vanish" }
  | { readonly do: "push first"; readonly command: Uint8Array; readonly deviceName?: string | undefined }
  | { readonly do: "push instead"; readonly command: Uint8Array; readonly deviceName?: string | undefined };

/**
 * What can go wrong in the reply to a connect: all that can in the reply to a status, and a refusal.
 *
 * `refuse` sends the response type (any int32 but 0: 1 already connected, 2 module not supported, 3 device type not
 * supported, 4 higher priority already connected; others are unknown). As on a real gateway, the socket is closed after
 * 1 and 4, and after the others it stays open and the device's slot taken until the device closes it.
 *
 * The other faults spoil the reply only: the gateway has connected the device, and its slot is taken.
 *
 * @example
 * gateway.misbehave("connect", { do: "refuse", responseType: 2 });
 */
export type ConnectFault = StatusFault | { readonly do: "refuse"; readonly responseType: number };

/**
 * The faults that make sense at each point.
 *
 * @example
 * const slow: FaultAt["status"] = { do: "delay", ms: 400 };
 */
export interface FaultAt {
  /** When a TCP connection was accepted. */
  readonly accept: AcceptFault;
  /** In place of the answer to a connect. */
  readonly connect: ConnectFault;
  /** In place of the answer to a status. */
  readonly status: StatusFault;
}

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

/** The planned faults that have not happened yet, in order. */
export interface Plans {
  readonly add: <At extends FaultPoint>(at: At, fault: FaultAt[At], options?: PlanOptions) => void;
  /** Takes the fault planned for this point; undefined if there is none. */
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
      throw new TypeError(
        explain("argument which", `left out at "accept": no device has introduced itself yet`, which),
      );
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

/** A copy, because the caller may overwrite its bytes. */
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
  /** They concern the reply, and at `accept` there is none. */
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

/** Faults come from test code, often without types: a plan that cannot work must fail at once, and not by a test that hangs. */
function checkFault(at: FaultPoint, fault: ConnectFault): void {
  oneOf(...FAULT_POINTS)("argument at", at);
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
  if (value === 0) throw new RangeError(explain(name, "a number other than 0, which means OK", value));
}

function commands(name: string, value: unknown): void {
  if (!Array.isArray(value)) return bytes(name, value);
  value.forEach((command, index) => bytes(`${name}[${index}]`, command));
}
