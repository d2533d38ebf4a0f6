import { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it, jest } from "@jest/globals";
import { startGateway, type GatewayOptions, type Servable, type TestingGateway } from "../../lib/testing.js";
import { eventually } from "../support/eventually.js";
import { standStill } from "../support/stand-still.js";
import { byNodeTimer, timed } from "../support/timed.js";
import { dial, hangUpAll, type RawSocket } from "./raw-socket.js";
import {
  ANSWER,
  BUTTON,
  byte,
  commandOf,
  CONNECT,
  connectButton,
  CONNECTED,
  connectedOf,
  connectedWithPriority,
  connectOf,
  connectWithPriority,
  DARK,
  framed,
  fromHex,
  hexOf,
  payloadOf,
  PRESSED,
  refused,
  STATUS,
  statusOf,
} from "./wire.js";

let gateway: TestingGateway;

/** Longer than a spec may take: what comes all the same does not wait for it. */
const NEVER_MS = 600_000;

async function start<const Modules extends readonly Servable[]>(options?: GatewayOptions<Modules>): Promise<void> {
  gateway = await startGateway(options);
}

async function connectedButton(): Promise<RawSocket> {
  const socket = await dial(gateway);
  await connectButton(socket);
  return socket;
}

/** How long the gateway takes to close the connection after it was sent that. */
async function closesAfter(socket: RawSocket, hex: string): Promise<number> {
  const [, elapsedMs] = await timed(() => {
    socket.send(hex);
    return socket.ended;
  });
  return elapsedMs;
}

afterEach(async () => {
  hangUpAll();
  await gateway.stop();
});

describe("connecting", () => {
  it("answers a connect with OK and the device, byte for byte as a real gateway", async () => {
    await start();
    const socket = await dial(gateway);
    socket.send(CONNECT);
    expect(await socket.read(26)).toBe(CONNECTED);
  });

  it("serves any module, type and role by default, beyond ASCII and up to the largest numbers", async () => {
    await start();
    const socket = await dial(gateway);
    const device = "080310ffffffff0f1a0572c3b46c65220a6ec3a17a657620e2988328ffffffff0f";
    socket.send(`250000000a230a21${device}`);
    expect(await socket.read(41)).toBe(`250000000a231221${device}`);
  });

  it("refuses a module that it does not serve, leaves the socket open and the slot taken", async () => {
    await start({ modules: [2] });
    const socket = await dial(gateway);
    socket.send(CONNECT);
    expect(await socket.read(28)).toBe(refused(2));

    const again = await dial(gateway);
    again.send(CONNECT);
    expect(await again.read(28)).toBe(refused(1));
    expect(await again.ended).toBe("end");
    await eventually(() => expect(gateway.openSockets).toBe(1));
    expect(gateway.devices).toEqual([]);

    socket.socket.end();
    expect(await socket.ended).toBe("end");
    const third = await dial(gateway);
    third.send(CONNECT);
    expect(await third.read(28)).toBe(refused(2));
  });

  it("refuses a device type that the module does not support", async () => {
    await start({ modules: [{ module: 1000, deviceTypes: [1, 10] }] });
    const socket = await dial(gateway);
    socket.send(CONNECT);
    expect(await socket.read(28)).toBe(refused(3));
    expect(await socket.listen(20)).toBe("");
    expect(gateway.openSockets).toBe(1);
  });

  it("serves the device types that were named", async () => {
    await start({ modules: [{ module: 1000, deviceTypes: [0, 10] }] });
    await connectedButton();
    expect(gateway.devices).toHaveLength(1);
  });

  it("refuses a second device of the same module, type, role and priority, whatever its name, and closes", async () => {
    await start();
    await connectedButton();
    const second = await dial(gateway);
    second.send("100000000a0e0a0c08e8071a0474657374220162");
    expect(await second.read(22)).toBe("120000000a100801120c08e8071a0474657374220162");
    expect(await second.ended).toBe("end");
    await eventually(() => expect(gateway.openSockets).toBe(1));
  });

  it("refuses a device while one of a higher priority is connected, and closes", async () => {
    await start();
    await connectedButton();
    const second = await dial(gateway);
    second.send(connectWithPriority(5));
    expect(await second.read(30)).toBe(`1a0000000a1808041214${BUTTON}2805`);
    expect(await second.ended).toBe("end");
  });

  it("lets a device of a higher priority take over, and closes the socket of the lower one", async () => {
    await start();
    const low = await dial(gateway);
    low.send(connectWithPriority(5));
    expect(await low.read(28)).toBe(connectedWithPriority(5));

    const high = await connectedButton();
    expect(await low.ended).toBe("end");
    expect(gateway.devices.map(({ priority }) => priority)).toEqual([0]);
    high.send(STATUS);
    expect(await high.read(45)).toBe(STATUS);
  });

  it("keeps devices of other roles apart", async () => {
    await start();
    await connectedButton();
    const other = await dial(gateway);
    other.send("0f0000000a0d0a0b08e8071a03746573220162");
    expect(await other.read(19)).toBe("0f0000000a0d120b08e8071a03746573220162");
    expect(gateway.devices).toHaveLength(2);
  });

  it("frees the slot at once when the device goes, by default", async () => {
    await start();
    const first = await connectedButton();
    first.socket.end();
    await first.ended;
    await connectedButton();
  });

  it("keeps the slot taken while it cleans up", async () => {
    await start({ cleanUpMs: 1_000 });
    const first = await connectedButton();
    first.socket.end();
    await first.ended;
    const hasty = await dial(gateway);
    hasty.send(CONNECT);
    expect(await hasty.read(28)).toBe(refused(1));
    await sleep(1_020);
    await connectedButton();
  });

  it("lets a higher priority have a slot that is still being cleaned up", async () => {
    await start({ cleanUpMs: 10_000 });
    const low = await dial(gateway);
    low.send(connectWithPriority(5));
    await low.read(28);
    low.socket.end();
    await low.ended;
    await connectedButton();
  });
});

