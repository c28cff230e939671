// How it was, from one star to five, once a conversation is over.
import { useState } from "preact/hooks";
import type { Refusal } from "../contract";
import { length, MESSAGE_MAX } from "../draft";
import { refusalWords } from "../refusals";
import { takeFocus } from "./focus";

const STARS = [1, 2, 3, 4, 5] as const;

interface Props {
  /** What was given already. */
  rated: number | null;
  onRate: (rating: number, text: string) => Promise<Refusal | null>;
}

export function Feedback({ rated, onRate }: Props) {
  const [rating, setRating] = useState(0);
  const [text, setText] = useState("");
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  if (rated !== null) {
    return (
      <p class="feedback-done" tabIndex={-1} ref={takeFocus}>
        Thank you for saying how it was.
      </p>
    );
  }
  const over = length(text) > MESSAGE_MAX;
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setRefusal(await onRate(rating, text.trim()));
    setBusy(false);
  };
  return (
    <form class="feedback" onSubmit={submit}>
      <fieldset>
        <legend>How was it?</legend>
        <div class="stars">
          {STARS.map((star) => (
            <label key={star} class={`star ${star <= rating ? "star-lit" : ""}`}>
              <input type="radio" name="rating" checked={rating === star} onChange={() => setRating(star)} />
              <span class="spoken">{star === 1 ? "1 star" : `${star} stars`}</span>
              <svg viewBox="0 0 24 24" aria-hidden="true">
                <path d="m12 3 2.7 5.9 6.3.7-4.7 4.3 1.3 6.3-5.6-3.2-5.6 3.2 1.3-6.3L3 9.6l6.3-.7Z" />
              </svg>
            </label>
          ))}
        </div>
      </fieldset>
      {rating > 0 && (
        <>
          <label class="field">
            <span class="field-name">Anything to add?</span>
            <textarea
              rows={2}
              value={text}
              aria-invalid={over}
              onInput={(event) => setText(event.currentTarget.value)}
            />
          </label>
          {over && <p class="refusal">{length(text) - MESSAGE_MAX} characters too many</p>}
          <button type="submit" class="button" disabled={busy || over}>
            Send
          </button>
        </>
      )}
      {refusal && (
        <p class="refusal" role="alert">
          {refusalWords(refusal)}
        </p>
      )}
    </form>
  );
}
