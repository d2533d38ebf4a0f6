/**
 * The gateway of the benchmark: it knows no protobuf and no library, only where a frame ends. Every frame is answered at
 * once with bytes made ready when a frame of that length first came on the connection.
 *
 * Each argument is a port to be opened and says how statuses are answered on it; the ports are printed in the same order.
 */
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";

import { connectFrame, connectResponseFrame, headerBytes, host } from "./frames.js";
import type { Mode } from "./modes.js";
import { stampInto } from "./stamp.js";

/** Long enough for whoever gets the answer to be idle again. */
const pushAfterMs = 3;

type AnswerStatus = (socket: Socket, answer: Buffer) => void;

/**
 * Cuts the stream into frames, and gives the bytes of those whose length is not known. As for the real gateway, a header
 * must come whole; a second frame ahead of the answer to the first is not expected here.
 */
const readFrames = (
  socket: Socket,
  isKnown: (length: number) => boolean,
  received: (length: number, bytes: Buffer | undefined) => void,
): void => {
  let length = 0;
  let missing = 0;
  let parts: Buffer[] | undefined;
  socket.on("data", (chunk: Buffer) => {
    if (missing === 0) {
      length = headerBytes + chunk.readUInt32LE();
      missing = length;
      parts = isKnown(length) ? undefined : [];
    }
    missing -= chunk.length;
    parts?.push(chunk);
    if (missing > 0) {
      return;
    }
    if (missing < 0) {
      throw new Error("a frame came before the one ahead of it was answered");
    }
    received(length, parts && Buffer.concat(parts));
  });
};

const serve = (socket: Socket, answerStatus: AnswerStatus): void => {
  const answers = new Map<number, Buffer>();
  let isConnected = false;
  socket.setNoDelay(true);
  socket.on("error", () => socket.destroy());
  const isKnown = (length: number): boolean => answers.has(length);
  readFrames(socket, isKnown, (length, bytes) => {
    if (!isConnected) {
      if (bytes?.equals(connectFrame) !== true) {
        throw new Error("the first frame is not the device's connect");
      }
      isConnected = true;
      socket.write(connectResponseFrame);
      return;
    }
    if (bytes !== undefined) {
      answers.set(length, bytes);
    }
    answerStatus(socket, answers.get(length) as Buffer);
  });
};

const listen = (port: number, answerStatus: AnswerStatus, sockets: Set<Socket>): Promise<Server> =>
  new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on("close", () => sockets.delete(socket));
      serve(socket, answerStatus);
    });
    server.once("error", reject);
    server.listen({ host, port, backlog: 4096 }, () => resolve(server));
  });

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

const whole: AnswerStatus = (socket, answer) => socket.write(answer);

/** Pinned to one CPU with its reader, the header came alone in four of ten answers: as from the real gateway. */
const split: AnswerStatus = (socket, answer) => {
  socket.write(answer.subarray(0, headerBytes));
  socket.write(answer.subarray(headerBytes));
};

/** Answers, and pushes the same command a little later, with the time at which it is written. */
const push: AnswerStatus = (socket, answer) => {
  socket.write(answer);
  setTimeout(() => {
    const command = Buffer.from(answer);
    stampInto(command);
    socket.write(command);
  }, pushAfterMs);
};

/**
 * A status makes this gateway restart: its port is closed and opened again, and all connections are gone. The next
 * status is answered with the time of the restart.
 */
const openRestarting = async (): Promise<number> => {
  const sockets = new Set<Socket>();
  let stamped: Buffer | undefined;
  const answerStatus: AnswerStatus = (socket, answer) => {
    if (stamped === undefined) {
      void restart(answer);
      return;
    }
    socket.write(stamped);
    stamped = undefined;
  };
  const restart = async (answer: Buffer): Promise<void> => {
    const old = [...sockets];
    server.close();
    server = await listen(port, answerStatus, sockets);
    stamped = Buffer.from(answer);
    stampInto(stamped);
    for (const socket of old) {
      socket.destroy();
    }
  };
  let server = await listen(0, answerStatus, sockets);
  const port = portOf(server);
  return port;
};

const open = async (mode: Mode): Promise<number> => {
  if (mode === "restart") {
    return openRestarting();
  }
  return portOf(await listen(0, { whole, split, push }[mode], new Set()));
};

const ports = await Promise.all((process.argv.slice(2) as Mode[]).map(open));
console.log(JSON.stringify(ports));
// Whoever started it holds the other end: when that is gone, so is this.
process.stdin.on("end", () => process.exit()).resume();
