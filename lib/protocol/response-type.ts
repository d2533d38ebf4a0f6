import { DeviceConnectResponse_ResponseType as ResponseType } from "../../generated/internal_protocol.js";
import type { RefusalCode } from "../errors/error-types.js";

/** What the gateway's answer to DeviceConnect means. */
export type ConnectAnswer =
  | { readonly kind: "accepted" }
  | { readonly kind: "refused"; readonly code: RefusalCode }
  | { readonly kind: "unknown" };

const ACCEPTED: ConnectAnswer = { kind: "accepted" };
const UNKNOWN: ConnectAnswer = { kind: "unknown" };

export function connectAnswer(responseType: number): ConnectAnswer {
  switch (responseType) {
    case ResponseType.OK:
      return ACCEPTED;
    case ResponseType.ALREADY_CONNECTED:
      return { kind: "refused", code: "DEVICE_ALREADY_CONNECTED" };
    case ResponseType.MODULE_NOT_SUPPORTED:
      return { kind: "refused", code: "MODULE_NOT_SUPPORTED" };
    case ResponseType.DEVICE_NOT_SUPPORTED:
      return { kind: "refused", code: "DEVICE_TYPE_NOT_SUPPORTED" };
    case ResponseType.HIGHER_PRIORITY_ALREADY_CONNECTED:
      return { kind: "refused", code: "HIGHER_PRIORITY_ALREADY_CONNECTED" };
    default:
      return UNKNOWN;
  }
}
