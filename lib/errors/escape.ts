const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu;

/**
 * The text with every control, format and bidirectional character written as `\u{…}`. What a gateway sent may begin a line of its own in
 * a log, or steer a terminal; so no message shows it as it came.
 */
export function escapeText(text: string): string {
  return text.replace(INVISIBLE, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}

const MAX_CAUSE_LENGTH = 1_000;

/** What a cause says, escaped; undefined when it says nothing. A cause may be anything, and may throw when it is read. */
export function causeText(cause: unknown): string | undefined {
  try {
    const said = typeof cause === "string" ? cause : messageOf(cause);
    return typeof said === "string" && said !== "" ? escapeText(said.slice(0, MAX_CAUSE_LENGTH)) : undefined;
  } catch {
    return undefined;
  }
}

/** Where a host has several addresses, Node's error has a code but no message. */
function messageOf(cause: unknown): unknown {
  if (typeof cause !== "object" || cause === null) return undefined;
  const { message, code } = cause as { readonly message?: unknown; readonly code?: unknown };
  return message === "" ? code : message;
}
