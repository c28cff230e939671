// The camera and the microphone: asking the browser for them, and what it may say instead.

/** Why there is none: refused by the person or the system, not there, used elsewhere, or a page that is not secure. */
export type DeviceRefusal = "denied" | "missing" | "busy" | "insecure" | "failed";

/** What was asked for. */
export type Wanted = "video" | "audio" | "camera";

export type Opened = { ok: true; tracks: MediaStreamTrack[] } | { ok: false; why: DeviceRefusal };

/** A picture as large as a window shows it, of the person and not of the room. */
const PICTURE: MediaTrackConstraints = { facingMode: "user", width: { ideal: 1280 }, height: { ideal: 720 } };

const CONSTRAINTS: Record<Wanted, MediaStreamConstraints> = {
  video: { audio: true, video: PICTURE },
  audio: { audio: true },
  camera: { video: PICTURE },
};

/** Asks for the devices; the browser may ask the person. */
export async function openDevices(wanted: Wanted): Promise<Opened> {
  // Only a page that came over HTTPS, or from this very machine, may ask at all.
  if (!navigator.mediaDevices) return { ok: false, why: "insecure" };
  try {
    const stream = await navigator.mediaDevices.getUserMedia(CONSTRAINTS[wanted]);
    return { ok: true, tracks: stream.getTracks() };
  } catch (error) {
    return { ok: false, why: whyNot(error instanceof DOMException ? error.name : "") };
  }
}

/** The reason behind the name of an error, by W3C Media Capture and Streams, section 10.2. */
export function whyNot(name: string): DeviceRefusal {
  switch (name) {
    case "NotAllowedError":
    case "SecurityError":
      return "denied";
    case "NotFoundError":
    case "OverconstrainedError":
      return "missing";
    case "NotReadableError":
    case "AbortError":
      return "busy";
    default:
      return "failed";
  }
}
