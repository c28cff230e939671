// The first stage: how to meet, and a look at oneself before anybody else has one.
import { useState } from "preact/hooks";
import type { Refusal } from "../../shared/contract";
import { refusalWords } from "../../shared/refusals";
import { AboutYouFields, aboutYou, aboutYouFields } from "../../shared/views/about-you";
import { Icon, type IconName } from "../../shared/views/icon";
import type { Media, RouletteWish } from "../contract";
import type { RouletteSession } from "../session";
import type { Devices } from "../state";
import { MEDIA } from "../wishes";
import { mediaMeaning, mediaName } from "../words";
import { DeviceHelp } from "./device-help";
import { PairDisc } from "./pair-disc";

const ICONS: Record<Media, IconName> = { video: "camera", audio: "microphone", text: "words" };

interface Props {
  wish: RouletteWish;
  devices: Devices;
  refusal: Refusal | null;
  session: RouletteSession;
}

export function Choosing({ wish, devices, refusal, session }: Props) {
  const [media, setMedia] = useState<Media>(wish.media);
  const [about, setAbout] = useState(() => aboutYou(wish));
  const meet = (by: Media) => {
    setMedia(by);
    session.meet({ media: by, ...aboutYouFields(about) });
  };
  const submit = (event: Event) => {
    event.preventDefault();
    meet(media);
  };
  const camera = media === "video" ? devices.camera : null;

  return (
    <form class="choosing" onSubmit={submit} noValidate>
      <div class="hello">
        <h1 tabIndex={-1} data-start>
          Say <em>hello</em>.
        </h1>
        <p class="lead">
          You are paired with a stranger who came for the same: a conversation with someone you would never have met.
        </p>
      </div>
      <div class="wish">
        <fieldset class="choices">
          <legend>How do you want to meet?</legend>
          {MEDIA.map((choice) => (
            <label key={choice} class="choice">
              <input type="radio" name="media" checked={media === choice} onChange={() => setMedia(choice)} />
              <span class="choice-text">
                {mediaName(choice)}
                <span class="choice-meaning">{mediaMeaning(choice)}</span>
              </span>
              <Icon name={ICONS[choice]} />
            </label>
          ))}
        </fieldset>
        <AboutYouFields value={about} onChange={setAbout} />
      </div>
      <div class="decide">
        <PairDisc pose="whole" camera={camera} other="filled" class="stage-disc" />
        {media === "video" && (
          <button
            type="button"
            class="button look"
            onClick={() => (camera ? session.endPreview() : session.preview(media))}
            disabled={devices.asking}
          >
            {camera ? "Turn the camera off" : "See yourself first"}
          </button>
        )}
        {devices.refusal ? (
          <DeviceHelp refusal={devices.refusal} onMeet={meet} />
        ) : (
          <>
            {refusal && (
              <p class="refusal" role="alert">
                {refusalWords(refusal)}
              </p>
            )}
            <button type="submit" class="button button-main" disabled={devices.asking}>
              {devices.asking ? "Your browser is asking…" : "Meet someone"}
            </button>
          </>
        )}
        <p class="trial">
          Be kind. You can go on to the next person, report or block at any time.{" "}
          <a href="/roulette" target="_blank" rel="noopener">
            Open a second tab
          </a>{" "}
          to meet yourself.
        </p>
      </div>
    </form>
  );
}
