import { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it, jest } from "@jest/globals";
import type { GatewayOptions, Servable } from "../../lib/testing.js";
import { eventually } from "../support/eventually.js";
import { openGateway } from "../support/opened.js";
import { standStill } from "../support/stand-still.js";
import { byNodeTimer, timed } from "../support/timed.js";
import { connectDevice, deliver, dial, dialUntilRead, hangUpAll, openDevice, type RawSocket } from "./raw-socket.js";
import {
  ANSWER,
  BUTTON,
  button,
  commandOf,
  CONNECT,
  CONNECTED,
  connectedOf,
  connectOf,
  DARK,
  framed,
  fromHex,
  hexOf,
  payloadOf,
  PRESSED,
  refused,
  RENAMED,
  STATUS,
  statusOf,
} from "./wire.js";

// What a gateway does where the recordings (recordings.spec.ts) do not show it.

/** Longer than a spec may take: what comes all the same does not wait for it. */
const NEVER_MS = 600_000;

/** The button with a priority of 5. */
const LOW = `${BUTTON}2805`;

afterEach(hangUpAll);

/** How long the gateway takes to close the connection after it was sent that. */
async function closesAfter(socket: RawSocket, hex: string): Promise<number> {
  const [, elapsedMs] = await timed(() => {
    socket.send(hex);
    return socket.ended;
  });
  return elapsedMs;
}

describe("connecting", () => {
  it("serves any module, type and role by default, beyond ASCII and up to the largest numbers", async () => {
    const device = "080310ffffffff0f1a0572c3b46c65220a6ec3a17a657620e2988328ffffffff0f";
    const socket = await dial(await openGateway());
    await socket.exchanges(`250000000a230a21${device}`, `250000000a231221${device}`);
  });

  it.each([
    ["a module that it does not serve", [2], 2],
    ["a device type that the module does not support", [{ module: 1000, deviceTypes: [1, 10] }], 3],
  ])("refuses %s, leaves the socket open and the slot taken", async (_what, modules, responseType) => {
    const gateway = await openGateway({ modules });
    const socket = await dial(gateway);
    await socket.exchanges(CONNECT, refused(responseType));

    const again = await dial(gateway);
    await again.exchanges(CONNECT, refused(1));
    expect(await again.ended).toBe("end");
    await eventually(() => expect(gateway.openSockets).toBe(1));
    expect(gateway.devices).toEqual([]);

    socket.socket.end();
    expect(await socket.ended).toBe("end");
    await (await dial(gateway)).exchanges(CONNECT, refused(responseType));
  });

  it.each([
    [
      "the same module, type, role and priority, whatever its name",
      connectOf(RENAMED),
      `120000000a100801120c${RENAMED}`,
    ],
    ["a lower priority", connectOf(LOW), `1a0000000a1808041214${LOW}`],
  ])("refuses a second device of %s, and closes", async (_which, connect, refusal) => {
    const { gateway } = await openDevice();
    const second = await dial(gateway);
    await second.exchanges(connect, refusal);
    expect(await second.ended).toBe("end");
    await eventually(() => expect(gateway.openSockets).toBe(1));
  });

  it("lets a device of a higher priority take over, and closes the socket of the lower one", async () => {
    const gateway = await openGateway();
    const low = await connectDevice(gateway, LOW);
    const high = await connectDevice(gateway);
    expect(await low.ended).toBe("end");
    expect(gateway.devices).toEqual([button]);
    await high.exchanges(STATUS, STATUS);
  });

  it.each([
    ["a device", undefined, CONNECTED],
    ["a device that it refuses", [], refused(2)],
  ])("keeps the slot of %s taken while it cleans up", async (_which, modules, response) => {
    const gateway = await openGateway({ modules, cleanUpMs: 1_000 });
    const first = await dial(gateway);
    await first.exchanges(CONNECT, response);
    first.socket.end();
    await first.ended;
    await (await dial(gateway)).exchanges(CONNECT, refused(1));
    await sleep(1_020);
    await (await dial(gateway)).exchanges(CONNECT, response);
  });

  it("lets a higher priority have a slot that is still being cleaned up", async () => {
    const gateway = await openGateway({ cleanUpMs: 10_000 });
    const low = await connectDevice(gateway, LOW);
    low.socket.end();
    await low.ended;
    await connectDevice(gateway);
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
    ["a header that ends after 1 byte of it", CONNECT.slice(0, 2)],
    ["a header that ends after 3 bytes of it", CONNECT.slice(0, 6)],
  ])("closes at once on %s", async (_what, hex) => {
    const socket = await dial(await openGateway({ moduleTimeoutMs: NEVER_MS }), hex);
    expect(await socket.ended).toBe("end");
    expect(socket.chunks).toEqual([]);
  });

  it("closes at once on a second connect", async () => {
    const { gateway, socket } = await openDevice({ moduleTimeoutMs: NEVER_MS });
    socket.send(CONNECT);
    expect(await socket.ended).toBe("end");
    expect(await socket.listen(0)).toBe("");
    expect(gateway.devices).toEqual([]);
  });
});