describe("what is not the protocol", () => {
  it.each([
    ["a status before the connect", STATUS],
    ["a body that is not protobuf", "02000000ffff"],
    ["a body of length 0", "00000000"],
    ["a body of unknown fields only", "020000001801"],
    ["a group without an end", `190000000a140a12${BUTTON}1b0801`],
    ["a role that is not UTF-8", "0a0000000a080a0608e8071a01ff"],
    ["a connect padded with zeros", `170000000a140a12${BUTTON}00`],
    ["a connect with anything after an end-group tag", `180000000a140a12${BUTTON}0cff`],
    ["a device that is longer than its message", `160000000a130a12${BUTTON}`],
    ["a connect cut short", `150000000a140a12${BUTTON.slice(0, -2)}`],
    ["a number without an end", "0c000000ffffffffffffffffffffffff"],
    ["a field number of 0", "020000000001"],
    ["a field number beyond 32 bits", "0b000000e29883a0ffffff680f0000"],
    ["a length beyond 32 bits", "080000000a80808080808001"],
    ["a fixed number cut short", "050000001d01020304"],
  ])("closes at once on %s", async (_what, hex) => {
    await start({ moduleTimeoutMs: NEVER_MS });
    const socket = await dial(gateway);
    socket.send(hex);
    expect(await socket.ended).toBe("end");
    expect(socket.chunks).toEqual([]);
  });

  it("closes at once on a second connect", async () => {
    await start({ moduleTimeoutMs: NEVER_MS });
    const socket = await connectedButton();
    socket.send(CONNECT);
    expect(await socket.ended).toBe("end");
    expect(await socket.listen(0)).toBe("");
    expect(gateway.devices).toEqual([]);
  });

  it("takes unknown fields beside the known ones", async () => {
    await start();
    const socket = await dial(gateway);
    // A varint, a 64-bit number, a 32-bit number and bytes, in fields 3 to 6.
    socket.send(`2a0000000a140a12${BUTTON}18012100000000000000002d0000000032021234`);
    expect(await socket.read(26)).toBe(CONNECTED);
  });
});

