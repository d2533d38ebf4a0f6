import { statusBodyLength, statusFrame, type Allocate } from "./client-messages.js";
import { HEADER_BYTES } from "./frame.js";

/** A larger frame is not kept for the next status: the memory would weigh more than making it anew. */
const LARGEST_SPARE_BYTES = 1024 * 1024 + 1024;

/** Makes the frames of one device's statuses. */
export class StatusFrames {
  private spare: Uint8Array | undefined;

  constructor(
    private readonly deviceBytes: Uint8Array,
    private readonly allocate?: Allocate,
  ) {}

  /** The length of the body that a status makes. */
  bodyLength(status: Uint8Array): number {
    return statusBodyLength(this.deviceBytes, status);
  }

  /** A frame that holds a copy of the status. */
  make(status: Uint8Array): Uint8Array {
    const { spare } = this;
    // A frame of the same length carries a status of the same length, and all that stands before it is the same too.
    if (spare?.length !== HEADER_BYTES + this.bodyLength(status)) {
      return statusFrame(this.deviceBytes, status, this.allocate);
    }
    this.spare = undefined;
    spare.set(status, spare.length - status.length);
    return spare;
  }

  /** Takes back a frame that nobody will read any more, for the next status to use. */
  takeBack(frame: Uint8Array): void {
    if (frame.length <= LARGEST_SPARE_BYTES) this.spare = frame;
  }
}
