const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu;

/**
 * The text with every control, format and bidirectional character written as `\u{…}`. Unescaped, text from a gateway could forge a line
 * of a log, or control a terminal.
 */
export function escapeText(text: string): string {
  return text.replace(INVISIBLE, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}

const MAX_CAUSE_LENGTH = 1_000;

/** A cause's message, escaped; undefined when it has none. A cause may be anything, and may throw when it is read. */
export function causeText(cause: unknown): string | undefined {
  try {
    const said = typeof cause === "string" ? cause : messageOf(cause);
    return typeof said === "string" && said !== "" ? escapeText(said.slice(0, MAX_CAUSE_LENGTH)) : undefined;
  } catch {
    return undefined;
  }
}

/** Node's error for a host with several addresses has a code but no message. */
function messageOf(cause: unknown): unknown {
  if (typeof cause !== "object" || cause === null) return undefined;
  const { message, code } = cause as { readonly message?: unknown; readonly code?: unknown };
  return message === "" ? code : message;
}
