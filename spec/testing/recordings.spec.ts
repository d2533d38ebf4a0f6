import { afterEach, expect, it } from "@jest/globals";
import { missionProtobuf } from "../../lib/modules/mission-protobuf.js";
import type { ServedModules, TestingGateway } from "../../lib/testing.js";
import { recordings, type Recording } from "../conformance/captures.js";
import { openGateway } from "../support/opened.js";
import { dial, hangUpAll, type RawSocket } from "./raw-socket.js";
import { fromHex } from "./wire.js";

/** What the recorded gateway had loaded besides the modules that the testing gateway knows. */
const OTHERS: Readonly<Record<string, ServedModules>> = {
  "a module slower than 250 ms: its answer comes on the new connection, before the connect response": [
    { module: 1001, answer: echoSlowly },
  ],
  "mission 1.2.13 (protobuf, before 1.3.0)": [missionProtobuf],
  "a module that asks for pushes: empty answers, a pushed command, an empty answer again": [
    { module: 2, pushes: true },
  ],
  "transparent that asks for pushes": [{ module: 3, pushes: true }],
};

let gateway: TestingGateway;

/** Slow is until the device has come back: the recorded 400 ms would depend on the machine. */
async function echoSlowly(status: Uint8Array): Promise<Uint8Array> {
  if (Buffer.from(status).toString().startsWith("slow")) await gateway.nextConnect();
  return Buffer.concat([Buffer.from("E:"), status]);
}

afterEach(async () => {
  await hangUpAll();
  expect(gateway.errors).toEqual([]);
});

/** The recorder has noted some commands of the cloud after what they brought about in the same millisecond. */
function inOrder({ chunks }: Recording): Recording["chunks"] {
  return chunks.flatMap((chunk, index) => {
    const [before, next] = [chunks[index - 1], chunks[index + 1]];
    if (chunk[0] === "cloud" && before?.[0] === "gateway" && before[2] >= chunk[2] - 1) return [];
    const isLate = chunk[0] === "gateway" && next?.[0] === "cloud" && chunk[2] >= next[2] - 1;
    return isLate ? [next, chunk] : [chunk];
  });
}

it.each(recordings)(
  "recorded between hand-made bytes and the real gateway with its modules: $name",
  async (recording) => {
    const { module, deviceType, deviceRole } = recording.device;
    gateway = await openGateway({ modules: OTHERS[recording.name] ?? [1, 2, 3, 1000] });
    const sockets = new Map<string, RawSocket>();
    for (const [who, what] of inOrder(recording)) {
      if (who === "cloud") {
        expect(gateway.command(fromHex(what), { module, deviceType, deviceRole })).toBe(1);
        continue;
      }
      const connection = who.replace("client", "gateway");
      const socket = sockets.get(connection) ?? (await dial(gateway));
      sockets.set(connection, socket);
      if (who !== connection) socket.send(what);
      else if (what === "end") expect(await socket.ended).toBe("end");
      else await socket.gets(what);
    }
  },
);
