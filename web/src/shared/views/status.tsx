// What a screen reader says when a conversation begins or comes back, the partner comes or goes, or the time runs short.
// Messages are spoken by their own log, the connection by its banner, and other stages by their heading, which has the focus.
import type { App } from "../contract";
import type { Stage, Talk } from "../visit";
import { type Noun, timeLeft } from "../words";
import { useNow } from "./now";

interface Props<A extends App> {
  stage: Stage<A>;
  noun: Noun;
  /** What to say when a conversation begins, or the partner is back. */
  greeting: (talk: Talk<A["room"]>) => string;
}

export function Status<A extends App>({ stage, noun, greeting }: Props<A>) {
  switch (stage.name) {
    case "choosing":
    case "ended":
      return null;
    case "waiting":
      return stage.again ? <>Your partner did not arrive.</> : null;
    case "returning":
      return <>Returning to your {noun}.</>;
    case "talking":
      return <TalkStatus talk={stage} greeting={greeting(stage)} />;
  }
}

function TalkStatus({ talk, greeting }: { talk: Talk<unknown>; greeting: string }) {
  const left = talk.endsAt - useNow();
  if (talk.partner === "away") return <>Your partner lost the connection. Waiting for them to come back.</>;
  if (left <= 10_000 || talk.warned !== null) return <>{timeLeft(left)}</>;
  return <>{greeting}</>;
}
