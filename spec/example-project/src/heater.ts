import { defineModule, json } from "fleet-internal-client";

/** What the heater measures. */
export interface HeaterStatus {
  celsius: number;
}

/** What it is to do. */
export interface HeaterCommand {
  heat: boolean;
}

function isHeaterCommand(value: unknown): value is HeaterCommand {
  return typeof value === "object" && value !== null && "heat" in value && typeof value.heat === "boolean";
}

export const heater = defineModule({
  name: "heater",
  number: 1001,
  status: json<HeaterStatus>(),
  command: json(isHeaterCommand),
});
