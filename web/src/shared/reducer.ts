// How a visit changes: a pure function of what was and what happened. Time comes in with the happening. Anything that
// arrives in a stage where it means nothing leaves the visit as it is: the network may reorder and repeat.
import type { App, Message, Next } from "./contract";
import type { Ending, Happening, Link, Stage, Talk, Visit } from "./visit";

/** How many others wait for what `wish` asks, by the lobby; null when the lobby does not say. */
export type CountOthers<A extends App> = (lobby: A["lobby"], wish: A["wish"]) => number | null;

/** The reducer of a page. */
export function visitReducer<A extends App>(countOthers: CountOthers<A>) {
  return (visit: Visit<A>, happening: Happening<A>): Visit<A> => {
    const { stage } = visit;
    const to = (next: Stage<A>): Visit<A> => ({ ...visit, stage: next });
    switch (happening.type) {
      case "link:up":
        return { ...visit, link: linkUp(visit) };
      case "link:down":
        return { ...visit, link: { name: "reconnecting", attempt: 0 }, stage: unknowing(stage) };
      case "link:attempt":
        return { ...visit, link: { name: "reconnecting", attempt: happening.attempt } };
      case "link:closed":
        return { ...visit, link: { name: "closed", why: happening.why }, stage: unknowing(stage) };
      case "link:settled":
        return visit.link.name === "restored" ? { ...visit, link: { name: "online" } } : visit;
      case "lobby:state": {
        const { lobby } = happening;
        const known = stage.name === "waiting" && stage.others !== null;
        const others = known ? countOthers(lobby, visit.wish) : null;
        return { ...visit, lobby, stage: known && others !== null ? { ...stage, others } : stage };
      }
      case "wish:made":
        return { ...visit, wish: happening.wish, stage: waitingSince(happening.now) };
      case "wish:accepted":
        return stage.name === "waiting"
          ? to({ ...stage, others: happening.waiting, estimatedWaitMs: happening.estimatedWaitMs })
          : visit;
      case "wish:refused":
        return stage.name === "waiting" ? to({ name: "choosing", refusal: happening.refusal }) : visit;
      case "wish:withdrawn":
        return stage.name === "waiting" ? to({ name: "choosing", refusal: null }) : visit;
      case "queue:waiting":
        return stage.name === "waiting" || stage.name === "returning"
          ? to({
              ...(stage.name === "waiting" ? stage : waitingSince(happening.since)),
              since: happening.since,
              estimatedWaitMs: happening.estimatedWaitMs,
            })
          : visit;
      case "room:joined":
        return { ...visit, link: settle(visit.link), stage: enter<A>(stage, happening.room, happening.now) };
      case "room:ended":
        return end(visit, happening);
      case "room:lost":
        return over(visit, "lost", happening);
      case "room:forgotten":
        return stage.name === "ended" ? to({ ...stage, after: { ...stage.after, forgotten: true } }) : visit;
      case "rated":
        return stage.name === "ended" ? to({ ...stage, after: { ...stage.after, rating: happening.rating } }) : visit;
      case "blocked":
        return stage.name === "ended" ? to({ ...stage, after: { ...stage.after, blocked: true } }) : visit;
      case "choose:again":
        return stage.name === "ended" ? to({ name: "choosing", refusal: null }) : visit;
      default:
        return stage.name === "talking" ? to({ ...stage, ...talkChange(stage, happening) }) : visit;
    }
  };
}

type TalkHappening = Extract<
  Happening<App>,
  { type: `partner:${string}` | `room:${"active" | "warning" | "message" | "typing" | "parting" | "staying"}` }
>;

function talkChange(talk: Talk<unknown>, happening: TalkHappening): Partial<Talk<never>> {
  switch (happening.type) {
    case "room:active":
      return happening.room === talk.id ? { active: true } : {};
    case "room:warning":
      return happening.room === talk.id ? { warned: happening.remainingMs, endsAt: happening.now + happening.remainingMs } : {};
    case "room:message":
      return said(talk, happening.message);
    case "room:typing":
      return { typing: happening.typing };
    case "room:parting":
      return { parting: happening.parting };
    case "room:staying":
      return { parting: null };
    case "partner:away":
      return { partner: "away", typing: false };
    case "partner:back":
      return { partner: "back" };
  }
}

