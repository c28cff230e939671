// The wishes of the debate page: the one to start with, and what the tab kept of the last one.
import type { Wishes } from "../shared/memory";
import { areTags } from "../shared/tags";
import type { DebateWish, SideWish } from "./contract";

const SIDES: SideWish[] = ["for", "against", "any"];

export const WISHES: Wishes<DebateWish> = {
  stored: "throng.debate",
  // Without a topic: what there is to choose from only the server knows.
  first: { topic: "", side: "any" },
  isWish(value): value is DebateWish {
    if (typeof value !== "object" || value === null) return false;
    const { topic, side, otherTopics, tags, language } = value as Partial<DebateWish>;
    return (
      typeof topic === "string" &&
      side !== undefined &&
      SIDES.includes(side) &&
      (otherTopics === undefined || Array.isArray(otherTopics)) &&
      (tags === undefined || areTags(tags)) &&
      (language === undefined || typeof language === "string")
    );
  },
};
