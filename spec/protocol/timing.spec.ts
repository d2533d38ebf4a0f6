import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { FIXED_LIMITS } from "../../lib/client/client.js";
import { propertyRuns } from "../support/property-runs.js";
import { LIMITS, VirtualDevice } from "../support/virtual-device.js";
import { commandOf, CONNECTED, refused } from "../testing/wire.js";

const alreadyConnected = refused(1);
const foreignResponse = "0d0000000a0b120908e9071a0474657374";
const foreignCommand = "10000000120e0a0908e9071a0474657374120107";

/** Opens the connection and answers the connect at once. */
function reconnect(device: VirtualDevice, answer = CONNECTED): void {
  device.opened();
  device.receive(answer);
}

it("the limits of a device here are those of a client", () => {
  expect(LIMITS).toMatchObject(FIXED_LIMITS);
});

describe("a first connection", () => {
  it("has one time limit for TCP and the connect response together", () => {
    const device = new VirtualDevice();
    device.wait(399);
    device.opened();
    expect(device.deadline).toBe(400);
    device.wait(1);
    expect(device.take()).toEqual(["0: open", "399: write connect", "400: close", "400: ended UNABLE_TO_CONNECT"]);
  });
});

describe("a status", () => {
  it("is sent again 2 ms after the gateway has closed, with its whole time", () => {
    const device = VirtualDevice.idle();
    device.send("a", 80);
    device.wait(30);
    device.closed();
    device.wait(10);
    reconnect(device);
    expect(device.take()).toEqual([
      "0: write a",
      "30: dropped",
      "32: open",
      "40: write connect",
      "40: reconnected",
      "40: write a after reconnecting",
    ]);
    expect(device.deadline).toBe(40 + 80);
  });

  it("is sent again 2 ms after its time is over, and times out if that fails too", () => {
    const device = VirtualDevice.idle();
    device.send("a", 80);
    device.wait(82);
    reconnect(device);
    device.wait(80);
    expect(device.take()).toEqual([
      "0: write a",
      "80: close",
      "80: dropped",
      "82: open",
      "82: write connect",
      "82: reconnected",
      "82: write a after reconnecting",
      "162: close",
      "162: ended TIMEOUT_OCCURRED with a",
    ]);
  });

  it.each([
    [1_000, 50, 1_050],
    [1_000.25, 50, 1_051],
    [1_000, 0.5, 1_001],
  ])(
    "sent at %s ms with a limit of %s ms has until %s ms: a whole number, and never too early",
    (at, timeoutMs, deadline) => {
      const device = VirtualDevice.idle();
      device.wait(at);
      device.send("a", timeoutMs);
      expect(device.deadline).toBe(deadline);
    },
  );
});

describe("a status that begins without a connection", () => {
  it.each([
    [0, 2],
    [1.5, 2],
    [2, 2],
    [500, 500],
  ])("%d ms after the drop opens one at %d ms", (begins, opens) => {
    const device = VirtualDevice.idle();
    device.closed();
    device.wait(begins);
    device.send("a", 80);
    device.wait(2);
    expect(device.timesOf("open")).toEqual([opens]);
    expect(device.deadline).toBe(opens + 400);
  });

  it("may still reconnect once", () => {
    const device = VirtualDevice.idle();
    device.closed();
    device.send("a", 80);
    device.wait(2);
    reconnect(device);
    device.wait(50);
    device.closed();
    device.wait(2);
    reconnect(device);
    device.wait(80);
    expect(device.take().slice(1)).toEqual([
      "2: open",
      "2: write connect",
      "2: reconnected",
      "2: write a after reconnecting",
      "52: dropped",
      "54: open",
      "54: write connect",
      "54: reconnected",
      "54: write a after reconnecting",
      "134: close",
      "134: ended TIMEOUT_OCCURRED with a",
    ]);
  });

  it.each([
    ["a message that failed the status before", (device: VirtualDevice) => device.receive(foreignCommand)],
    ["an abort of the status before", (device: VirtualDevice) => device.abort("a")],
  ])("waits 2 ms after %s", (_what, drop) => {
    const device = VirtualDevice.idle();
    device.send("a");
    device.wait(10);
    drop(device);
    expect(device.deadline).toBeUndefined();
    device.send("b");
    expect(device.deadline).toBe(12);
  });

  it("waits 2 ms after an abort in the middle of a reconnection too", () => {
    for (const wait of [1, 2, 3]) {
      const device = VirtualDevice.idle();
      device.send("a", 80);
      device.closed();
      device.wait(wait);
      if (wait === 3) device.opened();
      device.abort("a");
      device.send("a", 80);
      expect(device.deadline).toBe(wait + 2);
      device.wait(2);
      expect(device.timesOf("open").at(-1)).toBe(wait + 2);
    }
  });

  it("counts the 2 ms from the end of a listener in which the status before it was aborted", () => {
    const device = VirtualDevice.idle();
    device.onEffect = ({ kind }) => {
      if (kind !== "write") return;
      device.onEffect = () => undefined;
      device.abort("a");
      device.now += 10;
    };
    device.send("a");
    device.send("b");
    device.wait(2);
    expect(device.timesOf("close")).toEqual([10]);
    expect(device.timesOf("open")).toEqual([12]);
  });
});

