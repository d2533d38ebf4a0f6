import { Socket } from "node:net";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it, jest } from "@jest/globals";
import type { GatewayOptions, TestingGateway } from "../../lib/testing.js";
import { startGateway } from "../../lib/testing.js";
import type { RawSocket } from "./raw-socket.js";
import { dial, hangUpAll } from "./raw-socket.js";
import {
  ANSWER,
  BUTTON,
  byte,
  commandOf,
  CONNECT,
  connectButton,
  CONNECTED,
  connectedWithPriority,
  connectWithPriority,
  DARK,
  fromHex,
  PRESSED,
  refused,
  STATUS,
  statusOf,
} from "./wire.js";

let gateway: TestingGateway;

async function start(options?: GatewayOptions): Promise<void> {
  gateway = await startGateway(options);
}

async function connectedButton(): Promise<RawSocket> {
  const socket = await dial(gateway);
  await connectButton(socket);
  return socket;
}

async function millisecondsUntil(event: Promise<unknown>): Promise<number> {
  const start = performance.now();
  await event;
  return performance.now() - start;
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
    await start({ modules: { 2: "any" } });
    const socket = await dial(gateway);
    socket.send(CONNECT);
    expect(await socket.read(28)).toBe(refused(2));

    const again = await dial(gateway);
    again.send(CONNECT);
    expect(await again.read(28)).toBe(refused(1));
    expect(await again.ended).toBe("end");
    expect(gateway.openSockets).toBe(1);
    expect(gateway.devices).toEqual([]);

    socket.socket.end();
    expect(await socket.ended).toBe("end");
    const third = await dial(gateway);
    third.send(CONNECT);
    expect(await third.read(28)).toBe(refused(2));
  });

  it("refuses a device type that the module does not know", async () => {
    await start({ modules: { 1000: [1, 10] } });
    const socket = await dial(gateway);
    socket.send(CONNECT);
    expect(await socket.read(28)).toBe(refused(3));
    expect(await socket.listen(20)).toBe("");
    expect(gateway.openSockets).toBe(1);
  });

  it("serves the device types that were named", async () => {
    await start({ modules: { 1000: [0, 10] } });
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
    expect(gateway.openSockets).toBe(1);
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
    await start({ cleanUpMs: 60 });
    const first = await connectedButton();
    first.socket.end();
    await first.ended;
    const hasty = await dial(gateway);
    hasty.send(CONNECT);
    expect(await hasty.read(28)).toBe(refused(1));
    await sleep(80);
    await connectedButton();
  });

  it("keeps the slot taken until an unanswered status has run out of time", async () => {
    await start({ moduleTimeoutMs: 80, answer: () => new Promise(() => undefined) });
    const first = await connectedButton();
    const arrived = gateway.nextStatus();
    first.send(STATUS);
    await arrived;
    first.socket.end();
    await first.ended;
    const hasty = await dial(gateway);
    hasty.send(CONNECT);
    expect(await hasty.read(28)).toBe(refused(1));
    await sleep(100);
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
    ["a message that only the gateway may send", "020000000a00"],
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
    await start();
    const socket = await dial(gateway);
    socket.send(hex);
    const took = await millisecondsUntil(socket.ended);
    expect(await socket.ended).toBe("end");
    expect(socket.chunks).toEqual([]);
    expect(took).toBeLessThan(150);
  });

  it("closes at once on a second connect", async () => {
    await start();
    const socket = await connectedButton();
    socket.send(CONNECT);
    expect(await millisecondsUntil(socket.ended)).toBeLessThan(150);
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

  it("closes at once when the device closes its half, even while a status waits for its answer", async () => {
    await start({ answer: () => new Promise(() => undefined) });
    const socket = await connectedButton();
    socket.send(STATUS);
    socket.socket.end();
    expect(await millisecondsUntil(socket.ended)).toBeLessThan(150);
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
    const took = await millisecondsUntil(
      (async () => {
        for (let sent = 0; sent < 256; sent += 1) socket.socket.write(chunk);
        expect(await socket.read(29)).toBe(commandOf(1));
      })(),
    );
    expect(took).toBeLessThan(3_000);
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

  it("takes an empty status and gives an empty command", async () => {
    await start();
    const socket = await connectedButton();
    socket.send(`1600000012140a12${BUTTON}`);
    expect(await socket.read(26)).toBe(`1600000012140a12${BUTTON}`);
  });

  it("gives an invalid status no answer, and closes when the module's time is over", async () => {
    await start({ moduleTimeoutMs: 60, answer: () => undefined });
    const socket = await connectedButton();
    socket.send(STATUS);
    const took = await millisecondsUntil(socket.ended);
    expect(took).toBeGreaterThan(50);
    expect(await socket.listen(0)).toBe("");
    await connectedButton();
  });

  it("gives the module 250 ms by default", async () => {
    await start({ answer: () => undefined });
    const socket = await connectedButton();
    socket.send(STATUS);
    const took = await millisecondsUntil(socket.ended);
    expect(took).toBeGreaterThan(240);
    expect(took).toBeLessThan(1_000);
  });

  it("treats a slow answer as none, and never sends it", async () => {
    await start({
      moduleTimeoutMs: 40,
      answer: async (status) => {
        await sleep(80);
        return status;
      },
    });
    const socket = await connectedButton();
    socket.send(STATUS);
    expect(await socket.ended).toBe("end");
    await sleep(60);
    expect(socket.chunks.join("")).toBe(CONNECTED);
    expect(gateway.errors).toEqual([]);
  });

  it("does not send an answer to a device that has come back meanwhile", async () => {
    let answerLate = (): void => undefined;
    await start({
      moduleTimeoutMs: 60,
      answer: (status) => new Promise((resolve) => (answerLate = () => resolve(status))),
    });
    const first = await connectedButton();
    const arrived = gateway.nextStatus();
    first.send(STATUS);
    await arrived;
    first.socket.destroy();
    await sleep(80);
    const second = await connectedButton();
    answerLate();
    expect(await second.listen(20)).toBe("");
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
    await sleep(40);
    expect(gateway.errors).toEqual([new Error("late")]);
  });

  it("treats an answer that is not bytes as none, and says so", async () => {
    await start({ moduleTimeoutMs: 20, answer: () => "null" as unknown as Uint8Array });
    const socket = await connectedButton();
    socket.send(STATUS);
    await socket.ended;
    expect(gateway.errors).toEqual([new TypeError("the answer must be a Uint8Array, but is 'null'")]);
  });

  it.each([
    ["role", "08e8071a0474657375" + "2207627574746f6e31"],
    ["module", "08e9071a04746573742207627574746f6e31"],
  ])("gives a status of another %s no answer, and closes when the module's time is over", async (_what, device) => {
    await start({ moduleTimeoutMs: 40 });
    const socket = await connectedButton();
    socket.send(`1900000012170a12${device}120101`);
    expect(await millisecondsUntil(socket.ended)).toBeGreaterThan(30);
    expect(await socket.listen(0)).toBe("");
  });

  it.each([
    ["type", "1002"],
    ["priority", "2805"],
  ])("gives a status of another %s no answer, and closes when the module's time is over", async (_what, field) => {
    await start({ moduleTimeoutMs: 40 });
    const socket = await connectedButton();
    socket.send(`1b00000012190a14${BUTTON}${field}120101`);
    expect(await millisecondsUntil(socket.ended)).toBeGreaterThan(30);
    expect(await socket.listen(0)).toBe("");
  });

  it("answers a status of another name, with the name that connected", async () => {
    await start();
    const socket = await connectedButton();
    socket.send("1300000012110a0c08e8071a0474657374220162120107");
    expect(await socket.read(29)).toBe(commandOf(7));
  });

  it("gives the status of a refused device no answer, and closes when the module's time is over", async () => {
    await start({ modules: {}, moduleTimeoutMs: 40 });
    const socket = await dial(gateway);
    socket.send(CONNECT);
    await socket.read(28);
    socket.send(STATUS);
    expect(await millisecondsUntil(socket.ended)).toBeGreaterThan(30);
  });
});

describe("silence", () => {
  it("cuts a device that has been silent since its last status, and pushes do not count", async () => {
    await start({ silenceMs: 100 });
    const socket = await connectedButton();
    const sentAt = performance.now();
    socket.send(STATUS);
    await socket.read(45);
    const pushing = setInterval(() => gateway.push(fromHex("01")), 20);
    await socket.ended;
    clearInterval(pushing);
    expect(performance.now() - sentAt).toBeGreaterThanOrEqual(100);
  });

  it("does not cut a device that goes on, nor one that never sent a status", async () => {
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

  it("never cuts anybody if told so", async () => {
    await start({ silenceMs: Infinity });
    const socket = await connectedButton();
    socket.send(STATUS);
    expect(await socket.read(45)).toBe(STATUS);
  });
});