describe("frames", () => {
  it("takes a header alone and a body byte by byte", async () => {
    const socket = await dial(await openGateway(), CONNECT.slice(0, 8));
    for (let at = 8; at < CONNECT.length; at += 2) {
      await sleep(2);
      socket.send(CONNECT.slice(at, at + 2));
    }
    await socket.gets(CONNECTED);
  });

  it("answers pipelined statuses in order, also when later ones are ready first", async () => {
    const answer = async (status: Uint8Array) => {
      await sleep(status[0] === 1 ? 30 : 0);
      return status;
    };
    const { socket } = await openDevice({ answer });
    await socket.exchanges(statusOf(1) + statusOf(2) + statusOf(3), commandOf(1) + commandOf(2) + commandOf(3));
  });

  it("closes on a pipelined header that straddles a read of 1024 bytes", async () => {
    const { socket } = await openDevice();
    // 34 frames of 29 bytes and one of 36 end at 1022: the next header does not fit.
    const filling = `${statusOf(1).repeat(34)}20000000121e0a12${BUTTON}12080102030405060708`;
    socket.send(filling + statusOf(2));
    await socket.ended;
    expect(await socket.listen(0)).toBe(filling);
  });

  it("answers in two writes, the header and then the body", async () => {
    const { socket } = await openDevice();
    const write = jest.spyOn(Socket.prototype, "write");
    await socket.exchanges(STATUS, STATUS);
    const writes = write.mock.calls.map(([bytes]) => Buffer.from(bytes as Uint8Array).toString("hex"));
    write.mockRestore();
    expect(writes).toEqual([STATUS, STATUS.slice(0, 8), STATUS.slice(8)]);
  });
});

