import { array, boolean, integer, nullable, number, object, pipe, picklist, tuple } from "valibot";
import { defineModule, json } from "../index.js";

/**
 * The device types of the I/O module.
 *
 * @example
 * const device = { deviceType: CarAccessoryDeviceType.ARDUINO_UNO, deviceRole: "doors", deviceName: "board1" };
 */
export const CarAccessoryDeviceType = { ARDUINO_OPTA: 1, ARDUINO_MEGA: 2, ARDUINO_UNO: 3, BUTTON: 4 } as const;

/**
 * What an output is to do.
 *
 * @example
 * const command: CarAccessoryCommand = [{ outNum: 3, actType: OutputAction.TOGGLE }];
 */
export const OutputAction = { SET_OFF: 0, SET_ON: 1, TOGGLE: 2 } as const;

/**
 * An input's number and whether it is on.
 *
 * @example
 * const input: InputState = { inNum: 1, inSt: true };
 */
export type InputState = { inNum: number; inSt: boolean };

/**
 * An output's number, whether it has failed, and whether it is on.
 *
 * @example
 * const output: OutputState = { outNum: 3, outErr: false, outSt: true };
 */
export type OutputState = { outNum: number; outErr: boolean; outSt: boolean };

/**
 * The inputs, the outputs, and how often the button was pressed.
 *
 * @example
 * const status: CarAccessoryStatus = [[{ inNum: 1, inSt: true }], [], { butPr: 0 }];
 */
export type CarAccessoryStatus = [InputState[], OutputState[], { butPr: number }];

/**
 * What each named output is to do; `null` when there is nothing to do.
 *
 * @example
 * const nothing: CarAccessoryCommand = null;
 */
export type CarAccessoryCommand = { outNum: number; actType: 0 | 1 | 2 }[] | null;

const wholeNumber = pipe(number(), integer());
const input = object({ inNum: wholeNumber, inSt: boolean() });
const output = object({ outNum: wholeNumber, outErr: boolean(), outSt: boolean() });
const action = object({ outNum: wholeNumber, actType: picklist([0, 1, 2]) });

/**
 * The I/O module, number 2, first called car accessory.
 *
 * @example
 * const command = await carAccessory.exchange(board, [[{ inNum: 1, inSt: false }], [], { butPr: 0 }]); // Ok(null)
 */
export const carAccessory = defineModule({
  name: "car accessory",
  number: 2,
  status: json<CarAccessoryStatus>(tuple([array(input), array(output), object({ butPr: wholeNumber })])),
  command: json<CarAccessoryCommand>(nullable(array(action))),
});
