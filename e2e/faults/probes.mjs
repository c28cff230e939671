// What must hold on every node whatever happens elsewhere: it answers whoever asks whether it lives, and two of its clients
// can talk. Asked all the time.

import { io } from "socket.io-client";
import { next } from "../client.mjs";
import { request } from "../polling.mjs";

/** Milliseconds between two messages, and between two questions. */
const EVERY = 100;

/** Milliseconds in which it has to happen. */
const PATIENCE = 2_000;

async function pinned(url) {
  const socket = io(url, { forceNew: true, transports: ["websocket"], reconnection: false });
  await next(socket, "connect");
  return socket;
}

/** Watches a node until `stop()`; while it is `excused` nothing is expected of it. */
export async function watch({ url, port }) {
  const [speaker, listener] = [await pinned(url), await pinned(url)];
  const room = `of-node-${port}`;
  for (const socket of [speaker, listener]) await new Promise((resolve) => socket.emit("join", room, resolve));
  const figures = { worstMs: 0, silent: 0, deaf: 0 };
  const waiting = new Map();
  let [excused, said] = [false, 0];
  listener.on("local", (number, at) => {
    if (waiting.delete(number) && !excused) figures.worstMs = Math.max(figures.worstMs, Date.now() - at);
  });
  const talking = setInterval(() => {
    if (excused) return;
    speaker.emit("in-room", room, "local", said, Date.now());
    waiting.set(said++, Date.now());
    for (const [number, at] of waiting) {
      if (Date.now() - at < PATIENCE) break;
      waiting.delete(number);
      figures.silent += 1;
    }
  }, EVERY);
  let asking = true;
  const asked = (async () => {
    while (asking) {
      const lives = await request(url, "/live", { signal: AbortSignal.timeout(PATIENCE) }).then(
        ({ status }) => status === 200,
        () => false,
      );
      if (!lives && !excused && asking) figures.deaf += 1;
      await new Promise((resolve) => setTimeout(resolve, EVERY));
    }
  })();
  return {
    /** Nothing is expected of it any more. */
    excuse: () => (excused = true),
    async stop() {
      asking = false;
      clearInterval(talking);
      await asked;
      speaker.disconnect();
      listener.disconnect();
      return figures;
    },
  };
}
