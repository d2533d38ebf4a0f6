import { FrameDecoder, type Body } from "../../lib/protocol/frame-decoder.js";
import { ServerMessageReader, type ServerMessage } from "../../lib/protocol/server-messages.js";
import type { Device } from "../../lib/protocol/device.js";
import { hex } from "./bytes.js";

export type Received = ServerMessage | { readonly kind: "broken"; readonly detail: string };

/**
 * What a device makes of the chunks, up to the first error. As the transport does, each chunk goes through one and the
 * same buffer, so whatever is kept without a copy is spoilt by the next.
 */
export function receive(device: Device, chunks: readonly Uint8Array[], maxBodyBytes = 0xffff_ffff): Received[] {
  const reader = new ServerMessageReader(device);
  const decoder = new FrameDecoder(maxBodyBytes, (bodyLength) => reader.prefixLength(bodyLength));
  const buffer = new Uint8Array(Math.max(0, ...chunks.map((chunk) => chunk.length)) + 1);
  const received: Received[] = [];
  for (const chunk of chunks) {
    buffer.fill(0xee);
    buffer.set(chunk);
    decoder.push(buffer, chunk.length);
    for (let body = decoder.next(); body !== undefined; body = decoder.next()) {
      if (body.kind === "broken") return [...received, body];
      received.push(reader.read(body));
    }
  }
  return received;
}

/** A body as it stands whole in a chunk, with other bytes around it. */
export function bodyOf(bytes: Uint8Array): Body {
  const chunk = new Uint8Array(bytes.length + 5).fill(0xee);
  chunk.set(bytes, 2);
  return { kind: "body", beganInChunk: 1, head: chunk, start: 2, end: 2 + bytes.length, tail: new Uint8Array(0) };
}

/** A body as one line: a command's bytes as hex, what else it is in words. */
export function described(received: Received): string {
  switch (received.kind) {
    case "command":
      return `${received.addressee} command ${hex(received.command)}`;
    case "connectResponse":
      return `${received.addressee} connect response ${received.responseType}`;
    case "undecodable":
    case "broken":
      return received.kind;
  }
}
