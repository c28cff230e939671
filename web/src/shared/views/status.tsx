// What a screen reader says when the stage changes, the partner comes or goes, or the time runs short. Messages are
// spoken by their own log, the connection by its banner.
import type { App } from "../contract";
import type { Stage, Talk } from "../visit";
import { endingWords, type Noun, timeLeft } from "../words";
import { useNow } from "./now";

interface Props<A extends App> {
  stage: Stage<A>;
  noun: Noun;
  /** What to say when a conversation begins. */
  greeting: (talk: Talk<A["room"]>) => string;
}

export function Status<A extends App>({ stage, noun, greeting }: Props<A>) {
  switch (stage.name) {
    case "choosing":
      // A refusal is an alert of its own.
      return null;
    case "waiting":
      return <>{stage.again ? "Your partner did not arrive. Looking for another one." : "Looking for a partner."}</>;
    case "returning":
      return <>Returning to your {noun}.</>;
    case "talking":
      return <TalkStatus talk={stage} greeting={greeting(stage)} />;
    case "ended":
      return <>{endingWords(stage.ending, noun).title}</>;
  }
}

function TalkStatus({ talk, greeting }: { talk: Talk<unknown>; greeting: string }) {
  const left = talk.endsAt - useNow();
  if (talk.partner === "away") return <>Your partner lost the connection. Waiting for them to come back.</>;
  if (left <= 10_000 || talk.warned !== null) return <>{timeLeft(left)}</>;
  return <>{greeting}</>;
}
