// The third stage: the debate. The topic and the clock stay in sight, the messages scroll, the composer is at hand.
import type { Session } from "../../shared/session";
import { Clock } from "../../shared/views/clock";
import { Composer } from "../../shared/views/composer";
import { Disc } from "../../shared/views/disc";
import { Messages } from "../../shared/views/messages";
import { Parting } from "../../shared/views/parting";
import { SharedTags } from "../../shared/views/shared-tags";
import { isConnected, type Link, type Talk } from "../../shared/visit";
import type { Debate, DebateRoom } from "../contract";
import { halfOf, sideName } from "../sides";

interface Props {
  talk: Talk<DebateRoom>;
  link: Link;
  session: Session<Debate>;
}

export function Talking({ talk, link, session }: Props) {
  const { room } = talk;
  const enabled = isConnected(link) && talk.parting === null;
  const half = halfOf(room.side);
  return (
    <section class={`talking talking-${half}`}>
      <div class="talk-head">
        <Clock talk={talk} half={half} />
        <div class="talk-what">
          <h1 class="motion">{room.topic}</h1>
          <p class="talk-sides">
            <span class={`tag-half tag-half-${half}`}>You: {sideName(room.side)}</span>
            <span class={`tag-half tag-half-${halfOf(room.partnerSide)}`}>
              Partner: {sideName(room.partnerSide)}
              {talk.partner === "away" && <span class="away"> (away)</span>}
            </span>
          </p>
        </div>
        <Parting session={session} enabled={enabled} />
      </div>
      <Messages talk={talk} half={half} opening={<Opening talk={talk} />} />
      <Composer
        key={talk.id}
        enabled={enabled}
        room={talk.id}
        half={half}
        placeholder="Make your point"
        onSay={session.say}
        onTyping={session.typing}
      />
    </section>
  );
}

function Opening({ talk }: { talk: Talk<DebateRoom> }) {
  return (
    <div class="opening">
      <Disc pose="whole" class="opening-disc" />
      <p class="opening-title">{talk.active ? "You are both here." : "Your partner is on the way."}</p>
      <SharedTags room={talk.room} />
      <ul>
        <li>Open with the strongest reason you have.</li>
        <li>Repeat their point in your own words before you answer it.</li>
        <li>Changing your mind counts as winning.</li>
      </ul>
    </div>
  );
}
