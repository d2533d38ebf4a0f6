import { describe, expect, it } from "@jest/globals";
import { DeviceConnection } from "../../lib/protocol/device-connection.js";
import type { Failure } from "../../lib/protocol/failures.js";
import { LIMITS, utf8, VirtualDevice } from "../support/virtual-device.js";
import { BUTTON, button, commandOf, CONNECTED, refused } from "../testing/wire.js";

// A second source for lib/protocol/transitions.ts: written by hand, and played with bytes through the front door.

const OTHER = "08e9071a0474657374";
const foreignCommand = `10000000120e0a09${OTHER}120107`;
const namelessCommand = "050000001203120107";
const foreignResponse = `0d0000000a0b1209${OTHER}`;
const namelessResponse = "020000000a00";
const unknownResponse = refused(99);
const garbage = "02000000ffff";
const empty = "00000000";

const reset = Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" });

/** A device at time 1,000 in each of the states there are; the deadline of what has one has not passed. */
const states: Record<string, () => VirtualDevice> = {
  opening: () => at(995, new VirtualDevice(long)),
  handshaking: () => {
    const device = states["opening"]!();
    device.opened();
    return device;
  },
  idle: () => at(1_000, VirtualDevice.idle(long)),
  awaiting: () => {
    const device = at(990, VirtualDevice.idle(long));
    device.send("a");
    return device;
  },
  "down, just now": () => {
    const device = at(999, VirtualDevice.idle(long));
    device.closed();
    return device;
  },
  "down, a while ago": () => {
    const device = at(998, VirtualDevice.idle(long));
    device.closed();
    return at(1_000, device);
  },
  backingOff: () => {
    const device = at(999, VirtualDevice.idle(long));
    device.send("a");
    device.closed();
    return device;
  },
  reopening: () => {
    const device = at(990, VirtualDevice.idle(long));
    device.send("a");
    device.closed();
    device.wait(2);
    return device;
  },
  rehandshaking: () => {
    const device = states["reopening"]!();
    device.opened();
    return device;
  },
  awaitingAgain: () => {
    const device = states["rehandshaking"]!();
    device.receive(CONNECTED);
    return device;
  },
  "awaiting, after a reconnection before it was ever sent": () => {
    const device = at(990, VirtualDevice.idle(long));
    device.closed();
    device.send("a");
    device.wait(2);
    device.opened();
    device.receive(CONNECTED);
    return device;
  },
  destroyed: () => {
    const device = VirtualDevice.idle(long);
    device.destroy();
    return device;
  },
};

const long = { ...LIMITS, connectTimeoutMs: 4_000 };

function at(time: number, device: VirtualDevice): VirtualDevice {
  device.wait(time - device.now);
  return device;
}

const inputs: Record<string, (device: VirtualDevice) => void> = {
  opened: (device) => device.opened(),
  closed: (device) => device.closed(),
  reset: (device) => device.closed(reset),
  deadline: (device) => device.wait(device.deadline! - device.now),
  status: (device) => device.send("b"),
  abort: (device) => device.abort("a"),
  destroy: (device) => device.destroy(),
  command: (device) => device.receive(commandOf(0xc0)),
  "command to another": (device) => device.receive(foreignCommand),
  "command to nobody": (device) => device.receive(namelessCommand),
  accepted: (device) => device.receive(CONNECTED),
  "accepted another": (device) => device.receive(foreignResponse),
  "accepted nobody": (device) => device.receive(namelessResponse),
  "already connected": (device) => device.receive(refused(1)),
  "module not supported": (device) => device.receive(refused(2)),
  "type not supported": (device) => device.receive(refused(3)),
  "higher priority": (device) => device.receive(refused(4)),
  "unknown response": (device) => device.receive(unknownResponse),
  garbage: (device) => device.receive(garbage),
  "empty frame": (device) => device.receive(empty),
};

/** The state that follows, and the effects. */
type Row = readonly [next: string, ...effects: string[]];

const impossible = "impossible";

