// The end of a debate: what it was about, and the ways on.
import type { Session } from "../../shared/session";
import { Disc } from "../../shared/views/disc";
import { Ended } from "../../shared/views/ended";
import type { Ended as EndedStage } from "../../shared/visit";
import { counted, duration } from "../../shared/words";
import type { Debate, DebateWish } from "../contract";
import { halfOf, opposite, sideName } from "../sides";
import { NOUN } from "../words";

interface Props {
  stage: EndedStage<Debate>;
  wish: DebateWish;
  session: Session<Debate>;
}

export function DebateEnded({ stage, wish, session }: Props) {
  const { talk, next } = stage;
  const topic = talk?.room.topic ?? wish.topic;
  const other = talk ? opposite(talk.room.side) : null;
  return (
    <Ended
      stage={stage}
      noun={NOUN}
      half={talk ? halfOf(talk.room.side) : "indigo"}
      session={session}
      art={<Disc pose="apart" class="ended-disc" />}
      ways={
        <>
          {next === "offered" ? (
            <button type="button" class="button button-main" onClick={session.next}>
              Next partner
            </button>
          ) : (
            <button type="button" class="button button-main" onClick={() => session.choose({ ...wish, topic })}>
              Debate this topic again
            </button>
          )}
          {other && (
            <button type="button" class="button" onClick={() => session.choose({ ...wish, topic, side: other })}>
              Argue the other side: {sideName(other).toLowerCase()}
            </button>
          )}
          <button type="button" class="button" onClick={session.chooseAgain}>
            Choose another topic
          </button>
        </>
      }
    >
      <p class="motion">{topic}</p>
      {talk && (
        <p class="ended-figures">
          You argued {talk.room.side} it. {counted(talk.messages.length, "message")} in{" "}
          {duration(Math.min(stage.endedAt, talk.endsAt) - talk.startedAt)}.
        </p>
      )}
    </Ended>
  );
}
