// The conversation. Text goes in as text nodes only; nothing that anyone writes becomes markup.
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { opposite, type Message, type Side } from "../contract";
import type { Talk } from "../state";
import { Disc } from "./disc";

/** Distance in pixels from the end up to which the reader counts as being at the end. */
const NEAR_PX = 48;

export function Messages({ talk }: { talk: Talk }) {
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
  }, [messages.length, talk.partnerAway]);

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
        {messages.length === 0 && <Opening />}
        <Transcript messages={messages} side={talk.side} />
        {talk.partnerAway && <p class="note">Your partner lost the connection. Their seat is kept for half a minute.</p>}
      </div>
      {behind && (
        <button type="button" class="button behind" onClick={toEnd}>
          New messages
        </button>
      )}
    </div>
  );
}

/** Messages in order, one's own and the partner's each in the colour of their side. */
export function Transcript({ messages, side }: { messages: Message[]; side: Side }) {
  return (
    <ol class="transcript">
      {messages.map((message, index) => {
        const follows = messages[index - 1]?.from === message.from;
        const whose = message.from === "you" ? side : opposite(side);
        return (
          <li key={index} class={`message message-${message.from} message-${whose} ${follows ? "message-follows" : ""}`}>
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

function Opening() {
  return (
    <div class="opening">
      <Disc pose="whole" class="opening-disc" />
      <p class="opening-title">You are both here.</p>
      <ul>
        <li>Open with the strongest reason you have.</li>
        <li>Repeat their point in your own words before you answer it.</li>
        <li>Changing your mind counts as winning.</li>
      </ul>
    </div>
  );
}

function clockTime(at: number): string {
  return new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}
