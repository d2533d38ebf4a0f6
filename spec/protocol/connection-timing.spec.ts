import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import type { Input } from "../../lib/protocol/connection.js";
import { propertyRuns } from "../support/property-runs.js";
import {
  accepted,
  alreadyConnected,
  closed,
  command,
  earlyCommand,
  response,
  VirtualConnection,
} from "./virtual-connection.js";

const limits = { connectTimeoutMs: 400 };
const opened: Input = { type: "opened" };
const status = (timeoutMs: number): Input => ({ type: "status", timeoutMs });

/** Opens and introduces the device at once. */
function reconnect(connection: VirtualConnection, answer = accepted): void {
  connection.feed(opened);
  connection.feed(answer);
}

describe("a first connection", () => {
  it("has one time limit for TCP and the connect response together", () => {
    const connection = new VirtualConnection(limits);
    connection.wait(399);
    connection.feed(opened);
    expect(connection.deadline).toBe(400);
    connection.wait(1);
    expect(connection.take()).toEqual(["0: open", "399: sendConnect", "400: close", "400: end UNABLE_TO_CONNECT"]);
  });

  it("is never asked for again", () => {
    const connection = new VirtualConnection(limits);
    reconnect(connection, alreadyConnected);
    connection.wait(1_000);
    expect(connection.timesOf("open")).toEqual([0]);
    expect(connection.kind).toBe("ended");
  });
});

describe("a status", () => {
  it("has its time from when it is sent", () => {
    const connection = VirtualConnection.idle(limits);
    connection.wait(1_000);
    connection.feed(status(80));
    expect(connection.deadline).toBe(1_080);
  });

  it("is sent again 2 ms after the gateway has closed, with its whole time", () => {
    const connection = VirtualConnection.idle(limits);
    connection.feed(status(80));
    connection.wait(30);
    connection.feed(closed);
    connection.wait(10);
    reconnect(connection);
    expect(connection.take()).toEqual([
      "0: sendStatus",
      "30: dropped",
      "32: open",
      "40: sendConnect",
      "40: reconnected",
      "40: sendStatus after reconnecting",
    ]);
    expect(connection.deadline).toBe(40 + 80);
  });

  it("is sent again 2 ms after its time is over, and times out when that comes to nothing", () => {
    const connection = VirtualConnection.idle(limits);
    connection.feed(status(80));
    connection.wait(82);
    reconnect(connection);
    connection.wait(80);
    expect(connection.take()).toEqual([
      "0: sendStatus",
      "80: close",
      "80: dropped",
      "82: open",
      "82: sendConnect",
      "82: reconnected",
      "82: sendStatus after reconnecting",
      "162: close",
      "162: end TIMEOUT_OCCURRED",
    ]);
  });

  it("reconnects once and not twice", () => {
    const connection = VirtualConnection.idle(limits);
    connection.feed(status(80));
    connection.feed(closed);
    connection.wait(2);
    reconnect(connection);
    connection.feed(closed);
    connection.wait(1_000);
    expect(connection.timesOf("open")).toEqual([2]);
    expect(connection.take().at(-1)).toBe("2: end UNABLE_TO_CONNECT");
  });

  it("leaves a later status its own reconnection", () => {
    const connection = VirtualConnection.idle(limits);
    for (const start of [0, 100]) {
      connection.wait(start - connection.now);
      connection.feed(status(80));
      connection.feed(closed);
      connection.wait(2);
      reconnect(connection);
      connection.feed(command("c0"));
    }
    expect(connection.timesOf("open")).toEqual([2, 102]);
    expect(connection.kind).toBe("idle");
  });

  it("is not completed by a command that arrived before it was sent again, and keeps its deadline", () => {
    const connection = VirtualConnection.idle(limits);
    connection.feed(status(80));
    connection.feed(closed);
    connection.wait(2);
    reconnect(connection);
    connection.feed(earlyCommand("c0"));
    connection.wait(30);
    expect(connection.deadline).toBe(2 + 80);
    connection.feed(command("c1"));
    expect(connection.take().slice(-2)).toEqual(["2: deliver c0", "32: deliver c1 as the answer"]);
  });
});