describe("frames", () => {
  it.each([1, 2, 3])("closes at once on a header that ends after %i bytes of it", async (count) => {
    await start();
    const socket = await dial(gateway);
    socket.send(CONNECT.slice(0, 2 * count));
    expect(await socket.ended).toBe("end");
  });

  it("takes a header alone and a body byte by byte", async () => {
    await start();
    const socket = await dial(gateway);
    socket.send(CONNECT.slice(0, 8));
    for (let at = 8; at < CONNECT.length; at += 2) {
      await sleep(2);
      socket.send(CONNECT.slice(at, at + 2));
    }
    expect(await socket.read(26)).toBe(CONNECTED);
  });

  it("answers pipelined statuses in order", async () => {
    await start();
    const socket = await connectedButton();
    const statuses = Array.from({ length: 10 }, (_, index) => statusOf(index)).join("");
    socket.send(statuses);
    expect(await socket.read(290)).toBe(statuses);
  });

  it("answers pipelined statuses in order when later ones are ready first", async () => {
    await start({
      answer: async (status) => {
        await sleep(status[0] === 1 ? 30 : 0);
        return status;
      },
    });
    const socket = await connectedButton();
    socket.send(statusOf(1) + statusOf(2));
    expect(await socket.read(58)).toBe(commandOf(1) + commandOf(2));
  });

  it("closes on a pipelined header that straddles a read of 1024 bytes", async () => {
    await start();
    const socket = await connectedButton();
    // 34 frames of 29 bytes and one of 36 end at 1022: the next header does not fit.
    const filling = `${statusOf(1).repeat(34)}20000000121e0a12${BUTTON}12080102030405060708`;
    socket.send(filling + statusOf(2));
    await socket.ended;
    expect(await socket.listen(0)).toBe(filling);
  });

  it("answers in two writes, the header and then the body", async () => {
    await start();
    const socket = await connectedButton();
    const writes: string[] = [];
    const write = jest.spyOn(Socket.prototype, "write");
    socket.send(STATUS);
    await socket.read(45);
    for (const [bytes] of write.mock.calls) writes.push(Buffer.from(bytes as Uint8Array).toString("hex"));
    write.mockRestore();
    expect(writes).toEqual([STATUS, STATUS.slice(0, 8), STATUS.slice(8)]);
  });

  it("answers a status of 16 MiB that comes in chunks of 64 KiB", async () => {
    await start({ answer: (status) => new Uint8Array([status.length >>> 24]) });
    const socket = await connectedButton();
    // 5 bytes of tag and length, then 20 of the device, 5 of the data's tag and length, and 0x1000000 of data.
    const start16 = `1e00000112998080080a12${BUTTON}1280808008`;
    socket.send(start16);
    const chunk = Buffer.alloc(65_536, 7);
    for (let sent = 0; sent < 256; sent += 1) socket.socket.write(chunk);
    expect(await socket.read(29)).toBe(commandOf(1));
    expect(gateway.statuses()[0]).toHaveLength(16_777_216);
  });
});

describe("statuses", () => {
  it("answers with the status itself by default", async () => {
    await start();
    const socket = await connectedButton();
    socket.send(STATUS);
    expect(await socket.read(45)).toBe(STATUS);
  });

  it("answers with what the module makes of the status, byte for byte as a real gateway", async () => {
    const asked: unknown[] = [];
    await start({
      answer: (status, device) => {
        asked.push([status, device]);
        return fromHex(DARK);
      },
    });
    const socket = await connectedButton();
    socket.send(STATUS);
    expect(await socket.read(45)).toBe(ANSWER);
    const device = { module: 1000, deviceType: 0, deviceRole: "test", deviceName: "button1", priority: 0 };
    expect(asked).toEqual([[fromHex(PRESSED), device]]);
  });

  it("takes an empty status and sends an empty command", async () => {
    await start();
    const socket = await connectedButton();
    socket.send(`1600000012140a12${BUTTON}`);
    expect(await socket.read(26)).toBe(`1600000012140a12${BUTTON}`);
  });

  it("does not answer an invalid status, and closes when the module's time is over", async () => {
    await start({ moduleTimeoutMs: 60, answer: () => undefined });
    const socket = await connectedButton();
    expect(await closesAfter(socket, STATUS)).toBeGreaterThanOrEqual(byNodeTimer(60));
    expect(await socket.listen(0)).toBe("");
    await connectedButton();
  });

  it("allows the module 250 ms by default", async () => {
    await start({ answer: () => undefined });
    const socket = await connectedButton();
    expect(await closesAfter(socket, STATUS)).toBeGreaterThanOrEqual(byNodeTimer(250));
  });

  it.each([
    [
      "throws",
      () => {
        throw new Error("broken");
      },
    ],
    ["rejects", () => Promise.reject(new Error("broken"))],
  ])("treats an answer that %s as none, and shows the error", async (_how, answer) => {
    await start({ moduleTimeoutMs: 30, answer });
    const socket = await connectedButton();
    socket.send(STATUS);
    expect(await socket.ended).toBe("end");
    expect(gateway.errors).toEqual([new Error("broken")]);
  });

  it("shows the error of an answer that rejects too late", async () => {
    await start({
      moduleTimeoutMs: 20,
      answer: async () => {
        await sleep(40);
        throw new Error("late");
      },
    });
    const socket = await connectedButton();
    socket.send(STATUS);
    await socket.ended;
    await eventually(() => expect(gateway.errors).toEqual([new Error("late")]));
  });

  it("treats an answer that is not bytes as none, and says so", async () => {
    await start({ moduleTimeoutMs: 20, answer: () => "null" as unknown as Uint8Array });
    const socket = await connectedButton();
    socket.send(STATUS);
    await socket.ended;
    expect(gateway.errors).toEqual([new TypeError("the answer is 'null', but must be a Uint8Array")]);
  });

  it.each([
    ["role", "08e8071a0474657375" + "2207627574746f6e31"],
    ["module", "08e9071a04746573742207627574746f6e31"],
  ])("does not answer a status of another %s, and closes when the module's time is over", async (_what, device) => {
    await start({ moduleTimeoutMs: 40 });
    const socket = await connectedButton();
    const elapsedMs = await closesAfter(socket, `1900000012170a12${device}120101`);
    expect(elapsedMs).toBeGreaterThanOrEqual(byNodeTimer(40));
    expect(await socket.listen(0)).toBe("");
  });

  it.each([
    ["type", "1002"],
    ["priority", "2805"],
  ])("does not answer a status of another %s, and closes when the module's time is over", async (_what, field) => {
    await start({ moduleTimeoutMs: 40 });
    const socket = await connectedButton();
    const elapsedMs = await closesAfter(socket, `1b00000012190a14${BUTTON}${field}120101`);
    expect(elapsedMs).toBeGreaterThanOrEqual(byNodeTimer(40));
    expect(await socket.listen(0)).toBe("");
  });

  it("answers a status of another name with that name", async () => {
    await start();
    const socket = await connectedButton();
    socket.send("1300000012110a0c08e8071a0474657374220162120107");
    expect(await socket.read(23)).toBe("1300000012110a0c08e8071a0474657374220162120107");
  });

  it("does not answer the status of a refused device, and closes when the module's time is over", async () => {
    await start({ modules: [], moduleTimeoutMs: 40 });
    const socket = await dial(gateway);
    socket.send(CONNECT);
    await socket.read(28);
    expect(await closesAfter(socket, STATUS)).toBeGreaterThanOrEqual(byNodeTimer(40));
  });
});

