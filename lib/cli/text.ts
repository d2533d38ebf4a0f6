import type { Device, InternalClientError } from "../index.js";

/** Invisible characters, which may end a line, control the terminal or reverse the text. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** For people, in one line: invisible characters are written as `\u{202e}`. */
export function oneLine(text: string): string {
  return text.replace(UNSEEN, (character) => SHORT[character] ?? `\\u{${hexNumber(character.codePointAt(0))}}`);
}

/** Like {@link oneLine}, but keeps line breaks and tabs. */
export function severalLines(text: string): string {
  return text
    .split(/([\n\t])/)
    .map((part, index) => (index % 2 === 1 ? part : oneLine(part)))
    .join("");
}

/** The same JSON, with invisible characters escaped. */
export function jsonOf(value: unknown, indent?: number): string {
  const json = JSON.stringify(value, undefined, indent);
  return json.split("\n").map(escapedInJson).join("\n");
}

/** JSON in one line, with spaces between its parts. */
export function spacedJson(value: unknown): string {
  return jsonOf(value, 1).replace(/\n */g, " ");
}

function escapedInJson(json: string): string {
  return json.replace(UNSEEN, (character) =>
    Array.from({ length: character.length }, (_, at) => `\\u${hexNumber(character.charCodeAt(at), 4)}`).join(""),
  );
}

function hexNumber(number = 0, digits = 1): string {
  return number.toString(16).padStart(digits, "0");
}

const WIDE =
  /^[\p{Emoji_Presentation}\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]$/u;
const MARK = /^\p{M}$/u;

function widthOf(character: string): number {
  if (MARK.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}

/** The text, cut to that many columns of a terminal; an ellipsis at the end shows that there is more. */
export function cut(text: string, columns: number): string {
  let [width, end, fitting] = [0, 0, 0];
  for (const character of text) {
    width += widthOf(character);
    if (width > columns) return `${text.slice(0, fitting)}…`;
    end += character.length;
    if (width < columns) fitting = end;
  }
  return text;
}

/** For people: one device, in one line. */
export function describeDevice({ module, deviceType, deviceRole, deviceName, priority }: Device): string {
  const identity = `module ${module}, type ${deviceType}, role ${JSON.stringify(deviceRole)}, priority ${priority}`;
  return oneLine(`${JSON.stringify(deviceName)} (${identity})`);
}

export function describePlace(host: string, port: number): string {
  return oneLine(host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`);
}

// The library's messages also say what became of the client. Users of a command do not need that.
const AFTERMATH = / (Nothing is left open|The client [^.]*)\.(?= |$)|, or raise maxMessageBytes/g;

const OPTIONS: Readonly<Record<string, string>> = {
  timeoutMs: "--timeout",
  connectTimeoutMs: "--connect-timeout",
  maxMessageBytes: "limit",
};

/** An error in one line, for users of the command, not of the library. */
export function explain({ code, message }: InternalClientError): string {
  const said = oneLine(message.replace(AFTERMATH, "").replace(/\w+/g, (word) => OPTIONS[word] ?? word));
  return code === "DEVICE_ALREADY_CONNECTED" ? `${said} --role gives this one another role.` : said;
}

/** The time of day, to the millisecond. */
export function clock(time: Date): string {
  return `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}.${two(time.getMilliseconds(), 3)}`;
}

/** The day and the time of day. */
export function timestamp(time: Date): string {
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())} ${clock(time)}`;
}

function two(number: number, digits = 2): string {
  return number.toString().padStart(digits, "0");
}

/** With as few digits as are useful. */
export function milliseconds(number: number): string {
  return number < 100 ? `${number.toFixed(1)} ms` : `${Math.round(number)} ms`;
}

/** To the microsecond: the clock is not more precise. */
export function toMicroseconds(milliseconds: number): number {
  return Math.round(milliseconds * 1_000) / 1_000;
}

export function seconds(milliseconds: number): string {
  const whole = Math.max(0, Math.round(milliseconds / 1000));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  return minutes < 60 ? `${minutes} min ${whole % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
