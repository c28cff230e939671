// Engine.IO over HTTP by hand, one request at a time, for what a well-behaved client never sends.
// Each request opens its own TCP connection unless it is given an agent.

import http from "node:http";
import { within } from "./deadline.mjs";

/** Sends one request and gives back `{status, headers, body}`; it rejects when the connection breaks instead. */
export function request(url, path, { method = "GET", body, headers = {}, agent = false, signal } = {}) {
  const answered = new Promise((resolve, reject) => {
    const options = { method, agent, signal, headers: { ...headers } };
    if (body !== undefined) options.headers["content-length"] ??= Buffer.byteLength(body);
    const outgoing = http.request(url + path, options, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () =>
        resolve({
          status: response.statusCode,
          headers: response.headers,
          body: Buffer.concat(chunks).toString("utf8"),
        }),
      );
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
  return within(answered, `${method} ${path}`);
}

/** The path of a polling request, for a new session or the session `sid`. */
export const pollPath = (sid) => `/socket.io/?EIO=4&transport=polling${sid ? `&sid=${sid}` : ""}`;

/** A polling session by hand: `poll`, `post`, and Socket.IO's connect to `/`. */
export class PollingSession {
  /** Opens a session; the handshake is in `open`. */
  static async start(url, options) {
    const answer = await request(url, pollPath(), options);
    if (answer.status !== 200) throw new Error(`handshake refused: ${answer.status} ${answer.body}`);
    return new PollingSession(url, JSON.parse(answer.body.slice(1)));
  }

  constructor(url, open) {
    this.url = url;
    this.open = open;
    this.sid = open.sid;
  }

  poll(options) {
    return request(this.url, pollPath(this.sid), options);
  }

  post(body, options) {
    return request(this.url, pollPath(this.sid), {
      method: "POST",
      body,
      ...options,
      headers: { "content-type": "text/plain;charset=UTF-8", ...options?.headers },
    });
  }

  /** Joins `/` and polls until the `auth` greeting is there. */
  async join() {
    await this.post("40");
    for (let text = ""; !text.includes('42["auth"'); ) text += (await this.poll()).body;
  }

  /** Polls until an answer contains `part`, and gives back everything polled until then. */
  async pollUntil(part) {
    let text = "";
    while (!text.includes(part)) {
      const answer = await this.poll();
      if (answer.status !== 200) throw new Error(`poll refused: ${answer.status} ${answer.body}`);
      text += (text && "\x1e") + answer.body;
    }
    return text;
  }
}
