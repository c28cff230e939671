// A visit's talk with the server: turns events into happenings, and what the person does into requests. It keeps no state
// of its own but timers; what is true stands in the store.
import type { App, Events, Place, Refusal, Reply, ReportReason, Requests } from "./contract";
import type { Store } from "./store";
import type { Happening, Parting, Visit } from "./visit";
import type { LinkChange, Wire } from "./wire";

/** How long the good news of a restored connection stays in sight. */
const RESTORED_MS = 3_000;

/** How long a partner counts as writing who said so and nothing since: the word that they stopped may be lost. */
const TYPING_MS = 6_000;

/** What the answer is when a room is not there any more, or never was. */
const GONE = ["no_room", "room_ended", "not_your_room"];

/** What a person can do. Where a refusal is returned, the caller shows it: null when it was granted. */
export interface Session<A extends App> {
  choose(wish: A["wish"]): void;
  cancel(): void;
  say(text: string): Promise<Refusal | null>;
  typing(typing: boolean): void;
  leave(): void;
  /** Asks for the next partner, during a conversation or after it. */
  next(): void;
  report(reason: ReportReason, text: string): Promise<Refusal | null>;
  /** Blocks the partner, or the one of the conversation that is over. */
  block(): Promise<Refusal | null>;
  rate(rating: number, text: string): Promise<Refusal | null>;
  chooseAgain(): void;
  /** Connects now instead of when the next attempt is due. */
  retry(): void;
}

/** Keeps `store` up to date with what comes over `wire`. */
export function openSession<A extends App>(
  wire: Wire<Requests<A>, Events<A>>,
  store: Store<Visit<A>, Happening<A>>,
): Session<A> {
  const talk = { wire, store };
  listenToLink(talk);
  listenToQueue(talk);
  listenToRoom(talk);

  return {
    choose(wish) {
      store.dispatch({ type: "wish:made", wish, now: Date.now() });
      if (wire.connected) void join(talk);
    },
    cancel() {
      // Without a connection the place is given up when the server speaks of it again.
      if (!wire.connected) return store.dispatch({ type: "wish:withdrawn" });
      // Only when the server answers is it sure that no pairing is on its way.
      void wire.ask("queue:leave", undefined).then(() => store.dispatch({ type: "wish:withdrawn" }));
    },
    async say(text) {
      return refusalOf(await wire.ask("room:message", { text: text.trim(), room: roomOf(store.state) }));
    },
    typing(typing) {
      wire.tell("room:typing", { typing, room: roomOf(store.state) });
    },
    leave() {
      const room = roomOf(store.state);
      void part(talk, "leave", () => wire.ask("room:leave", { room }));
    },
    next() {
      void next(talk);
    },
    async report(reason, text) {
      const about = { reason, room: roomOf(store.state), ...(text === "" ? {} : { text }) };
      return refusalOf(await part(talk, "report", () => wire.ask("room:report", about)));
    },
    async block() {
      const room = roomOf(store.state);
      if (store.state.stage.name === "talking") {
        return refusalOf(await part(talk, "block", () => wire.ask("user:block", { room })));
      }
      const refusal = refusalOf(await wire.ask("user:block", { room }));
      if (refusal === null) store.dispatch({ type: "blocked" });
      return refusal;
    },
    async rate(rating, text) {
      const fields = { rating, room: roomOf(store.state), ...(text === "" ? {} : { text }) };
      const refusal = refusalOf(await wire.ask("room:feedback", fields));
      if (refusal !== null && refusal.code !== "already_rated") return refusal;
      store.dispatch({ type: "rated", rating });
      return null;
    },
    chooseAgain() {
      store.dispatch({ type: "choose:again" });
    },
    retry: wire.retry,
  };
}

interface Talking<A extends App> {
  wire: Wire<Requests<A>, Events<A>>;
  store: Store<Visit<A>, Happening<A>>;
}

/** The room under way, or the one that is over. Empty when there is none, which no server takes for a room. */
function roomOf<A extends App>({ stage }: Visit<A>): string {
  if (stage.name === "talking") return stage.id;
  return stage.name === "ended" ? (stage.talk?.id ?? "") : "";
}

function refusalOf(reply: Reply): Refusal | null {
  return reply.ok ? null : reply.error;
}

// The end comes as an event as well; whichever is first counts.
async function part<A extends App, T>(
  { store }: Talking<A>,
  parting: Parting,
  request: () => Promise<Reply<T>>,
): Promise<Reply<T>> {
  const room = roomOf(store.state);
  store.dispatch({ type: "room:parting", parting });
  const reply = await request();
  if (!reply.ok) store.dispatch({ type: "room:staying" });
  else {
    const reason = parting === "report" ? "reported" : "left";
    store.dispatch({ type: "room:ended", room, reason, next: "offered", now: Date.now() });
  }
  return reply;
}

