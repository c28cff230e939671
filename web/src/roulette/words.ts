// What only the roulette page says.
import type { Visit } from "../shared/visit";
import { endingWords } from "../shared/words";
import type { CallPhase } from "./call/call";
import type { Media, MediaState, Roulette } from "./contract";
import type { DeviceRefusal, Wanted } from "./devices";

export const NOUN = "conversation";

export function mediaName(media: Media): string {
  return { video: "Video", audio: "Voice", text: "Words" }[media];
}

/** What a way to meet means. */
export function mediaMeaning(media: Media): string {
  return {
    video: "You see and hear each other.",
    audio: "The microphone only. Nobody sees anybody.",
    text: "No camera, no microphone: you write.",
  }[media];
}

/** How many others wait, as the waiting person reads it. */
export function company(others: number | null): string {
  if (others === null) return "Taking your seat…";
  if (others === 0) return "You are the first one here.";
  return others === 1 ? "1 other person waits." : `${others} other people wait.`;
}

/** What to say over the place of the partner's picture; null when there is nothing to say. */
export function pictureWords(phase: CallPhase, partner: MediaState | null, media: Media): string | null {
  switch (phase) {
    case "connecting":
      return media === "video" ? "Connecting the picture…" : "Connecting the voices…";
    case "lost":
      return "The call is interrupted. Reconnecting…";
    case "failed":
      return "The call could not be connected. You can still write.";
    case "connected":
      if (media === "video" && partner?.camera === false) return "Your partner’s camera is off.";
      return null;
  }
}

/** A heading and what to do for each way in which there is no camera or microphone. */
export function refusalOfDevices(why: DeviceRefusal, wanted: Wanted): { title: string; text: string } {
  const what = { video: "camera and microphone", audio: "microphone", camera: "camera" }[wanted];
  switch (why) {
    case "denied":
      return {
        title: `This page may not use your ${what}`,
        text: "You can allow it at the sign beside the address of this page, and try again. Or meet without.",
      };
    case "missing":
      return { title: `No ${what} found`, text: "Connect one and try again. Or meet without." };
    case "busy":
      return {
        title: `Your ${what} is in use`,
        text: "Close the other program that uses it, and try again. Or meet without.",
      };
    case "insecure":
      return {
        title: "This page is not secure",
        text: `Browsers give a ${what} only to pages that come over HTTPS. You can meet in words.`,
      };
    case "failed":
      return { title: `Your ${what} did not start`, text: "Try again, or meet without." };
  }
}

/** What the title of the tab says; `unread` counts messages that came while the tab was hidden. */
export function tabTitle({ stage }: Visit<Roulette>, unread: number): string {
  const badge = unread > 0 ? `(${unread}) ` : "";
  switch (stage.name) {
    case "choosing":
      return "Throng: say hello";
    case "waiting":
      return "Waiting for a partner · Throng";
    case "returning":
      return "Returning · Throng";
    case "talking":
      return `${badge}Talking · Throng`;
    case "ended":
      return `${endingWords(stage.ending, NOUN).title} · Throng`;
  }
}
