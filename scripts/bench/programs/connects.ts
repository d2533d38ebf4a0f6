/** Connecting a device and closing its connection, over and over. */
import { destroy } from "../../../lib/index.js";
import { compare, type Subject } from "./compare.js";
import { connectFrame, connectResponseFrame } from "./frames.js";
import { connectHandle } from "./library.js";
import { finish, settings } from "./message.js";
import { discarding, onread, openSocket } from "./raw-device.js";
import { awaitedLoop, callbackLoop, timed, type Loop } from "./slices.js";

export interface ConnectSettings {
  readonly port: number;
  readonly rounds: number;
  readonly sliceMs: number;
  readonly names: { readonly raw: string; readonly rawAgain: string; readonly library: string };
}

const { port, rounds, sliceMs, names } = settings() as ConnectSettings;

const rawLoop = (): Loop => {
  const source = onread();
  return callbackLoop((done) => {
    const read = discarding(connectResponseFrame.length, 0, () => socket.destroy());
    const socket = openSocket(port, source, read);
    socket.once("connect", () => socket.write(connectFrame));
    socket.once("close", done);
  });
};

const connectAndDestroy = async (): Promise<void> => {
  await destroy(await connectHandle(port));
};

const libraryLoop = awaitedLoop(connectAndDestroy, () => undefined);

const subject = (name: string, loop: Loop): Subject => ({ name, slice: () => timed([loop], sliceMs) });

const others = [subject(names.rawAgain, rawLoop()), subject(names.library, libraryLoop)];
finish(await compare(subject(names.raw, rawLoop()), others, { rounds, warmUps: 30 }));
