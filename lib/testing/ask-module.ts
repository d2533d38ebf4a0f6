import { bytes as checkBytes } from "./checks.js";
import type { Context } from "./context.js";
import { recordError } from "./context.js";
import type { Device } from "./device.js";

/** What the module makes of a status; undefined for no answer, be the status invalid or the module slow or broken. */
export function askModule(context: Context, status: Uint8Array, device: Device): Promise<Uint8Array | undefined> {
  return inTime(context, answerOf(context, status, device));
}

async function answerOf(context: Context, status: Uint8Array, device: Device): Promise<Uint8Array | undefined> {
  try {
    const command = await context.settings.answer(status, device);
    if (command !== undefined) checkBytes("the answer", command);
    return command;
  } catch (error) {
    // Also when it comes too late to matter for the device: whoever wrote `answer` must be able to see it.
    recordError(context, error);
    return undefined;
  }
}

function inTime<Value>(context: Context, late: Promise<Value>): Promise<Value | undefined> {
  return new Promise((resolve) => {
    const callOff = context.timers.after(context.settings.moduleTimeoutMs, () => resolve(undefined));
    void late.then((value) => {
      callOff();
      resolve(value);
    });
  });
}
