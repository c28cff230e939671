// The list of topics: suggestions, topics other people wait on, and a line for one's own.
import type { TopicState } from "../contract";
import { busy, openTopics, SUGGESTIONS, TOPIC_MAX } from "../topics";

/** The choice that stands for the person's own words. */
export const OWN = "";

interface Props {
  lobby: TopicState[];
  picked: string;
  own: string;
  /** The own topic was asked for and is empty. */
  missing: boolean;
  onPick: (topic: string) => void;
  onOwn: (text: string) => void;
}

export function TopicPicker({ lobby, picked, own, missing, onPick, onOwn }: Props) {
  const open = openTopics(lobby);
  return (
    <fieldset class="choices">
      <legend>Topic</legend>
      {SUGGESTIONS.map((topic) => (
        <Choice key={topic} entry={busy(lobby, topic)} checked={picked === topic} onPick={onPick} />
      ))}
      {open.length > 0 && <p class="choices-more">Someone waits on</p>}
      {open.map((entry) => (
        <Choice key={entry.topic} entry={entry} checked={picked === entry.topic} onPick={onPick} />
      ))}
      <div class="choice topic-own">
        <input
          type="radio"
          name="topic"
          id="topic-own"
          checked={picked === OWN}
          onChange={() => onPick(OWN)}
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
          value={own}
          onClick={() => onPick(OWN)}
          onInput={(event) => onOwn(event.currentTarget.value)}
        />
        {missing && (
          <p class="refusal" id="own-topic-missing">
            Write a topic first: a statement one can be for or against.
          </p>
        )}
      </div>
    </fieldset>
  );
}

function Choice({ entry, checked, onPick }: { entry: TopicState; checked: boolean; onPick: (topic: string) => void }) {
  return (
    <label class="choice">
      <input type="radio" name="topic" checked={checked} onChange={() => onPick(entry.topic)} />
      <span class="choice-text">{entry.topic}</span>
      {entry.waiting > 0 && <span class="choice-busy">{entry.waiting} waiting</span>}
    </label>
  );
}
