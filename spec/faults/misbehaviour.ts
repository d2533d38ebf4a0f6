import { setTimeout as sleep } from "node:timers/promises";
import { BUTTON, commandOf, CONNECTED, refused, statusOf } from "../testing/wire.js";
import type { Peer } from "../support/scripted-gateway.js";
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
/** 17 bytes that no protobuf message can begin with: a field number of 2^29-1 and a wire type of 7. */
const GARBAGE = `11000000${"ff".repeat(17)}`;
/** The button's bytes with the role "tesu". */
const ANOTHER = "08e8071a04746573752207627574746f6e31";
const LENGTHS = {
  "length 2^32-1": `ffffffff${BUTTON}`,
  // maxMessageBytes is left at its default, 16,777,216.
  "length above the limit": `01000001${BUTTON}`,
  "length 0": "00000000",
};

type FaultyFrame = Exclude<
  Fault,
  "nothing more" | "end of stream" | "reset" | "silence" | "byte by byte" | "two in one chunk"
>;

interface Frames extends Readonly<Record<FaultyFrame, string>> {
  readonly proper: string;
}

const CONNECT_RESPONSES: Frames = {
  proper: CONNECTED,
  garbage: GARBAGE,
  "wrong kind": commandOf(9),
  "no device": "020000000a00",
  "another device": `160000000a141212${ANOTHER}`,
  ...LENGTHS,
  "unknown type": refused(99),
};

const COMMANDS: Frames = {
  proper: ANSWER,
  garbage: GARBAGE,
  "wrong kind": CONNECTED,
  "no device": "050000001203120109",
  "another device": `1900000012170a12${ANOTHER}120109`,
  ...LENGTHS,
  "unknown type": refused(99),
};

const PUSHES: Frames = { ...COMMANDS, proper: PUSH };

/** What the gateway does on the row's own connection; it then serves the device, should that still want it. */
export async function misbehave(peer: Peer, row: Row, fault: Fault): Promise<void> {
  switch (row.place) {
    case "refused":
    case "unresolvable":
    case "swallowed":
      throw new Error("there is no connection to misbehave on");
    case "accepted":
      await answer(peer, fault, CONNECT_RESPONSES, row.cut);
      await peer.readFrame();
      return;
    case "connect response":
      await peer.readFrame();
      return answer(peer, fault, CONNECT_RESPONSES, row.cut);
    case "idle":
      await acceptDevice(peer);
      // Where nothing goes wrong, nothing comes.
      if (fault !== "nothing more") await answer(peer, fault, PUSHES, row.cut);
      return;
    case "status under way":
      await acceptDevice(peer);
      return answerUnread(peer, fault);
    case "command":
      await acceptDevice(peer);
      await peer.readFrame();
      return answer(peer, fault, COMMANDS, row.cut);
    case "behind the command":
      await acceptDevice(peer);
      await peer.readFrame();
      if (fault === "nothing more") return peer.send(ANSWER);
      return answer(peer, fault, PUSHES, row.cut, ANSWER);
  }
}

export async function acceptDevice(peer: Peer): Promise<void> {
  await peer.readFrame();
  await peer.send(CONNECTED);
}

/** As a gateway should: a device is let in, and each small status comes back as the command. */
export async function serve(peer: Peer): Promise<never> {
  for (;;) {
    const frame = await peer.readFrame();
    if (frame.startsWith("0a", 8)) await peer.send(CONNECTED);
    else await peer.send(frame.length === statusOf(0).length ? frame : ANSWER);
  }
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
  const [first, rest] = cutIn(frameFor(fault, frames), cut);
  if (first !== "") await peer.send(first);
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

function frameFor(fault: Fault, frames: Frames): string {
  switch (fault) {
    case "nothing more":
    case "end of stream":
    case "reset":
    case "silence":
    case "byte by byte":
    case "two in one chunk":
      return frames.proper;
    default:
      return frames[fault];
  }
}

function cutIn(frame: string, cut: Row["cut"]): [string, string] {
  const bytes = frame.length / 2;
  const at = 2 * (cut === "half" ? 4 + Math.floor((bytes - 4) / 2) : cut);
  return [frame.slice(0, at), frame.slice(at)];
}

async function sendByteByByte(peer: Peer, frame: string): Promise<void> {
  for (const byte of frame.match(/../g) ?? []) {
    peer.socket.write(Buffer.from(byte, "hex"));
    // Two turns of the loop: by then the device has read it.
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  }
}