describe("a reconnection that gets ALREADY_CONNECTED", () => {
  /** The gateway gives that answer so many milliseconds after each connection was opened. */
  function askUntilTheEnd(device: VirtualDevice, answersAfter: number): void {
    device.send("a", 80);
    device.closed();
    device.wait(2);
    while (device.state === "reopening") {
      device.opened();
      device.wait(answersAfter);
      device.receive(alreadyConnected);
      device.wait(5);
    }
  }

  it("asks again every 5 ms for 350 ms, and then says so", () => {
    const device = VirtualDevice.idle();
    askUntilTheEnd(device, 0);
    expect(device.timesOf("open")).toEqual(Array.from({ length: 71 }, (_, i) => 2 + 5 * i));
    expect(device.take().at(-1)).toBe("352: ended DEVICE_ALREADY_CONNECTED with a");
  });

  it("counts the 350 ms from the first such answer", () => {
    const device = VirtualDevice.idle();
    askUntilTheEnd(device, 100);
    // The first answer comes at 102, so the last question may be put at 452.
    expect(device.timesOf("open")).toEqual([2, 107, 212, 317, 422]);
    expect(device.take().at(-1)).toBe("522: ended DEVICE_ALREADY_CONNECTED with a");
  });

  it("takes at most connectTimeoutMs and 350 ms in all, including an attempt under way", () => {
    const device = VirtualDevice.idle({ ...LIMITS, connectTimeoutMs: 10 });
    askUntilTheEnd(device, 9);
    // From 2 on, 14 ms each; what begins at 352 is cut off at 10 + 350.
    expect(device.timesOf("open")).toEqual(Array.from({ length: 26 }, (_, i) => 2 + 14 * i));
    expect(device.take().at(-1)).toBe("360: ended UNABLE_TO_CONNECT with a");
  });

  it("does not start an attempt after its time is over", () => {
    const device = VirtualDevice.idle({ ...LIMITS, connectTimeoutMs: 12 });
    askUntilTheEnd(device, 10);
    // From 2 on, 15 ms each; the answer at 357 would be followed by a question at 362, which is the end.
    expect(device.timesOf("open").at(-1)).toBe(347);
    expect(device.take().at(-1)).toBe("357: ended DEVICE_ALREADY_CONNECTED with a");
  });

  it("gives each attempt its connectTimeoutMs, but not beyond the end", () => {
    const device = VirtualDevice.idle({ ...LIMITS, connectTimeoutMs: 100 });
    device.send("a", 80);
    device.closed();
    const deadlines: number[] = [];
    device.wait(2);
    while (device.state === "reopening") {
      deadlines.push(device.deadline! - device.now);
      device.wait(95);
      if (device.deadline === undefined) break;
      device.opened();
      device.receive(alreadyConnected);
      device.wait(5);
    }
    expect(deadlines).toEqual([100, 100, 100, 100, 48]);
    expect(device.take().at(-1)).toBe("450: ended UNABLE_TO_CONNECT with a");
  });
});