describe("a silent device", () => {
  it("is disconnected when its last status is too long ago, and pushes do not count", async () => {
    await start({ silenceMs: 100 });
    const socket = await connectedButton();
    const pushing = setInterval(() => gateway.push(fromHex("01")), 20);
    expect(await closesAfter(socket, STATUS)).toBeGreaterThanOrEqual(100);
    clearInterval(pushing);
    expect(socket.chunks.join("")).toContain(STATUS);
  });

  it("is not disconnected while it sends statuses, nor if it never sent one", async () => {
    await start({ silenceMs: 500 });
    const socket = await connectedButton();
    const never = await dial(gateway);
    never.send("0f0000000a0d0a0b08e8071a03746573220162");
    for (let round = 0; round < 8; round += 1) {
      await sleep(80);
      socket.send(statusOf(round));
      expect(await socket.read(29)).toBe(`1900000012170a12${BUTTON}1201${byte(round)}`);
    }
    expect(gateway.devices).toHaveLength(2);
  });

  it("is not disconnected when its status came while the process stood still", async () => {
    await start({ silenceMs: 100 });
    const socket = await connectedButton();
    for (let round = 0; round < 3; round += 1) {
      socket.send(STATUS);
      standStill(round * 150);
      expect(await Promise.race([socket.read(45), socket.ended])).toBe(STATUS);
    }
  });

  it("is never disconnected with Infinity", async () => {
    await start({ silenceMs: Infinity });
    const socket = await connectedButton();
    socket.send(STATUS);
    expect(await socket.read(45)).toBe(STATUS);
  });
});

// Devices of module 1001, without a name.
const A = "08e9071a0161";
const B = "08e9071a0162";
const C = "08e9071a0163";

async function expectNext(socket: RawSocket, hex: string): Promise<void> {
  expect(await socket.read(hex.length / 2)).toBe(hex);
}

async function readFrame(socket: RawSocket): Promise<string> {
  const header = await socket.read(4);
  return header + (await socket.read(Number.parseInt(header.slice(0, 2), 16)));
}

async function connected(device: string): Promise<RawSocket> {
  const socket = await dial(gateway);
  socket.send(connectOf(device));
  await expectNext(socket, connectedOf(device));
  return socket;
}

/** A module that is busy with each status that begins with "slow" until told otherwise, and holds "bad" invalid. */
function startBusy(
  options: GatewayOptions = {},
): Promise<{ readonly finish: () => void; readonly busy: Promise<void> }> {
  let finish = (): void => undefined;
  let onBusy = (): void => undefined;
  const busy = new Promise<void>((resolve) => (onBusy = resolve));
  const answer = (status: Uint8Array): Uint8Array | undefined | Promise<Uint8Array> => {
    const text = Buffer.from(status).toString();
    if (!text.startsWith("slow")) return text === "bad" ? undefined : status;
    onBusy();
    return new Promise((resolve) => (finish = () => resolve(status)));
  };
  return start({ ...options, answer }).then(() => ({ finish: () => finish(), busy }));
}

