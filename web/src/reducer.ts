// How the page's state changes: a pure function of the state and what happened. Time comes in with the happening.
// Anything that arrives in a stage where it means nothing leaves the state as it is: the network may reorder and repeat.
import type { Message, RoomJoined } from "./contract";
import type { Ending, Happening, Link, Stage, State, Talk } from "./state";

export function reduce(state: State, happening: Happening): State {
  const { stage } = state;
  switch (happening.type) {
    case "link:up":
      return { ...state, link: linkUp(state) };
    case "link:down":
      return { ...state, link: { name: "reconnecting", attempt: 0 } };
    case "link:attempt":
      return { ...state, link: { name: "reconnecting", attempt: happening.attempt } };
    case "link:closed":
      return { ...state, link: { name: "closed", why: happening.why } };
    case "link:settled":
      return state.link.name === "restored" ? { ...state, link: { name: "online" } } : state;
    case "lobby:state":
      return { ...state, lobby: happening.topics, stage: recount(state, happening.topics) };
    case "wish:made":
      return { ...state, wish: happening.wish, stage: { name: "waiting", since: happening.now, others: null } };
    case "wish:accepted":
      return stage.name === "waiting" ? { ...state, stage: { ...stage, others: happening.waiting } } : state;
    case "wish:refused":
      return stage.name === "waiting"
        ? { ...state, stage: { name: "choosing", refusal: happening.message } }
        : state;
    case "wish:withdrawn":
      return stage.name === "waiting" ? { ...state, stage: { name: "choosing", refusal: null } } : state;
    case "room:joined":
      return { ...state, link: settle(state.link), stage: enter(stage, happening.room, happening.now) };
    case "room:message":
      return stage.name === "talking"
        ? { ...state, stage: { ...stage, messages: [...stage.messages, happening.message] } }
        : state;
    case "room:leaving":
      return talking(state, { leaving: true });
    case "room:staying":
      return talking(state, { leaving: false });
    case "partner:away":
      return talking(state, { partnerAway: true });
    case "partner:back":
      return talking(state, { partnerAway: false });
    case "room:ended":
      return end(state, happening);
    case "choose:again":
      return stage.name === "ended" ? { ...state, stage: { name: "choosing", refusal: null } } : state;
  }
}

function linkUp(state: State): Link {
  if (state.link.name === "connecting") return { name: "online" };
  return { name: state.stage.name === "talking" ? "restoring" : "restored" };
}

function settle(link: Link): Link {
  return link.name === "restoring" ? { name: "restored" } : link;
}

function talking(state: State, change: Partial<Talk>): State {
  return state.stage.name === "talking" ? { ...state, stage: { ...state.stage, ...change } } : state;
}

// The lobby counts everyone who waits on the topic, this person among them.
function recount({ stage, wish }: State, topics: { topic: string; waiting: number }[]): Stage {
  if (stage.name !== "waiting" || stage.others === null) return stage;
  const waiting = topics.find((entry) => entry.topic === wish.topic)?.waiting ?? 1;
  return { ...stage, others: Math.max(0, waiting - 1) };
}

function enter(before: Stage, joined: RoomJoined, now: number): Stage {
  const same = before.name === "talking" && before.room === joined.room ? before : null;
  const startedAt = same?.startedAt ?? (before.name === "returning" ? before.startedAt : now);
  return {
    name: "talking",
    room: joined.room,
    topic: joined.topic,
    side: joined.side,
    startedAt,
    endsAt: joined.endsAt,
    messages: withHistory(same?.messages ?? [], joined.history ?? []),
    partnerAway: false,
    leaving: same?.leaving ?? false,
  };
}

// The server keeps the last messages only: what this page saw before those stays in front of them.
function withHistory(seen: Message[], history: Message[]): Message[] {
  const first = history[0];
  return first === undefined ? seen : [...seen.filter((message) => message.at < first.at), ...history];
}

function end(state: State, { ending, now }: { ending: Ending; now: number }): State {
  const { stage } = state;
  if (stage.name === "returning") {
    return { ...state, stage: { name: "ended", ending, talk: null, endedAt: now } };
  }
  if (stage.name !== "talking") return state;
  const { name: _, ...talk } = stage;
  // The server tells both members `left`; the one who asked for it knows better.
  const seen = ending === "left" && talk.leaving ? "you_left" : ending;
  return { ...state, link: settle(state.link), stage: { name: "ended", ending: seen, talk, endedAt: now } };
}
