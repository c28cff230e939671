// A node of a fleet on Node's socket.io and Redis: `node fleet.mjs classic|sharded`. Listens on 127.0.0.1:$PORT, meets the
// others at $REDIS_URL. Not tuned: each adapter is made as its documentation makes it. What it adds is a count at
// /metrics, under the names that Throng has for it: what came in from Redis, and how much of it was for rooms that have
// no member here.
import { createServer } from "node:http";
import { createAdapter, createShardedAdapter } from "@socket.io/redis-adapter";
import { createClient } from "redis";
import { Server } from "socket.io";

const counts = { received: 0, foreign: 0 };

const http = createServer((request, response) => {
  if (request.url !== "/metrics") return response.writeHead(404).end();
  response.end(Object.entries(counts).map(([name, count]) => `throng_backbone_messages_${name}_total ${count}\n`).join(""));
});

const publisher = createClient({ url: process.env.REDIS_URL });
const subscriber = publisher.duplicate();
for (const client of [publisher, subscriber]) client.on("error", (error) => console.error(error));
await Promise.all([publisher.connect(), subscriber.connect()]);

const adapters = {
  classic: () => createAdapter(publisher, subscriber),
  sharded: () => createShardedAdapter(publisher, subscriber),
};
const [name] = process.argv.slice(2);
const io = new Server(http, { adapter: adapters[name]() });

function count(adapter, rooms) {
  counts.received += 1;
  if (rooms.length > 0 && !rooms.some((room) => adapter.rooms.has(room))) counts.foreign += 1;
}

// Both adapters go through a method of theirs for whatever comes in; a count in front of it costs a look into a map.
const adapter = io.of("/").adapter;
if (name === "classic") {
  const { onmessage, channel: prefix } = adapter;
  adapter.onmessage = function (pattern, channel, message) {
    const room = channel.toString().slice(prefix.length, -1);
    count(this, room === "" ? [] : [room]);
    return onmessage.call(this, pattern, channel, message);
  };
} else {
  const { onMessage } = adapter;
  adapter.onMessage = function (message, offset) {
    count(this, message.data?.opts?.rooms ?? []);
    return onMessage.call(this, message, offset);
  };
}

io.on("connection", (socket) => {
  socket.join("all");
  socket.on("join", (room, acknowledge) => {
    socket.join(room);
    acknowledge("joined");
  });
  socket.on("in-room", (room, event, ...args) => io.to(room).emit(event, ...args));
  socket.on("bcast", (...args) => io.to("all").emit("msg", ...args));
});

http.listen(Number(process.env.PORT), "127.0.0.1");
