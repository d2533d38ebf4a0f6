import { setTimeout as sleep } from "node:timers/promises";

import { example } from "../../lib/modules/example.js";
import { carAccessory } from "../../lib/modules/car-accessory.js";
import type { ConnectError } from "../../lib/index.js";
import { startGateway, type TestingGateway } from "../../lib/testing.js";
import { runBoard, type Board } from "./board.js";
import { buttonDevice, runButton } from "./button.js";
import { say } from "./say.js";
import { answer, servedModules } from "./vehicle.js";

const INTERVAL_MS = 500;

/** Some seconds in the life of a gateway and two devices. Gives an error if a device could not connect. */
export async function tellStory(): Promise<ConnectError | undefined> {
  const gateway = await startGateway({ modules: servedModules, answer });
  const modules = servedModules.map(({ module }) => module).join(" and ");
  say("gateway", "started", `${gateway.host} port ${gateway.port}, modules ${modules}`);

  const ending = new AbortController();
  const board: Board = { outputs: new Map([1, 2].map((output) => [output, false])), presses: 0 };
  let isPressed = false;
  const devices = [
    runBoard(gateway, board, INTERVAL_MS, ending.signal),
    runButton(gateway, () => isPressed, INTERVAL_MS, ending.signal),
  ];

  await sleep(0.7 * INTERVAL_MS);
  say("person", "presses", "the button, and holds it");
  isPressed = true;
  await sleep(INTERVAL_MS);
  say("person", "releases", "the button");
  isPressed = false;
  say("person", "presses", "the board's own button, once");
  board.presses += 1;
  await sleep(2 * INTERVAL_MS);
  pushToBoard(gateway);
  await sleep(0.5 * INTERVAL_MS);
  await connectTwin(gateway);
  await sleep(0.5 * INTERVAL_MS);
  await restart(gateway);
  await sleep(2 * INTERVAL_MS);

  ending.abort();
  const errors = await Promise.all(devices);
  await gateway.stop();
  say("gateway", "stopped", "the demo is over");
  return errors.find((error) => error !== undefined);
}

function pushToBoard(gateway: TestingGateway): void {
  say("gateway", "pushes", "a command to the board, which did not ask: toggle output 2");
  gateway.push(Buffer.from('[{"outNum":2,"actType":2}]'), { module: carAccessory.number });
}

/** A gateway lets a device in once. */
async function connectTwin(gateway: TestingGateway): Promise<void> {
  const { host, port } = gateway;
  say("twin", "connects", "a second device with the button's type and role");
  const outcome = await example.withClient({ host, port, device: { ...buttonDevice, deviceName: "twin" } }, () => "in");
  outcome.match(
    () => say("twin", "connected", "which should not have happened"),
    (error) => say("twin", "error", error.message),
  );
}

/** Between two statuses: the devices notice at once, and reconnect with their next status. */
async function restart(gateway: TestingGateway): Promise<void> {
  await gateway.nextStatus({ module: example.number });
  await sleep(0.2 * INTERVAL_MS);
  say("gateway", "restarts", "every connection is lost");
  await gateway.restart({ downMs: 0.2 * INTERVAL_MS });
  say("gateway", "started", `${gateway.host} port ${gateway.port}, as before`);
}