describe("statuses", () => {
  it("answers with what the module makes of the status, byte for byte as a real gateway", async () => {
    const answer = jest.fn((_status: Uint8Array, _device: object) => fromHex(DARK));
    const { socket } = await openDevice({ answer });
    await socket.exchanges(STATUS, ANSWER);
    expect(answer.mock.calls).toEqual([[fromHex(PRESSED), button]]);
  });

  it("takes an empty status and sends an empty command", async () => {
    const { socket } = await openDevice();
    await socket.exchanges(`1600000012140a12${BUTTON}`, `1600000012140a12${BUTTON}`);
  });

  it("answers a status of another name with that name", async () => {
    const { socket } = await openDevice();
    await socket.exchanges(`1300000012110a0c${RENAMED}120107`, `1300000012110a0c${RENAMED}120107`);
  });

  it.each<[what: string, hex: string, options: GatewayOptions]>([
    ["an invalid status", STATUS, { answer: () => undefined }],
    ["a status of another role", `1900000012170a12${BUTTON.replace("74657374", "74657375")}120101`, {}],
    ["a status of another module", `1900000012170a12${BUTTON.replace("e8", "e9")}120101`, {}],
    ["a status of another type", `1b00000012190a14${BUTTON}1002120101`, {}],
    ["a status of another priority", `1b00000012190a14${LOW}120101`, {}],
    ["a status without a device", "050000001203120107", { modules: [1000] }],
    ["the status of a device that it refuses", STATUS, { modules: [] }],
  ])("does not answer %s, and closes when the module's time is over", async (_what, hex, options) => {
    const socket = await dial(await openGateway({ ...options, moduleTimeoutMs: 40 }));
    expect(await closesAfter(socket, CONNECT + hex)).toBeGreaterThanOrEqual(byNodeTimer(40));
    expect(socket.chunks.join("")).toBe(options.modules?.length === 0 ? refused(2) : CONNECTED);
  });

  const breaks = (): never => {
    throw new Error("broken");
  };

  it.each<[how: string, answer: GatewayOptions["answer"], error: Error]>([
    ["rejects", () => Promise.reject(new Error("broken")), new Error("broken")],
    ["rejects too late", () => sleep(40).then(() => Promise.reject(new Error("late"))), new Error("late")],
    ["is not bytes", () => "null" as never, new TypeError("the answer is 'null', but must be a Uint8Array")],
    ["throws", breaks, new Error("broken")],
  ])("treats an answer that %s as none, and shows the error", async (_how, answer, error) => {
    const { gateway, socket } = await openDevice({ moduleTimeoutMs: 20, answer });
    socket.send(STATUS);
    expect(await socket.ended).toBe("end");
    await eventually(() => expect(gateway.errors).toEqual([error]));
    expect(await socket.listen(0)).toBe("");
  });
});

describe("a silent device", () => {
  it("is disconnected when its last status is too long ago, and pushes do not count", async () => {
    const { gateway, socket } = await openDevice({ silenceMs: 100 });
    const pushing = setInterval(() => gateway.push(fromHex("01")), 20);
    expect(await closesAfter(socket, STATUS)).toBeGreaterThanOrEqual(100);
    clearInterval(pushing);
    expect(socket.chunks.join("")).toContain(STATUS);
  });

  it("is not disconnected while it sends statuses, nor if it never sent one", async () => {
    const { gateway, socket } = await openDevice({ silenceMs: 500 });
    await connectDevice(gateway, A);
    for (let round = 0; round < 8; round += 1) {
      await sleep(80);
      await socket.exchanges(statusOf(round), commandOf(round));
    }
    expect(gateway.devices).toHaveLength(2);
  });

  it("is not disconnected when its status came while the process stood still", async () => {
    const { socket } = await openDevice({ silenceMs: 100 });
    for (let round = 0; round < 3; round += 1) {
      socket.send(STATUS);
      standStill(round * 150);
      expect(await Promise.race([socket.read(45), socket.ended])).toBe(STATUS);
    }
  });

  it("is never disconnected with Infinity", async () => {
    const { socket } = await openDevice({ silenceMs: Infinity });
    await socket.exchanges(STATUS, STATUS);
  });

  it("of a module that looks for news may be disconnected sooner if its last statuses said nothing new", async () => {
    const { socket } = await openDevice({ modules: [1000], silenceMs: 400 });
    const [, elapsedMs] = await timed(async () => {
      await socket.exchanges(STATUS, ANSWER);
      await sleep(100);
      await socket.exchanges(STATUS, ANSWER);
      await socket.ended;
    });
    expect(elapsedMs).toBeGreaterThanOrEqual(400);
  });
});

// Devices of module 1001, without a name.
const A = "08e9071a0161";
const B = "08e9071a0162";
const C = "08e9071a0163";

const SLOW = hexOf("slow");
const BAD = hexOf("bad");

/** A module that holds "bad" invalid, and else answers with the status. */
function judge(status: Uint8Array): Uint8Array | undefined {
  return Buffer.from(status).toString("hex") === BAD ? undefined : status;
}

