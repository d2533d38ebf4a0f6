import { defineModule, optional, text } from "../index.js";

/**
 * The transparent module, number 3: it passes text through unchanged, for devices of any type. Its makers ask for device
 * roles and names that match `^[a-z0-9_]*$`. Until the cloud sends another, its command is the JSON string
 * `"default_command"`, quotes included. A later revision pushes its commands, and answers a status with `undefined` when it has
 * nothing new.
 *
 * @example
 * const command = await exchange(device, "Status 0"); // Ok('"default_command"')
 */
export const transparent = /* @__PURE__ */ defineModule({
  name: "transparent",
  number: 3,
  status: /* @__PURE__ */ text(),
  command: /* @__PURE__ */ optional(/* @__PURE__ */ text()),
});
