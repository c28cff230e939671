// The call: the partner large, oneself small in a corner, and what one can switch.
import { Disc } from "../../shared/views/disc";
import { Icon } from "../../shared/views/icon";
import { Parting } from "../../shared/views/parting";
import type { Talk } from "../../shared/visit";
import type { RouletteRoom } from "../contract";
import type { RouletteSession } from "../session";
import { type CallState, type Devices, shown } from "../state";
import { pictureWords, refusalOfDevices } from "../words";
import { PartnerPicture, SelfPicture } from "./picture";
import { Voices } from "./voices";

interface Props {
  talk: Talk<RouletteRoom>;
  devices: Devices;
  call: CallState;
  session: RouletteSession;
  enabled: boolean;
}

export function CallView({ talk, devices, call, session, enabled }: Props) {
  const { media } = talk.room;
  const phase = call.phase ?? "connecting";
  const seen = media === "video" && phase !== "failed" && call.partner?.camera !== false;
  const words = pictureWords(phase, call.partner, media);
  const own = shown(devices);
  return (
    <div class="call">
      <div class="call-picture" data-call={phase}>
        {call.picture && <PartnerPicture picture={call.picture} seen={seen} />}
        {(words !== null || media === "audio") && (
          <div class="call-words">
            {phase === "connected" ? (
              <Voices own={devices.microphone} picture={call.picture} />
            ) : (
              <Disc pose={phase === "failed" ? "apart" : "seeking"} class="call-disc" />
            )}
            <p>{words ?? "You hear each other."}</p>
            {phase === "failed" && (
              <button type="button" class="button call-again" onClick={session.renewCall}>
                Try again
              </button>
            )}
          </div>
        )}
        {call.partner?.microphone === false && phase === "connected" && (
          <p class="call-note">
            <Icon name="microphone" off /> Your partner is muted
          </p>
        )}
        {media === "video" &&
          (devices.camera ? (
            <SelfPicture camera={devices.camera} class="call-self" />
          ) : (
            <p class="call-self call-self-off">Your camera is off</p>
          ))}
      </div>
      <div class="call-bar">
        <Switch icon="microphone" what="microphone" on={own.microphone} onSwitch={session.switchMicrophone} />
        {media === "video" && <Switch icon="camera" what="camera" on={own.camera} onSwitch={session.switchCamera} />}
        <Parting session={session} enabled={enabled} />
      </div>
      {devices.refusal && (
        <p class="refusal" role="alert">
          {refusalOfDevices(devices.refusal.why, devices.refusal.wanted).title}. Your partner does not{" "}
          {devices.refusal.wanted === "camera" ? "see" : "hear"} you.
        </p>
      )}
    </div>
  );
}

interface SwitchProps {
  icon: "camera" | "microphone";
  what: string;
  on: boolean;
  onSwitch: () => void;
}

function Switch({ icon, what, on, onSwitch }: SwitchProps) {
  const words = `Turn the ${what} ${on ? "off" : "on"}`;
  return (
    <button
      type="button"
      class={`button button-icon switch ${on ? "" : "switch-off"}`}
      aria-label={words}
      title={words}
      onClick={onSwitch}
    >
      <Icon name={icon} off={!on} />
    </button>
  );
}