/** A gateway with that device and B, whose module is at work on the device's status "slow" until told otherwise. */
async function openSlow<const Modules extends readonly Servable[]>(options: GatewayOptions<Modules> = {}, device = A) {
  let finish = (): void => undefined;
  let onBusy = (): void => undefined;
  const busy = new Promise<void>((resolve) => (onBusy = resolve));
  const answer = (status: Uint8Array): Uint8Array | Promise<Uint8Array> => {
    if (Buffer.from(status).toString("hex") !== SLOW) return status;
    onBusy();
    return new Promise((resolve) => (finish = () => resolve(status)));
  };
  const gateway = await openGateway({ moduleTimeoutMs: NEVER_MS, ...options, answer });
  const [slow, other] = [await connectDevice(gateway, device), await connectDevice(gateway, B)];
  await slow.exchanges(payloadOf(device, "00"), payloadOf(device, "00"));
  await other.exchanges(payloadOf(B, "00"), payloadOf(B, "00"));
  slow.send(payloadOf(device, SLOW));
  await busy;
  return { gateway, slow, other, finish: () => finish() };
}

describe("one module at a time", () => {
  it("one device's slow status holds up every other device's answer and connect response", async () => {
    const { gateway, slow, other, finish } = await openSlow();
    other.send(payloadOf(B, "01"));
    expect(await other.listen(30)).toBe("");
    finish();
    await slow.gets(payloadOf(A, SLOW));
    await other.gets(payloadOf(B, "01"));

    slow.send(payloadOf(A, SLOW));
    const late = await dial(gateway, connectOf(C));
    expect(await late.listen(30)).toBe("");
    finish();
    await late.gets(connectedOf(C));
  });

  it("a status and a connect that wait for it in vain are closed too", async () => {
    const { gateway, slow, other, finish } = await openSlow({ moduleTimeoutMs: 40 });
    other.send(payloadOf(B, "01"));
    expect([await slow.ended, await other.ended]).toEqual(["end", "end"]);
    const late = await dial(gateway, connectOf(A));
    expect(await late.ended).toBe("end");
    expect(late.chunks).toEqual([]);
    finish();
    await connectDevice(gateway, C);
  });

  it("an answer that never settles is no longer waited for, and blocks neither other devices nor stop for ever", async () => {
    const { gateway, other } = await openSlow({ moduleTimeoutMs: 5 });
    const message = 'Error: The answer to a status of role "a" has not come in 500 ms.';
    await eventually(() => expect(gateway.errors.map(String)).toEqual([message]));
    await other.exchanges(payloadOf(B, "01"), payloadOf(B, "01"));

    gateway.forget();
    const again = await connectDevice(gateway, A);
    again.send(payloadOf(A, SLOW));
    await again.ended;
    await gateway.stop();
  });

  it("two invalid statuses hold up every other device until their time is over; one does not", async () => {
    const gateway = await openGateway({ moduleTimeoutMs: 1_000, answer: judge });
    const first = await connectDevice(gateway, A);
    const second = await connectDevice(gateway, B);
    const third = await connectDevice(gateway, C);
    const roles = (): string[] => gateway.devices.map(({ deviceRole }) => deviceRole);
    first.send(payloadOf(A, BAD));
    await third.exchanges(payloadOf(C, "01"), payloadOf(C, "01"));
    expect(roles()).toEqual(["a", "b", "c"]);

    second.send(payloadOf(B, BAD));
    await gateway.nextStatus({ deviceRole: "b" });
    await third.exchanges(payloadOf(C, "02"), payloadOf(C, "02"));
    expect(roles()).not.toContain("a");
  });
});

describe("answers and commands go to the device, not to the socket", () => {
  it("an answer for a device that has been taken over from is not sent", async () => {
    const { gateway, slow, finish } = await openSlow({}, `${A}2803`);
    const high = await dial(gateway, connectOf(A));
    expect(await slow.ended).toBe("end");
    finish();
    await high.gets(connectedOf(A));
    expect(await slow.listen(0)).toBe("");
  });

  it("a status for another connected device makes a command for that device, and the sender is closed", async () => {
    const gateway = await openGateway({ moduleTimeoutMs: 40 });
    const [sender, other] = [await connectDevice(gateway, A), await connectDevice(gateway, B)];
    sender.send(payloadOf(B, "07"));
    await other.gets(payloadOf(B, "07"));
    expect(await sender.ended).toBe("end");
    expect(sender.chunks.join("")).toBe(connectedOf(A));
  });
});

