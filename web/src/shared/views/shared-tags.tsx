// What two people who were paired have in common.
import type { RoomJoined } from "../contract";
import { languageName } from "../languages";

export function SharedTags({ room }: { room: RoomJoined }) {
  const { tags, language } = room;
  const shared = [...tags, ...(language === undefined ? [] : [languageName(language)])];
  if (shared.length === 0) return null;
  return (
    <p class="shared">
      You share{" "}
      {shared.map((word, index) => (
        <span key={word}>
          {index > 0 && (index === shared.length - 1 ? " and " : ", ")}
          <strong>{word}</strong>
        </span>
      ))}
      .
    </p>
  );
}
