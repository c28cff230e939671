// A moving picture, one's own or the partner's, from a stream or a single track.
import { useEffect, useRef, useState } from "preact/hooks";

interface SelfProps {
  camera: MediaStreamTrack;
  class?: string;
}

/** Oneself as in a mirror, without sound. */
export function SelfPicture({ camera, class: extra = "" }: SelfProps) {
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    if (video.current) video.current.srcObject = new MediaStream([camera]);
  }, [camera]);
  return (
    <video
      ref={video}
      class={`self ${extra}`}
      autoplay
      playsInline
      muted
      aria-label="Your own camera"
      data-testid="self"
    />
  );
}

interface PartnerProps {
  picture: MediaStream;
  /** Without a picture it is only heard. */
  seen: boolean;
}

/** The partner, with sound. A browser that wants a click first gets a button for it. */
export function PartnerPicture({ picture, seen }: PartnerProps) {
  const video = useRef<HTMLVideoElement>(null);
  const [held, setHeld] = useState(false);
  const play = () => {
    // It also stops when the picture changes, and starts again by itself.
    video.current?.play().then(
      () => setHeld(false),
      (error: DOMException) => setHeld(error.name === "NotAllowedError"),
    );
  };
  useEffect(() => {
    if (!video.current) return;
    video.current.srcObject = picture;
    play();
  }, [picture]);
  return (
    <>
      <video
        ref={video}
        class={`partner ${seen ? "" : "partner-unseen"}`}
        autoplay
        playsInline
        aria-label="Your partner"
        data-testid="partner"
      />
      {held && (
        <button type="button" class="button call-start" onClick={play}>
          Start picture and sound
        </button>
      )}
    </>
  );
}
