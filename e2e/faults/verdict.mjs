// What a run has shown: from what everybody has said and heard to the figures that count. Pure.
//
// A message counts once somebody has heard it. Then all who were in the room without a break, or came back with everything,
// must have heard it too, once and in the order of its speaker.

/** Milliseconds before a loss in which what was said may have gone to a node that was not there any more. */
const IN_FLIGHT = 15_000;

/** Figures of a run from the reports of its people, with when the fault struck and when all of it was over. */
export function judge(reports, { struckAt, overAt }) {
  const heardBy = new Map();
  for (const { number, said } of reports) if (said.length > 0) heardBy.set(number, new Uint8Array(said.length));
  for (const { heard } of reports) {
    for (const [speaker, numbers] of Object.entries(heard)) {
      for (const number of numbers) heardBy.get(Number(speaker))[number] = 1;
    }
  }
  const speakersOf = new Map();
  for (const { number, room, said } of reports) {
    if (said.length > 0) speakersOf.set(room, [...(speakersOf.get(room) ?? []), number]);
  }
  const none = () => ({ people: 0, heard: 0, lost: 0, twice: 0, disorder: 0 });
  const figures = { said: 0, unheard: 0, swallowed: 0, whole: none(), afresh: none() };
  for (const { number, said, losses } of reports) {
    figures.said += said.length;
    for (const [at, saidAt] of said.entries()) {
      if (heardBy.get(number)[at]) continue;
      figures.unheard += 1;
      // Unless the connection broke right after, a node has taken it, and lost it.
      if (!losses.some((lostAt) => lostAt >= saidAt && lostAt - saidAt < IN_FLIGHT)) figures.swallowed += 1;
    }
  }
  for (const { room, heard, returns } of reports) {
    const kind = figures[returns.every(([, , recovered]) => recovered) ? "whole" : "afresh"];
    kind.people += 1;
    for (const speaker of speakersOf.get(room) ?? []) {
      const all = heardBy.get(speaker);
      const own = new Uint8Array(all.length);
      let last = -1;
      for (const number of heard[speaker] ?? []) {
        if (own[number]) kind.twice += 1;
        else if (number < last) kind.disorder += 1;
        own[number] = 1;
        last = Math.max(last, number);
        kind.heard += 1;
      }
      for (let at = 0; at < all.length; at++) if (all[at] && !own[at]) kind.lost += 1;
    }
  }
  for (const name of ["before", "during", "afterwards"]) figures[name] = { recovered: 0, afresh: 0 };
  for (const [lostAt, backAt, recovered] of reports.flatMap(({ returns }) => returns)) {
    const name = backAt <= struckAt ? "before" : lostAt <= overAt ? "during" : "afterwards";
    figures[name][recovered ? "recovered" : "afresh"] += 1;
  }
  return figures;
}
