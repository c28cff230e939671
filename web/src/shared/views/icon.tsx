// The few signs that stand for a word where there is no room for it. Drawn here, in the colour of the text around them.

const PATHS = {
  flag: "M5 21V4m0 1c5-3 8 3 14 0v9c-6 3-9-3-14 0",
  camera: "M3.5 7h10A1.5 1.5 0 0 1 15 8.5v7a1.5 1.5 0 0 1-1.5 1.5h-10A1.5 1.5 0 0 1 2 15.5v-7A1.5 1.5 0 0 1 3.5 7Zm11.5 4 6-3v8l-6-3",
  microphone: "M12 3a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0V6a3 3 0 0 1 3-3Zm-6.5 8a6.5 6.5 0 0 0 13 0M12 17.5V21",
  words: "M4 5h16v11H10l-4 4v-4H4Z",
} as const;

export type IconName = keyof typeof PATHS;

interface Props {
  name: IconName;
  /** Struck out: what it stands for is off. */
  off?: boolean;
}

export function Icon({ name, off = false }: Props) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} />
      {off && <path class="icon-strike" d="M4 3l16 18" />}
    </svg>
  );
}
