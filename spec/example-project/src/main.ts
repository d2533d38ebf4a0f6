import { type Hardware, runDevice } from "./device.js";

const [host = "127.0.0.1", port = "1636"] = process.argv.slice(2);

const stop = new AbortController();
process.once("SIGINT", () => stop.abort());

// Your hardware goes here.
const hardware: Hardware = {
  readCelsius: () => 19.5,
  switchHeating: (on) => console.log("heating", on ? "on" : "off"),
};

void runDevice(hardware, { host, port: Number(port), signal: stop.signal });
