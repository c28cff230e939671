// The wishes of the roulette page: the one to start with, and what the tab kept of the last one.
import type { Wishes } from "../shared/memory";
import { areTags } from "../shared/tags";
import type { Media, RouletteWish } from "./contract";

/** Every way to meet, the richest first. */
export const MEDIA: readonly Media[] = ["video", "audio", "text"];

export const WISHES: Wishes<RouletteWish> = {
  stored: "throng.roulette",
  first: { media: "video" },
  isWish(value): value is RouletteWish {
    if (typeof value !== "object" || value === null) return false;
    const { media, tags, language } = value as Partial<RouletteWish>;
    return (
      media !== undefined &&
      MEDIA.includes(media) &&
      (tags === undefined || areTags(tags)) &&
      (language === undefined || typeof language === "string")
    );
  },
};