describe("the end of a device's connection", () => {
  it("its half close is noticed after the answer to its status", async () => {
    const { slow, finish } = await openSlow();
    slow.socket.end();
    expect(await slow.listen(20)).toBe("");
    finish();
    await slow.gets(payloadOf(A, SLOW));
    expect(await slow.ended).toBe("end");
  });

  it("its slot stays taken until its unanswered status has run out of time", async () => {
    const { gateway, socket: first } = await openDevice({ moduleTimeoutMs: 1_000, answer: judge }, A);
    await deliver(gateway, first, payloadOf(A, BAD));
    first.socket.destroy();
    await (await dial(gateway)).exchanges(connectOf(A), `0c0000000a0a08011206${A}`);
    await gateway.nextDisconnect();
    await connectDevice(gateway, A);
  });
});

describe("messages as protobuf reads them", () => {
  it.each([
    [
      "unknown fields of a device come back, after the known ones",
      // Field 6 with one byte before the known ones, field 7 with the number 5 after them.
      framed(`0a0d0a0b320178${A}3805`) + framed(`12100a0b320178${A}3805120107`),
      framed(`0a0d120b${A}3201783805`) + framed(`12100a0b${A}3201783805120107`),
    ],
    [
      "unknown fields elsewhere, of each wire type and a group among them, do not come back",
      framed(`0a0a0a06${A}18091b08011c18012100000000000000002d0000000032021234`),
      connectedOf(A),
    ],
    [
      "a device that is given twice is merged",
      // Module 1001, role "x", priority 4; then role "a".
      framed("0a0f0a0808e9071a017828040a031a0161"),
      connectedOf(`${A}2804`),
    ],
    ["of a connect and a status in one message the last counts", framed(`12080a06${A}0a080a06${A}`), connectedOf(A)],
    [
      "a number in more bytes than it needs is that number, and of one that is too large the lowest 32 bits count",
      framed("0a150a1308e987001082808080f0011a01612885808000"),
      connectedOf("08e90710021a01612805"),
    ],
  ])("%s", async (_what, sent, got) => {
    await (await dial(await openGateway())).exchanges(sent, got);
  });

  it("a connect without a device is refused for its module, and left open", async () => {
    const gateway = await openGateway({ modules: [1000] });
    await (await dial(gateway)).exchanges("020000000a00", "060000000a0408021200");
    const again = await dial(gateway);
    await again.exchanges("020000000a00", "060000000a0408011200");
    expect(await again.ended).toBe("end");
    await eventually(() => expect(gateway.openSockets).toBe(1));
  });
});

describe("commands from the cloud", () => {
  it("are for devices that have sent a valid status", async () => {
    const { gateway, socket } = await openDevice({}, A);
    expect(gateway.command(fromHex("01"))).toBe(0);
    await socket.exchanges(payloadOf(A, "aa"), payloadOf(A, "aa"));
    expect(gateway.command(fromHex("01"))).toBe(1);
    expect(gateway.command(fromHex("02"), { deviceRole: "b" })).toBe(0);
    expect(gateway.command(fromHex(""))).toBe(0);
    await socket.exchanges(payloadOf(A, "bb"), payloadOf(A, "01"));
    socket.socket.end();
    await socket.ended;
    expect(gateway.command(fromHex("03"))).toBe(0);
  });

  it("sent once, answer every later status with the bytes at the call, until the device connects again", async () => {
    const { gateway, socket } = await openDevice({}, A);
    await socket.exchanges(payloadOf(A, "aa"), payloadOf(A, "aa"));
    const bytes = fromHex("01");
    gateway.command(bytes);
    bytes[0] = 9;
    await socket.exchanges(payloadOf(A, "bb") + payloadOf(A, "cc"), payloadOf(A, "01").repeat(2));
    socket.socket.end();
    await socket.ended;
    await (await connectDevice(gateway, A)).exchanges(payloadOf(A, "dd"), payloadOf(A, "dd"));
  });

  it("wait in a queue, of which the oldest of four is dropped", async () => {
    const { gateway, socket } = await openDevice({}, A);
    await socket.exchanges(payloadOf(A, "aa"), payloadOf(A, "aa"));
    for (const hex of ["01", "02", "03", "04", "05"]) gateway.command(fromHex(hex));
    const answers = ["03", "04", "05", "05"].map((hex) => payloadOf(A, hex));
    await socket.exchanges(payloadOf(A, "aa").repeat(4), answers.join(""));
  });
});

