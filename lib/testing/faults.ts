/**
 * Where the gateway can be told to misbehave: right after it has accepted a TCP connection and before it reads from it
 * (`accept`), in its reply to a device's connect (`connect`), or in its reply to a status (`status`).
 *
 * @example
 * const point: FaultPoint = "status";
 */
export type FaultPoint = "accept" | "connect" | "status";

/**
 * What can go wrong as soon as a TCP connection has been accepted. All times are milliseconds (0 to 2,147,483,647).
 *
 * - `close`: closes the socket in order (FIN), after `delayMs` (0). So does a gateway that has no room left.
 * - `reset`: resets the socket (RST), after `delayMs` (0). So does a gateway that has crashed.
 * - `stay silent`: reads, and never answers.
 * - `send`: sends the bytes before anything was asked, then goes on as usual.
 * - `stop reading`: never reads a byte, and so never replies.
 * - `delay`: begins to read after `ms`.
 *
 * @example
 * gateway.misbehave("accept", { do: "reset" });
 */
export type AcceptFault =
  | { readonly do: "close"; readonly delayMs?: number | undefined }
  | { readonly do: "reset"; readonly delayMs?: number | undefined }
  | { readonly do: "stay silent" }
  | { readonly do: "send"; readonly bytes: Uint8Array }
  | { readonly do: "stop reading" }
  | { readonly do: "delay"; readonly ms: number };

/**
 * What can go wrong in the reply to a status. The proper reply is the answer's frame; a fault that uses none of it does
 * not ask for the answer. No device but this one notices. All times are milliseconds (0 to 2,147,483,647), `afterBytes` is 0 to 4,294,967,295.
 *
 * - `stay silent`: sends the first `afterBytes` (0) bytes of the proper reply, then leaves the socket open and answers
 *   nothing on it any more. It goes on to read.
 * - `close`, `reset`: sends the first `afterBytes` (0) bytes, waits `delayMs` (0) and ends the connection, in order
 *   (FIN) or by a reset (RST). A reset may overtake the bytes: give it a delay if they must arrive.
 * - `delay`: sends the first `afterBytes` (0) bytes, and the rest after `ms`, even if that is longer than the module may
 *   take. With `afterBytes: 4` the header comes alone, as in 181 of 500 replies of a genuine gateway.
 * - `drip`: the proper reply in writes of `bytes` (1) bytes, `everyMs` (0) apart.
 * - `merge`: the proper reply in one write with pushed commands, which stand `before` or `after` it (`order`, after).
 *   A genuine gateway's push and answer may so meet in one segment.
 * - `send`: the given bytes instead of the reply.
 * - `stop reading`: the proper reply, and then never reads from this socket again.
 * - `vanish`: no reply, and from then on the socket is neither read nor written to nor closed, as behind a network that
 *   has silently parted. The device's slot stays taken, even when the device has closed its end, until the gateway cuts
 *   the device as silent (see {@link GatewayOptions.silenceMs}; never if it never sent a status), kicks it, or restarts.
 * - `push first`: a pushed command, then the proper reply. On a genuine gateway a push races with the answer so.
 * - `push instead`: a pushed command and nothing else. A genuine gateway answered 39 of 500 statuses so.
 *
 * A push waits for the end of a reply that is going out in pieces. A pushed command names the device as it named itself,
 * or with the `deviceName` given.
 *
 * @example
 * gateway.misbehave("status", { do: "close", afterBytes: 2 });
 */
export type StatusFault =
  | { readonly do: "stay silent"; readonly afterBytes?: number | undefined }
  | { readonly do: "close"; readonly afterBytes?: number | undefined; readonly delayMs?: number | undefined }
  | { readonly do: "reset"; readonly afterBytes?: number | undefined; readonly delayMs?: number | undefined }
  | { readonly do: "delay"; readonly ms: number; readonly afterBytes?: number | undefined }
  | { readonly do: "drip"; readonly bytes?: number | undefined; readonly everyMs?: number | undefined }
  | {
      readonly do: "merge";
      readonly with: Uint8Array | readonly Uint8Array[];
      readonly order?: "before" | "after" | undefined;
      readonly deviceName?: string | undefined;
    }
  | { readonly do: "send"; readonly bytes: Uint8Array }
  | { readonly do: "stop reading" }
  | { readonly do: "vanish" }
  | { readonly do: "push first"; readonly command: Uint8Array; readonly deviceName?: string | undefined }
  | { readonly do: "push instead"; readonly command: Uint8Array; readonly deviceName?: string | undefined };

/**
 * What can go wrong in the reply to a connect: all that can in the reply to a status, and a refusal.
 *
 * `refuse` gives the response type (any int32 but 0: 1 already connected, 2 module not supported, 3 device type not
 * supported, 4 higher priority already connected; others are unknown). As on a genuine gateway, the socket is closed after
 * 1 and 4, and after the others it stays open and the device's slot taken until the device closes it.
 *
 * The other faults spoil the reply only: the gateway has connected the device, and its slot is taken.
 *
 * @example
 * gateway.misbehave("connect", { do: "refuse", responseType: 2 });
 */
export type ConnectFault = StatusFault | { readonly do: "refuse"; readonly responseType: number };

/**
 * The faults that make sense at each point.
 *
 * @example
 * const slow: FaultAt["status"] = { do: "delay", ms: 400 };
 */
export interface FaultAt {
  /** When a TCP connection was accepted. */
  readonly accept: AcceptFault;
  /** In place of the answer to a connect. */
  readonly connect: ConnectFault;
  /** In place of the answer to a status. */
  readonly status: StatusFault;
}
