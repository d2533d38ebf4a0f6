/** How long it takes, after the gateway restarted while a status was in flight, until that status has its command. */
import { exchange } from "../../../lib/index.js";
import { compare, type Sample, type Subject } from "./compare.js";
import { connectFrame, connectResponseFrame, payloadOf, statusFrame } from "./frames.js";
import { connectHandle } from "./library.js";
import { finish, settings } from "./message.js";
import { median } from "./median.js";
import { discarding, onread, openSocket, owning } from "./raw-device.js";
import { microsecondsSince } from "./stamp.js";

export interface RecoverySettings {
  /** Each restarts on its own, so that none sees another's restarts. */
  readonly ports: { readonly raw: number; readonly rawAgain: number; readonly library: number };
  readonly rounds: number;
  readonly restartsPerSlice: number;
  /** How long the library waits before it reconnects, by contract. */
  readonly pauseMs: number;
  readonly names: { readonly raw: string; readonly rawAgain: string; readonly library: string };
}

const { ports, rounds, restartsPerSlice, pauseMs, names } = settings() as RecoverySettings;
const payload = payloadOf(16);
const status = statusFrame(payload);

const slice = async (oneRestart: () => Promise<number>, pause: number): Promise<Sample> => {
  const times: number[] = [];
  for (let restart = 0; restart < restartsPerSlice; restart += 1) {
    times.push((await oneRestart()) / 1000);
  }
  const time = median(times);
  return { time, withoutPause: time - pause };
};

/** Connects, sends the status, and when the connection ends before the answer, does the same again at once. */
const rawSubject = (name: string, port: number): Subject => {
  const source = onread();
  const attempt = (resolve: (microseconds: number) => void): void => {
    const answered = (command: Uint8Array | undefined): void => {
      resolve(microsecondsSince(command ?? payload));
      socket.removeListener("end", again).destroy();
    };
    const again = (): void => {
      socket.destroy();
      attempt(resolve);
    };
    let read = discarding(connectResponseFrame.length, 0, () => {
      read = owning(status.length, payload.length, answered);
      socket.write(status);
    });
    const socket = openSocket(port, source, (chunk, length) => read(chunk, length));
    socket.once("connect", () => socket.write(connectFrame)).once("end", again);
  };
  return { name, slice: () => slice(() => new Promise(attempt), 0) };
};

const librarySubject = async (name: string, port: number): Promise<Subject> => {
  const handle = await connectHandle(port);
  const oneRestart = async (): Promise<number> => {
    const exchanged = await exchange(handle, payload);
    if (exchanged.isErr()) {
      throw exchanged.error;
    }
    return microsecondsSince(exchanged.value);
  };
  return { name, slice: () => slice(oneRestart, pauseMs) };
};

const others = [rawSubject(names.rawAgain, ports.rawAgain), await librarySubject(names.library, ports.library)];
finish(await compare(rawSubject(names.raw, ports.raw), others, { rounds, warmUps: 4 }));
