// Topics that would do as well, when nobody comes for the first one.
import { OTHER_TOPICS_MAX } from "../topics";

interface Props {
  choices: string[];
  picked: string[];
  any: boolean;
  onPick: (topics: string[]) => void;
  onAny: (any: boolean) => void;
}

export function OtherTopics({ choices, picked, any, onPick, onAny }: Props) {
  const full = picked.length >= OTHER_TOPICS_MAX;
  const toggle = (topic: string) =>
    onPick(picked.includes(topic) ? picked.filter((other) => other !== topic) : [...picked, topic]);
  return (
    <fieldset class="field">
      <legend class="field-name">If nobody comes for that topic</legend>
      <label class="tick">
        <input type="checkbox" checked={any} onChange={(event) => onAny(event.currentTarget.checked)} />
        <span>Any other topic will do</span>
      </label>
      {!any &&
        choices.map((topic) => (
          <label key={topic} class="tick">
            <input
              type="checkbox"
              checked={picked.includes(topic)}
              disabled={full && !picked.includes(topic)}
              onChange={() => toggle(topic)}
            />
            <span>{topic}</span>
          </label>
        ))}
    </fieldset>
  );
}
