// The last stage: why it is over, what it was, and what next.
import { opposite, type Wish } from "../contract";
import type { Stage } from "../state";
import { endingWords, minutes, sideName } from "../words";
import { Disc } from "./disc";
import { Transcript } from "./messages";

interface Props {
  stage: Extract<Stage, { name: "ended" }>;
  wish: Wish;
  onChoose: (wish: Wish) => void;
  onChooseAgain: () => void;
}

export function Ended({ stage, wish, onChoose, onChooseAgain }: Props) {
  const { talk } = stage;
  const { title, text } = endingWords(stage.ending);
  const topic = talk?.topic ?? wish.topic;
  const other = talk ? opposite(talk.side) : null;
  return (
    <section class="ended">
      <Disc pose="apart" class="ended-disc" />
      <h1 tabIndex={-1} data-start>
        {title}
      </h1>
      <p class="lead">{text}</p>
      <p class="motion">{topic}</p>
      {talk && (
        <p class="ended-figures">
          You argued {talk.side} it. {talk.messages.length === 1 ? "1 message" : `${talk.messages.length} messages`} in{" "}
          {minutes(Math.min(stage.endedAt, talk.endsAt) - talk.startedAt)} minutes.
        </p>
      )}
      <div class="ended-next">
        <button type="button" class="button button-main" onClick={() => onChoose({ ...wish, topic })}>
          Debate this topic again
        </button>
        {other && (
          <button type="button" class="button" onClick={() => onChoose({ topic, side: other })}>
            Argue the other side: {sideName(other).toLowerCase()}
          </button>
        )}
        <button type="button" class="button" onClick={onChooseAgain}>
          Choose another topic
        </button>
      </div>
      {talk && talk.messages.length > 0 && (
        <details class="ended-again">
          <summary>Read it again</summary>
          <Transcript messages={talk.messages} side={talk.side} />
        </details>
      )}
    </section>
  );
}