const push: readonly string[] = ["command c0"];
const drops: Row = ["down", "close", "dropped"];
const failsCommand: Row = ["down", "close", "dropped", "a failed: COMMAND_INCORRECT"];
const failsDevice: Row = ["down", "close", "dropped", "a failed: DEVICE_INCORRECT"];
const aborts: Row = ["down", "close", "dropped", "a failed: NOT_OK"];
const destroysA: Row = ["destroyed", "close", "ended with a"];

function ends(how: string): Row {
  return ["destroyed", `ended ${how}`];
}

function closesAndEnds(how: string): Row {
  return ["destroyed", "close", `ended ${how}`];
}

function refuses(code: string, whom = ""): Row {
  return ["destroyed", "close", `refused ${code}`, `ended ${code}${whom}`];
}

const noConnection = {
  opened: impossible,
  closed: impossible,
  reset: impossible,
} as const;

const noMessageIsRead = Object.fromEntries(
  Object.keys(inputs)
    .slice(7)
    .map((input) => [input, "nothing"]),
);

function responsesBreakIt(row: Row) {
  return {
    accepted: row,
    "already connected": row,
    "module not supported": row,
    "type not supported": row,
    "higher priority": row,
    "unknown response": row,
    garbage: row,
    "empty frame": row,
  };
}

function awaitingRows(state: string): Record<string, Row | typeof impossible> {
  return {
    opened: impossible,
    status: [state],
    abort: aborts,
    destroy: destroysA,
    command: ["idle", "command c0 completes a"],
    "command to another": failsDevice,
    "command to nobody": failsDevice,
    "accepted another": failsDevice,
    "accepted nobody": failsDevice,
    ...responsesBreakIt(failsCommand),
  };
}

const firstAttempt: Record<string, Row | typeof impossible> = {
  ...awaitingRows("awaiting"),
  closed: ["backingOff", "dropped"],
  reset: ["backingOff", "dropped"],
  deadline: ["backingOff", "close", "dropped"],
};

