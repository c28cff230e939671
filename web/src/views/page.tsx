// The frame around every stage: header, banner, the stage itself, footer, and the spoken status.
import { useEffect, useRef } from "preact/hooks";
import type { Session } from "../session";
import type { State } from "../state";
import { Banner } from "./banner";
import { Choosing } from "./choosing";
import { Ended } from "./ended";
import { Footer } from "./footer";
import { Header } from "./header";
import { Returning } from "./returning";
import { Status } from "./status";
import { Talking } from "./talking";
import { Waiting } from "./waiting";

interface Props {
  state: State;
  session: Session;
}

export function Page({ state, session }: Props) {
  const { stage } = state;
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  // A new stage replaces what had the focus: it goes to what the new stage starts with.
  useEffect(() => {
    if (!first.current) {
      scrollTo(0, 0);
      main.current?.querySelector<HTMLElement>("[data-start]")?.focus({ preventScroll: true });
    }
    first.current = false;
  }, [stage.name]);

  return (
    <div class={`frame frame-${stage.name}`}>
      <Header lobby={state.lobby} />
      <Banner link={state.link} onRetry={session.retry} />
      <main ref={main} class="stage">
        <StageView state={state} session={session} />
      </main>
      <Footer />
      <Status state={state} />
    </div>
  );
}

function StageView({ state, session }: Props) {
  const { stage, lobby, wish, link } = state;
  switch (stage.name) {
    case "choosing":
      return <Choosing lobby={lobby} wish={wish} refusal={stage.refusal} onChoose={session.choose} />;
    case "waiting":
      return <Waiting stage={stage} wish={wish} lobby={lobby} onCancel={session.cancel} />;
    case "returning":
      return <Returning />;
    case "talking":
      return <Talking talk={stage} link={link} onSay={session.say} onLeave={session.leave} />;
    case "ended":
      return <Ended stage={stage} wish={wish} onChoose={session.choose} onChooseAgain={session.chooseAgain} />;
  }
}