describe("a module that asks for pushes", () => {
  const pushing = { modules: [{ module: 1001, pushes: true }] } as const;

  it("sends nothing before the device's first status", async () => {
    const { gateway, socket } = await openDevice(pushing, A);
    expect(gateway.command(fromHex("01"))).toBe(0);
    await socket.exchanges(payloadOf(A, "aa"), payloadOf(A, ""));
  });

  it("sends a command only after the answer that a module is working on", async () => {
    const { gateway, slow, finish } = await openSlow(pushing);
    gateway.command(fromHex("07"), { deviceRole: "a" });
    expect(await slow.listen(20)).toBe("");
    finish();
    await slow.gets(payloadOf(A, SLOW) + payloadOf(A, "07"));
  });

  it("may answer a status that waits with the pushed command alone", async () => {
    const { gateway, other, finish } = await openSlow(pushing);
    await deliver(gateway, other, payloadOf(B, "02"));
    gateway.command(fromHex("07"), { deviceRole: "b" });
    finish();
    await other.gets(payloadOf(B, "07"));
    expect(await other.listen(20)).toBe("");
  });

  it("pushes with the name that the cloud has for the device: that of its last status, unless told otherwise", async () => {
    const { gateway, socket } = await openDevice(pushing, A);
    const [renamed, z] = [`${A}220162`, `${A}22017a`];
    await socket.exchanges(payloadOf(A, "aa") + payloadOf(renamed, "aa"), payloadOf(A, "") + payloadOf(renamed, ""));
    expect(gateway.command(fromHex("01"))).toBe(1);
    await socket.gets(payloadOf(renamed, "01"));
    expect(gateway.command(fromHex("02"), {}, { deviceName: "z" })).toBe(1);
    await socket.gets(payloadOf(z, "02"));
  });

  it("sends a command for a device that is just connecting again before the connect response", async () => {
    const { gateway, other: first, finish } = await openSlow(pushing);
    gateway.command(fromHex("07"), { deviceRole: "b" });
    first.socket.end();
    await first.ended;
    const second = await dialUntilRead(gateway, connectOf(B));
    finish();
    await second.gets(payloadOf(B, "07") + connectedOf(B));
  });
});

describe("a gateway that is told to end", () => {
  it("is mute, still accepts, and then ends every connection: by a reset where something was sent or is new", async () => {
    const gateway = await openGateway();
    const [busy, idle] = [await connectDevice(gateway, A), await connectDevice(gateway, B)];
    const over = gateway.terminate({ muteMs: 1_000 });
    busy.send(payloadOf(A, "01"));
    const late = await dial(gateway, connectOf(C));
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
    const { gateway } = await openDevice();
    await gateway.terminate({ muteMs: 0 });
    expect(gateway.devices).toEqual([]);
    await gateway.restart();
    await connectDevice(gateway);
  });

  it("can be stopped meanwhile", async () => {
    const gateway = await openGateway();
    const over = gateway.terminate({ muteMs: NEVER_MS });
    await sleep(5);
    await gateway.stop();
    await over;
    await expect(gateway.terminate()).rejects.toThrow("stopped");
  });
});