async function next<A extends App>(talk: Talking<A>): Promise<void> {
  const { wire, store } = talk;
  const { stage, wish } = store.state;
  if (stage.name === "talking") {
    const reply = await part(talk, "next", () => wire.ask("room:next", { room: stage.id }));
    if (reply.ok) accept(talk, reply);
    return;
  }
  store.dispatch({ type: "wish:made", wish, now: Date.now() });
  const reply = await wire.ask("room:next", {});
  if (reply.ok) accept(talk, reply);
  // A server that was started anew has forgotten the wish, this page has not.
  else await join(talk);
}

async function join<A extends App>(talk: Talking<A>): Promise<void> {
  const { wire, store } = talk;
  const reply = await wire.ask("queue:join", store.state.wish);
  if (reply.ok) accept(talk, reply);
  // When the connection went away instead, the wish is sent again with the next one.
  else if (wire.connected) store.dispatch({ type: "wish:refused", refusal: reply.error });
}

function accept<A extends App>({ store }: Talking<A>, { waiting, estimatedWaitMs }: Place): void {
  store.dispatch({ type: "wish:accepted", waiting, estimatedWaitMs });
}

function listenToLink<A extends App>(talk: Talking<A>): void {
  const { wire, store } = talk;
  wire.onLink((change) => {
    const happening = linkHappening(change, store.state);
    if (happening !== null) store.dispatch(happening);
    if (change.name !== "up") return;
    const { stage } = store.state;
    if (stage.name === "waiting") void join(talk);
    if (stage.name === "talking") void seek(talk, stage.id);
    if (stage.name === "returning") void seek(talk, stage.room);
    if (stage.name === "ended" && stage.talk !== null) void seek(talk, stage.talk.id);
  });
  store.subscribe(({ link }, before) => {
    if (link.name === "restored" && before.link.name !== "restored") {
      setTimeout(() => store.dispatch({ type: "link:settled" }), RESTORED_MS);
    }
  });
}

function linkHappening<A extends App>(change: LinkChange, { link }: Visit<A>): Happening<A> | null {
  switch (change.name) {
    case "up":
      return { type: "link:up" };
    case "down":
      // A failed attempt is no new loss.
      return link.name === "reconnecting" ? null : { type: "link:down" };
    case "attempt":
      return { type: "link:attempt", attempt: change.attempt };
    case "closed":
      return { type: "link:closed", why: change.why };
  }
}

// The server hands back a room that lives when its member connects. One that does not live is found out by asking for it:
// its end is what the server remembers of it, until the member has been away for too long.
async function seek<A extends App>({ wire, store }: Talking<A>, room: string): Promise<void> {
  const reply = await wire.ask("room:typing", { typing: false, room });
  if (reply.ok || !GONE.includes(reply.error.code)) return;
  store.dispatch({ type: "room:lost", now: Date.now() });
  if (reply.error.code !== "room_ended") store.dispatch({ type: "room:forgotten" });
}

function listenToQueue<A extends App>(talk: Talking<A>): void {
  const { wire, store } = talk;
  wire.on("lobby:state", (lobby) => store.dispatch({ type: "lobby:state", lobby }));
  wire.on("queue:waiting", ({ since, estimatedWaitMs }) => {
    const { stage } = store.state;
    // Cancelled while there was no connection.
    if (stage.name === "choosing" || stage.name === "ended") return void wire.ask("queue:leave", undefined);
    store.dispatch({ type: "queue:waiting", since, estimatedWaitMs });
  });
}

function listenToRoom<A extends App>(talk: Talking<A>): void {
  const { wire, store } = talk;
  let silence: ReturnType<typeof setTimeout> | undefined;
  wire.on("room:joined", (room) => store.dispatch({ type: "room:joined", room, now: Date.now() }));
  wire.on("room:active", ({ room }) => store.dispatch({ type: "room:active", room }));
  wire.on("room:warning", ({ room, remainingMs }) =>
    store.dispatch({ type: "room:warning", room, remainingMs, now: Date.now() }),
  );
  wire.on("room:message", ({ seq, text, from, at }) =>
    store.dispatch({ type: "room:message", message: { seq, text, from, at } }),
  );
  wire.on("room:typing", ({ typing }) => {
    store.dispatch({ type: "room:typing", typing });
    clearTimeout(silence);
    if (typing) silence = setTimeout(() => store.dispatch({ type: "room:typing", typing: false }), TYPING_MS);
  });
  wire.on("partner:away", () => store.dispatch({ type: "partner:away" }));
  wire.on("partner:back", () => store.dispatch({ type: "partner:back" }));
  wire.on("room:ended", ({ room, reason, next }) => {
    store.dispatch({ type: "room:ended", room, reason, next, now: Date.now() });
    // In the queue again by the server's doing: the same wish keeps its place, and its answer tells of the place.
    if (next === "waiting" && store.state.stage.name === "waiting") void join(talk);
  });
}
