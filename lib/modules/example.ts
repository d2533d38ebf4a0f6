import { boolean, object } from "valibot";
import { defineModule, err, json, ok, text, type Codec, type StandardSchema } from "../index.js";

/**
 * The only device type of the example module.
 *
 * @example
 * const device = { module: example, deviceType: ExampleDeviceType.BUTTON, deviceRole: "left", deviceName: "button1" };
 */
export const ExampleDeviceType = { BUTTON: 0 } as const;

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
  /** Whether the lamp is to be on. Until the cloud sends a command, it is on while the button is not pressed. */
  lit_up: boolean;
}

/** The module compares statuses byte by byte and requires a space after the colon, which `JSON.stringify` does not write. */
function flag<Name extends string>(
  name: Name,
  schema: StandardSchema<Record<Name, boolean>>,
): Codec<Record<Name, boolean>> {
  const checked = json(schema);
  const { encode } = text();
  return {
    encode: (payload, device) =>
      checked.encode(payload, device).andThen(() => encode(`{"${name}": ${payload[name]}}`, device)),
    decode: checked.decode,
  };
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}

/** A gateway reads statuses with it, so it must reject the same ones. */
function byteForByte<Payload>({ encode, decode }: Codec<Payload>): Codec<Payload> {
  const problem = { path: "$", message: "it is not written as the module compares it, byte for byte" };
  return {
    encode,
    decode: (bytes, device) =>
      decode(bytes, device).andThen((payload) =>
        encode(payload, device).andThen((own) => (isSame(own, bytes) ? ok(payload) : err(problem))),
      ),
  };
}

/**
 * The example module, number 1000: a button with a lamp. Its statuses are `{"pressed": true}` and `{"pressed": false}`, its commands
 * `{"lit_up": true}` and `{"lit_up": false}`.
 *
 * @example
 * const command = await exchange(button, { pressed: true }); // Ok({ lit_up: false })
 */
export const example = /* @__PURE__ */ defineModule<ExampleStatus, ExampleCommand>({
  name: "example",
  number: 1000,
  status: /* @__PURE__ */ byteForByte(
    /* @__PURE__ */ flag("pressed", /* @__PURE__ */ object({ pressed: /* @__PURE__ */ boolean() })),
  ),
  command: /* @__PURE__ */ flag("lit_up", /* @__PURE__ */ object({ lit_up: /* @__PURE__ */ boolean() })),
});