const table: Record<string, Record<string, Row | "nothing" | typeof impossible>> = {
  opening: {
    opened: ["handshaking", "write connect"],
    closed: ends("UNABLE_TO_CONNECT"),
    reset: ends("UNABLE_TO_CONNECT"),
    deadline: closesAndEnds("UNABLE_TO_CONNECT"),
    status: ["opening"],
    abort: "nothing",
    destroy: ["destroyed", "close", "ended"],
  },
  handshaking: {
    opened: impossible,
    closed: ends("UNABLE_TO_CONNECT"),
    reset: ends("UNABLE_TO_CONNECT"),
    deadline: closesAndEnds("UNABLE_TO_CONNECT"),
    status: ["handshaking"],
    abort: "nothing",
    destroy: ["destroyed", "close", "ended"],
    command: ["handshaking", ...push],
    "command to another": closesAndEnds("DEVICE_INCORRECT"),
    "command to nobody": closesAndEnds("DEVICE_INCORRECT"),
    accepted: ["idle", "connected"],
    "accepted another": closesAndEnds("DEVICE_INCORRECT"),
    "accepted nobody": closesAndEnds("DEVICE_INCORRECT"),
    "already connected": refuses("DEVICE_ALREADY_CONNECTED"),
    "module not supported": refuses("MODULE_NOT_SUPPORTED"),
    "type not supported": refuses("DEVICE_TYPE_NOT_SUPPORTED"),
    "higher priority": refuses("HIGHER_PRIORITY_ALREADY_CONNECTED"),
    "unknown response": closesAndEnds("NOT_OK"),
    garbage: closesAndEnds("NOT_OK"),
    "empty frame": closesAndEnds("NOT_OK"),
  },
  idle: {
    opened: impossible,
    closed: ["down", "dropped"],
    reset: ["down", "dropped"],
    status: ["awaiting", "write b"],
    abort: "nothing",
    destroy: ["destroyed", "close", "ended"],
    command: ["idle", ...push],
    "command to another": ["idle", "ignored"],
    "command to nobody": drops,
    "accepted another": drops,
    "accepted nobody": drops,
    ...responsesBreakIt(drops),
  },
  awaiting: firstAttempt,
  "awaiting, after a reconnection before it was ever sent": firstAttempt,
  "down, just now": {
    ...noConnection,
    ...noMessageIsRead,
    status: ["backingOff"],
    abort: "nothing",
    destroy: ["destroyed", "ended"],
  },
  "down, a while ago": {
    ...noConnection,
    ...noMessageIsRead,
    status: ["reopening", "open"],
    abort: "nothing",
    destroy: ["destroyed", "ended"],
  },
  backingOff: {
    ...noConnection,
    ...noMessageIsRead,
    deadline: ["reopening", "open"],
    status: ["backingOff"],
    abort: ["down", "a failed: NOT_OK"],
    destroy: ["destroyed", "ended with a"],
  },
  reopening: {
    opened: ["rehandshaking", "write connect"],
    closed: ends("UNABLE_TO_CONNECT with a"),
    reset: ends("UNABLE_TO_CONNECT with a"),
    deadline: closesAndEnds("UNABLE_TO_CONNECT with a"),
    status: ["reopening"],
    abort: aborts,
    destroy: destroysA,
  },
  rehandshaking: {
    opened: impossible,
    closed: ends("UNABLE_TO_CONNECT with a"),
    reset: ends("UNABLE_TO_CONNECT with a"),
    deadline: closesAndEnds("UNABLE_TO_CONNECT with a"),
    status: ["rehandshaking"],
    abort: aborts,
    destroy: destroysA,
    command: ["rehandshaking", ...push],
    "command to another": failsDevice,
    "command to nobody": failsDevice,
    accepted: ["awaitingAgain", "reconnected", "write a after reconnecting"],
    "accepted another": failsDevice,
    "accepted nobody": failsDevice,
    "already connected": ["backingOff", "close", "refused DEVICE_ALREADY_CONNECTED, will ask again"],
    "module not supported": refuses("MODULE_NOT_SUPPORTED", " with a"),
    "type not supported": refuses("DEVICE_TYPE_NOT_SUPPORTED", " with a"),
    "higher priority": refuses("HIGHER_PRIORITY_ALREADY_CONNECTED", " with a"),
    "unknown response": failsCommand,
    garbage: failsCommand,
    "empty frame": failsCommand,
  },
  awaitingAgain: {
    ...awaitingRows("awaitingAgain"),
    closed: ends("UNABLE_TO_CONNECT with a"),
    reset: ends("UNABLE_TO_CONNECT with a"),
    deadline: closesAndEnds("TIMEOUT_OCCURRED with a"),
  },
  destroyed: {
    ...noConnection,
    ...noMessageIsRead,
    status: "nothing",
    abort: "nothing",
    destroy: "nothing",
  },
};

const cases = Object.entries(table).flatMap(([state, rows]) =>
  Object.entries(rows).map(([input, row]) => ({
    state,
    input,
    row,
    outcome: Array.isArray(row) ? row.join(", ") : row,
  })),
);

describe("a connection", () => {
  it.each(cases)("$state, on $input: $outcome", ({ state, input, row }) => {
    const device = states[state]!();
    device.takeAll();
    const before = device.state;
    if (row === impossible) {
      expect(() => inputs[input]!(device)).toThrow(/^\w+ cannot happen while \w+$/);
      return;
    }
    inputs[input]!(device);
    const [next, ...effects] = row === "nothing" ? [before] : row;
    expect([device.state, ...device.takeAll()]).toEqual([next, ...effects]);
  });

  it("has a deadline while it waits for something, and else none", () => {
    const without = Object.keys(states).filter((state) => states[state]!().deadline === undefined);
    expect(without).toEqual(["idle", "down, just now", "down, a while ago", "destroyed"]);
  });

  it("reads nothing of a chunk behind the message that made it drop the connection", () => {
    const device = VirtualDevice.idle();
    device.receive(garbage + commandOf(1));
    expect(device.takeAll()).toEqual(["close", "dropped"]);
  });
});

