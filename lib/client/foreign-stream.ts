import type { Duplex } from "node:stream";
import { types } from "node:util";

/** What a stream may have beyond a Duplex; only some have it. */
export interface MaybeSocket {
  readonly connecting?: boolean;
  readonly pending?: boolean;
  readonly encrypted?: boolean;
  readonly authorized?: boolean;
  readonly authorizationError?: unknown;
  setNoDelay?(noDelay: boolean): unknown;
  setKeepAlive?(enable: boolean, initialDelayMs: number): unknown;
  ref?(): unknown;
  unref?(): unknown;
}

/** @throws TypeError for what cannot be used as a stream */
export function checkedStream(given: unknown): Duplex & MaybeSocket {
  if (types.isPromise(given)) {
    given.then(destroyStream, () => undefined); // leave neither its stream nor its rejection behind
    throw new TypeError("createConnection returned a promise, but must return the Duplex itself");
  }
  if (!isStream(given)) throw new TypeError("createConnection did not return a Duplex");
  if (given.destroyed) {
    given.on("error", () => undefined); // it may be about to emit one
    throw new TypeError("createConnection returned a stream that is already destroyed", { cause: given.errored });
  }
  return given;
}

/** The event after which the stream can be used; undefined if it can be used already. */
export function openingEvent(stream: MaybeSocket): "connect" | "secureConnect" | undefined {
  if (stream.encrypted === true) return isHandshakeOver(stream) ? undefined : "secureConnect";
  return stream.connecting === true || stream.pending === true ? "connect" : undefined;
}

/** Never throws, whatever it gets. */
export function destroyStream(stream: unknown): void {
  try {
    (stream as Duplex).destroy();
  } catch {
    // There is nothing left to do.
  }
}

/** A TLS handshake is over when the peer's certificate has been judged. */
function isHandshakeOver({ authorized, authorizationError }: MaybeSocket): boolean {
  return authorized === true || Boolean(authorizationError);
}

function isStream(given: unknown): given is Duplex {
  const { on, once, write, destroy } = Object(given) as Partial<Duplex>;
  return [on, once, write, destroy].every((method) => typeof method === "function");
}
