// The text of a message before it is sent: what may be typed, and how long it is by the server's count.

/** Longest message in characters (Unicode scalar values), after trimming. */
export const MESSAGE_MAX = 500;

/** What may stand in the composer: one line, as the server refuses control characters. */
export function oneLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, " ");
}

/** The length by the server's count: an emoji beyond the basic plane is one character. */
export function length(text: string): number {
  return [...text.trim()].length;
}

/** True when the server would take the text. */
export function sendable(text: string): boolean {
  const count = length(text);
  return count >= 1 && count <= MESSAGE_MAX;
}