describe("a status that is sent again", () => {
  it("is completed by a command after that, and by none before it: its deadline stays", () => {
    const device = VirtualDevice.idle();
    device.send("a");
    device.closed();
    device.wait(2);
    device.opened();
    device.receive(commandOf(1) + CONNECTED + commandOf(2));
    device.wait(30);
    expect(device.deadline).toBe(2 + 80);
    device.receive(commandOf(3));
    expect(device.takeAll().slice(4)).toEqual([
      "command 01",
      "reconnected",
      "write a after reconnecting",
      "command 02",
      "command 03 completes a",
    ]);
  });
});

describe("a connection that has not started", () => {
  it("knows how many bytes its connect takes, and can end", () => {
    const connection = new DeviceConnection<object>(button, LIMITS, { utf8 });
    expect([connection.state, connection.deadline, connection.connectBytes]).toEqual(["opening", undefined, 0x16]);
    connection.destroy(0);
    expect([connection.next(0)?.kind, connection.next(0), connection.state]).toEqual(["ended", undefined, "destroyed"]);
  });
});

describe("an empty command", () => {
  it.each([
    ["is the latest command", false, []],
    ["leaves the latest command where its module says nothing new by it", true, [1]],
  ])("completes its status and %s", (_what, skipsEmptyCommands, latest) => {
    const device = VirtualDevice.idle({ ...LIMITS, skipsEmptyCommands });
    device.receive(commandOf(1));
    device.send("a");
    device.receive(`1600000012140a12${BUTTON}`);
    expect(device.takeAll()).toEqual(["command 01", "write a", "command  completes a"]);
    expect([...device.connection.latestCommand!]).toEqual(latest);
    device.receive(commandOf(2));
    expect([...device.connection.latestCommand!]).toEqual([2]);
  });
});

describe("the latest command", () => {
  it("may have come before the connect response, and is released at the end, because a handle may be kept for long", () => {
    const device = new VirtualDevice();
    device.opened();
    device.receive(commandOf(7) + CONNECTED);
    expect(device.connection.latestCommand).toEqual(Uint8Array.of(7));
    device.destroy();
    expect(device.connection.latestCommand).toBeUndefined();
  });
});

describe("a status", () => {
  it("is not completed by a command that began to arrive before it was sent, however little of it", () => {
    const { length } = commandOf(1);
    for (let at = 2; at < length; at += 2) {
      const device = VirtualDevice.idle();
      device.receive(commandOf(1).slice(0, at));
      device.send("a");
      device.receive(commandOf(1).slice(at, at + 2));
      device.receive(commandOf(1).slice(at + 2) + commandOf(2));
      expect(device.takeAll()).toEqual(["write a", "command 01", "command 02 completes a"]);
    }
  });

  it("is completed by a command that began to arrive after it was sent, wherever that is cut", () => {
    const { length } = commandOf(1);
    for (let at = 2; at < length; at += 2) {
      const device = VirtualDevice.idle();
      device.send("a");
      device.receive(commandOf(1).slice(0, at));
      device.receive(commandOf(1).slice(at));
      expect(device.takeAll()).toEqual(["write a", "command 01 completes a"]);
    }
  });

  it.each([
    ["garbage", garbage, "COMMAND_INCORRECT"],
    ["a command to another", foreignCommand, "DEVICE_INCORRECT"],
  ])("fails by %s that began to arrive before it was sent", (_what, bytes, code) => {
    const device = VirtualDevice.idle();
    device.receive(bytes.slice(0, 10));
    device.send("a");
    device.receive(bytes.slice(10));
    expect(device.takeAll()).toEqual(["write a", "close", "dropped", `a failed: ${code}`]);
  });

  it("that a command's receiver sends is sent when the chunk has been read to its end", () => {
    const device = VirtualDevice.idle();
    device.onEffect = (effect) => {
      if (effect.kind === "command" && effect.command[0] === 1) device.send("a");
    };
    device.receive(commandOf(1) + commandOf(2));
    device.receive(commandOf(3));
    expect(device.takeAll()).toEqual(["command 01", "command 02", "write a", "command 03 completes a"]);
  });

  it("that is aborted while it is being written is dropped, and the next one reconnects", () => {
    const device = VirtualDevice.idle();
    device.onEffect = (effect) => {
      if (effect.kind === "write" && effect.ticket?.name === "a") device.abort("a");
    };
    device.send("a");
    device.send("b");
    device.wait(2);
    expect(device.takeAll()).toEqual(["write a", "close", "dropped", "a failed: NOT_OK", "open"]);
  });

  it("that waits is aborted without any effect on the connection", () => {
    const device = VirtualDevice.idle();
    device.send("a");
    device.send("b");
    device.abort("b");
    device.receive(commandOf(1));
    expect(device.takeAll()).toEqual(["write a", "b failed: NOT_OK", "command 01 completes a"]);
  });

  it("that waits is not completed by what came with the command of the one before", () => {
    const device = VirtualDevice.idle();
    device.send("a");
    device.send("b");
    device.receive(commandOf(1) + commandOf(2));
    device.receive(commandOf(3));
    expect(device.takeAll()).toEqual([
      "write a",
      "command 01 completes a",
      "command 02",
      "write b",
      "command 03 completes b",
    ]);
  });

  it("that is settled can be aborted without an effect", () => {
    const device = VirtualDevice.idle();
    device.send("a");
    device.receive(commandOf(1));
    device.takeAll();
    device.abort("a");
    expect(device.takeAll()).toEqual([]);
  });

  it("that is sent before the connection is made is written when it is made", () => {
    const device = new VirtualDevice();
    device.send("a");
    device.opened();
    device.receive(CONNECTED);
    expect(device.takeAll()).toEqual(["open", "write connect", "connected", "write a"]);
  });
});

