// The list of topics: the server's, those that other people wait on, and a line for one's own where there may be such.
import type { DebateLobby, TopicState } from "../contract";
import { OWN, openTopics, type Picked, TOPIC_MAX } from "../topics";

interface Props {
  /** Null until the server has said what there is. */
  lobby: DebateLobby | null;
  /** False while the lobby is what the server said before the connection was lost. */
  live: boolean;
  picked: Picked;
  /** The own topic was asked for and is empty. */
  missing: boolean;
  onPick: (picked: Picked) => void;
}

export function TopicPicker({ lobby, live, picked, missing, onPick }: Props) {
  const open = lobby === null ? [] : openTopics(lobby);
  const choice = (entry: TopicState) => (
    <label key={entry.topic} class="choice">
      <input
        type="radio"
        name="topic"
        checked={picked.topic === entry.topic}
        onChange={() => onPick({ ...picked, topic: entry.topic })}
      />
      <span class="choice-text">{entry.topic}</span>
      {live && entry.waiting > 0 && <span class="choice-busy">{entry.waiting} waiting</span>}
    </label>
  );
  return (
    <fieldset class="choices" aria-busy={lobby === null}>
      <legend>Topic</legend>
      {lobby === null && <p class="choices-more">The topics come with the connection.</p>}
      {lobby?.topics.map(choice)}
      {open.length > 0 && <p class="choices-more">{live ? "Someone waits on" : "Someone waited on"}</p>}
      {open.map(choice)}
      {lobby?.ownTopics && <OwnTopic picked={picked} missing={missing} onPick={onPick} />}
    </fieldset>
  );
}

function OwnTopic({ picked, missing, onPick }: Omit<Props, "lobby" | "live">) {
  const pick = () => onPick({ ...picked, topic: OWN });
  return (
    <div class="choice topic-own">
      <input
        type="radio"
        name="topic"
        id="topic-own"
        checked={picked.topic === OWN}
        onChange={pick}
        aria-label="Your own topic"
      />
      <input
        type="text"
        id="own-topic"
        autocomplete="off"
        maxLength={TOPIC_MAX}
        placeholder="Or a topic of your own"
        aria-label="Your own topic, in your words"
        aria-invalid={missing}
        aria-describedby={missing ? "own-topic-missing" : undefined}
        value={picked.own}
        onClick={pick}
        onInput={(event) => onPick({ topic: OWN, own: event.currentTarget.value })}
      />
      {missing && (
        <p class="refusal" id="own-topic-missing">
          Write a topic first: a statement one can be for or against.
        </p>
      )}
    </div>
  );
}