describe("a status that begins without a connection", () => {
  it.each([
    [0, 2],
    [1, 2],
    [1.5, 2],
    [2, 2],
    [3, 3],
    [500, 500],
  ])("%d ms after the drop opens one at %d ms", (begins, opens) => {
    const connection = VirtualConnection.idle(limits);
    connection.feed(closed);
    connection.wait(begins);
    connection.feed(status(80));
    connection.wait(2);
    expect(connection.timesOf("open")).toEqual([opens]);
    expect(connection.deadline).toBe(opens + 400);
  });

  it("has spent its reconnection: a hang-up is the end", () => {
    const connection = VirtualConnection.idle(limits);
    connection.feed(closed);
    connection.feed(status(80));
    connection.wait(2);
    reconnect(connection);
    connection.wait(50);
    connection.feed(closed);
    expect(connection.take().slice(1)).toEqual([
      "2: open",
      "2: sendConnect",
      "2: reconnected",
      "2: sendStatus after reconnecting",
      "52: end UNABLE_TO_CONNECT",
    ]);
  });

  it("has spent its reconnection: a timeout is the end", () => {
    const connection = VirtualConnection.idle(limits);
    connection.feed(closed);
    connection.feed(status(80));
    connection.wait(2);
    reconnect(connection);
    connection.wait(80);
    expect(connection.take().at(-1)).toBe("82: end TIMEOUT_OCCURRED");
  });

  it.each([
    ["a message that failed the status before", command("c0", "other")],
    ["an abort of the status before", { type: "abandon" } as const],
  ])("waits 2 ms after %s", (_what, drop) => {
    const connection = VirtualConnection.idle(limits);
    connection.feed(status(80));
    connection.wait(10);
    connection.feed(drop);
    expect(connection.deadline).toBeUndefined();
    connection.feed(status(80));
    expect(connection.deadline).toBe(12);
  });

  it("waits 2 ms after an abort in the middle of a reconnection too", () => {
    for (const wait of [1, 2, 3]) {
      const connection = VirtualConnection.idle(limits);
      connection.feed(status(80));
      connection.feed(closed);
      connection.wait(wait);
      if (wait === 3) connection.feed(opened);
      connection.feed({ type: "abandon" });
      connection.feed(status(80));
      expect(connection.deadline).toBe(wait + 2);
      connection.wait(2);
      expect(connection.timesOf("open").at(-1)).toBe(wait + 2);
    }
  });
});

describe("a reconnection that is told that the device is connected already", () => {
  /** The gateway gives that answer so many milliseconds after each connection was opened. */
  function askUntilTheEnd(connection: VirtualConnection, answersAfter: number, answer = alreadyConnected): void {
    connection.feed(status(80));
    connection.feed(closed);
    connection.wait(2);
    while (connection.kind === "opening") {
      connection.feed(opened);
      connection.wait(answersAfter);
      connection.feed(answer);
      connection.wait(5);
    }
  }

  it("asks again every 5 ms for 350 ms, and then says so", () => {
    const connection = VirtualConnection.idle(limits);
    askUntilTheEnd(connection, 0);
    expect(connection.timesOf("open")).toEqual(Array.from({ length: 71 }, (_, i) => 2 + 5 * i));
    expect(connection.take().at(-1)).toBe("352: end DEVICE_ALREADY_CONNECTED");
  });

  it("counts the 350 ms from the first such answer", () => {
    const connection = VirtualConnection.idle(limits);
    askUntilTheEnd(connection, 100);
    // The first answer comes at 102, so the last question may be put at 452.
    expect(connection.timesOf("open")).toEqual([2, 107, 212, 317, 422]);
    expect(connection.take().at(-1)).toBe("522: end DEVICE_ALREADY_CONNECTED");
  });

  it("leaves the connection before it asks again", () => {
    const connection = VirtualConnection.idle(limits);
    connection.feed(status(80));
    connection.feed(closed);
    connection.wait(2);
    reconnect(connection, alreadyConnected);
    connection.wait(5);
    expect(connection.take().slice(2)).toEqual([
      "2: open",
      "2: sendConnect",
      "2: close",
      "2: refused DEVICE_ALREADY_CONNECTED, will ask again",
      "7: open",
    ]);
  });

  it("goes on where it is accepted at last", () => {
    const connection = VirtualConnection.idle(limits);
    connection.feed(status(80));
    connection.feed(closed);
    connection.wait(2);
    for (let i = 0; i < 49; i++) {
      reconnect(connection, alreadyConnected);
      connection.wait(5);
    }
    reconnect(connection);
    connection.feed(command("c0"));
    expect(connection.take().slice(-3)).toEqual([
      "247: reconnected",
      "247: sendStatus after reconnecting",
      "247: deliver c0 as the answer",
    ]);
  });

  it("takes no longer than connectTimeoutMs and 350 ms in all, question under way included", () => {
    const connection = VirtualConnection.idle({ connectTimeoutMs: 10 });
    askUntilTheEnd(connection, 9);
    // From 2 on, 14 ms each; what begins at 352 is cut off at 10 + 350.
    expect(connection.timesOf("open")).toEqual(Array.from({ length: 26 }, (_, i) => 2 + 14 * i));
    expect(connection.take().at(-1)).toBe("360: end UNABLE_TO_CONNECT");
  });

  it("does not begin a question that would begin when its time is over", () => {
    const connection = VirtualConnection.idle({ connectTimeoutMs: 12 });
    askUntilTheEnd(connection, 10);
    // From 2 on, 15 ms each; the answer at 357 would be followed by a question at 362, which is the end.
    expect(connection.timesOf("open").at(-1)).toBe(347);
    expect(connection.take().at(-1)).toBe("357: end DEVICE_ALREADY_CONNECTED");
  });

  it("gives each question its connectTimeoutMs, but not beyond the end", () => {
    const connection = VirtualConnection.idle({ connectTimeoutMs: 100 });
    connection.feed(status(80));
    connection.feed(closed);
    const deadlines: number[] = [];
    connection.wait(2);
    while (connection.kind === "opening") {
      deadlines.push(connection.deadline! - connection.now);
      connection.wait(95);
      connection.feed(opened);
      connection.feed(alreadyConnected);
      connection.wait(5);
    }
    expect(deadlines).toEqual([100, 100, 100, 100, 48]);
    expect(connection.take().at(-1)).toBe("450: end UNABLE_TO_CONNECT");
  });

  it.each([2, 3, 4])("is not asked again on response type %d", (responseType) => {
    const connection = VirtualConnection.idle(limits);
    askUntilTheEnd(connection, 0, response(responseType));
    expect(connection.timesOf("open")).toEqual([2]);
    expect(connection.kind).toBe("ended");
  });
});

