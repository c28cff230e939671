// The third stage: the debate. The topic and the clock stay in sight, the messages scroll, the composer is at hand.
import { opposite } from "../contract";
import type { Link, Talk } from "../state";
import { sideName } from "../words";
import { Clock } from "./clock";
import { Composer } from "./composer";
import { Messages } from "./messages";

interface Props {
  talk: Talk;
  link: Link;
  onSay: (text: string) => Promise<string | null>;
  onLeave: () => void;
}

export function Talking({ talk, link, onSay, onLeave }: Props) {
  const connected = link.name === "online" || link.name === "restored";
  const theirs = opposite(talk.side);
  return (
    <section class={`talking talking-${talk.side}`}>
      <div class="talk-head">
        <Clock startedAt={talk.startedAt} endsAt={talk.endsAt} side={talk.side} />
        <div class="talk-what">
          <h1 class="motion">{talk.topic}</h1>
          <p class="talk-sides">
            <span class={`side-tag side-tag-${talk.side}`}>You: {sideName(talk.side)}</span>
            <span class={`side-tag side-tag-${theirs}`}>
              Partner: {sideName(theirs)}
              {talk.partnerAway && <span class="away"> (away)</span>}
            </span>
          </p>
        </div>
        <button type="button" class="button talk-leave" onClick={onLeave} disabled={!connected || talk.leaving}>
          Leave
        </button>
      </div>
      <Messages talk={talk} />
      <Composer key={talk.room} enabled={connected && !talk.leaving} room={talk.room} side={talk.side} onSay={onSay} />
    </section>
  );
}
