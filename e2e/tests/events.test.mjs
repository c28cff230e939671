// Events and acknowledgements of one socket: every published client, every transport, every namespace.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { EVERY_CLIENT, NAMESPACES, ask, next, open, settled } from "../client.mjs";
import { startServer } from "../server.mjs";

let server;
before(async () => (server = await startServer()));
after(() => server.close());

const ARGUMENTS = [1, -2.5, "two", true, null, ["three", [4]], { five: { six: [] } }, ""];

for (const [label, client] of EVERY_CLIENT) {
  for (const [nsp, auth] of Object.entries(NAMESPACES)) {
    describe(`${label}, namespace ${nsp}`, () => {
      const opened = (t) => open(t, server.url, { ...client, nsp, auth });

      test("auth of the handshake is emitted on connection", async (t) => {
        const full = { ...auth, user: "ünïcode", nested: { list: [1, 2] } };
        const socket = await open(t, server.url, { ...client, nsp, auth: full });
        assert.deepEqual(socket.log, [["auth", full]]);
      });

      test("message comes back with the same arguments", async (t) => {
        const socket = await opened(t);
        socket.emit("message", ...ARGUMENTS);
        assert.deepEqual(await next(socket, "message-back"), ARGUMENTS);
      });

      test("message-with-ack acknowledges its arguments", async (t) => {
        const socket = await opened(t);
        assert.deepEqual(await ask(socket, "message-with-ack", ...ARGUMENTS), ARGUMENTS);
        assert.deepEqual(await ask(socket, "message-with-ack"), []);
      });

      test("whoami describes the socket", async (t) => {
        const socket = await opened(t);
        await ask(socket, "join", "b");
        await ask(socket, "join", "a");
        const [who] = await ask(socket, "whoami");
        assert.deepEqual(Object.keys(who).sort(), [
          "auth",
          "header",
          "id",
          "nsp",
          "query",
          "recovered",
          "rooms",
          "transport",
        ]);
        assert.equal(who.id, socket.id);
        assert.equal(who.nsp, nsp);
        assert.deepEqual(who.rooms, [socket.id, "a", "b"].sort());
        assert.equal(who.recovered, false);
        assert.deepEqual(who.auth, auth);
        assert.equal(who.query.EIO, "4");
        assert.equal(who.transport, client.transport === "upgrade" ? "websocket" : client.transport);
        assert.equal(who.header, null);
      });

      test("a question is answered, with and without a timeout", async (t) => {
        const socket = await opened(t);
        socket.on("question", (arg, ack) => ack({ asked: arg }));
        socket.emit("ask-me", "why");
        assert.deepEqual(await next(socket, "answer"), [{ asked: "why" }]);
        socket.emit("ask-me-timeout", 5_000, "how");
        assert.deepEqual(await next(socket, "answer"), [false, { asked: "how" }]);
      });

      test("a question without an answer times out", async (t) => {
        const socket = await opened(t);
        let late;
        socket.on("question", (_, ack) => (late = ack));
        socket.emit("ask-me-timeout", 50, "anyone");
        assert.deepEqual(await next(socket, "answer"), [true, null]);
        late("too late");
        assert.deepEqual(await ask(socket, "message-with-ack", "still here"), ["still here"]);
      });

      test("a question that is never answered holds up nothing", async (t) => {
        const socket = await opened(t);
        socket.emit("ask-me", "anyone");
        socket.emit("ask-me-timeout", 60_000, "anyone");
        assert.deepEqual(await ask(socket, "message-with-ack", "next"), ["next"]);
      });

      test("a thousand events sent at once arrive in order", async (t) => {
        const socket = await opened(t);
        await ask(socket, "join", "everyone");
        for (let i = 0; i < 1_000; i++) socket.emit("message", i);
        const [log] = await settled(socket, [socket]);
        assert.deepEqual(
          log.map(([, value]) => value),
          Array.from({ length: 1_000 }, (_, i) => i),
        );
      });

      test("a thousand acknowledgements match their requests", async (t) => {
        const socket = await opened(t);
        const order = [];
        await Promise.all(
          Array.from({ length: 1_000 }, async (_, i) => {
            assert.deepEqual(await ask(socket, "message-with-ack", i), [i]);
            order.push(i);
          }),
        );
        assert.deepEqual(order, [...order].sort((a, b) => a - b));
      });
    });
  }
}
