// The conversation in words. Text goes in as text nodes only; nothing that anyone writes becomes markup.
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Message } from "../contract";
import { type Half, otherHalf } from "../half";
import type { Talk } from "../visit";
import { timeLeft } from "../words";

/** Distance in pixels from the end up to which the reader counts as being at the end. */
const NEAR_PX = 48;

interface Props {
  talk: Talk<unknown>;
  /** One's own half of the disc, which colours one's own messages. */
  half: Half;
  /** What stands there before anything is said. */
  opening: ComponentChildren;
}

export function Messages({ talk, half, opening }: Props) {
  const { messages } = talk;
  const log = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const [behind, setBehind] = useState(false);

  const toEnd = () => {
    if (log.current) log.current.scrollTop = log.current.scrollHeight;
  };
  // Follow the talk, unless the person scrolled back to read.
  useLayoutEffect(() => {
    if (atEnd.current || messages.at(-1)?.from === "you") toEnd();
    else if (messages.at(-1)?.from === "partner") setBehind(true);
  }, [messages.length, talk.partner, talk.warned, talk.typing]);

  // A growing composer or a keyboard on the screen takes height: the last message stays in sight.
  useLayoutEffect(() => {
    const sizes = new ResizeObserver(() => atEnd.current && toEnd());
    if (log.current) sizes.observe(log.current);
    return () => sizes.disconnect();
  }, []);

  const watch = () => {
    const box = log.current;
    if (!box) return;
    atEnd.current = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_PX;
    if (atEnd.current) setBehind(false);
  };

  return (
    <div class="messages-place">
      <div class="messages" ref={log} onScroll={watch} role="log" aria-label="Messages" tabIndex={0}>
        {messages.length === 0 && opening}
        <Transcript messages={messages} half={half} />
        {talk.typing && <Writing half={otherHalf(half)} />}
        {/* Spoken by the status of the page. */}
        {talk.warned !== null && (
          <p class="note note-warning" aria-live="off">
            {timeLeft(talk.warned)}
          </p>
        )}
        {talk.partner === "away" && (
          <p class="note" aria-live="off">
            Your partner lost the connection. Their seat is kept for a while.
          </p>
        )}
      </div>
      {behind && (
        <button type="button" class="button behind" onClick={toEnd}>
          New messages
        </button>
      )}
    </div>
  );
}

/** Messages in order, one's own and the partner's each in the colour of their half. */
export function Transcript({ messages, half }: { messages: Message[]; half: Half }) {
  return (
    <ol class="transcript">
      {messages.map((message, index) => {
        const follows = messages[index - 1]?.from === message.from;
        const whose = message.from === "you" ? half : otherHalf(half);
        return (
          <li
            key={message.seq}
            class={`message message-${message.from} message-${whose} ${follows ? "message-follows" : ""}`}
          >
            <p class={follows ? "spoken" : "message-from"}>
              {message.from === "you" ? "You" : "Partner"}
              <time dateTime={new Date(message.at).toISOString()}>{clockTime(message.at)}</time>
            </p>
            <p class="message-text" dir="auto">
              {message.text}
            </p>
          </li>
        );
      })}
    </ol>
  );
}

function Writing({ half }: { half: Half }) {
  return (
    <p class={`writing writing-${half}`}>
      <span class="spoken">Your partner is writing.</span>
      <span class="writing-dots" aria-hidden="true">
        <i />
        <i />
        <i />
      </span>
    </p>
  );
}

function clockTime(at: number): string {
  return new Date(at).toLocaleTimeString([], { hour: "numeric", minute: "2-digit" });
}
