// Large messages: everything up to the limit gets through, more than that ends the session and only that one.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { EVERY_CLIENT, ask, next, open } from "../client.mjs";
import { Frames } from "../frames.mjs";
import { startServer } from "../server.mjs";

const LIMIT = 1_000_000;

let server;
before(async () => (server = await startServer({ MAX_PAYLOAD: String(LIMIT) })));
after(() => server.close());

/** A Socket.IO event packet of exactly `length` bytes. */
const packet = (length) => `42["message","${"x".repeat(length - '42["message",""]'.length)}"]`;

for (const [label, client] of EVERY_CLIENT) {
  describe(label, () => {
    test("text just below the limit comes back", async (t) => {
      const socket = await open(t, server.url, client);
      const text = "ü".repeat(LIMIT / 2 - 100);
      assert.deepEqual(await ask(socket, "message-with-ack", text), [text]);
    });

    test("binary just below the limit comes back", async (t) => {
      const socket = await open(t, server.url, client);
      // Over polling the bytes travel as base64.
      const data = randomBytes(client.transport === "polling" ? LIMIT * 0.74 : LIMIT - 100);
      const [back] = await ask(socket, "message-with-ack", data);
      assert.ok(data.equals(back));
    });

    // Client 3.x does not know the limit, and would pack them all into one polling request.
    if (client.client === "4.x" || client.transport !== "polling") {
      test("many large messages at once come back in order", async (t) => {
        const socket = await open(t, server.url, client);
        const texts = Array.from({ length: 20 }, (_, i) => String.fromCharCode(97 + i).repeat(100_000));
        assert.deepEqual(
          await Promise.all(texts.map((text) => ask(socket, "message-with-ack", text))),
          texts.map((text) => [text]),
        );
      });
    }

    test("a message over the limit ends the session, and a new one works", async (t) => {
      const socket = await open(t, server.url, client);
      const bystander = await open(t, server.url, client);
      socket.emit("message", "x".repeat(LIMIT + 1));
      assert.match((await next(socket, "disconnect"))[0], /^transport (close|error)$/);
      assert.deepEqual(await ask(bystander, "message-with-ack", "unharmed"), ["unharmed"]);
      const again = await open(t, server.url, client);
      assert.deepEqual(await ask(again, "message-with-ack", "back"), ["back"]);
    });
  });
}

describe("by hand, over WebSocket", () => {
  test("a message of exactly the limit is taken", async (t) => {
    const frames = await Frames.join(t, server.url);
    frames.send(packet(LIMIT));
    assert.equal((await frames.readUntil('42["message-back"')).length, LIMIT + "-back".length);
  });

  test("one more byte closes with 1009", async (t) => {
    const frames = await Frames.join(t, server.url);
    frames.send(packet(LIMIT + 1));
    assert.equal(await frames.end(), 1009);
  });

  test("fragments count together", async (t) => {
    const frames = await Frames.join(t, server.url);
    const text = packet(LIMIT);
    for (let i = 0; i < 10; i++) frames.socket.send(text.slice(i * 100_000, (i + 1) * 100_000), { fin: i === 9 });
    assert.equal((await frames.readUntil('42["message-back"')).length, LIMIT + "-back".length);
    for (let i = 0; i < 11; i++) frames.socket.send(text.slice(0, 100_000), { fin: i === 10 });
    assert.equal(await frames.end(), 1009);
  });
});
