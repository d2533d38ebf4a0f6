/** Never written to once they are made. */
const SHARED = new Set(["deviceBytes", "device bytes", "limits", "reader", "utf8", "chunk", "prefix"]);

/** Not part of what a connection does next. */
const IRRELEVANT = new Set([
  "deviceBytes",
  "limits",
  "reader",
  "chunk",
  "at",
  "end",
  "headBytes",
  "latestCommand",
  "spentFrame",
  "spare",
]);

/** Points in time, where two worlds may differ though all that follows is the same. */
const TIMES = new Set(["currentDeadline", "reconnectUntil", "askUntil", "reconnectFrom"]);

/** Where a state does not look at a field, its last value does not count. */
const LOOKED_AT: Record<string, readonly string[]> = {
  reconnectFrom: ["down"],
  reconnectUntil: ["backingOff", "reopening", "rehandshaking"],
  askUntil: ["backingOff", "reopening", "rehandshaking"],
  firstAttempt: ["backingOff", "reopening", "rehandshaking", "awaitingAgain"],
};

/** A copy that shares nothing that is written to. Classes keep their methods; what is frozen is shared. */
export function copyOf<T>(value: T, name = ""): T {
  if (typeof value !== "object" || value === null || SHARED.has(name) || Object.isFrozen(value)) return value;
  if (value instanceof Uint8Array) return value.slice() as T;
  if (Array.isArray(value)) return value.map((item: unknown) => copyOf(item)) as T;
  const copy = Object.create(Object.getPrototypeOf(value) as object) as Record<string, unknown>;
  for (const key in value) copy[key] = copyOf(value[key], key);
  return copy as T;
}

/** All that decides what a connection does next, times counted from now. */
export function textOf(connection: object, now: number): string {
  const { currentState } = connection as { currentState: string };
  return text(connection, "", now, currentState);
}

function text(value: unknown, name: string, now: number, state: string): string {
  if (IRRELEVANT.has(name) || typeof value === "function") return "";
  if (LOOKED_AT[name]?.includes(state) === false) return "";
  if (typeof value === "number" && TIMES.has(name)) return String(Math.max(-1, value - now));
  if (typeof value !== "object" || value === null) return String(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  if (Array.isArray(value)) return `[${value.map((item) => text(item, "", now, state)).join()}]`;
  if ("markedChunks" in value) return decoderText(value as unknown as Decoder, now, state);
  return `{${Object.entries(value)
    .map(([key, inner]) => text(inner, key, now, state))
    .join()}}`;
}

interface Decoder {
  readonly partial: unknown;
  readonly headerFilled: number;
  readonly header: number;
  readonly beganInChunk: number;
  readonly markedChunks: number;
}

/** How many chunks there were does not matter, only whether what has begun to arrive began before the mark. */
function decoderText(
  { partial, headerFilled, header, beganInChunk, markedChunks }: Decoder,
  now: number,
  state: string,
): string {
  if (partial === undefined && headerFilled === 0) return "empty";
  return `${text(partial, "partial", now, state)}${header}${beganInChunk <= markedChunks}`;
}
