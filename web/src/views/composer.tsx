// Where a message is written: Enter sends it, the count says how much room is left, a refused text stays.
import { useEffect, useRef, useState } from "preact/hooks";
import type { Side } from "../contract";
import { keepDraft, keptDraft, length, MESSAGE_MAX, oneLine, sendable } from "../draft";

interface Props {
  /** False while nothing can be sent; the text stays and can be edited. */
  enabled: boolean;
  room: string;
  side: Side;
  onSay: (text: string) => Promise<string | null>;
}

export function Composer({ enabled, room, side, onSay }: Props) {
  const [text, setText] = useState(() => keptDraft(room));
  const [sending, setSending] = useState(false);
  const [refusal, setRefusal] = useState<string | null>(null);
  const field = useRef<HTMLTextAreaElement>(null);
  const count = length(text);
  const over = count > MESSAGE_MAX;

  useEffect(() => keepDraft(room, text), [room, text]);

  const submit = async (event: Event) => {
    event.preventDefault();
    if (!enabled || sending || !sendable(text)) return;
    setSending(true);
    const refused = await onSay(text);
    setSending(false);
    setRefusal(refused);
    if (refused === null) setText((now) => (now === text ? "" : now));
    field.current?.focus();
  };

  const sendOnEnter = (event: KeyboardEvent) => {
    // While an input method composes, Enter picks a candidate. Shift+Enter would be a line break, which no message has.
    if (event.key !== "Enter" || event.isComposing) return;
    void submit(event);
  };

  return (
    <form class={`composer composer-${side}`} onSubmit={submit}>
      <label class="spoken" for="message">
        Your message
      </label>
      <textarea
        id="message"
        ref={field}
        data-start
        rows={1}
        placeholder="Make your point"
        autocomplete="off"
        enterkeyhint="send"
        value={text}
        aria-describedby="message-count"
        aria-invalid={over}
        onInput={(event) => {
          setText(oneLine(event.currentTarget.value));
          setRefusal(null);
        }}
        onKeyDown={sendOnEnter}
      />
      <button type="submit" class="button button-side" disabled={!enabled || sending || !sendable(text)}>
        Send
      </button>
      <p class={`count ${over ? "count-over" : ""}`} id="message-count">
        {over ? `${count - MESSAGE_MAX} too many` : `${count}/${MESSAGE_MAX}`}
      </p>
      {refusal && (
        <p class="refusal" role="alert">
          {refusal}
        </p>
      )}
    </form>
  );
}
