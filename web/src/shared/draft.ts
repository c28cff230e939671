// The text of a message before it is sent: what may be typed, how long it is by the server's count, and that it is not
// lost when the page is reloaded.
import { read, write } from "./tab";

/** Longest message in characters (Unicode scalar values), after trimming. */
export const MESSAGE_MAX = 500;

/** What may stand in the composer: one line, as the server removes control characters. */
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

const STORED = "throng.draft";

/** Keeps the unsent text of a room over a reload. */
export function keepDraft(room: string, text: string): void {
  write(STORED, `${room}\n${text}`);
}

/** The unsent text of the room; empty when there is none, or when what was kept is of another room. */
export function keptDraft(room: string): string {
  const kept = read(STORED) ?? "";
  return kept.startsWith(`${room}\n`) ? kept.slice(room.length + 1) : "";
}