describe("what a failure says", () => {
  function failureOf(device: VirtualDevice, input: string): Failure {
    device.takeAll();
    inputs[input]!(device);
    const found = device.effects.map(({ effect }) => ("failure" in effect ? effect.failure : undefined));
    return found.find((failure) => failure !== undefined)!;
  }

  it.each([
    ["opening", "closed", "UNABLE_TO_CONNECT, closed", "could not connect"],
    ["opening", "reset", "UNABLE_TO_CONNECT, unreachable", "could not connect"],
    ["opening", "deadline", "UNABLE_TO_CONNECT, timed-out", "could not connect in time"],
    [
      "handshaking",
      "closed",
      "UNABLE_TO_CONNECT, closed",
      "the gateway closed the connection without a connect response",
    ],
    ["handshaking", "deadline", "UNABLE_TO_CONNECT, timed-out", "sent no connect response in time"],
    ["handshaking", "unknown response", "NOT_OK, off-protocol", "has the unknown type 99"],
    ["handshaking", "garbage", "NOT_OK, off-protocol", "cannot be decoded"],
    ["handshaking", "already connected", "DEVICE_ALREADY_CONNECTED, refused", "is already connected"],
    ["handshaking", "module not supported", "MODULE_NOT_SUPPORTED, refused", "does not serve the device's module"],
    ["handshaking", "type not supported", "DEVICE_TYPE_NOT_SUPPORTED, refused", "does not support the device's type"],
    ["handshaking", "higher priority", "HIGHER_PRIORITY_ALREADY_CONNECTED, refused", "with a higher priority"],
    [
      "handshaking",
      "command to another",
      "DEVICE_INCORRECT, wrong-device",
      "the gateway sent a command for another device",
    ],
    [
      "handshaking",
      "accepted another",
      "DEVICE_INCORRECT, wrong-device",
      "the gateway sent a connect response for another device",
    ],
    [
      "handshaking",
      "accepted nobody",
      "DEVICE_INCORRECT, wrong-device",
      "the gateway sent a connect response that names no device",
    ],
    ["idle", "closed", "UNABLE_TO_CONNECT, closed", "the gateway closed the connection"],
    ["idle", "reset", "UNABLE_TO_CONNECT, closed", "the connection broke"],
    ["idle", "accepted", "COMMAND_INCORRECT, off-protocol", "the gateway sent a second connect response"],
    ["idle", "command to nobody", "DEVICE_INCORRECT, wrong-device", "the gateway sent a command that names no device"],
    ["idle", "empty frame", "COMMAND_INCORRECT, off-protocol", "cannot be read: it announced a message of length 0"],
    ["awaiting", "deadline", "TIMEOUT_OCCURRED, timed-out", "no command came within 80 ms"],
    ["awaiting", "accepted", "COMMAND_INCORRECT, off-protocol", "sent a connect response instead of a command"],
    [
      "awaiting",
      "already connected",
      "COMMAND_INCORRECT, off-protocol",
      "sent a connect response instead of a command",
    ],
    [
      "awaiting",
      "command to another",
      "DEVICE_INCORRECT, wrong-device",
      "the gateway sent a command for another device",
    ],
    ["awaiting", "abort", "NOT_OK, aborted", "the call was aborted by its signal"],
    ["rehandshaking", "module not supported", "MODULE_NOT_SUPPORTED, refused", "does not serve the device's module"],
    ["rehandshaking", "unknown response", "COMMAND_INCORRECT, off-protocol", "has the unknown type 99"],
    ["awaitingAgain", "closed", "UNABLE_TO_CONNECT, closed", "twice without answering the status"],
  ])("%s, on %s: %s, %s", (state, input, kind, words) => {
    const { code, reason, message } = failureOf(states[state]!(), input);
    expect(`${code}, ${reason}`).toBe(kind);
    expect(message).toContain(words);
  });

  /** A device whose status timed out, or was never sent, as its connection was lost before. */
  function reconnecting(state: string, firstAttempt: string): VirtualDevice {
    const device = VirtualDevice.idle(long);
    if (firstAttempt === "unsent") device.closed();
    device.send("a");
    device.wait(firstAttempt === "unsent" ? 2 : 82);
    if (state !== "reopening") device.opened();
    if (state === "awaitingAgain") device.receive(CONNECTED);
    return device;
  }

  it.each([
    [
      "reopening",
      "closed",
      "closed",
      "the gateway closed the connection without answering the status, and the client could not reconnect",
    ],
    ["reopening", "timed out", "deadline", "no command came within 80 ms, and the client could not reconnect in time"],
    ["rehandshaking", "unsent", "closed", "the connection was lost; when the client reconnected, the gateway closed"],
    [
      "rehandshaking",
      "unsent",
      "deadline",
      "the connection was lost; when the client reconnected, the gateway sent no",
    ],
    [
      "awaitingAgain",
      "timed out",
      "closed",
      "no command came in time, and when the client reconnected, the gateway closed",
    ],
    ["awaitingAgain", "timed out", "deadline", "no command came within 80 ms, not even after the reconnection"],
  ])("%s, after an attempt that was %s, on %s: %s", (state, firstAttempt, input, words) => {
    const device = firstAttempt === "closed" ? states[state]!() : reconnecting(state, firstAttempt);
    expect(failureOf(device, input).message).toContain(words);
  });

  it.each([
    ["opening", "closed", "could not connect"],
    ["handshaking", "closed", "the gateway closed the connection without a connect response"],
    ["awaiting", "deadline", "no command came within 80 ms"],
  ])("%s for the first time, on %s, says nothing of reconnecting", (state, input, message) => {
    expect(failureOf(states[state]!(), input).message).toBe(message);
  });

  it.each(["opening", "handshaking", "idle", "awaiting", "reopening", "rehandshaking", "awaitingAgain"])(
    "%s, carries the system's error, if there was one",
    (state) => {
      expect(failureOf(states[state]!(), "reset").cause).toBe(reset);
      expect("cause" in failureOf(states[state]!(), "closed")).toBe(false);
    },
  );

  it("of an abort carries the caller's reason", () => {
    const device = states["awaiting"]!();
    device.takeAll();
    device.abort("a", "no longer needed");
    expect(device.effects.at(-1)?.effect).toMatchObject({ failure: { cause: "no longer needed" } });
  });
});
