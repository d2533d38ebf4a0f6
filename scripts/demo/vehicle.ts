import type { Device } from "../../lib/testing.js";
import { carAccessory, OutputAction, type CarAccessoryCommand } from "../../lib/modules/car-accessory.js";
import { example } from "../../lib/modules/example.js";

/** The modules that the demo's gateway has loaded, and the device types that they know. */
export const servedModules = [
  { module: carAccessory.number, deviceTypes: [1, 2, 3, 4] },
  { module: example.number, deviceTypes: [0, 10] },
];

/** What the modules make of a status; `undefined` for one that is invalid. */
export function answer(status: Uint8Array, { module }: Device): Uint8Array | undefined {
  return module === example.number ? answerToButton(status) : answerToBoard(status);
}

/** The lamp of a button is lit while the button is pressed. */
function answerToButton(status: Uint8Array): Uint8Array | undefined {
  return example.status
    .decode(status)
    .andThen(({ pressed }) => example.command.encode({ lit_up: pressed }))
    .unwrapOr(undefined);
}

/** The first press of the board's own button switches output 1 on. */
function answerToBoard(status: Uint8Array): Uint8Array | undefined {
  return carAccessory.status
    .decode(status)
    .map(([, outputs, { butPr }]): CarAccessoryCommand => {
      const isToSwitch = butPr > 0 && outputs.some(({ outNum, outSt }) => outNum === 1 && !outSt);
      return isToSwitch ? [{ outNum: 1, actType: OutputAction.SET_ON }] : null;
    })
    .andThen((command) => carAccessory.command.encode(command))
    .unwrapOr(undefined);
}
