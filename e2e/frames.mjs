// A Socket.IO session over WebSocket by hand, packet by packet, for what a well-behaved client never sends.

import { once } from "node:events";
import { WebSocket } from "ws";
import { within } from "./deadline.mjs";

/** The address of a WebSocket transport, for a new session or the session `sid`. */
export const socketUrl = (url, sid) =>
  `${url.replace("http", "ws")}/socket.io/?EIO=4&transport=websocket${sid ? `&sid=${sid}` : ""}`;

/** One WebSocket whose messages are read in order; text comes as a string, binary as a Buffer. */
export class Frames {
  #unread = [];
  #reader = null;

  /** Connects without waiting for a message, and closes when the test `t` is over. */
  static async connect(t, url, { sid, ...options } = {}) {
    const socket = new WebSocket(socketUrl(url, sid), { perMessageDeflate: false, ...options });
    const frames = new Frames(socket);
    t.after(() => socket.terminate());
    await within(once(socket, "open"), "open");
    return frames;
  }

  /** Connects, answers pings, and has joined `/` when it returns; the Engine.IO handshake is in `open`. */
  static async join(t, url, options) {
    const frames = await Frames.connect(t, url, options);
    frames.open = JSON.parse((await frames.read()).slice(1));
    frames.send("40");
    await frames.readUntil('42["auth"');
    return frames;
  }

  constructor(socket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => socket.once("close", (code) => resolve(code)));
    socket.on("error", () => {});
    socket.on("message", (data, isBinary) => {
      this.#unread.push(isBinary ? data : data.toString("utf8"));
      this.#reader?.();
    });
  }

  send(data) {
    this.socket.send(data);
  }

  /** The next message. */
  async read() {
    if (!this.#unread.length) await within(new Promise((resolve) => (this.#reader = resolve)), "a message");
    return this.#unread.shift();
  }

  /** Reads until a text message starts with `start`, answering pings on the way, and gives that message back. */
  async readUntil(start) {
    for (;;) {
      const message = await this.read();
      if (message === "2") this.send("3");
      if (typeof message === "string" && message.startsWith(start)) return message;
    }
  }

  /** The close code, once the connection has ended. */
  end() {
    return within(this.closed, "the end of the connection");
  }
}
