// The JavaScript clients under test, opened the same way whatever their version, and what tests wait for with them.
// Every wait has a deadline and names what did not come; nothing here sleeps.

import { io as io4 } from "socket.io-client";
import io3 from "socket.io-client-3";
import * as msgpack from "socket.io-msgpack-parser";
import { within } from "./deadline.mjs";

/** The published clients by their major version. */
export const CLIENTS = { "4.x": io4, "3.x": io3 };

/** The ways to reach a server; `upgrade` starts with polling and moves to WebSocket. */
export const TRANSPORTS = { polling: ["polling"], websocket: ["websocket"], upgrade: ["polling", "websocket"] };

/** Every client over every transport, as `[label, {client, transport}]`. */
export const EVERY_CLIENT = Object.keys(CLIENTS).flatMap((client) =>
  Object.keys(TRANSPORTS).map((transport) => [`client ${client}, ${transport}`, { client, transport }]),
);

/** The namespaces of the fixture with an `auth` that each accepts. */
export const NAMESPACES = { "/": {}, "/custom": {}, "/dyn-1": {}, "/admin": { token: "secret" } };

/** The arguments of the next `event` of an emitter. */
export function next(emitter, event, ms) {
  return within(new Promise((resolve) => emitter.once(event, (...args) => resolve(args))), event, ms);
}

/** Emits with an acknowledgement and gives back its arguments. */
export function ask(socket, event, ...args) {
  return within(new Promise((resolve) => socket.emit(event, ...args, (...answer) => resolve(answer))), `ack of ${event}`);
}

/**
 * Creates a client socket, not waiting for anything, and closes it when the test `t` is over.
 *
 * `socket.log` collects every event from the first one on as `[name, ...args]`.
 */
export function create(t, url, { client = "4.x", transport = "websocket", nsp = "/", parser, ...rest } = {}) {
  const socket = CLIENTS[client](url + nsp, {
    forceNew: true,
    reconnection: false,
    transports: TRANSPORTS[transport],
    ...(parser === "msgpack" ? { parser: msgpack } : {}),
    ...rest,
  });
  socket.log = [];
  socket.onAny((...event) => socket.log.push(event));
  t.after(() => socket.disconnect());
  return socket;
}

/** Opens a socket: connected, upgraded where the transport says so, and its `auth` event received. */
export async function open(t, url, options = {}) {
  const socket = create(t, url, options);
  const greeted = next(socket, "auth");
  const refused = new Promise((_, reject) => socket.once("connect_error", reject));
  refused.catch(() => {});
  const upgraded = options.transport === "upgrade" ? next(socket.io.engine, "upgrade") : greeted;
  await Promise.race([Promise.all([greeted, upgraded]), refused]);
  return socket;
}

/** Opens several sockets with the same options and puts them into the room `everyone`, where `fence` finds them. */
export async function openAll(t, url, count, options) {
  const sockets = await Promise.all(Array.from({ length: count }, () => open(t, url, options)));
  await Promise.all(sockets.map((socket) => ask(socket, "join", "everyone")));
  return sockets;
}

let fences = 0;

/**
 * Waits until everything that `sender` caused so far has reached `receivers`, then gives back each one's log without
 * the `auth` greeting and the fences. A message that must not arrive is proved absent by the fence that follows it.
 */
export async function settled(sender, receivers) {
  const name = `fence-${++fences}`;
  const arrivals = receivers.map((socket) => next(socket, name));
  sender.emit("in-room", "everyone", name);
  await Promise.all(arrivals);
  return receivers.map((socket) => socket.log.filter(([event]) => event !== "auth" && !event.startsWith("fence-")));
}

let rooms = 0;

/** A room name that no other test uses. */
export const freshRoom = () => `room-${process.pid}-${++rooms}`;
