// Pings and their timeouts, on a server with a short heartbeat; a connect timeout; and coming back after a loss.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { EVERY_CLIENT, ask, next, open } from "../client.mjs";
import { within } from "../deadline.mjs";
import { Frames } from "../frames.mjs";
import { PollingSession } from "../polling.mjs";
import { startServer } from "../server.mjs";

let server;
before(async () => (server = await startServer({ PING_INTERVAL: "300", PING_TIMEOUT: "300", CONNECT_TIMEOUT: "1000" })));
after(() => server.close());

/** Resolves with the reason once the server has ended the socket `id`. */
async function reasonOf(t, id) {
  const watcher = await open(t, server.url);
  await ask(watcher, "join", "watchers");
  const reason = new Promise((resolve) => watcher.on("peer-disconnect", (who, why) => who === id && resolve(why)));
  return () => within(reason, "peer-disconnect");
}

describe("by hand", () => {
  test("the handshake tells the intervals", async () => {
    const { open } = await PollingSession.start(server.url);
    assert.equal(open.pingInterval, 300);
    assert.equal(open.pingTimeout, 300);
  });

  test("a WebSocket is pinged, and lives while it answers", async (t) => {
    const frames = await Frames.join(t, server.url);
    for (let i = 0; i < 4; i++) {
      assert.equal(await frames.read(), "2");
      frames.send("3");
    }
    frames.send('420["message-with-ack"]');
    assert.equal(await frames.readUntil("43"), "430[]");
  });

  test("a WebSocket that never answers ends with a ping timeout", async (t) => {
    const frames = await Frames.join(t, server.url);
    frames.send('420["whoami"]');
    const id = JSON.parse((await frames.readUntil("430")).slice(3))[0].id;
    const reason = await reasonOf(t, id);
    await frames.end();
    assert.equal(await reason(), "ping timeout");
  });

  test("other traffic is not an answer to a ping", async (t) => {
    const frames = await Frames.join(t, server.url);
    const chatter = setInterval(() => frames.send('42["message"]'), 50);
    t.after(() => clearInterval(chatter));
    await frames.end();
  });

  test("a polling session is pinged, and lives while it answers", async () => {
    const session = await PollingSession.start(server.url);
    await session.join();
    for (let i = 0; i < 3; i++) {
      assert.equal(await session.pollUntil("2"), "2");
      assert.equal((await session.post("3")).status, 200);
    }
  });

  test("a polling session that never comes back is forgotten", async (t) => {
    const session = await PollingSession.start(server.url);
    await session.join();
    await session.post('420["whoami"]');
    const id = JSON.parse((await session.pollUntil("430")).split("430")[1].split("\x1e")[0])[0].id;
    const reason = await reasonOf(t, id);
    assert.equal(await reason(), "ping timeout");
    assert.equal((await session.poll()).status, 400);
  });

  test("a session that joins no namespace is closed", async (t) => {
    const frames = await Frames.connect(t, server.url);
    const pong = (data) => String(data) === "2" && frames.send("3");
    frames.socket.on("message", pong);
    await frames.end();
  });
});

for (const [label, client] of EVERY_CLIENT) {
  describe(label, () => {
    test("lives through many heartbeats", async (t) => {
      const socket = await open(t, server.url, client);
      let pings = 0;
      await within(
        new Promise((resolve) => socket.io.engine.on("packet", ({ type }) => type === "ping" && ++pings === 5 && resolve())),
        "the fifth ping",
      );
      assert.deepEqual(await ask(socket, "message-with-ack", "alive"), ["alive"]);
    });

    test("comes back by itself after a drop, with a new id and its auth", async (t) => {
      const options = { ...client, reconnection: true, reconnectionDelay: 10, auth: { keep: "me" } };
      const socket = await open(t, server.url, options);
      for (let round = 0; round < 3; round++) {
        const { id } = socket;
        const greeted = next(socket, "auth");
        socket.emit("drop");
        assert.equal((await next(socket, "disconnect"))[0], "transport close");
        assert.deepEqual(await greeted, [{ keep: "me" }]);
        assert.notEqual(socket.id, id);
        assert.equal((await ask(socket, "whoami"))[0].recovered, false);
      }
    });

    test("what was emitted while away is sent on return", async (t) => {
      const socket = await open(t, server.url, { ...client, reconnection: true, reconnectionDelay: 10 });
      socket.emit("drop");
      await next(socket, "disconnect");
      const greeted = next(socket, "auth");
      socket.emit("message", "kept");
      await greeted;
      await ask(socket, "message-with-ack");
      assert.deepEqual(
        socket.log.filter(([event]) => event === "message-back"),
        [["message-back", "kept"]],
      );
    });

    test("a volatile event of a connected client arrives", async (t) => {
      const socket = await open(t, server.url, client);
      const back = next(socket, "message-back");
      // Volatile events are dropped while the transport is busy, so this repeats until one gets through.
      const repeat = setInterval(() => socket.volatile.emit("message", "now"), 10);
      t.after(() => clearInterval(repeat));
      assert.deepEqual(await back, ["now"]);
      clearInterval(repeat);
    });

    // timeout() came with 4.4.
    if (client.client === "4.x") {
      test("an acknowledgement that never comes times out at the client", async (t) => {
        const socket = await open(t, server.url, client);
        await assert.rejects(within(socket.timeout(50).emitWithAck("nobody-listens"), "the timeout"), /timed out/);
        assert.deepEqual(await within(socket.timeout(5_000).emitWithAck("message-with-ack", 1), "the ack"), 1);
      });
    }
  });
}

test("a client comes back to a server that was started again", async (t) => {
  const first = await startServer();
  const socket = await open(t, first.url, { reconnection: true, reconnectionDelay: 50, reconnectionDelayMax: 100 });
  const lost = next(socket, "disconnect");
  await first.close();
  assert.match((await lost)[0], /^transport (close|error)$|^io server disconnect$/);
  if (!socket.active) socket.connect();
  const greeted = next(socket, "auth");
  const second = await startServer({ PORT: String(first.port) });
  t.after(() => second.close());
  await greeted;
  assert.deepEqual(await ask(socket, "message-with-ack", "back"), ["back"]);
});
