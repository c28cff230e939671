// The first stage: a topic, a side, and a button. Plain radio buttons underneath, so that every keyboard works.
import { useState } from "preact/hooks";
import type { Refusal } from "../../shared/contract";
import { refusalWords } from "../../shared/refusals";
import { AboutYouFields, aboutYou, aboutYouFields } from "../../shared/views/about-you";
import type { DebateLobby, DebateWish, SideWish } from "../contract";
import { cleanTopic, listed, OTHER_TOPICS_MAX, OWN, type Picked, settle } from "../topics";
import { OtherTopics } from "./other-topics";
import { SidePicker } from "./side-picker";
import { TopicPicker } from "./topic-picker";

interface Props {
  /** Null until the server has said what there is. */
  lobby: DebateLobby | null;
  /** False while the lobby is what the server said before the connection was lost. */
  live: boolean;
  wish: DebateWish;
  refusal: Refusal | null;
  onChoose: (wish: DebateWish) => void;
}

export function Choosing({ lobby, live, wish, refusal, onChoose }: Props) {
  const [picked, setPicked] = useState<Picked>({ topic: wish.topic === "" ? null : wish.topic, own: "" });
  const [side, setSide] = useState<SideWish>(wish.side);
  const [about, setAbout] = useState(() => aboutYou(wish));
  const [others, setOthers] = useState<string[]>(wish.otherTopics ?? []);
  const [anyTopic, setAnyTopic] = useState(wish.anyTopic ?? false);
  const [missing, setMissing] = useState(false);

  // The list comes with the connection, and changes with those who wait.
  const settled = lobby === null ? picked : settle(picked, lobby);
  if (settled !== picked) setPicked(settled);

  const topic = settled.topic === OWN ? cleanTopic(settled.own) : (settled.topic ?? "");
  const choices = lobby === null ? [] : listed(lobby);
  // Of a remembered wish what is not on a closed list is no choice any more.
  const allowed = (other: string) => other !== topic && (lobby?.ownTopics !== false || choices.includes(other));
  const otherTopics = others.filter(allowed).slice(0, OTHER_TOPICS_MAX);
  const submit = (event: Event) => {
    event.preventDefault();
    setMissing(topic === "");
    if (topic === "") return document.getElementById("own-topic")?.focus();
    onChoose({
      topic,
      side,
      ...aboutYouFields(about),
      ...(anyTopic && { anyTopic }),
      ...(!anyTopic && otherTopics.length > 0 && { otherTopics }),
    });
  };

  return (
    <form class="choosing" onSubmit={submit} noValidate>
      <div class="hello">
        <h1 tabIndex={-1} data-start>
          Disagree <em>well</em>.
        </h1>
        <p class="lead">
          Pick a topic and a side. You are paired with someone who sees it the other way, for a few minutes, with
          nothing but words.
        </p>
      </div>
      <div class="wish">
        <TopicPicker
          lobby={lobby}
          live={live}
          picked={settled}
          missing={missing}
          onPick={(next) => {
            setPicked(next);
            setMissing(false);
          }}
        />
        <AboutYouFields value={about} onChange={setAbout} answered={anyTopic ? 1 : otherTopics.length}>
          <OtherTopics
            choices={choices.filter((other) => other !== topic)}
            picked={otherTopics}
            any={anyTopic}
            onPick={setOthers}
            onAny={setAnyTopic}
          />
        </AboutYouFields>
      </div>
      <div class="decide">
        <SidePicker side={side} onPick={setSide} />
        <p class="pledge">
          You argue {side === "any" ? "on either side of" : side} the statement <strong>{quoted(topic)}</strong>
        </p>
        {refusal && (
          <p class="refusal" role="alert">
            {refusalWords(refusal)}
          </p>
        )}
        <button type="submit" class="button button-main" disabled={settled.topic === null}>
          Find a partner
        </button>
        <p class="trial">
          Just trying it out?{" "}
          <a href="/" target="_blank" rel="noopener">
            Open this page in a second tab
          </a>{" "}
          to debate yourself.
        </p>
      </div>
    </form>
  );
}

function quoted(topic: string): string {
  return topic === "" ? "you bring" : `“${topic}”`;
}
