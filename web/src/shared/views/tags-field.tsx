// A list of interests: written one by one, each with a way to take it back.
import { useRef, useState } from "preact/hooks";
import { addTags, TAGS_MAX } from "../tags";

interface Props {
  tags: string[];
  onChange: (tags: string[]) => void;
}

export function TagsField({ tags, onChange }: Props) {
  const [text, setText] = useState("");
  const field = useRef<HTMLInputElement>(null);
  const full = tags.length >= TAGS_MAX;

  const add = (typed: string) => {
    onChange(addTags(tags, typed));
    setText("");
  };
  const remove = (tag: string) => {
    onChange(tags.filter((other) => other !== tag));
    field.current?.focus();
  };
  const key = (event: KeyboardEvent) => {
    if (event.key === "Enter" && text.trim() !== "") {
      // Not yet the whole form.
      event.preventDefault();
      add(text);
    } else if (event.key === "Backspace" && text === "" && tags.length > 0) {
      onChange(tags.slice(0, -1));
    }
  };

  return (
    <div class="field">
      <label class="field-name" for="tags">
        Interests
      </label>
      <div class="tags-box">
        {tags.length > 0 && (
          <ul class="tags" aria-label="Chosen so far">
            {tags.map((tag) => (
              <li key={tag} class="tag">
                {tag}
                <button type="button" aria-label={`Remove ${tag}`} onClick={() => remove(tag)}>
                  <span aria-hidden="true">×</span>
                </button>
              </li>
            ))}
          </ul>
        )}
        <input
          id="tags"
          ref={field}
          type="text"
          autocomplete="off"
          autocapitalize="none"
          placeholder={full ? "Five is enough" : "music, chess, …"}
          readOnly={full}
          value={text}
          onInput={(event) => {
            const typed = event.currentTarget.value;
            if (typed.includes(",")) add(typed);
            else setText(typed);
          }}
          onKeyDown={key}
          onBlur={() => text.trim() !== "" && add(text)}
        />
      </div>
    </div>
  );
}
