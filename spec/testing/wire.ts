export { fromHex } from "../support/bytes.js";

// A button of the example module, as recorded between a reference client and a real gateway.

/** Module 1000, type 0, role "test", name "button1", priority 0. */
export const BUTTON = "08e8071a04746573742207627574746f6e31";
/** The same device with the name "b". */
export const RENAMED = "08e8071a0474657374220162";
export const button = { module: 1000, deviceType: 0, deviceRole: "test", deviceName: "button1", priority: 0 };

export const CONNECT = `160000000a140a12${BUTTON}`;
export const CONNECTED = `160000000a141212${BUTTON}`;
/** `{"pressed": true}` */
export const PRESSED = "7b2270726573736564223a20747275657d";
export const STATUS = `2900000012270a12${BUTTON}1211${PRESSED}`;
/** `{"lit_up": false}` */
export const DARK = "7b226c69745f7570223a2066616c73657d";
export const ANSWER = `2900000012270a12${BUTTON}1211${DARK}`;

// And what was not recorded, written by hand.

/** The button's connect with a priority of 1 to 127. */
export function connectWithPriority(priority: number): string {
  return `180000000a160a14${BUTTON}28${byte(priority)}`;
}

/** The button's refusal with a response type of 1 to 127. */
export function refused(responseType: number): string {
  return `180000000a1608${byte(responseType)}1212${BUTTON}`;
}

export function statusOf(value: number): string {
  return `1900000012170a12${BUTTON}1201${byte(value)}`;
}

export function commandOf(value: number): string {
  return `1900000012170a12${BUTTON}1201${byte(value)}`;
}

/** The length of at most 127 bytes, and the bytes. */
function sized(hex: string): string {
  return byte(hex.length / 2) + hex;
}

/** The length of at most 127 bytes as a frame has it, and the bytes. */
export function framed(hex: string): string {
  return `${byte(hex.length / 2)}000000${hex}`;
}

export function connectOf(device: string): string {
  return framed(`0a${sized(`0a${sized(device)}`)}`);
}

export function connectedOf(device: string): string {
  return framed(`0a${sized(`12${sized(device)}`)}`);
}

/** A device's status, and its command too: they differ in nothing but the direction. */
export function payloadOf(device: string, payload: string): string {
  return framed(`12${sized(`0a${sized(device)}${payload === "" ? "" : `12${sized(payload)}`}`)}`);
}

export function hexOf(text: string): string {
  return Buffer.from(text).toString("hex");
}

export function byte(value: number): string {
  return value.toString(16).padStart(2, "0");
}
