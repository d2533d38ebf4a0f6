/**
 * The gateway of the benchmark: it knows no protobuf and no library, only where a frame ends. Every status is answered at
 * once with bytes made ready when a frame of that length first came on the connection. It prints its port.
 */
import { createServer, type AddressInfo, type Socket } from "node:net";
import { connectFrame, connectResponseFrame, headerBytes, host, stampInto, statusFrame } from "./wire.js";

/** Long enough for whoever gets the answer to be idle again. */
const pushAfterMs = 1;

const exampleCommand = statusFrame(Buffer.from('{"lit_up": true}'));

const answers = {
  /** The same bytes in one write. */
  whole: (socket: Socket, status: Buffer): unknown => socket.write(status),
  /** The header and then the body, as the real gateway writes them. */
  split: (socket: Socket, status: Buffer): unknown => {
    socket.write(status.subarray(0, headerBytes));
    return socket.write(status.subarray(headerBytes));
  },
  /** The same bytes, and a little later a push of them that ends with the time at which it is written. */
  push: (socket: Socket, status: Buffer): unknown => {
    socket.write(status);
    return setTimeout(() => {
      const command = Buffer.from(status);
      stampInto(command);
      socket.write(command);
    }, pushAfterMs);
  },
  /** A command of the example module. */
  example: (socket: Socket): unknown => socket.write(exampleCommand),
};

export type GatewayMode = keyof typeof answers;

const answer = answers[process.argv[2] as GatewayMode];

/** As for the real gateway, a header must come whole; nobody here sends a frame ahead of the answer to the last. */
function serve(socket: Socket): void {
  const known = new Map<number, Buffer>();
  let isConnected = false;
  let length = 0;
  let missing = 0;
  let parts: Buffer[] = [];

  const received = (): void => {
    const frame = known.get(length) ?? Buffer.concat(parts);
    parts = [];
    if (isConnected) {
      known.set(length, frame);
      answer(socket, frame);
      return;
    }
    if (!frame.equals(connectFrame)) throw new Error("the first frame is not the device's connect");
    isConnected = true;
    socket.write(connectResponseFrame);
  };

  socket.setNoDelay(true);
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk: Buffer) => {
    if (missing === 0) missing = length = headerBytes + chunk.readUInt32LE();
    missing -= chunk.length;
    if (!known.has(length)) parts.push(chunk);
    if (missing < 0) throw new Error("a frame came before the one ahead of it was answered");
    if (missing === 0) received();
  });
}

const server = createServer(serve).listen({ host, port: 0, backlog: 4096 }, () => {
  console.log((server.address() as AddressInfo).port);
});
// Whoever started it holds the other end: when that is gone, so is this.
process.stdin.on("end", () => process.exit()).resume();
