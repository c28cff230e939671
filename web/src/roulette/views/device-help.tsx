// What to do when there is no camera or microphone: help with it, and the ways to meet that need less.
import type { Media } from "../contract";
import type { State } from "../state";
import { refusalOfDevices } from "../words";

interface Props {
  refusal: NonNullable<State["devices"]["refusal"]>;
  onMeet: (media: Media) => void;
}

export function DeviceHelp({ refusal, onMeet }: Props) {
  const { why, wanted } = refusal;
  const { title, text } = refusalOfDevices(why, wanted);
  return (
    <div class="help" role="alert">
      <p class="help-title">{title}</p>
      <p>{text}</p>
      <div class="help-ways">
        {why !== "insecure" && (
          <button type="button" class="button" onClick={() => onMeet(wanted === "audio" ? "audio" : "video")}>
            Try again
          </button>
        )}
        {why !== "insecure" && wanted !== "audio" && (
          <button type="button" class="button" onClick={() => onMeet("audio")}>
            Voice only
          </button>
        )}
        <button type="button" class="button button-main" onClick={() => onMeet("text")}>
          Meet in words
        </button>
      </div>
    </div>
  );
}
