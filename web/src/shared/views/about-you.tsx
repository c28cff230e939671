// What else may bring two people together: interests and a language. Folded away, because none of it is needed.
import { useState } from "preact/hooks";
import type { ComponentChildren } from "preact";
import type { CommonWish } from "../contract";
import { languages } from "../languages";
import { TagsField } from "./tags-field";

/** The part of a wish that this asks for. */
export interface AboutYou {
  tags: string[];
  /** Empty for any language. */
  language: string;
  strict: boolean;
}

/** The part of `wish`, for a form to start with. */
export function aboutYou(wish: CommonWish): AboutYou {
  return { tags: wish.tags ?? [], language: wish.language ?? "", strict: wish.requires?.language ?? false };
}

/** The fields of a wish for it; what was not chosen is left out. */
export function aboutYouFields({ tags, language, strict }: AboutYou): CommonWish {
  return {
    ...(tags.length > 0 && { tags }),
    ...(language !== "" && { language }),
    ...(language !== "" && strict && { requires: { language: true } }),
  };
}

interface Props {
  value: AboutYou;
  onChange: (value: AboutYou) => void;
  /** What a page asks besides, in front. */
  children?: ComponentChildren;
  /** How many of the page's own questions have an answer. */
  answered?: number;
}

export function AboutYouFields({ value, onChange, children, answered = 0 }: Props) {
  const { tags, language, strict } = value;
  const [choices] = useState(() => languages(navigator.languages));
  const chosen = answered + tags.length + (language === "" ? 0 : 1);
  return (
    <details class="more">
      <summary>
        Interests, language and more{chosen > 0 && <span class="more-count">{chosen} chosen</span>}
      </summary>
      <div class="more-fields">
        {children}
        <div class="more-about">
        <TagsField tags={tags} onChange={(next) => onChange({ ...value, tags: next })} />
        <div class="field">
          <label class="field-name" for="language">
            Language
          </label>
          <select
            id="language"
            value={language}
            onChange={(event) => onChange({ ...value, language: event.currentTarget.value })}
          >
            <option value="">Any language</option>
            {choices.map(({ code, name }) => (
              <option key={code} value={code} lang={code}>
                {name}
              </option>
            ))}
          </select>
          {language !== "" && (
            <label class="tick">
              <input
                type="checkbox"
                checked={strict}
                onChange={(event) => onChange({ ...value, strict: event.currentTarget.checked })}
              />
              <span>Only people who chose it too</span>
            </label>
          )}
        </div>
        </div>
      </div>
    </details>
  );
}
