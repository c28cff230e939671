// The debate page: its stage in the frame.
import type { Session } from "../../shared/session";
import { Disc } from "../../shared/views/disc";
import { Frame } from "../../shared/views/frame";
import { Returning } from "../../shared/views/returning";
import { Status } from "../../shared/views/status";
import { Waiting } from "../../shared/views/waiting";
import { isConnected, type Visit, type Waiting as WaitingStage } from "../../shared/visit";
import { greetingWords } from "../../shared/words";
import type { Debate, DebateWish } from "../contract";
import { halfOfWish, sideName, sideVerb } from "../sides";
import { total } from "../topics";
import { company, NOUN } from "../words";
import { Choosing } from "./choosing";
import { DebateEnded } from "./ended";
import { Talking } from "./talking";

interface Props {
  visit: Visit<Debate>;
  session: Session<Debate>;
}

export function DebatePage({ visit, session }: Props) {
  const { stage, link, lobby } = visit;
  const live = isConnected(link) && lobby !== null ? total(lobby) : null;
  return (
    <Frame
      page="debate"
      noun={NOUN}
      stage={stage.name}
      link={link}
      pulse={{ count: live && { waiting: live.waiting, busy: live.debating }, doing: "debating" }}
      onRetry={session.retry}
      status={
        <Status
          stage={stage}
          noun={NOUN}
          greeting={({ room, partner }) => greetingWords(partner, `You ${sideVerb(room.side)}.`)}
        />
      }
    >
      <StageView visit={visit} session={session} />
    </Frame>
  );
}

function StageView({ visit, session }: Props) {
  const { stage, lobby, wish, link } = visit;
  switch (stage.name) {
    case "choosing":
      return (
        <Choosing
          lobby={lobby}
          live={isConnected(link)}
          wish={wish}
          refusal={stage.refusal}
          onChoose={session.choose}
        />
      );
    case "waiting":
      return <DebateWaiting stage={stage} wish={wish} onCancel={session.cancel} />;
    case "returning":
      return <Returning noun={NOUN} />;
    case "talking":
      return <Talking talk={stage} link={link} session={session} />;
    case "ended":
      return <DebateEnded stage={stage} wish={wish} session={session} />;
  }
}

function DebateWaiting({ stage, wish, onCancel }: { stage: WaitingStage; wish: DebateWish; onCancel: () => void }) {
  const half = halfOfWish(wish.side);
  const others = wish.otherTopics?.length ?? 0;
  return (
    <Waiting
      stage={stage}
      art={<Disc pose="seeking" half={half} class="waiting-disc" />}
      title={wish.side === "any" ? "Looking for a partner" : "Looking for the other half"}
      company={
        <>
          {company(stage.others)}
          {stage.others === 0 && (
            <>
              {" "}
              <a href="/" target="_blank" rel="noopener">
                Open a second tab
              </a>{" "}
              to be your own partner.
            </>
          )}
        </>
      }
      onCancel={onCancel}
    >
      <p class="motion">{wish.topic}</p>
      {wish.anyTopic && <p class="waiting-also">or, after a while, any other topic</p>}
      {!wish.anyTopic && others > 0 && (
        <p class="waiting-also">or, after a while, {others === 1 ? "one other topic" : `one of ${others} other topics`}</p>
      )}
      <p class={`tag-half tag-half-${half}`}>{sideName(wish.side)}</p>
    </Waiting>
  );
}
