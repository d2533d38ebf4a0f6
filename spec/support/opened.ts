import { connect, destroy, type ClientHandle, type Config, type Module } from "../../lib/index.js";
import { startGateway, type GatewayOptions, type Servable, type TestingGateway } from "../../lib/testing.js";

/** A button of the example module. */
export const button = { module: 1000, deviceType: 0, deviceRole: "test", deviceName: "button1" };

const gateways = new Set<TestingGateway>();
const clients = new Set<Parameters<typeof destroy>[0]>();

/** A gateway that `endAll` stops. */
export async function openGateway<const Modules extends readonly Servable[]>(
  options?: GatewayOptions<Modules>,
): Promise<TestingGateway> {
  const gateway = await startGateway(options);
  gateways.add(gateway);
  return gateway;
}

export function configFor(gateway: TestingGateway, changes: Partial<Config> = {}): Config {
  return { host: gateway.host, port: gateway.port, device: button, ...changes };
}

/** A connected button that `endAll` destroys. */
export async function openClient(gateway: TestingGateway, changes: Partial<Config> = {}): Promise<ClientHandle> {
  return keep((await connect(configFor(gateway, changes)))._unsafeUnwrap());
}

/** A gateway, and a button that is connected to it. */
export async function openButton(options?: GatewayOptions, changes?: Partial<Config>) {
  const gateway = await openGateway(options);
  return { gateway, client: await openClient(gateway, changes) };
}

/** A connected device of a module that `endAll` destroys. */
export async function openDevice<Status, Command>(
  gateway: TestingGateway,
  module: Module<Status, Command>,
  changes: Partial<Config["device"]> = {},
): Promise<ClientHandle<Status, Command>> {
  const device = { deviceType: 0, deviceRole: "test", deviceName: "device1", ...changes, module };
  return keep((await connect({ host: gateway.host, port: gateway.port, device }))._unsafeUnwrap());
}

/** Has a client, opened by other means, destroyed by `endAll`. */
export function keep<Handle extends Parameters<typeof destroy>[0]>(client: Handle): Handle {
  clients.add(client);
  return client;
}

/** For `afterEach`. */
export async function endAll(): Promise<void> {
  await Promise.all([...clients].map((client) => destroy(client)));
  await Promise.all([...gateways].map((gateway) => gateway.stop()));
  clients.clear();
  gateways.clear();
}
