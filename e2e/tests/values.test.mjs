// What survives the way to the server and back: binary values wherever they sit, text of every kind, awkward JSON.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { EVERY_CLIENT, ask, next, open } from "../client.mjs";
import { startServer } from "../server.mjs";

let server;
before(async () => (server = await startServer()));
after(() => server.close());

const bytes = (length, seed = 0) => Buffer.from(Array.from({ length }, (_, i) => (i * 7 + seed) % 256));

const NESTED = [
  bytes(3),
  { a: bytes(0), list: [bytes(1, 9), { deep: { deeper: bytes(300, 5) } }, "text"], n: 1 },
  "between",
  [[bytes(2, 200)]],
];

for (const [label, client] of EVERY_CLIENT) {
  describe(label, () => {
    test("binary values in any place come back in an event", async (t) => {
      const socket = await open(t, server.url, client);
      socket.emit("message", ...NESTED);
      assert.deepEqual(await next(socket, "message-back"), NESTED);
    });

    test("binary values in any place come back in an acknowledgement", async (t) => {
      const socket = await open(t, server.url, client);
      assert.deepEqual(await ask(socket, "message-with-ack", ...NESTED), NESTED);
    });

    test("the server's question carries binary, and so does the answer", async (t) => {
      const socket = await open(t, server.url, client);
      socket.on("question", (arg, ack) => ack(arg, { again: [arg, bytes(4)] }));
      socket.emit("ask-me", bytes(16));
      assert.deepEqual(await next(socket, "answer"), [bytes(16), { again: [bytes(16), bytes(4)] }]);
      socket.emit("ask-me-timeout", 5_000, { in: bytes(5) });
      assert.deepEqual(await next(socket, "answer"), [false, { in: bytes(5) }]);
    });

    test("binary and text keep their order when interleaved", async (t) => {
      const socket = await open(t, server.url, client);
      const sent = Array.from({ length: 100 }, (_, i) => (i % 3 ? `text ${i}` : bytes(i, i)));
      for (const value of sent) socket.emit("message", value);
      await ask(socket, "whoami");
      assert.deepEqual(
        socket.log.filter(([event]) => event === "message-back").map(([, value]) => value),
        sent,
      );
    });

    test("ten binary values travel in one event, as many as Node allows", async (t) => {
      const socket = await open(t, server.url, client);
      const sent = Array.from({ length: 10 }, (_, i) => bytes(i * 10, i));
      assert.deepEqual(await ask(socket, "message-with-ack", sent), [sent]);
    });

    test("text of every kind comes back", async (t) => {
      const socket = await open(t, server.url, client);
      const texts = [
        "",
        "äöü ß ñ",
        "Привет, мир",
        "こんにちは世界",
        "مرحبا",
        "👩‍👩‍👧‍👦 🏴󠁧󠁢󠁥󠁮󠁧󠁿 😀",
        "\u0000\u0001\u001e\u001f\u007f",
        'quotes " and \\ and / and \n \r \t',
        "\u2028\u2029\ufeff\uffff",
        "b64 b and 4 at the front",
        "1234-[]",
      ];
      assert.deepEqual(await ask(socket, "message-with-ack", ...texts), texts);
      socket.emit("message", { "ключ 🔑": texts });
      assert.deepEqual(await next(socket, "message-back"), [{ "ключ 🔑": texts }]);
    });

    test("event, room and auth names may hold any text", async (t) => {
      const auth = { имя: "Ω", "": "empty key" };
      const socket = await open(t, server.url, { ...client, auth });
      const name = 'сцена "1" ,/\\ 🎭';
      await ask(socket, "join", name);
      socket.emit("in-room", name, name, "heard");
      assert.deepEqual(await next(socket, name), ["heard"]);
      const [who] = await ask(socket, "whoami");
      assert.deepEqual(who.auth, auth);
      assert.ok(who.rooms.includes(name));
    });
  });
}

test("numbers, keys and their order come back as they were written", async (t) => {
  const socket = await open(t, server.url);
  const values = [
    0.1,
    1e21,
    5e-324,
    1.7976931348623157e308,
    Number.MAX_SAFE_INTEGER,
    Number.MIN_SAFE_INTEGER,
    -1,
    { z: 1, a: 2, 10: 3, 9: 4, M: { y: 1, x: 2 } },
    [[], {}, [null]],
  ];
  const answer = await ask(socket, "message-with-ack", ...values);
  assert.equal(JSON.stringify(answer), JSON.stringify(values));
});

test("what JSON has no word for becomes null, as in Node", async (t) => {
  const socket = await open(t, server.url);
  assert.deepEqual(await ask(socket, "message-with-ack", undefined, NaN, Infinity), [null, null, null]);
  const at = new Date(86_400_000);
  assert.deepEqual(await ask(socket, "message-with-ack", at), ["1970-01-02T00:00:00.000Z"]);
});

test("half a surrogate pair comes back", async (t) => {
  const socket = await open(t, server.url);
  assert.deepEqual(await ask(socket, "message-with-ack", "\ud83d", { "\ude00": 1 }), ["\ud83d", { "\ude00": 1 }]);
});

test("sixty levels of nesting come back", async (t) => {
  const socket = await open(t, server.url);
  let value = "core";
  for (let i = 0; i < 60; i++) value = i % 2 ? [value] : { value };
  assert.deepEqual(await ask(socket, "message-with-ack", value), [value]);
});

test("query and header of the handshake reach whoami", async (t) => {
  for (const transport of ["polling", "websocket", "upgrade"]) {
    const socket = await open(t, server.url, {
      transport,
      query: { plain: "1", text: "ä b&c=d+e%", empty: "" },
      extraHeaders: { "X-Heldout": "kept" },
    });
    const [who] = await ask(socket, "whoami");
    assert.equal(who.query.plain, "1");
    assert.equal(who.query.text, "ä b&c=d+e%");
    assert.equal(who.query.empty, "");
    assert.equal(who.header, "kept");
  }
});
