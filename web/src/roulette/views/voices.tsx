// Two people who hear each other without a picture: each half of the disc grows with the voice of its person.
import { useEffect, useRef } from "preact/hooks";

interface Props {
  own: MediaStreamTrack | null;
  /** What the partner sends. */
  picture: MediaStream | null;
}

/** Ornament only: what it shows is heard. */
export function Voices({ own, picture }: Props) {
  const mine = useRef<HTMLSpanElement>(null);
  const theirs = useRef<HTMLSpanElement>(null);
  useEffect(() => follow(own, mine.current), [own]);
  useEffect(() => follow(picture?.getAudioTracks()[0] ?? null, theirs.current), [picture]);
  return (
    <span class="disc disc-whole call-disc voices" aria-hidden="true">
      <span ref={mine} class="half half-indigo" />
      <span ref={theirs} class="half half-marigold" />
    </span>
  );
}

/** Keeps `--level` of the half at the loudness of the track, until the returned function is called. */
function follow(track: MediaStreamTrack | null, half: HTMLElement | null): (() => void) | undefined {
  if (track === null || half === null || matchMedia("(prefers-reduced-motion: reduce)").matches) return undefined;
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, { fftSize: 512 });
  new MediaStreamAudioSourceNode(context, { mediaStream: new MediaStream([track]) }).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  let frame = 0;
  const measure = () => {
    analyser.getFloatTimeDomainData(samples);
    half.style.setProperty("--level", loudness(samples).toFixed(2));
    frame = requestAnimationFrame(measure);
  };
  measure();
  return () => {
    cancelAnimationFrame(frame);
    void context.close();
  };
}

/** The mean power of samples between -1 and 1, so scaled that ordinary speech comes near to 1. */
export function loudness(samples: Float32Array): number {
  const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
  return Math.min(1, Math.sqrt(power) * 4);
}
