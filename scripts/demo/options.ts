import { parseArgs } from "node:util";

export type DemoOptions =
  { readonly kind: "help" } | { readonly kind: "story" } | { readonly kind: "device"; host: string; port: number };

export const USAGE = `npm run demo                            a gateway and two devices in this process, for some seconds
npm run demo -- --host HOST --port PORT  one device, the example button, at a real gateway, until Ctrl-C

  --host HOST  the gateway's host name, IPv4 or IPv6 address (127.0.0.1)
  --port PORT  the gateway's port, 1 to 65535 (1636)
  --help       this text`;

/** @throws Error whose message is one line that says what is wrong */
export function demoOptions(args: readonly string[]): DemoOptions {
  const { values } = parseArgs({
    args: [...args],
    options: { host: { type: "string" }, port: { type: "string" }, help: { type: "boolean" } },
  });
  if (values.help === true) return { kind: "help" };
  if (values.host === undefined && values.port === undefined) return { kind: "story" };
  return { kind: "device", host: checkedHost(values.host ?? "127.0.0.1"), port: checkedPort(values.port ?? "1636") };
}

function checkedHost(host: string): string {
  if (host === "") throw new Error("--host is empty, but must be a host name, an IPv4 or an IPv6 address");
  return host;
}

function checkedPort(written: string): number {
  const port = /^\d+$/.test(written) ? Number(written) : 0;
  if (port >= 1 && port <= 65_535) return port;
  throw new Error(`--port is ${JSON.stringify(written)}, but must be a whole number from 1 to 65535`);
}