describe("one call", () => {
  it("can take 2 x timeoutMs + connectTimeoutMs + 350 ms, but for the last moment", () => {
    const connection = VirtualConnection.idle({ connectTimeoutMs: 400 });
    connection.feed(status(1_000));
    connection.wait(1_000 + 2 + 399);
    reconnect(connection, alreadyConnected);
    connection.wait(5 + 343);
    reconnect(connection);
    connection.wait(1_000);
    expect(connection.take().at(-1)).toBe(`${2 * 1_000 + 400 + 350 - 1}: end TIMEOUT_OCCURRED`);
  });

  /** What a gateway may do next, and after what share of the time that is left. */
  const move = fc.record({
    share: fc.oneof(fc.constant(0), fc.constant(1), fc.double({ min: 0, max: 1, noNaN: true })),
    choice: fc.nat({ max: 5 }),
  });

  /** Sixfold, so that what happens often is listed often; undefined lets the deadline pass. */
  const moves: Record<string, readonly (Input | undefined)[]> = {
    opening: [opened, opened, opened, opened, undefined, closed],
    introducing: [accepted, alreadyConnected, alreadyConnected, alreadyConnected, undefined, response(0, "other")],
    exchanging: [undefined, undefined, closed, closed, command("c0"), command("c0", "other")],
    pausing: Array<undefined>(6).fill(undefined),
  };

  it("never takes longer, whatever the gateway does and whenever", () => {
    const longest = { share: 0 };
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_000 }),
        fc.integer({ min: 1, max: 1_000 }),
        fc.option(fc.integer({ min: 0, max: 3 })),
        fc.array(move, { minLength: 1, maxLength: 20 }),
        (timeoutMs, connectTimeoutMs, droppedBefore, script) => {
          const connection = VirtualConnection.idle({ connectTimeoutMs });
          if (droppedBefore !== null) {
            connection.feed(closed);
            connection.wait(droppedBefore);
          }
          const begins = connection.now;
          connection.feed(status(timeoutMs));
          for (let step = 0; connection.deadline !== undefined; step++) {
            if (step > 2_000) throw new Error("It does not come to an end");
            const { share, choice } = script[step % script.length]!;
            const input = moves[connection.kind]![choice];
            const left = connection.deadline - connection.now;
            if (input === undefined || share === 1) connection.wait(left);
            else {
              connection.now += share * left;
              connection.feed(input);
            }
          }
          const bound = 2 * timeoutMs + connectTimeoutMs + 350;
          longest.share = Math.max(longest.share, (connection.now - begins) / bound);
          expect(connection.now - begins).toBeLessThanOrEqual(bound + 1e-6);
        },
      ),
      { ...propertyRuns, numRuns: 3 * propertyRuns.numRuns },
    );
    // The scripts do come near the bound, or they would prove little.
    expect(longest.share).toBeGreaterThan(0.9);
  });
});
