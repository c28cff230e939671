// What a person reads when a request was not granted: what to do about it, where there is something to do. A refusal that
// is not listed is told in the server's own words.
import type { Refusal } from "./contract";

const WORDS: Record<string, string> = {
  unknown_queue: "This queue does not exist any more. Start again from the first page.",
  invalid_topic: "A topic is one line of 1 to 120 characters.",
  unknown_topic: "This server takes only the topics on its list. Please pick one of those.",
  invalid_tag: "An interest is one word of up to 24 letters (a to z) and digits, and there are five at most.",
  invalid_language: "This language is not one that the server knows.",
  invalid_region: "This region is not one that the server knows.",
  invalid_property: "Something in your wish is not what the server expects.",
  invalid_media: "This kind of conversation is not on offer here.",
  in_room: "You are in a conversation already. Is it open in another tab?",
  queue_full: "More people wait than there is room for. Please try again in a minute.",
  draining: "This server is closing and takes nobody new. Please try again in a moment.",
  invalid_text: "A message has 1 to 500 characters.",
  no_room: "There is no conversation to send this to.",
  room_ended: "The conversation is over.",
  not_your_room: "The conversation is over.",
  rate_limited: "That was a little fast. Please wait a moment and try again.",
};

export function refusalWords({ code, message }: Refusal): string {
  return WORDS[code] ?? message;
}
