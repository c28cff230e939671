// What both pages say: counts, times and endings in plain English. Pure functions of values, no markup.
import type { Ending, Prospect, Talk } from "./visit";

/** What a page calls a conversation: `debate`. */
export type Noun = "debate" | "conversation";

/** `1 person`, `2 people`. */
export function people(count: number): string {
  return count === 1 ? "1 person" : `${count} people`;
}

/** `1 message`, `2 messages`, of the noun `message`. */
export function counted(count: number, noun: string): string {
  return count === 1 ? `1 ${noun}` : `${count} ${noun}s`;
}

/** What a clock shows: `0:07`, `12:30`. Whole seconds, never negative. */
export function clockFace(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** How long something took, in a sentence: `8 seconds`, `1 minute 5 seconds`. One second at least. */
export function duration(milliseconds: number): string {
  const whole = Math.max(1, Math.floor(milliseconds / 1000));
  const [minutes, seconds] = [Math.floor(whole / 60), whole % 60];
  if (minutes === 0) return counted(seconds, "second");
  return counted(minutes, "minute") + (seconds === 0 ? "" : ` ${counted(seconds, "second")}`);
}

/** How long it usually takes, as one reads it: `a few seconds`, `about 20 seconds`, `about 3 minutes`. */
export function estimate({ estimatedWaitMs }: Pick<Prospect, "estimatedWaitMs">): string {
  if (estimatedWaitMs === null) return "not known yet";
  const seconds = estimatedWaitMs / 1000;
  if (seconds < 5) return "a few seconds";
  const rough = seconds < 55 ? Math.ceil(seconds / 5) * 5 : Math.max(1, Math.round(seconds / 60)) * 60;
  return `about ${duration(rough * 1000)}`;
}

/** That there is somebody, for the ear; `what` is what to do. */
export function greetingWords(partner: Talk<unknown>["partner"], what: string): string {
  return partner === "back" ? "Your partner is back." : `You have a partner. ${what}`;
}

/** How much of the time is left, for the ear. */
export function timeLeft(milliseconds: number): string {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000));
  if (seconds <= 10) return "Ten seconds left.";
  if (seconds <= 30) return "Half a minute left.";
  if (seconds <= 60) return "One minute left.";
  return `${Math.ceil(seconds / 60)} minutes left.`;
}

/** A heading and a sentence for each way a conversation ends. */
export function endingWords(ending: Ending, noun: Noun): { title: string; text: string } {
  switch (ending) {
    case "time":
      return { title: "Time is up", text: "You both stayed to the end. That is how it is done." };
    case "you_left":
      return { title: `You left the ${noun}`, text: "Your partner was told that you had to go." };
    case "left":
      return { title: "Your partner left", text: "They said goodbye a little early. It happens." };
    case "partner_gone":
      return { title: "Your partner is gone", text: "Their connection was lost, and it did not come back in time." };
    case "you_reported":
      return { title: "Thank you for the report", text: "The two of you are never paired again." };
    case "reported":
      return { title: "A report ended this", text: "The two of you are not paired again." };
    case "you_blocked":
      return { title: "You blocked your partner", text: "The two of you are never paired again." };
    case "operator":
      return { title: "An operator ended this", text: `The people who run this server stopped the ${noun}.` };
    case "drain":
      return { title: "The server closed", text: `The ${noun} had to stop with it. You can start again right away.` };
    case "lost":
      return { title: `This ${noun} is over`, text: "It ended while you were disconnected." };
  }
}
