// Interests: what may be one, and the list that a person keeps of them.

/** How many a wish takes. */
export const TAGS_MAX = 5;

/** Longest one in characters. */
export const TAG_MAX = 24;

/** A tag as it is sent: the letters a to z and digits of what was typed, accents dropped, in lower case and in one word. */
export function cleanTag(text: string): string {
  return text.normalize("NFKD").toLowerCase().replace(/[^a-z0-9]+/g, "").slice(0, TAG_MAX);
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
