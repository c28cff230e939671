// The sides of a debate: how they are called, and which half of the disc each of them is.
import type { Half } from "../shared/half";
import type { Side, SideWish } from "./contract";

export function halfOf(side: Side): Half {
  return side === "for" ? "indigo" : "marigold";
}

/** The half of a wish, where `any` is either. */
export function halfOfWish(side: SideWish): Half | "any" {
  return side === "any" ? "any" : halfOf(side);
}

/** The side across the table. */
export function opposite(side: Side): Side {
  return side === "for" ? "against" : "for";
}

export function sideName(side: SideWish): string {
  return { for: "For", against: "Against", any: "Either side" }[side];
}

/** What a side does, to follow "You": `argue for it`. */
export function sideVerb(side: Side): string {
  return side === "for" ? "argue for it" : "argue against it";
}
