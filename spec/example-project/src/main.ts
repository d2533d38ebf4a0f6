import { type Hardware, runHeater } from "./device.js";

const [host = "127.0.0.1", port = "1636"] = process.argv.slice(2);

const stop = new AbortController();
for (const name of ["SIGINT", "SIGTERM"]) process.once(name, () => stop.abort());

// Your hardware goes here.
const hardware: Hardware = {
  readCelsius: () => 19.5,
  switchHeating: (on) => console.log("heating", on ? "on" : "off"),
};

void runHeater(hardware, { host, port: Number(port), signal: stop.signal });
