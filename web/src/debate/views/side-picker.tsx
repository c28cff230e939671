// The choice of a side: the disc itself, whose halves are radio buttons, and a third one for either side.
import type { SideWish } from "../contract";
import { halfOfWish, sideName } from "../sides";

interface Props {
  side: SideWish;
  onPick: (side: SideWish) => void;
}

export function SidePicker({ side, onPick }: Props) {
  const choice = (value: SideWish, className: string) => (
    <label class={className}>
      <input type="radio" name="side" value={value} checked={side === value} onChange={() => onPick(value)} />
      <span>{sideName(value)}</span>
    </label>
  );
  return (
    <fieldset class="sides">
      <legend>Your side</legend>
      <div class={`disc side-disc side-disc-${halfOfWish(side)}`}>
        {choice("for", "half half-indigo")}
        {choice("against", "half half-marigold")}
      </div>
      {choice("any", "side-any")}
    </fieldset>
  );
}