describe("one module at a time", () => {
  it("one device's slow status holds up every other device's answer and connect response", async () => {
    const module = await startBusy({ moduleTimeoutMs: NEVER_MS });
    const [slow, other, late] = [await connected(A), await connected(B), await dial(gateway)];
    slow.send(payloadOf(A, hexOf("slow")));
    await module.busy;
    other.send(payloadOf(B, hexOf("b")));
    expect(await other.listen(30)).toBe("");
    module.finish();
    await expectNext(slow, payloadOf(A, hexOf("slow")));
    await expectNext(other, payloadOf(B, hexOf("b")));

    slow.send(payloadOf(A, hexOf("slow2")));
    late.send(connectOf(C));
    expect(await late.listen(30)).toBe("");
    module.finish();
    await expectNext(late, connectedOf(C));
  });

  it("a status of another device that waits in vain is closed too", async () => {
    const module = await startBusy({ moduleTimeoutMs: 40 });
    const [slow, other] = [await connected(A), await connected(B)];
    slow.send(payloadOf(A, hexOf("slow")));
    await module.busy;
    other.send(payloadOf(B, hexOf("b")));
    expect([await slow.ended, await other.ended]).toEqual(["end", "end"]);
    module.finish();
    await connected(C);
  });

  it("an answer that never settles is no longer waited for, and blocks neither other devices nor stop for ever", async () => {
    const module = await startBusy({ moduleTimeoutMs: 5 });
    const slow = await connected(A);
    slow.send(payloadOf(A, hexOf("slow")));
    await module.busy;
    await eventually(() =>
      expect(gateway.errors.map(String)).toEqual(['Error: The answer to a status of role "a" has not come in 500 ms.']),
    );
    const other = await connected(B);
    other.send(payloadOf(B, hexOf("b")));
    await expectNext(other, payloadOf(B, hexOf("b")));

    gateway.forget();
    const again = await connected(A);
    again.send(payloadOf(A, hexOf("slow")));
    await again.ended;
    await gateway.stop();
  });

  it("two invalid statuses hold up every other device until their time is over; one does not", async () => {
    await startBusy({ moduleTimeoutMs: 1_000 });
    const [first, second, third] = [await connected(A), await connected(B), await connected(C)];
    const roles = (): string[] => gateway.devices.map(({ deviceRole }) => deviceRole);
    first.send(payloadOf(A, hexOf("bad")));
    third.send(payloadOf(C, hexOf("1")));
    await expectNext(third, payloadOf(C, hexOf("1")));
    expect(roles()).toEqual(["a", "b", "c"]);

    second.send(payloadOf(B, hexOf("bad")));
    await gateway.nextStatus({ deviceRole: "b" });
    third.send(payloadOf(C, hexOf("2")));
    await expectNext(third, payloadOf(C, hexOf("2")));
    expect(roles()).not.toContain("a");
  });
});

describe("answers and commands go to the device, not to the socket", () => {
  it("an answer that comes late arrives on the device's new connection, before the connect response", async () => {
    const module = await startBusy({ moduleTimeoutMs: 60 });
    const first = await connected(A);
    first.send(payloadOf(A, hexOf("slow")));
    expect(await first.ended).toBe("end");
    const second = await dial(gateway);
    const arrived = gateway.nextConnect();
    second.send(connectOf(A));
    await arrived;
    module.finish();
    await expectNext(second, payloadOf(A, hexOf("slow")) + connectedOf(A));
    second.send(payloadOf(A, hexOf("n")));
    await expectNext(second, payloadOf(A, hexOf("n")));
  });

  it("a connect that waits for a busy module for too long is closed without a response", async () => {
    const module = await startBusy({ moduleTimeoutMs: 40 });
    const first = await connected(A);
    first.send(payloadOf(A, hexOf("slow")));
    await first.ended;
    const second = await dial(gateway);
    second.send(connectOf(A));
    expect(await second.ended).toBe("end");
    expect(second.chunks).toEqual([]);
    module.finish();
  });

  it("an answer for a device that has been taken over from is not sent", async () => {
    const module = await startBusy({ moduleTimeoutMs: NEVER_MS });
    const low = await dial(gateway);
    low.send(connectOf(`${A}2803`));
    await readFrame(low);
    low.send(payloadOf(`${A}2803`, hexOf("slow")));
    await module.busy;
    const high = await dial(gateway);
    high.send(connectOf(A));
    expect(await low.ended).toBe("end");
    module.finish();
    await expectNext(high, connectedOf(A));
    expect(low.chunks.join("")).toBe(connectedOf(`${A}2803`));
  });

  it("a status for another connected device makes a command for that device, and the sender is closed", async () => {
    await start({ moduleTimeoutMs: 40 });
    const [sender, other] = [await connected(A), await connected(B)];
    sender.send(payloadOf(B, "07"));
    await expectNext(other, payloadOf(B, "07"));
    expect(await sender.ended).toBe("end");
    expect(sender.chunks.join("")).toBe(connectedOf(A));
  });
});

