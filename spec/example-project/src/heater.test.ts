import { afterEach, beforeEach, expect, it } from "@jest/globals";
import { exchange, withClient } from "fleet-internal-client";
import { startGateway, type TestingGateway } from "fleet-internal-client/testing";
import { heater } from "./heater.js";

const device = { module: heater, deviceType: 0, deviceRole: "cabin_heater", deviceName: "heater1" };
let gateway: TestingGateway;

beforeEach(async () => {
  gateway = await startGateway({ answer: () => Buffer.from('{"heat":true}') });
});

afterEach(() => gateway.stop());

function report(celsius: number) {
  return withClient({ host: gateway.host, port: gateway.port, device }, (client) => exchange(client, { celsius }));
}

it("writes a status and reads the command", async () => {
  expect(await report(12.5)).toMatchObject({ value: { heat: true } });
  expect(gateway.statuses().map((status) => Buffer.from(status).toString())).toEqual(['{"celsius":12.5}']);
});

it("rejects anything else as a command", async () => {
  gateway.misbehave("status", { do: "push instead", command: Buffer.from('{"heat":"a little"}') });
  expect(await report(12.5)).toMatchObject({ error: { code: "COMMAND_INCORRECT" } });
});

it("survives a lost connection", async () => {
  gateway.misbehave("status", { do: "reset" });
  expect(await report(12.5)).toMatchObject({ value: { heat: true } });
  expect(gateway.connections).toBe(2);
});
