import type { Device } from "../index.js";

/** For people: one device, in one line. */
export function describeDevice({ module, deviceType, deviceRole, deviceName, priority }: Device): string {
  const identity = `module ${module}, type ${deviceType}, role ${JSON.stringify(deviceRole)}, priority ${priority}`;
  return `${JSON.stringify(deviceName)} (${identity})`;
}

export function describePlace(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The time of day, to the millisecond. */
export function clock(time: Date): string {
  const two = (number: number) => number.toString().padStart(2, "0");
  const milliseconds = time.getMilliseconds().toString().padStart(3, "0");
  return `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}.${milliseconds}`;
}

/** In as few digits as tell something. */
export function milliseconds(number: number): string {
  return number < 100 ? `${number.toFixed(1)} ms` : `${Math.round(number)} ms`;
}

export function seconds(milliseconds: number): string {
  const whole = Math.max(0, Math.round(milliseconds / 1000));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  return minutes < 60 ? `${minutes} min ${whole % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
