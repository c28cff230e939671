#!/usr/bin/env node
// The fixture server on Node's own socket.io: what the same suite must find there. It holds every handler of the
// `conformance` example's `fixture` mode, so that an expectation of ours that Node does not meet is seen at once.

import { createServer } from "node:http";
import { Server } from "socket.io";
import { Adapter } from "socket.io-adapter";
import * as msgpack from "socket.io-msgpack-parser";

/** A node without others: server-side events have nowhere to go, and asking the others gives no answers. */
class AloneAdapter extends Adapter {
  serverSideEmit(packet) {
    const ack = packet.at(-1);
    if (typeof ack === "function") ack(null, []);
  }
}

const number = (name, fallback) => Number(process.env[name] ?? fallback);

const http = createServer((_, response) => response.writeHead(404).end());
const io = new Server(http, {
  adapter: AloneAdapter,
  pingInterval: number("PING_INTERVAL", 25_000),
  pingTimeout: number("PING_TIMEOUT", 20_000),
  maxHttpBufferSize: number("MAX_PAYLOAD", 1_000_000),
  connectTimeout: number("CONNECT_TIMEOUT", 45_000),
  cors: { origin: "*" },
  ...(process.env.PARSER === "msgpack" ? { parser: msgpack } : {}),
  ...(process.env.DEFLATE === "1"
    ? { perMessageDeflate: { threshold: 1024, serverNoContextTakeover: true, clientNoContextTakeover: true } }
    : {}),
});

const sorted = (set) => [...set].sort();

function handlers(socket) {
  const nsp = socket.nsp;
  const on = (event, handler) => socket.on(event, handler);

  socket.emit("auth", socket.handshake.auth);
  on("message", (...args) => socket.emit("message-back", ...args));
  on("message-with-ack", (...args) => args.pop()(...args));
  on("whoami", (ack) =>
    ack({
      id: socket.id,
      nsp: nsp.name,
      rooms: sorted(socket.rooms),
      recovered: socket.recovered,
      auth: socket.handshake.auth,
      query: socket.handshake.query,
      transport: socket.conn.transport.name,
      header: socket.handshake.headers["x-heldout"] ?? null,
    }),
  );
  on("remember", (data, ack) => {
    socket.data = data;
    ack("remembered");
  });
  on("recall", (ack) => ack(socket.data));

  on("join", async (room, ack) => {
    await socket.join(room);
    ack("joined");
  });
  on("leave", async (room, ack) => {
    await socket.leave(room);
    ack("left");
  });
  on("to-room", (room, event, ...args) => socket.to(room).emit(event, ...args));
  on("in-room", (room, event, ...args) => nsp.in(room).emit(event, ...args));
  on("except-room", (room, event, ...args) => nsp.except(room).emit(event, ...args));
  on("broadcast", (event, ...args) => socket.broadcast.emit(event, ...args));
  on("broadcast-ack", (room, ms, event, arg, ack) =>
    nsp
      .in(room)
      .timeout(ms)
      .emit(event, arg, (error, answers) => ack(Boolean(error), answers)),
  );

  on("ask-me", (arg) => socket.emit("question", arg, (...answer) => socket.emit("answer", ...answer)));
  on("ask-me-timeout", (ms, arg) =>
    socket.timeout(ms).emit("question", arg, (error, answer) => socket.emit("answer", Boolean(error), answer ?? null)),
  );

  on("kick", (close) => socket.disconnect(close));
  on("drop", () => socket.conn.close());
  on("fetch-sockets", async (room, ack) => ack((await nsp.in(room).fetchSockets()).map(({ id }) => id).sort()));
  on("sockets-join", (room, target) => nsp.in(room).socketsJoin(target));
  on("sockets-leave", (room, target) => nsp.in(room).socketsLeave(target));
  on("disconnect-sockets", (room, close) => nsp.in(room).disconnectSockets(close));
  on("server-side-emit", (event, ...args) => nsp.serverSideEmit(event, ...args));
  on("server-side-emit-ack", (event, arg, ack) =>
    nsp.serverSideEmit(event, arg, (error, answers) => ack(error ? error.message : null, answers)),
  );

  on("disconnecting", () => nsp.to("watchers").emit("peer-disconnecting", socket.id, sorted(socket.rooms)));
  on("disconnect", (reason) => nsp.to("watchers").emit("peer-disconnect", socket.id, reason));
}

function answerOtherNodes(nsp) {
  nsp.on("sse", (...args) => nsp.local.emit("sse-received", ...args));
  nsp.on("sse-ack", (arg, ack) => ack({ port: http.address().port, arg }));
}

io.on("new_namespace", answerOtherNodes);
answerOtherNodes(io.of("/"));
io.of("/").on("connection", handlers);
io.of("/custom").on("connection", handlers);
io.of(/^\/dyn-\d+$/).on("connection", handlers);
io.of("/admin").on("connection", handlers);
io.of("/admin").use((socket, next) => {
  if (socket.handshake.auth.token === "secret") return next();
  next(Object.assign(new Error("not authorized"), { data: { code: "E_AUTH" } }));
});

http.listen(number("PORT", 3000), "127.0.0.1", () => console.log(`fixture on 127.0.0.1:${http.address().port}`));
