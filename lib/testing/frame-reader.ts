import { HEADER_BYTES } from "./frames.js";

/** The real gateway reads at most this much at a time, and wants each header whole within one such read. */
const READ_BYTES = 1024;

export interface FrameReader {
  /** Hands over the body of every frame that the chunk completes. False once a header did not arrive whole: for good. */
  readonly read: (chunk: Buffer, onBody: (body: Buffer) => void) => boolean;
}

export function createFrameReader(): FrameReader {
  // Pieces are joined only when the body is whole, so that small chunks cost no more in total than large ones.
  let pieces: Buffer[] = [];
  let missing: number | undefined;
  let broken = false;

  function read(chunk: Buffer, onBody: (body: Buffer) => void): boolean {
    let offset = 0;
    while (!broken && offset < chunk.length) {
      if (missing === undefined) offset = readHeader(chunk, offset);
      else offset = readPiece(chunk, offset);
      if (missing === 0) onBody(takeBody());
    }
    return !broken;
  }

  function readHeader(chunk: Buffer, offset: number): number {
    const readEnd = Math.min(chunk.length, offset - (offset % READ_BYTES) + READ_BYTES);
    broken = readEnd - offset < HEADER_BYTES;
    if (!broken) missing = chunk.readUInt32LE(offset);
    return offset + HEADER_BYTES;
  }

  function readPiece(chunk: Buffer, offset: number): number {
    const piece = chunk.subarray(offset, offset + (missing ?? 0));
    pieces.push(piece);
    missing = (missing ?? 0) - piece.length;
    return offset + piece.length;
  }

  function takeBody(): Buffer {
    const [first] = pieces;
    const body = pieces.length === 1 && first !== undefined ? first : Buffer.concat(pieces);
    pieces = [];
    missing = undefined;
    return body;
  }

  return { read };
}
