/** How long a pushed command takes from the gateway's write to whoever reads it. */
import { exchange } from "../../../lib/index.js";
import { commands } from "../../../lib/throwing.js";
import { compare, type Sample, type Subject } from "./compare.js";
import { payloadOf } from "./frames.js";
import { connectHandle } from "./library.js";
import { finish, settings } from "./message.js";
import { median } from "./median.js";
import { dataEvents, openRawDevice, type Reading } from "./raw-device.js";
import { microsecondsSince } from "./stamp.js";

export interface PushSettings {
  readonly port: number;
  readonly rounds: number;
  readonly pushesPerSlice: number;
  readonly names: { readonly raw: string; readonly rawAgain: string; readonly library: string };
}

const { port, rounds, pushesPerSlice, names } = settings() as PushSettings;
const payload = payloadOf(16);

/** Several pushes, and what is typical of them: one alone tells more of the scheduler than of the reader. */
const slice = async (onePush: () => Promise<number>): Promise<Sample> => {
  const latencies: number[] = [];
  for (let push = 0; push < pushesPerSlice; push += 1) {
    latencies.push(await onePush());
  }
  return { latency: median(latencies) };
};

/** Gives the push, once it and the answer before it are there: a stamp stands at its end. */
const answerAndPush: Reading = (frameBytes, _payloadBytes, pushed) => {
  let missing = 2 * frameBytes;
  return (chunk, length) => {
    missing -= length;
    if (missing === 0) {
      missing = 2 * frameBytes;
      pushed(chunk);
    }
  };
};

/** The gateway answers a status and pushes a command behind it. */
const rawSubject = async (name: string): Promise<Subject> => {
  const device = await openRawDevice(port, dataEvents, answerAndPush, payload);
  const onePush = (): Promise<number> =>
    new Promise((resolve) => device.exchange((chunk) => resolve(microsecondsSince(chunk ?? payload))));
  return { name, slice: () => slice(onePush) };
};

const librarySubject = async (name: string): Promise<Subject> => {
  const handle = await connectHandle(port);
  const reader = commands(handle);
  const nextCommand = async (): Promise<Uint8Array> => {
    const next = await reader.next();
    if (next.done === true) {
      throw new Error("the client has ended");
    }
    return next.value;
  };
  const onePush = async (): Promise<number> => {
    const exchanged = await exchange(handle, payload);
    if (exchanged.isErr()) {
      throw exchanged.error;
    }
    await nextCommand();
    return microsecondsSince(await nextCommand());
  };
  return { name, slice: () => slice(onePush) };
};

const others = [await rawSubject(names.rawAgain), await librarySubject(names.library)];
finish(await compare(await rawSubject(names.raw), others, { rounds, warmUps: 40 }));
