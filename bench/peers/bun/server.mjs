// The echo contract on socket.io with Bun's own WebSocket engine. Listens on 127.0.0.1:$PORT. Not tuned: this is what a
// reader of its documentation runs.
import { Server as Engine } from "@socket.io/bun-engine";
import { Server } from "socket.io";

const engine = new Engine({ path: "/socket.io/" });
const io = new Server();
io.bind(engine);

io.on("connection", (socket) => {
  socket.join("all");
  socket.on("echo", (value, acknowledge) => acknowledge(value));
  socket.on("bcast", (...args) => io.to("all").emit("msg", ...args));
});

export default { hostname: "127.0.0.1", port: Number(process.env.PORT), ...engine.handler() };
