/** What one open device costs in memory when it is idle again after an exchange. Run with --expose-gc. */
import { setImmediate, setTimeout } from "node:timers/promises";

import { exchange, type ClientHandle } from "../../../lib/index.js";
import { payloadOf } from "./frames.js";
import { connectHandle } from "./library.js";
import { finish, settings } from "./message.js";
import { onread, openRawDevice, owning, type RawDevice } from "./raw-device.js";

export interface MemorySettings {
  readonly kind: "raw" | "library";
  readonly port: number;
  readonly devices: number;
}

const { kind, port, devices } = settings() as MemorySettings;
const payload = payloadOf(16);
const source = onread();
const connectsAtOnce = 100;

const openRaw = async (): Promise<RawDevice> => {
  const device = await openRawDevice(port, source, owning, payload);
  await new Promise((resolve) => device.exchange(resolve));
  return device;
};

const openHandle = async (): Promise<ClientHandle> => {
  const handle = await connectHandle(port);
  const exchanged = await exchange(handle, payload);
  if (exchanged.isErr()) {
    throw exchanged.error;
  }
  return handle;
};

const open: (RawDevice | ClientHandle)[] = [];

const openAll = async (count: number): Promise<void> => {
  const openOne: () => Promise<RawDevice | ClientHandle> = kind === "raw" ? openRaw : openHandle;
  for (let opened = 0; opened < count; opened += connectsAtOnce) {
    const batch = Math.min(connectsAtOnce, count - opened);
    open.push(...(await Promise.all(Array.from({ length: batch }, openOne))));
  }
};

const settled = async (): Promise<NodeJS.MemoryUsage> => {
  await setTimeout(100);
  for (let turn = 0; turn < 5; turn += 1) {
    globalThis.gc?.();
    await setImmediate();
  }
  return process.memoryUsage();
};

// What is paid once, such as the code and the shared buffers, is paid before.
await openAll(connectsAtOnce);
const before = await settled();
await openAll(devices);
const after = await settled();
if (open.length !== connectsAtOnce + devices) {
  throw new Error("not all devices are open");
}
finish({
  heap: (after.heapUsed + after.external - before.heapUsed - before.external) / devices,
  resident: (after.rss - before.rss) / devices,
});
