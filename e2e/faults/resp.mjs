// One command to a Redis server, and its answer: what a test says to servers that it breaks.

import net from "node:net";
import { within } from "../deadline.mjs";

/** What a whole answer at `at` of a buffer is, as `[value, end]`; nothing when more is to come. */
function read(buffer, at) {
  const end = buffer.indexOf("\r\n", at);
  if (end < 0) return undefined;
  const [kind, text, next] = [buffer[at], buffer.toString("utf8", at + 1, end), end + 2];
  switch (String.fromCharCode(kind)) {
    case "+":
      return [text, next];
    case "-":
      return [new Error(text), next];
    case ":":
      return [Number(text), next];
    case "$": {
      const length = Number(text);
      if (length < 0) return [null, next];
      if (buffer.length < next + length + 2) return undefined;
      return [buffer.subarray(next, next + length), next + length + 2];
    }
    default: {
      const items = [];
      let after = next;
      for (let left = Number(text); left > 0; left--) {
        const item = read(buffer, after);
        if (!item) return undefined;
        items.push(item[0]);
        after = item[1];
      }
      return [items, after];
    }
  }
}

/** Texts for the bytes of an answer, where it is said that they are texts. */
export function texts(answer) {
  if (Array.isArray(answer)) return answer.map(texts);
  return Buffer.isBuffer(answer) ? answer.toString("utf8") : answer;
}

/** Sends a command, words as texts, numbers or bytes, and gives back its answer with texts as bytes; fails as it does. */
export function askRaw(port, ...words) {
  const socket = net.connect(port, "127.0.0.1");
  const answered = new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    socket.on("error", reject).on("close", () => reject(new Error(`the Redis on port ${port} closed the connection`)));
    socket.on("data", (data) => {
      received = Buffer.concat([received, data]);
      const answer = read(received, 0);
      if (answer) answer[0] instanceof Error ? reject(answer[0]) : resolve(answer[0]);
    });
    const parts = words.map((word) => (Buffer.isBuffer(word) ? word : Buffer.from(`${word}`)));
    socket.write(`*${parts.length}\r\n`);
    for (const part of parts) {
      socket.write(`$${part.length}\r\n`);
      socket.write(part);
      socket.write("\r\n");
    }
  });
  return within(answered, `${words[0]} on port ${port}`).finally(() => socket.destroy());
}

/** The same with a command of words separated by spaces, and texts as texts. */
export async function ask(port, command) {
  return texts(await askRaw(port, ...command.split(" ")));
}
