// The connection to a namespace: typed requests and events over Socket.IO, and the guest that this tab is. What the events
// mean is the business of who listens.
import { io, type Socket } from "socket.io-client";
import type { App, Events, Reply, Requests } from "./contract";
import { forgetGuest, type Guest, keepGuest } from "./identity";

/** Longest wait for an answer. */
const REPLY_MS = 8_000;

/** How the connection changes. */
export type LinkChange =
  | { name: "up" }
  | { name: "down" }
  | { name: "attempt"; attempt: number }
  /** By the server, or refused; nothing is tried any more. */
  | { name: "closed"; why: string | null };

export interface Wire<R, E> {
  readonly connected: boolean;
  /** Sends a request. It is refused at once without a connection (`offline`), later without an answer (`no_reply`). */
  ask<N extends keyof R & string>(name: N, fields: TakesOf<R, N>): Promise<Reply<GivesOf<R, N>>>;
  /** Sends what nobody misses when it is lost. */
  tell<N extends keyof R & string>(name: N, fields: TakesOf<R, N>): void;
  on<N extends keyof E & string>(name: N, listener: (payload: E[N]) => void): void;
  onLink(listener: (change: LinkChange) => void): void;
  /** Connects now instead of when the next attempt is due. */
  retry(): void;
}

type TakesOf<R, N extends keyof R> = R[N] extends { takes: infer Fields } ? Fields : never;
type GivesOf<R, N extends keyof R> = R[N] extends { gives: infer Answer } ? Answer : never;

/** Connects to a namespace of the page's own origin, as `guest` or as a new one. */
export function openWire<A extends App, R extends Requests<A> = Requests<A>, E extends Events<A> = Events<A>>(
  namespace: string,
  guest: Guest | null,
): Wire<R, E> {
  const identity = { guest };
  const socket: Socket = io(namespace, {
    auth: (send) => send(identity.guest ? { token: identity.guest.token } : {}),
    transports: ["websocket", "polling"],
    tryAllTransports: true,
    reconnectionDelay: 500,
    reconnectionDelayMax: 4_000,
    timeout: 8_000,
  });
  const wire: Wire<R, E> = {
    get connected() {
      return socket.connected;
    },
    async ask(name, fields) {
      if (!socket.connected) return refused("offline", "You are not connected right now.");
      try {
        return await socket.timeout(REPLY_MS).emitWithAck(name, ...(fields === undefined ? [] : [fields]));
      } catch {
        return refused("no_reply", "The server did not answer. Please try again.");
      }
    },
    tell(name, fields) {
      if (socket.connected) socket.volatile.emit(name, fields);
    },
    on(name, listener) {
      socket.on(name as string, (payload, acknowledge: unknown) => {
        listener(payload);
        // The server counts the one who acknowledges as arrived.
        if (typeof acknowledge === "function") acknowledge();
      });
    },
    onLink(listener) {
      listenToLink(socket, listener);
    },
    retry() {
      if (!socket.connected) socket.disconnect().connect();
    },
  };
  becomeSomeone(socket, wire as unknown as Wire<Requests<A>, Events<A>>, identity);
  addEventListener("online", wire.retry);
  return wire;
}

function refused(code: string, message: string): { ok: false; error: { code: string; message: string } } {
  return { ok: false, error: { code, message } };
}

// A guest asks for the token of the name that it was given, to be the same one with the next connection. One whose token
// is refused, because the server has another secret by now, starts as a new guest.
function becomeSomeone<A extends App>(
  socket: Socket,
  wire: Wire<Requests<A>, Events<A>>,
  identity: { guest: Guest | null },
): void {
  socket.on("connect", async () => {
    if (identity.guest !== null) return;
    const reply = await wire.ask("token:guest", undefined);
    if (!reply.ok) return;
    identity.guest = { user: reply.user, token: reply.token };
    await keepGuest(identity.guest);
  });
  socket.on("connect_error", (error: Error & { data?: { code?: string } }) => {
    if (identity.guest === null || !error.data?.code?.startsWith("token_")) return;
    identity.guest = null;
    forgetGuest();
    socket.connect();
  });
}

function listenToLink(socket: Socket, listener: (change: LinkChange) => void): void {
  let why: string | null = null;
  socket.on("socket:ended", (end: Events<App>["socket:ended"]) => {
    why = `The server ended the connection: ${end.message}.`;
  });
  socket.on("connect", () => {
    why = null;
    listener({ name: "up" });
  });
  socket.on("disconnect", (reason) => {
    listener(reason === "io server disconnect" ? { name: "closed", why } : { name: "down" });
  });
  socket.on("connect_error", (error) => {
    listener(socket.active ? { name: "down" } : { name: "closed", why: `The server refused: ${error.message}` });
  });
  socket.io.on("reconnect_attempt", (attempt) => listener({ name: "attempt", attempt }));
}
