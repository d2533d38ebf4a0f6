import assert from "node:assert/strict";
import { exchange, withClient } from "fleet-internal-client";
import { example, ExampleDeviceType } from "fleet-internal-client/modules/example";
import { startGateway } from "fleet-internal-client/testing";

const device = {
  module: example,
  deviceType: ExampleDeviceType.BUTTON,
  deviceRole: "left_button",
  deviceName: "button1",
};

/** A button that is not pressed is told to light its lamp. */
export async function lightsItsLamp() {
  const gateway = await startGateway({ modules: [example] });
  const command = await withClient({ host: gateway.host, port: gateway.port, device }, (client) =>
    exchange(client, { pressed: false }),
  );
  await gateway.stop();
  if (command.isErr()) throw command.error;
  assert.deepEqual(command.value, { lit_up: true });
}