describe("the end of a device's connection", () => {
  it("its half close is noticed at once", async () => {
    await start({ moduleTimeoutMs: NEVER_MS });
    const socket = await connected(A);
    socket.socket.end();
    expect(await socket.ended).toBe("end");
  });

  it("its half close after a status is noticed after the answer", async () => {
    const module = await startBusy({ moduleTimeoutMs: NEVER_MS });
    const socket = await connected(A);
    socket.send(payloadOf(A, hexOf("slow")));
    socket.socket.end();
    await module.busy;
    expect(await socket.listen(20)).toBe("");
    module.finish();
    await expectNext(socket, payloadOf(A, hexOf("slow")));
    expect(await socket.ended).toBe("end");
  });

  it("its slot stays taken until its unanswered status has run out of time", async () => {
    await startBusy({ moduleTimeoutMs: 1_000 });
    const first = await connected(A);
    const arrived = gateway.nextStatus();
    first.send(payloadOf(A, hexOf("bad")));
    await arrived;
    first.socket.destroy();
    const hasty = await dial(gateway);
    hasty.send(connectOf(A));
    await expectNext(hasty, "0c0000000a0a08011206" + A);
    await gateway.nextDisconnect();
    await connected(A);
  });
});

describe("messages as protobuf reads them", () => {
  it("a connect without a device is refused for its module, and left open", async () => {
    await start({ modules: [1000] });
    const socket = await dial(gateway);
    socket.send("020000000a00");
    await expectNext(socket, "060000000a0408021200");
    const again = await dial(gateway);
    again.send("020000000a00");
    await expectNext(again, "060000000a0408011200");
    expect(await again.ended).toBe("end");
    await eventually(() => expect(gateway.openSockets).toBe(1));
  });

  it("a status without a device gets no answer, and is closed when the module's time is over", async () => {
    await start({ modules: [1001], moduleTimeoutMs: 40 });
    const socket = await connected(A);
    expect(await closesAfter(socket, "050000001203120107")).toBeGreaterThanOrEqual(byNodeTimer(40));
    expect(socket.chunks.join("")).toBe(connectedOf(A));
  });

  it("unknown fields of a device come back, after the known ones", async () => {
    await start();
    const socket = await dial(gateway);
    // Field 6 with one byte before the known ones, field 7 with the number 5 after them.
    socket.send(framed("0a0d0a0b" + "320178" + A + "3805"));
    await expectNext(socket, framed("0a0d120b" + A + "320178" + "3805"));
    socket.send(framed("12100a0b" + "320178" + A + "3805" + "120107"));
    await expectNext(socket, framed("12100a0b" + A + "320178" + "3805" + "120107"));
  });

  it("unknown fields elsewhere, a group among them, do not come back", async () => {
    await start();
    const socket = await dial(gateway);
    socket.send(framed("0a0a0a06" + A + "1809" + "1b08011c"));
    await expectNext(socket, connectedOf(A));
  });

  it("a device that is given twice is merged", async () => {
    await start();
    const socket = await dial(gateway);
    // Module 1001, role "x", priority 4; then role "a".
    socket.send(framed("0a0f0a08" + "08e9071a01782804" + "0a031a0161"));
    await expectNext(socket, connectedOf("08e9071a01612804"));
  });

  it("of a connect and a status in one message the last counts", async () => {
    await start();
    const socket = await dial(gateway);
    socket.send(framed("12080a06" + A + "0a080a06" + A));
    await expectNext(socket, connectedOf(A));
  });

  it("a number in more bytes than it needs is that number, and of one that is too large the lowest 32 bits count", async () => {
    await start();
    const socket = await dial(gateway);
    socket.send(framed("0a150a13" + "08e98700" + "1082808080f001" + "1a0161" + "2885808000"));
    await expectNext(socket, connectedOf("08e907" + "1002" + "1a0161" + "2805"));
  });
});

