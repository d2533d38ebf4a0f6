import { exchange, lazyClient } from "fleet-internal-client";
import { example, ExampleDeviceType } from "fleet-internal-client/modules/example";

const button = lazyClient({
  host: "127.0.0.1",
  port: Number(process.env["GATEWAY_PORT"]),
  device: {
    module: example,
    deviceType: ExampleDeviceType.BUTTON,
    deviceRole: "left_button",
    deviceName: "button1",
  },
  keepProcessAlive: false,
});

/**
 * A serverless function: it keeps its client from one event to the next, and never ends it.
 *
 * @param {{ readonly pressed: boolean }} event
 */
export async function handler({ pressed }) {
  const command = await button().andThen((client) => exchange(client, { pressed }, { timeoutMs: 2_000 }));
  if (command.isErr()) throw command.error;
  return command.value;
}
