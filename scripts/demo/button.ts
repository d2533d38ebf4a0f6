import { example, ExampleDeviceType } from "../../lib/modules/example.js";
import type { ConnectError } from "../../lib/index.js";
import { live } from "./live.js";
import { say } from "./say.js";

export interface Place {
  readonly host: string;
  readonly port: number;
}

export const buttonDevice = {
  deviceType: ExampleDeviceType.BUTTON,
  deviceRole: "demo_button",
  deviceName: "button",
};

/** The example button: says whether it is pressed, and lights its lamp as it is told. */
export function runButton(
  place: Place,
  isPressed: () => boolean,
  intervalMs: number,
  signal: AbortSignal,
): Promise<ConnectError | undefined> {
  const readButton = () => {
    const pressed = isPressed();
    say("button", "status", pressed ? "pressed" : "not pressed");
    return { pressed };
  };
  return live(
    "button",
    () => example.connect({ ...place, device: buttonDevice, signal }),
    async (client) => {
      for await (const outcome of example.statuses(client, readButton, { intervalMs, timeoutMs: 2_000, signal })) {
        if (signal.aborted) break;
        outcome.match(
          ({ lit_up }) => say("button", "command", `lamp ${lit_up ? "on" : "off"}`),
          (error) => say("button", "error", error.message),
        );
      }
    },
    signal,
  );
}