describe("commands from the cloud", () => {
  const command = (hex: string): number => gateway.command(fromHex(hex));

  it("are for devices that have sent a valid status", async () => {
    await start();
    const socket = await connected(A);
    expect(command("01")).toBe(0);
    socket.send(payloadOf(A, "aa"));
    await expectNext(socket, payloadOf(A, "aa"));
    expect(command("01")).toBe(1);
    expect(gateway.command(fromHex("02"), { deviceRole: "b" })).toBe(0);
    expect(command("")).toBe(0);
    socket.send(payloadOf(A, "bb"));
    await expectNext(socket, payloadOf(A, "01"));
    socket.socket.end();
    await socket.ended;
    expect(command("03")).toBe(0);
  });

  it("sent once, answer every later status, until the device connects again", async () => {
    await start();
    const socket = await connected(A);
    socket.send(payloadOf(A, "aa"));
    await readFrame(socket);
    command("01");
    socket.send(payloadOf(A, "bb") + payloadOf(A, "cc"));
    await expectNext(socket, payloadOf(A, "01").repeat(2));
    socket.socket.end();
    await socket.ended;
    const again = await connected(A);
    again.send(payloadOf(A, "dd"));
    await expectNext(again, payloadOf(A, "dd"));
  });

  it("are the bytes at the call", async () => {
    await start();
    const socket = await connected(A);
    socket.send(payloadOf(A, "aa"));
    await readFrame(socket);
    const bytes = fromHex("01");
    gateway.command(bytes);
    bytes[0] = 9;
    socket.send(payloadOf(A, "bb") + payloadOf(A, "cc"));
    await expectNext(socket, payloadOf(A, "01").repeat(2));
  });

  it("wait in a queue, of which the oldest of four is dropped", async () => {
    await start();
    const socket = await connected(A);
    socket.send(payloadOf(A, "aa"));
    await readFrame(socket);
    for (const hex of ["01", "02", "03", "04", "05"]) command(hex);
    socket.send(payloadOf(A, "aa").repeat(4));
    await expectNext(socket, ["03", "04", "05", "05"].map((hex) => payloadOf(A, hex)).join(""));
  });
});

describe("a module that asks for pushes", () => {
  const pushing = { modules: [{ module: 1001, pushes: true }] } as const;

  it("answers with an empty command when nothing is new, and sends a command as it comes", async () => {
    await start(pushing);
    const socket = await connected(A);
    socket.send(payloadOf(A, "aa"));
    await expectNext(socket, payloadOf(A, ""));
    expect(gateway.command(fromHex("01"))).toBe(1);
    await expectNext(socket, payloadOf(A, "01"));
    socket.send(payloadOf(A, "aa"));
    await expectNext(socket, payloadOf(A, ""));
  });

  it("sends nothing before the device's first status", async () => {
    await start(pushing);
    const socket = await connected(A);
    expect(gateway.command(fromHex("01"))).toBe(0);
    socket.send(payloadOf(A, "aa"));
    await expectNext(socket, payloadOf(A, ""));
  });

  it("sends a command only after the answer that a module is working on", async () => {
    const module = await startBusy({ ...pushing, moduleTimeoutMs: NEVER_MS });
    const socket = await connected(A);
    socket.send(payloadOf(A, hexOf("a")));
    await readFrame(socket);
    socket.send(payloadOf(A, hexOf("slow")));
    await module.busy;
    gateway.command(fromHex("01"));
    expect(await socket.listen(20)).toBe("");
    module.finish();
    await expectNext(socket, payloadOf(A, hexOf("slow")) + payloadOf(A, "01"));
  });

  it("may answer a status that waits with the pushed command alone", async () => {
    const module = await startBusy({ ...pushing, moduleTimeoutMs: NEVER_MS });
    const [slow, socket] = [await connected(B), await connected(A)];
    socket.send(payloadOf(A, hexOf("a")));
    await readFrame(socket);
    slow.send(payloadOf(B, hexOf("slow")));
    await module.busy;
    const arrived = gateway.nextStatus();
    socket.send(payloadOf(A, hexOf("a")));
    await arrived;
    gateway.command(fromHex("01"));
    module.finish();
    await expectNext(socket, payloadOf(A, "01"));
    expect(await socket.listen(20)).toBe("");
  });

  it("pushes with the name that the cloud has for the device: that of its last status, unless told otherwise", async () => {
    await start(pushing);
    const socket = await connected(A);
    const renamed = `${A}220162`;
    socket.send(payloadOf(A, "aa") + payloadOf(renamed, "aa"));
    await expectNext(socket, payloadOf(A, "") + payloadOf(renamed, ""));
    expect(gateway.command(fromHex("01"))).toBe(1);
    await expectNext(socket, payloadOf(renamed, "01"));
    expect(gateway.command(fromHex("02"), {}, { deviceName: "z" })).toBe(1);
    await expectNext(socket, payloadOf(`${A}22017a`, "02"));
  });

  it("sends a command for a device that is just connecting again before the connect response", async () => {
    const module = await startBusy({ ...pushing, moduleTimeoutMs: NEVER_MS });
    const [slow, first] = [await connected(B), await connected(A)];
    first.send(payloadOf(A, hexOf("a")));
    await readFrame(first);
    slow.send(payloadOf(B, hexOf("slow")));
    await module.busy;
    gateway.command(fromHex("01"));
    first.socket.end();
    await first.ended;
    const second = await dial(gateway);
    const arrived = gateway.nextConnect();
    second.send(connectOf(A));
    await arrived;
    module.finish();
    await expectNext(second, payloadOf(A, "01") + connectedOf(A));
  });

  it("delays the answers by one status for each push while statuses follow each other without a pause", async () => {
    await start();
    const socket = await connected(A);
    // As a device that takes what comes for the answer to what it sent last.
    const exchange = async (hex: string): Promise<string> => {
      socket.send(payloadOf(A, hex));
      return readFrame(socket);
    };
    gateway.push(fromHex("f1"));
    gateway.push(fromHex("f2"));
    const answers = [];
    for (const hex of ["01", "02", "03", "04"]) answers.push(await exchange(hex));
    expect(answers).toEqual(["f1", "f2", "01", "02"].map((hex) => payloadOf(A, hex)));
    // A pause of a round trip ends it.
    await expectNext(socket, payloadOf(A, "03") + payloadOf(A, "04"));
    expect(await exchange("05")).toBe(payloadOf(A, "05"));
  });

  it("may push with another name than the connected device's", async () => {
    await start(pushing);
    const socket = await connected(A);
    expect(gateway.push(fromHex("01"), {}, { deviceName: "z" })).toBe(1);
    await expectNext(socket, payloadOf(`${A}22017a`, "01"));
  });
});

