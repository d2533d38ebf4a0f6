import dns from "node:dns";
import { setTimeout as sleep } from "node:timers/promises";
import { jest } from "@jest/globals";
import { startFrozenGateway } from "../support/frozen-gateway.js";
import { startScriptedGateway, type Peer } from "../support/scripted-gateway.js";
import { BUTTON, commandOf, CONNECTED, refused, statusOf } from "../testing/wire.js";
import type { Fault, Row } from "./fault-table.js";

// How a gateway misbehaves in a cell of the table. All frames are written by hand, for the button of spec/testing/wire.ts.

/** The commands that the cells send tell by their one byte where they come from. */
export const ANSWER_BYTE = "01";
export const NEXT_ANSWER_BYTE = "02";
export const PUSHED_BYTE = "07";
/** No client may ever give this one: it stands in commands that are faulty. */
export const FAULTY_BYTE = "09";

export const LARGE_STATUS_BYTES = 12 * 1024 * 1024;
/** Header, outer tag and length, the device, inner tag and length: what a large status's frame has around it. */
const AROUND_LARGE_STATUS = 4 + 5 + 20 + 5;

const ANSWER = commandOf(1);
const PUSH = commandOf(7);
/** The button's bytes with the role "tesu". */
const ANOTHER = "08e8071a04746573752207627574746f6e31";

/** What arrives; a fault that is none of a frame leaves the proper one. */
type Frames = Readonly<{ proper: string } & Partial<Record<Fault, string>>>;

const ANY_KIND = {
  // 17 bytes that no protobuf message can begin with: a field number of 2^29-1 and a wire type of 7.
  garbage: `11000000${"ff".repeat(17)}`,
  "length 2^32-1": `ffffffff${BUTTON}`,
  "length above the limit": `01000001${BUTTON}`, // maxMessageBytes is left at its default, 16,777,216
  "length 0": "00000000",
  "unknown type": refused(99),
};

const CONNECT_RESPONSES: Frames = {
  ...ANY_KIND,
  proper: CONNECTED,
  "wrong kind": commandOf(9),
  "no device": "020000000a00",
  "another device": `160000000a141212${ANOTHER}`,
};

const COMMANDS: Frames = {
  ...ANY_KIND,
  proper: ANSWER,
  "wrong kind": CONNECTED,
  "no device": "050000001203120109",
  "another device": `1900000012170a12${ANOTHER}120109`,
};

const PUSHES: Frames = { ...COMMANDS, proper: PUSH };

export interface FaultyGateway {
  readonly gateway: {
    readonly host: string;
    readonly port: number;
    readonly connections: number;
    /** Undefined where it is frozen. */
    readonly openSockets?: number;
    readonly stop: () => Promise<void>;
  };
  /** Another name of its host. */
  readonly host?: string;
  /** Settles when the row's connection has had its fault. */
  readonly misbehaved?: Promise<void>;
  /** To be called when the client stands and before its status is sent. */
  readonly beforeStatus?: () => unknown;
}

export async function startFaultyGateway(row: Row, fault: Fault): Promise<FaultyGateway> {
  const isFirst = row.life === "first connection";
  switch (row.place) {
    case "swallowed": {
      const gateway = await startFrozenGateway(CONNECTED);
      if (isFirst) await gateway.freeze();
      return isFirst ? { gateway } : { gateway, beforeStatus: gateway.freeze };
    }
    case "unresolvable": {
      const gateway = await startScriptedGateway(closeUnanswered);
      // No resolver has to be asked for a label of more than 63 letters.
      if (isFirst) return { gateway, host: `${"x".repeat(64)}.invalid` };
      const { name, forget } = resolvableName(gateway.host);
      return { gateway, host: name, beforeStatus: forget };
    }
    case "refused": {
      const gateway = await startScriptedGateway(async (peer) => {
        await acceptDevice(peer);
        await peer.readFrame();
        gateway.closePort();
        peer.endOfStream();
      });
      if (isFirst) gateway.closePort();
      return { gateway };
    }
    default: {
      let tellMisbehaved = (): void => undefined;
      const misbehaved = new Promise<void>((resolve) => (tellMisbehaved = resolve));
      const faulty = isFirst ? 1 : 2;
      const gateway = await startScriptedGateway(async (peer) => {
        if (peer.number < faulty) return closeUnanswered(peer);
        if (peer.number === faulty) await misbehave(peer, row, fault).finally(tellMisbehaved);
        return serve(peer);
      });
      return { gateway, misbehaved };
    }
  }
}

