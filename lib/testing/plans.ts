import { checkFault } from "./check-fault.js";
import { checkFields, explain, integerOrInfinity } from "./checks.js";
import type { Device, DeviceFilter } from "./device.js";
import { checkFilter, matches } from "./device.js";
import type { FaultAt, FaultPoint } from "./faults.js";

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
      throw new TypeError(explain("which", `left out at "accept", where no device has said who it is`, which));
    }
    plans.push({ at, fault: { ...fault }, which, times });
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
