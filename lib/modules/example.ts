import { boolean, object } from "valibot";
import { defineModule, json } from "../index.js";

/**
 * The device types of the example module.
 *
 * @example
 * const device = { deviceType: ExampleDeviceType.BUTTON, deviceRole: "left", deviceName: "button1" };
 */
export const ExampleDeviceType = { BUTTON: 0, OTHER_BUTTON: 10 } as const;

/**
 * The button's state.
 *
 * @example
 * const status: ExampleStatus = { pressed: true };
 */
export interface ExampleStatus {
  /** Whether the button is pressed. */
  pressed: boolean;
}

/**
 * What the button is to do.
 *
 * @example
 * const command: ExampleCommand = { lit_up: true };
 */
export interface ExampleCommand {
  /** Whether its lamp is to be lit. */
  lit_up: boolean;
}

/**
 * The example module, number 1000: a button with a lamp.
 *
 * @example
 * const command = await example.exchange(button, { pressed: true }); // Ok({ lit_up: true })
 */
export const example = /* @__PURE__ */ defineModule({
  name: "example",
  number: 1000,
  status: /* @__PURE__ */ json<ExampleStatus>(/* @__PURE__ */ object({ pressed: /* @__PURE__ */ boolean() })),
  command: /* @__PURE__ */ json<ExampleCommand>(/* @__PURE__ */ object({ lit_up: /* @__PURE__ */ boolean() })),
});
