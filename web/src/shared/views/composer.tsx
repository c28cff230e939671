// Where a message is written: Enter sends it, the count says how much room is left, a refused text stays. The partner is
// told while it is written.
import { useEffect, useRef, useState } from "preact/hooks";
import type { Refusal } from "../contract";
import { keepDraft, keptDraft, length, MESSAGE_MAX, oneLine, sendable } from "../draft";
import type { Half } from "../half";
import { refusalWords } from "../refusals";
import { type Pace, SILENT, stopped, typed } from "../typing";

interface Props {
  /** False while nothing can be sent; the text stays and can be edited. */
  enabled: boolean;
  room: string;
  half: Half;
  placeholder: string;
  onSay: (text: string) => Promise<Refusal | null>;
  onTyping: (typing: boolean) => void;
}

export function Composer({ enabled, room, half, placeholder, onSay, onTyping }: Props) {
  const [text, setText] = useState(() => keptDraft(room));
  const [sending, setSending] = useState(false);
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  const field = useRef<HTMLTextAreaElement>(null);
  const announce = useTyping(onTyping);
  const count = length(text);
  const over = count > MESSAGE_MAX;

  // At once, not with the next frame: a reload may come before it.
  const change = (line: string) => {
    keepDraft(room, line);
    setText(line);
  };

  const submit = async (event: Event) => {
    event.preventDefault();
    if (!enabled || sending || !sendable(text)) return;
    setSending(true);
    const refused = await onSay(text);
    setSending(false);
    setRefusal(refused);
    if (refused === null) {
      // What was written since then stays.
      if (field.current?.value === text) change("");
      announce("");
    }
    field.current?.focus();
  };

  const sendOnEnter = (event: KeyboardEvent) => {
    // While an input method composes, Enter picks a candidate. Shift+Enter would be a line break, which no message has.
    if (event.key !== "Enter" || event.isComposing) return;
    void submit(event);
  };

  return (
    <form class={`composer composer-${half}`} onSubmit={submit}>
      <label class="spoken" for="message">
        Your message
      </label>
      <textarea
        id="message"
        ref={field}
        data-start
        rows={1}
        placeholder={placeholder}
        autocomplete="off"
        enterkeyhint="send"
        value={text}
        aria-describedby="message-count"
        aria-invalid={over}
        onInput={(event) => {
          const line = oneLine(event.currentTarget.value);
          change(line);
          setRefusal(null);
          announce(line);
        }}
        onKeyDown={sendOnEnter}
      />
      {/* Keeps the focus while it can do nothing. */}
      <button type="submit" class="button button-half" aria-disabled={!enabled || sending || !sendable(text)}>
        Send
      </button>
      <p class={`count ${over ? "count-over" : ""}`} id="message-count">
        {over ? `${count - MESSAGE_MAX} too many` : `${count}/${MESSAGE_MAX}`}
      </p>
      {refusal && (
        <p class="refusal" role="alert">
          {refusalWords(refusal)}
        </p>
      )}
    </form>
  );
}

/** Takes every change of the text, and tells of typing at the pace that typing.ts sets. */
function useTyping(onTyping: (typing: boolean) => void): (text: string) => void {
  const pace = useRef<Pace>(SILENT);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const step = (next: { pace: Pace; tell: boolean | null }) => {
    pace.current = next.pace;
    if (next.tell !== null) onTyping(next.tell);
    clearTimeout(timer.current);
    if (next.pace.name !== "writing") return;
    timer.current = setTimeout(() => step(stopped(pace.current)), next.pace.until - Date.now());
  };
  useEffect(() => () => clearTimeout(timer.current), []);
  return (text) => step(typed(pace.current, text, Date.now()));
}