describe("a refusal for a module", () => {
  it("is hidden by ALREADY_CONNECTED from a retry that comes while the slot is not yet free", async () => {
    await start({ modules: [], cleanUpMs: 1_000 });
    const first = await dial(gateway);
    first.send(CONNECT);
    await expectNext(first, refused(2));
    first.socket.end();
    await first.ended;
    const hasty = await dial(gateway);
    hasty.send(CONNECT);
    await expectNext(hasty, refused(1));
    await sleep(1_020);
    const patient = await dial(gateway);
    patient.send(CONNECT);
    await expectNext(patient, refused(2));
  });
});

describe("a gateway that is told to end", () => {
  it("is mute, still accepts, and then ends every connection: by a reset where something was sent or is new", async () => {
    await start();
    const [busy, idle] = [await connected(A), await connected(B)];
    const over = gateway.terminate({ muteMs: 1_000 });
    busy.send(payloadOf(A, "01"));
    const late = await dial(gateway);
    late.send(connectOf(C));
    expect(gateway.push(fromHex("02"))).toBe(2);
    expect(await idle.listen(20)).toBe("");
    await over;
    expect(await busy.ended).toBe("ECONNRESET");
    expect(await late.ended).toBe("ECONNRESET");
    expect(await idle.ended).toBe("end");
    expect([busy, idle, late].map(({ chunks }) => chunks.join(""))).toEqual([connectedOf(A), connectedOf(B), ""]);
    expect(gateway.received).toHaveLength(2);
    await expect(dial(gateway)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });

  it("comes back by a restart, and no longer knows any device", async () => {
    await start();
    await connected(A);
    await gateway.terminate({ muteMs: 0 });
    expect(gateway.devices).toEqual([]);
    await gateway.restart();
    await connected(A);
  });

  it("can be stopped meanwhile", async () => {
    await start();
    const over = gateway.terminate({ muteMs: NEVER_MS });
    await sleep(5);
    await gateway.stop();
    await over;
    await expect(gateway.terminate()).rejects.toThrow("stopped");
  });
});

describe("a silent device of a module that looks for news", () => {
  it("may be disconnected sooner if its last statuses said nothing new", async () => {
    await start({ modules: [1000], silenceMs: 400 });
    const socket = await connectedButton();
    const [, elapsedMs] = await timed(async () => {
      socket.send(STATUS);
      await readFrame(socket);
      await sleep(100);
      socket.send(STATUS);
      await readFrame(socket);
      await socket.ended;
    });
    expect(elapsedMs).toBeGreaterThanOrEqual(400);
  });
});
