import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "@jest/globals";
import {
  checkedCommandsOptions,
  checkedConfig,
  checkedDeviceOptions,
  checkedStatusOptions,
} from "../../lib/client/arguments.js";
import { toSettings } from "../../lib/testing/options.js";
import { membersOf } from "./api.js";
import { generatedPart } from "./generated.js";
import { withGeneratedParts } from "./markdown.js";
import { pages } from "./pages.js";

// `npm run pages` writes the parts anew.
it.each(pages)("the generated parts of %s match the code", (path) => {
  const page = readFileSync(path, "utf8");
  const written = withGeneratedParts(page, generatedPart);
  if (process.env["WRITE_PAGES"] !== undefined) writeFileSync(path, written);
  else expect(page).toBe(written);
});

describe("a default in a comment is the one in the code", () => {
  const device = { module: 1000, deviceType: 0, deviceRole: "", deviceName: "" };
  const config = checkedConfig({ host: "localhost", port: 1636, device });
  const { repeatAfterMs } = checkedDeviceOptions(undefined);
  const gateway = toSettings({});
  const shown = (value: unknown) => (typeof value === "number" ? value.toLocaleString("en-US") : String(value));

  it.each([
    ["Config", "connectTimeoutMs", config.connectTimeoutMs],
    ["Config", "maxMessageBytes", config.maxMessageBytes],
    ["Config", "keepProcessAlive", config.keepProcessAlive],
    ["DeviceConfig", "priority", config.device.priority],
    ["SendStatusOptions", "timeoutMs", checkedStatusOptions(undefined).timeoutMs],
    ["CommandsOptions", "highWaterMark", checkedCommandsOptions(undefined).highWaterMark],
    ["RunDeviceOptions", "repeatAfterMs", `never; ${shown(repeatAfterMs)} for \`runDevice\``],
    ["GatewayOptions", "port", gateway.port],
    ["GatewayOptions", "moduleTimeoutMs", `${gateway.moduleTimeoutMs}, as on a real gateway`],
    ["GatewayOptions", "cleanUpMs", gateway.cleanUpMs],
    ["GatewayOptions", "silenceMs", gateway.silenceMs],
  ])("%s.%s", (name, option, value) => {
    const entry = name === "GatewayOptions" ? "testing" : undefined;
    expect(membersOf(name, entry).find((member) => member.name === `${option}?`)?.defaultValue).toBe(shown(value));
  });
});