function said(talk: Talk<unknown>, message: Message): Partial<Talk<never>> {
  const typing = message.from === "partner" ? false : talk.typing;
  if (talk.messages.some(({ seq }) => seq === message.seq)) return {};
  // Two that were sent in the same moment may arrive in either order.
  const before = talk.messages.filter(({ seq }) => seq < message.seq);
  return { messages: [...before, message, ...talk.messages.slice(before.length)], typing };
}

function waitingSince(since: number) {
  return { name: "waiting", since, again: false, others: null, estimatedWaitMs: null } as const;
}

// Without a connection nobody says how many wait, and for how long.
function unknowing<A extends App>(stage: Stage<A>): Stage<A> {
  return stage.name === "waiting" ? { ...stage, others: null, estimatedWaitMs: null } : stage;
}

function linkUp({ link, stage }: Visit<App>): Link {
  if (link.name === "connecting") return { name: "online" };
  return { name: stage.name === "talking" ? "restoring" : "restored" };
}

function settle(link: Link): Link {
  return link.name === "restoring" ? { name: "restored" } : link;
}

function enter<A extends App>(before: Stage<A>, room: A["room"], now: number): Stage<A> {
  const same = before.name === "talking" && before.id === room.room ? before : null;
  const returned = before.name === "returning" && before.room === room.room ? before : null;
  const startedAt = same?.startedAt ?? returned?.startedAt ?? now;
  return {
    name: "talking",
    id: room.room,
    room,
    startedAt,
    // The length of the room is the server's; when it began is known here, whatever the two clocks say.
    endsAt: same !== null && same.warned !== null ? same.endsAt : startedAt + (room.endsAt - room.startedAt),
    active: room.state === "active",
    messages: withHistory(same?.messages ?? [], room.history),
    partner: "here",
    typing: false,
    warned: same?.warned ?? null,
    parting: same?.parting ?? null,
  };
}

// The server keeps the last messages only: what this page saw before those stays in front of them.
function withHistory(seen: Message[], history: Message[]): Message[] {
  const first = history[0];
  return first === undefined ? seen : [...seen.filter((message) => message.seq < first.seq), ...history];
}

function end<A extends App>(visit: Visit<A>, ended: Extract<Happening<A>, { type: "room:ended" }>): Visit<A> {
  const { stage } = visit;
  if (stage.name === "returning" && stage.room === ended.room) return over(visit, ended.reason, ended);
  if (stage.name !== "talking" || stage.id !== ended.room) return visit;
  if (stage.parting === "next" && ended.reason === "left") {
    return { ...visit, link: settle(visit.link), stage: waitingSince(ended.now) };
  }
  if (ended.next === "waiting") {
    return { ...visit, link: settle(visit.link), stage: { ...waitingSince(ended.now), again: true } };
  }
  return over(visit, asSeen(ended.reason, stage), ended);
}

// The server tells both members the same reason; the one who asked for the end knows better.
function asSeen(reason: Ending, { parting }: Talk<unknown>): Ending {
  if (reason === "reported" && parting === "report") return "you_reported";
  if (reason !== "left") return reason;
  if (parting === "block") return "you_blocked";
  return parting === "leave" ? "you_left" : reason;
}

interface Over {
  now: number;
  next?: Next;
}

function over<A extends App>(visit: Visit<A>, ending: Ending, { now, next = "none" }: Over): Visit<A> {
  const { stage } = visit;
  if (stage.name !== "talking" && stage.name !== "returning") return visit;
  const blocked = ending === "you_reported" || ending === "you_blocked";
  const after = { rating: null, blocked, forgotten: false };
  const talk = stage.name === "talking" ? stripped(stage) : null;
  return { ...visit, link: settle(visit.link), stage: { name: "ended", ending, next, talk, endedAt: now, after } };
}

function stripped<Room>({ name: _, ...talk }: { name: string } & Talk<Room>): Talk<Room> {
  return talk;
}
