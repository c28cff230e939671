// The third stage: the call and the words beside it, or the words alone.
import { Clock } from "../../shared/views/clock";
import { Composer } from "../../shared/views/composer";
import { Disc } from "../../shared/views/disc";
import { Messages } from "../../shared/views/messages";
import { Parting } from "../../shared/views/parting";
import { SharedTags } from "../../shared/views/shared-tags";
import { isConnected, type Link, type Talk } from "../../shared/visit";
import type { RouletteRoom } from "../contract";
import type { RouletteSession } from "../session";
import type { CallState, Devices } from "../state";
import { CallView } from "./call-view";

interface Props {
  talk: Talk<RouletteRoom>;
  link: Link;
  devices: Devices;
  call: CallState;
  session: RouletteSession;
}

export function Talking({ talk, link, devices, call, session }: Props) {
  const enabled = isConnected(link) && talk.parting === null;
  const words = talk.room.media === "text";
  return (
    <section class={words ? "talking talking-indigo" : "meeting"}>
      {!words && <CallView talk={talk} devices={devices} call={call} session={session} enabled={enabled} />}
      <div class={words ? "talking-words" : "meeting-words"}>
        {words ? (
          <div class="talk-head">
            <Clock talk={talk} half="indigo" />
            <div class="talk-what">
              <h1 class="motion">Someone new</h1>
              <p class="talk-sides">
                <Partner away={talk.partner === "away"} />
              </p>
            </div>
            <Parting session={session} enabled={enabled} />
          </div>
        ) : (
          <div class="meeting-head">
            <Clock talk={talk} half="indigo" />
            <h1 class="meeting-title" tabIndex={-1} data-start>Someone new</h1>
            <Partner away={talk.partner === "away"} />
          </div>
        )}
        <Messages talk={talk} half="indigo" opening={<Opening talk={talk} />} />
        <Composer
          key={talk.id}
          enabled={enabled}
          room={talk.id}
          half="indigo"
          placeholder="Say something"
          onSay={session.say}
          onTyping={session.typing}
        />
      </div>
    </section>
  );
}

function Partner({ away }: { away: boolean }) {
  return (
    <span class="tag-half tag-half-marigold">
      Partner: {away ? <span class="away">away</span> : "here"}
    </span>
  );
}

function Opening({ talk }: { talk: Talk<RouletteRoom> }) {
  return (
    <div class="opening">
      <Disc pose="whole" class="opening-disc" />
      <p class="opening-title">{talk.active ? "You are both here." : "Your partner is on the way."}</p>
      <SharedTags room={talk.room} />
      <p>Say hello. Ask what made them smile today.</p>
    </div>
  );
}
