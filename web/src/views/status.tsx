// What a screen reader says when the stage changes, the partner comes or goes, or the time runs short. Messages are
// spoken by their own log, the connection by its banner.
import type { Stage, State } from "../state";
import { endingWords, sideVerb } from "../words";
import { useNow } from "./now";

export function Status({ state }: { state: State }) {
  return (
    <p class="spoken" role="status" data-testid="status">
      {state.stage.name === "talking" ? <TalkStatus talk={state.stage} /> : words(state.stage)}
    </p>
  );
}

function words(stage: Exclude<Stage, { name: "talking" }>): string {
  switch (stage.name) {
    case "choosing":
      return stage.refusal ?? "";
    case "waiting":
      return "Looking for a partner.";
    case "returning":
      return "Returning to your debate.";
    case "ended":
      return endingWords(stage.ending).title;
  }
}

function TalkStatus({ talk }: { talk: Extract<Stage, { name: "talking" }> }) {
  const left = talk.endsAt - useNow();
  if (talk.partnerAway) return <>Your partner lost the connection. Waiting for them to come back.</>;
  if (left <= 10_000) return <>Ten seconds left.</>;
  if (left <= 60_000) return <>One minute left.</>;
  return <>You have a partner. You {sideVerb(talk.side)}.</>;
}