/** A name that leads to the host until it is forgotten. Other names are resolved as ever. */
function resolvableName(host: string): { readonly name: string; readonly forget: () => void } {
  const name = "gateway.invalid";
  const unknown = Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: "ENOTFOUND" });
  let isKnown = true;
  const original = dns.lookup as (...given: unknown[]) => void;
  const lookup = (asked: string, options: object, done: (...outcome: unknown[]) => void): void => {
    if (asked !== name) return original(asked, options, done);
    setImmediate(() => (isKnown ? done(null, [{ address: host, family: 4 }]) : done(unknown)));
  };
  jest.spyOn(dns, "lookup").mockImplementation(lookup as never);
  return { name, forget: () => (isKnown = false) };
}

/** The module finds the status invalid, so to say: it gets no answer, and the connection is closed. */
async function closeUnanswered(peer: Peer): Promise<void> {
  await acceptDevice(peer);
  await peer.readFrame();
  peer.endOfStream();
}

async function acceptDevice(peer: Peer): Promise<void> {
  await peer.readFrame();
  await peer.send(CONNECTED);
}

/** As a gateway should: a device is let in, and each small status comes back as the command. */
async function serve(peer: Peer): Promise<never> {
  for (;;) {
    const frame = await peer.readFrame();
    if (frame.startsWith("0a", 8)) await peer.send(CONNECTED);
    else await peer.send(frame.length === statusOf(0).length ? frame : ANSWER);
  }
}

/** What the gateway does on the row's own connection; it then serves the device, should that still want it. */
async function misbehave(peer: Peer, { place, cut }: Row, fault: Fault): Promise<void> {
  if (place === "accepted") {
    await answer(peer, fault, CONNECT_RESPONSES, cut);
    await peer.readFrame();
    return;
  }
  if (place === "connect response") {
    await peer.readFrame();
    return answer(peer, fault, CONNECT_RESPONSES, cut);
  }
  await acceptDevice(peer);
  if (place === "status under way") return answerUnread(peer, fault);
  if (place !== "idle") await peer.readFrame();
  if (place === "command") return answer(peer, fault, COMMANDS, cut);
  const before = place === "idle" ? "" : ANSWER;
  if (fault !== "nothing more") return answer(peer, fault, PUSHES, cut, before);
  if (before !== "") await peer.send(before);
}

/** Begins to read a large status, holds back, and misbehaves while the rest cannot be written. */
async function answerUnread(peer: Peer, fault: Fault): Promise<void> {
  const begun = 1_000;
  await peer.skip(begun);
  if (fault === "silence") {
    await sleep(1_500);
    // Only a gateway that reads learns that the device has gone.
    return peer.skip(Infinity);
  }
  // The device cannot have written all of it: no kernel holds that much.
  if (fault === "nothing more") await sleep(30);
  else await answer(peer, fault, COMMANDS, 0);
  await peer.skip(LARGE_STATUS_BYTES + AROUND_LARGE_STATUS - begun);
  if (fault === "nothing more") await peer.send(ANSWER);
}

async function answer(peer: Peer, fault: Fault, frames: Frames, cut: Row["cut"], before = ""): Promise<void> {
  const frame = frames[fault] ?? frames.proper;
  const at = 2 * (cut === "half" ? 4 + Math.floor((frame.length / 2 - 4) / 2) : cut);
  const rest = frame.slice(at);
  if (at > 0) await peer.send(frame.slice(0, at));
  switch (fault) {
    case "end of stream":
      if (before !== "") peer.socket.write(Buffer.from(before, "hex"));
      peer.endOfStream();
      return;
    case "reset":
      // A reset may overtake what was sent before it.
      if (before !== "") await peer.send(before);
      peer.reset();
      return;
    case "silence":
      for (;;) await peer.readFrame();
    case "byte by byte":
      if (before !== "") await peer.send(before);
      return sendByteByByte(peer, rest);
    case "two in one chunk":
      return peer.send(before + rest + PUSH);
    default:
      return peer.send(before + rest);
  }
}

async function sendByteByByte(peer: Peer, frame: string): Promise<void> {
  for (const byte of frame.match(/../g) ?? []) {
    peer.socket.write(Buffer.from(byte, "hex"));
    // Two turns of the loop: by then the device has read it.
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  }
}
