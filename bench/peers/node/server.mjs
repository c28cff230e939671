// The echo contract on Node's socket.io with its default engine (`ws`, permessage-deflate off, as the package ships).
// Listens on 127.0.0.1:$PORT. Not tuned: this is what a reader of its documentation runs.
import { createServer } from "node:http";
import { Server } from "socket.io";

const http = createServer();
const io = new Server(http);

io.on("connection", (socket) => {
  socket.join("all");
  socket.on("echo", (value, acknowledge) => acknowledge(value));
  socket.on("bcast", (...args) => io.to("all").emit("msg", ...args));
});

http.listen(Number(process.env.PORT), "127.0.0.1");
