// The page's talk with the server: turns Socket.IO events into happenings, and what the person does into requests.
// It keeps no state of its own but two timers; what is true stands in the store.
import { io, type Socket } from "socket.io-client";
import type { ClientEvents, Reply, ServerEvents, Wish } from "./contract";
import { forgetGuest, type Guest, keepGuest } from "./identity";
import type { Store } from "./store";

/** Longest wait for an acknowledgement. */
const REPLY_MS = 8_000;

/** Longest wait, once connected again, for the server to hand back a room before it counts as over. */
const RESUME_MS = 5_000;

/** How long the good news of a restored connection stays in sight. */
const RESTORED_MS = 3_000;

type DebateSocket = Socket<ServerEvents, ClientEvents>;

/** What the person can do. Refusals show up in the store, but for `say`, whose caller keeps the text. */
export interface Session {
  choose(wish: Wish): void;
  cancel(): void;
  /** Sends a message; resolves to null when it was delivered, else to the reason in words. */
  say(text: string): Promise<string | null>;
  leave(): void;
  chooseAgain(): void;
  /** Connects now instead of when the next attempt is due. */
  retry(): void;
}

/** Connects to the namespace /debate of the page's own origin, as `guest` or a new one, and keeps `store` up to date. */
export function openSession(guest: Guest | null, store: Store): Session {
  const identity = { guest };
  const socket: DebateSocket = io("/debate", {
    auth: (send) => send(identity.guest ? { token: identity.guest.token } : {}),
    transports: ["websocket", "polling"],
    tryAllTransports: true,
    reconnectionDelay: 500,
    reconnectionDelayMax: 4_000,
    timeout: 8_000,
  });
  becomeSomeone(socket, identity);
  listenToLink(socket, store);
  listenToRoom(socket, store);
  const retry = () => {
    if (!socket.connected) socket.disconnect().connect();
  };
  addEventListener("online", retry);

  return {
    choose(wish) {
      store.dispatch({ type: "wish:made", wish, now: Date.now() });
      if (socket.connected) void join(socket, store);
    },
    cancel() {
      // A lost connection has left the queue by itself.
      if (!socket.connected) return store.dispatch({ type: "wish:withdrawn" });
      // Only when the server answers is it sure that no pairing is on its way.
      void ask(socket.timeout(REPLY_MS).emitWithAck("queue:leave")).then(() =>
        store.dispatch({ type: "wish:withdrawn" }),
      );
    },
    async say(text) {
      if (!socket.connected) return "You are not connected right now.";
      const reply = await ask(socket.timeout(REPLY_MS).emitWithAck("room:message", { text: text.trim() }));
      return reply.ok ? null : reply.error.message;
    },
    leave() {
      store.dispatch({ type: "room:leaving" });
      void ask(socket.timeout(REPLY_MS).emitWithAck("room:leave")).then((reply) =>
        store.dispatch(
          reply.ok ? { type: "room:ended", ending: "you_left", now: Date.now() } : { type: "room:staying" },
        ),
      );
    },
    chooseAgain() {
      store.dispatch({ type: "choose:again" });
    },
    retry,
  };
}

// A guest asks for the token of the name that it was given, to be the same one with the next connection. One whose token
// is refused, because the server has another secret by now, starts as a new guest.
function becomeSomeone(socket: DebateSocket, identity: { guest: Guest | null }): void {
  socket.on("connect", () => {
    if (identity.guest !== null) return;
    void ask(socket.timeout(REPLY_MS).emitWithAck("token:guest")).then((reply) => {
      if (!reply.ok) return;
      identity.guest = { user: reply.user, token: reply.token };
      void keepGuest(identity.guest);
    });
  });
  socket.on("connect_error", (error: Error & { data?: { code?: string } }) => {
    if (identity.guest === null || !error.data?.code?.startsWith("token_")) return;
    identity.guest = null;
    forgetGuest();
    socket.connect();
  });
}

function listenToLink(socket: DebateSocket, store: Store): void {
  let why: string | undefined;
  socket.on("socket:ended", (end) => {
    why = `The server ended the connection: ${end.message}.`;
  });
  let resume: ReturnType<typeof setTimeout> | undefined;
  socket.on("connect", () => {
    store.dispatch({ type: "link:up" });
    why = undefined;
    const { stage } = store.state;
    if (stage.name === "waiting") void join(socket, store);
    if (stage.name === "talking" || stage.name === "returning") {
      resume = setTimeout(() => store.dispatch({ type: "room:ended", ending: "lost", now: Date.now() }), RESUME_MS);
    }
  });
  socket.on("room:joined", () => clearTimeout(resume));
  socket.on("room:ended", () => clearTimeout(resume));
  socket.on("disconnect", (reason) => {
    clearTimeout(resume);
    if (reason === "io server disconnect") {
      const another = "The server closed the connection. Is this debate open in another tab?";
      store.dispatch({ type: "link:closed", why: why ?? another });
    } else {
      store.dispatch({ type: "link:down" });
    }
  });
  socket.on("connect_error", (error) => {
    if (!socket.active) store.dispatch({ type: "link:closed", why: `The server refused: ${error.message}` });
    else if (store.state.link.name === "connecting") store.dispatch({ type: "link:down" });
  });
  socket.io.on("reconnect_attempt", (attempt) => store.dispatch({ type: "link:attempt", attempt }));
  store.subscribe((state, before) => {
    if (state.link.name === "restored" && before.link.name !== "restored") {
      setTimeout(() => store.dispatch({ type: "link:settled" }), RESTORED_MS);
    }
  });
}

function listenToRoom(socket: DebateSocket, store: Store): void {
  socket.on("lobby:state", ({ topics }) => store.dispatch({ type: "lobby:state", topics }));
  socket.on("room:joined", (room) => store.dispatch({ type: "room:joined", room, now: Date.now() }));
  socket.on("room:message", (message) => store.dispatch({ type: "room:message", message }));
  socket.on("room:ended", ({ reason }) => store.dispatch({ type: "room:ended", ending: reason, now: Date.now() }));
  socket.on("partner:away", () => store.dispatch({ type: "partner:away" }));
  socket.on("partner:back", () => store.dispatch({ type: "partner:back" }));
}

async function join(socket: DebateSocket, store: Store): Promise<void> {
  const reply = await ask(socket.timeout(REPLY_MS).emitWithAck("queue:join", store.state.wish));
  if (reply.ok) store.dispatch({ type: "wish:accepted", waiting: reply.waiting });
  // When the connection went away instead, the wish is sent again with the next one.
  else if (socket.connected) store.dispatch({ type: "wish:refused", message: reply.error.message });
}

// An acknowledgement that does not come is a refusal like any other.
function ask<T>(reply: Promise<Reply<T>>): Promise<Reply<T>> {
  return reply.catch(() => ({
    ok: false,
    error: { code: "no_reply", message: "The server did not answer. Please try again." },
  }));
}
