import { array, boolean, integer, minValue, nullable, number, object, picklist, pipe, tuple } from "valibot";
import {
  defineModule,
  err,
  json,
  ok,
  optional,
  type Codec,
  type Device,
  type PayloadProblem,
  type Result,
} from "../index.js";

/**
 * The device types of the I/O module. Each must report at least its inputs and outputs: {@link CarAccessoryMinimum}.
 *
 * @example
 * const device = { module: carAccessory, deviceType: CarAccessoryDeviceType.BUTTON, deviceRole: "test2", deviceName: "button1" };
 */
export const CarAccessoryDeviceType = { ARDUINO_OPTA: 1, ARDUINO_MEGA: 2, ARDUINO_UNO: 3, BUTTON: 4 } as const;

/**
 * How many inputs and outputs a status has at least, by device type. The module does not answer a status with fewer, and closes the
 * connection; so such a status is refused before it goes out.
 *
 * @example
 * const { inputs, outputs } = CarAccessoryMinimum[CarAccessoryDeviceType.ARDUINO_OPTA]; // 6 and 4
 */
export const CarAccessoryMinimum = {
  1: { inputs: 6, outputs: 4 },
  2: { inputs: 4, outputs: 4 },
  3: { inputs: 6, outputs: 7 },
  4: { inputs: 1, outputs: 0 },
} as const;

/**
 * What an output is to do: the `actType` of a command.
 *
 * @example
 * const command: CarAccessoryCommand = [{ outNum: 3, actType: OutputAction.TOGGLE }];
 */
export const OutputAction = { SET_OFF: 0, SET_ON: 1, TOGGLE: 2 } as const;

/**
 * One input.
 *
 * @example
 * const input: InputState = { inNum: 1, inSt: true };
 */
export type InputState = {
  /** The input's number: a whole number, from 1 on the boards that exist. */
  inNum: number;
  /** Whether the input is high. */
  inSt: boolean;
};

/**
 * One output.
 *
 * @example
 * const output: OutputState = { outNum: 3, outErr: false, outSt: true };
 */
export type OutputState = {
  /** The output's number: a whole number, from 1 on the boards that exist. */
  outNum: number;
  /** Whether the output has failed. */
  outErr: boolean;
  /** Whether the output is high. */
  outSt: boolean;
};

/**
 * A status: the inputs, the outputs, and `butPr`, how often the board's button was pressed (a whole number, 0 or more).
 *
 * @example
 * const status: CarAccessoryStatus = [[{ inNum: 1, inSt: true }], [], { butPr: 0 }]; // a button's
 */
export type CarAccessoryStatus = [InputState[], OutputState[], { butPr: number }];

/**
 * What each of the outputs named is to do; `null` when there is nothing to do, as for every button. The first command of a board sets
 * the outputs 0 to 3 off.
 *
 * @example
 * const nothing: CarAccessoryCommand = null;
 */
export type CarAccessoryCommand = { outNum: number; actType: 0 | 1 | 2 }[] | null;

const wholeNumber = /* @__PURE__ */ pipe(/* @__PURE__ */ number(), /* @__PURE__ */ integer());
const count = /* @__PURE__ */ pipe(wholeNumber, /* @__PURE__ */ minValue(0));
const flag = /* @__PURE__ */ boolean();
const input = /* @__PURE__ */ object({ inNum: wholeNumber, inSt: flag });
const output = /* @__PURE__ */ object({ outNum: wholeNumber, outErr: flag, outSt: flag });
const action = /* @__PURE__ */ object({ outNum: wholeNumber, actType: /* @__PURE__ */ picklist([0, 1, 2]) });
const report = /* @__PURE__ */ tuple([
  /* @__PURE__ */ array(input),
  /* @__PURE__ */ array(output),
  /* @__PURE__ */ object({ butPr: count }),
]);

function withMinimum(codec: Codec<CarAccessoryStatus>): Codec<CarAccessoryStatus> {
  return {
    encode: (status, device) => codec.encode(status, device).andThen((bytes) => problemOf(status, device) ?? ok(bytes)),
    // A gateway reads statuses with it, so it must reject the same ones.
    decode: (bytes, device) => codec.decode(bytes, device).andThen((status) => problemOf(status, device) ?? ok(status)),
  };
}

function problemOf(
  [inputs, outputs]: CarAccessoryStatus,
  { deviceType }: Device,
): Result<never, PayloadProblem> | undefined {
  const minimums: Readonly<Record<number, { readonly inputs: number; readonly outputs: number }>> = CarAccessoryMinimum;
  const least = minimums[deviceType];
  if (least === undefined) return undefined;
  const problem = tooFew("$[0]", "inputs", inputs, least.inputs) ?? tooFew("$[1]", "outputs", outputs, least.outputs);
  return problem === undefined ? undefined : err(problem);

  function tooFew(path: string, what: string, given: readonly unknown[], needed: number): PayloadProblem | undefined {
    if (given.length >= needed) return undefined;
    return { path, message: `it has ${given.length} ${what}, but device type ${deviceType} has at least ${needed}` };
  }
}

/**
 * The I/O module, number 2, formerly called car accessory. A version that pushes its commands answers a status with `undefined` when it
 * has nothing new.
 *
 * @example
 * const command = await exchange(button, [[{ inNum: 1, inSt: false }], [], { butPr: 0 }]); // Ok(null)
 */
export const carAccessory = /* @__PURE__ */ defineModule({
  name: "car accessory",
  number: 2,
  status: /* @__PURE__ */ withMinimum(/* @__PURE__ */ json<CarAccessoryStatus>(report)),
  command: /* @__PURE__ */ optional(
    /* @__PURE__ */ json<CarAccessoryCommand>(/* @__PURE__ */ nullable(/* @__PURE__ */ array(action))),
  ),
});
