// The roulette page: its stage in the frame.
import { Frame } from "../../shared/views/frame";
import { Returning } from "../../shared/views/returning";
import { Status } from "../../shared/views/status";
import { Waiting } from "../../shared/views/waiting";
import { isConnected } from "../../shared/visit";
import { greetingWords } from "../../shared/words";
import type { RouletteSession } from "../session";
import type { State } from "../state";
import { company, mediaName, NOUN, pictureWords } from "../words";
import { Choosing } from "./choosing";
import { RouletteEnded } from "./ended";
import { PairDisc } from "./pair-disc";
import { Talking } from "./talking";

interface Props {
  state: State;
  session: RouletteSession;
}

export function RoulettePage({ state, session }: Props) {
  const { visit, call } = state;
  const { stage, link } = visit;
  const live = isConnected(link) ? visit.lobby : null;
  return (
    <Frame
      page="roulette"
      noun={NOUN}
      stage={stage.name}
      link={link}
      pulse={{ count: live && { waiting: live.waiting, busy: live.talking }, doing: "talking" }}
      onRetry={session.retry}
      status={
        <Status
          stage={stage}
          noun={NOUN}
          greeting={({ room, partner }) =>
            (call.phase && pictureWords(call.phase, call.partner, room.media)) || greetingWords(partner, "Say hello.")
          }
        />
      }
    >
      <StageView state={state} session={session} />
    </Frame>
  );
}

function StageView({ state, session }: Props) {
  const { visit, devices, call } = state;
  const { stage, wish, link } = visit;
  switch (stage.name) {
    case "choosing":
      return <Choosing wish={wish} devices={devices} refusal={stage.refusal} session={session} />;
    case "waiting":
      return (
        <Waiting
          stage={stage}
          art={<PairDisc pose="seeking" camera={devices.camera} other="empty" class="waiting-disc" />}
          title="Looking for someone"
          company={
            <>
              {company(stage.others)}
              {stage.others === 0 && (
                <>
                  {" "}
                  <a href="/roulette" target="_blank" rel="noopener">
                    Open a second tab
                  </a>{" "}
                  to meet yourself.
                </>
              )}
            </>
          }
          onCancel={session.cancel}
        >
          <p class="tag-half tag-half-indigo">{mediaName(wish.media)}</p>
        </Waiting>
      );
    case "returning":
      return <Returning noun={NOUN} />;
    case "talking":
      return <Talking talk={stage} link={link} devices={devices} call={call} session={session} />;
    case "ended":
      return <RouletteEnded stage={stage} camera={devices.camera} session={session} />;
  }
}
