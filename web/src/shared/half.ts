// The two halves of the disc, one for each person: indigo and marigold. What a half stands for is the page's to say.

export type Half = "indigo" | "marigold";

/** The half across the table. */
export function otherHalf(half: Half): Half {
  return half === "indigo" ? "marigold" : "indigo";
}
