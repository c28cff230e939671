// Interests: what may be one, and the list that a person keeps of them.

/** How many a wish takes. */
export const TAGS_MAX = 5;

/** Longest one in characters. */
export const TAG_MAX = 30;

/** A tag as it is sent: lower case, single spaces, and only what a tag may have: letters, digits, spaces, hyphens. */
export function cleanTag(text: string): string {
  const letters = text.normalize("NFC").toLowerCase().replace(/[^\p{L}\p{M}\p{N} -]+/gu, " ");
  const words = letters.replace(/\s+/g, " ").trim();
  return [...words].slice(0, TAG_MAX).join("").trim();
}

/** The list with what was typed added, cut at commas; what is empty, doubled or too many is left out. */
export function addTags(tags: readonly string[], typed: string): string[] {
  const added = typed.split(",").map(cleanTag);
  return [...new Set([...tags, ...added])].filter((tag) => tag !== "").slice(0, TAGS_MAX);
}

/** Whether the value is such a list. */
export function areTags(value: unknown): value is string[] {
  return Array.isArray(value) && value.length <= TAGS_MAX && value.every((tag) => typeof tag === "string");
}
