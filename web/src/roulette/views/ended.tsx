// The end of a meeting: the halves apart, and the ways on.
import { Ended } from "../../shared/views/ended";
import type { Ended as EndedStage } from "../../shared/visit";
import { counted, duration } from "../../shared/words";
import type { Roulette } from "../contract";
import type { RouletteSession } from "../session";
import { NOUN } from "../words";
import { PairDisc } from "./pair-disc";

interface Props {
  stage: EndedStage<Roulette>;
  camera: MediaStreamTrack | null;
  session: RouletteSession;
}

export function RouletteEnded({ stage, camera, session }: Props) {
  const { talk } = stage;
  return (
    <Ended
      stage={stage}
      noun={NOUN}
      half="indigo"
      session={session}
      art={<PairDisc pose="apart" camera={camera} other="filled" class="ended-disc" />}
      ways={
        <>
          <button type="button" class="button button-main" onClick={session.next}>
            Next partner
          </button>
          <button type="button" class="button" onClick={session.chooseAgain}>
            Change how to meet
          </button>
        </>
      }
    >
      {talk && (
        <p class="ended-figures">
          You were together for {duration(Math.min(stage.endedAt, talk.endsAt) - talk.startedAt)}
          {talk.messages.length > 0 && `, with ${counted(talk.messages.length, "message")}`}.
        </p>
      )}
    </Ended>
  );
}