describe("one call", () => {
  /** What a gateway may do next, and after what share of the time that is left. */
  const move = fc.record({
    share: fc.oneof(fc.constant(0), fc.constant(1), fc.double({ min: 0, max: 1, noNaN: true })),
    choice: fc.nat({ max: 5 }),
  });

  type Move = "waits" | "opens" | "closes" | { readonly sends: string };
  const again = { sends: alreadyConnected };
  const awaiting: readonly Move[] = [
    "waits",
    "waits",
    "closes",
    "closes",
    { sends: commandOf(0xc0) },
    { sends: foreignCommand },
  ];

  /** Sixfold, so that what happens often is listed often; "waits" lets the deadline pass. */
  const moves: Record<string, readonly Move[]> = {
    reopening: ["opens", "opens", "opens", "opens", "waits", "closes"],
    rehandshaking: [{ sends: CONNECTED }, again, again, again, "waits", { sends: foreignResponse }],
    awaiting,
    awaitingAgain: awaiting,
    backingOff: Array<Move>(6).fill("waits"),
  };

  it("never takes longer than 2 x timeoutMs + 2 x (connectTimeoutMs + 350 ms), whatever the gateway does and whenever", () => {
    const longest = { share: 0 };
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_000 }),
        fc.integer({ min: 1, max: 1_000 }),
        fc.option(fc.integer({ min: 0, max: 3 })),
        fc.array(move, { minLength: 1, maxLength: 20 }),
        (timeoutMs, connectTimeoutMs, droppedBefore, script) => {
          const device = VirtualDevice.idle({ ...LIMITS, connectTimeoutMs });
          if (droppedBefore !== null) {
            device.closed();
            device.wait(droppedBefore);
          }
          const begins = device.now;
          device.send("a", timeoutMs);
          for (let step = 0; device.deadline !== undefined; step++) {
            if (step > 2_000) throw new Error("It does not come to an end");
            const { share, choice } = script[step % script.length]!;
            const does = moves[device.state]![choice]!;
            const left = device.deadline - device.now;
            if (does === "waits" || share === 1) {
              device.wait(left);
              continue;
            }
            device.now += share * left;
            if (does === "opens") device.opened();
            else if (does === "closes") device.closed();
            else device.receive(does.sends);
          }
          // A status's deadline is rounded up to a whole millisecond.
          const bound = 2 * (timeoutMs + 1) + (droppedBefore === null ? 1 : 2) * (connectTimeoutMs + 350);
          longest.share = Math.max(longest.share, (device.now - begins) / bound);
          expect(device.now - begins).toBeLessThanOrEqual(bound);
        },
      ),
      { ...propertyRuns, numRuns: 3 * propertyRuns.numRuns },
    );
    // The scripts do come near the bound, or they would prove little.
    expect(longest.share).toBeGreaterThan(0.7);
  });
});

describe("time that the process did not run", () => {
  it.each(["opening", "handshaking"])("is added to what a first connection has left while %s", (state) => {
    const device = new VirtualDevice();
    if (state === "handshaking") device.opened();
    device.wait(100);
    device.connection.postpone(5_000);
    device.wait(5_299);
    expect(device.state).toBe(state);
    device.wait(1);
    expect(device.take().at(-1)).toBe("5400: ended UNABLE_TO_CONNECT");
  });

  it("is added to what a status has left, and to its reconnection as a whole", () => {
    const device = VirtualDevice.idle();
    device.send("a", 80);
    device.connection.postpone(1_000);
    device.wait(1_080 + 2);
    reconnect(device, alreadyConnected);
    device.connection.postpone(10_000);
    expect(device.deadline).toBe(1_082 + 5 + 10_000);
    device.wait(10_005);
    expect([device.state, device.deadline]).toEqual(["reopening", device.now + 400]);
  });

  it("is added to the time for asking again, but only after that has begun", () => {
    const device = VirtualDevice.idle();
    device.send("a", 80);
    device.closed();
    device.connection.postpone(1_000);
    device.wait(1_002);
    const begun = device.now;
    for (let asked = 0; asked <= 70; asked++) {
      expect(device.state).toBe("reopening");
      reconnect(device, alreadyConnected);
      if (asked === 35) device.connection.postpone(10_000);
      if (device.deadline !== undefined) device.wait(device.deadline - device.now);
    }
    expect(device.take().at(-1)).toBe(`${begun + 10_000 + 350}: ended DEVICE_ALREADY_CONNECTED with a`);
  });

  it("changes nothing while nothing has a limit", () => {
    const device = VirtualDevice.idle();
    device.connection.postpone(1_000);
    expect(device.deadline).toBeUndefined();
  });
});
