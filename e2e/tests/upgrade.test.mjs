// From polling to WebSocket: the dance by hand, in all the orders that it may go wrong in, and with the clients.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { CLIENTS, ask, create, next, open } from "../client.mjs";
import { within } from "../deadline.mjs";
import { Frames } from "../frames.mjs";
import { PollingSession } from "../polling.mjs";
import { startServer } from "../server.mjs";

let server;
before(async () => (server = await startServer()));
after(() => server.close());

/** A polling session that joined `/`, and the probed WebSocket beside it, not yet upgraded. */
async function probed(t) {
  const session = await PollingSession.start(server.url);
  await session.join();
  const frames = await Frames.connect(t, server.url, { sid: session.sid });
  frames.send("2probe");
  assert.equal(await frames.read(), "3probe");
  return { session, frames };
}

describe("by hand", () => {
  test("a probed session moves, and messages flow on the new transport", async (t) => {
    const { session, frames } = await probed(t);
    frames.send("5");
    frames.send('420["message-with-ack","over"]');
    assert.equal(await frames.readUntil("43"), '430["over"]');
    frames.send('421["whoami"]');
    assert.match(await frames.readUntil("43"), /"transport":"websocket"/);
    assert.equal((await session.poll()).status, 400);
  });

  test("a waiting poll is released by a noop", async (t) => {
    const { session, frames } = await probed(t);
    const waiting = session.poll();
    const released = await within(waiting, "the noop");
    assert.equal(released.body, "6");
    frames.send("5");
    frames.send('420["message-with-ack"]');
    assert.equal(await frames.readUntil("43"), "430[]");
  });

  test("what was sent before the upgrade arrives after it, in order and once", async (t) => {
    const { session, frames } = await probed(t);
    await session.post('42["message",1]\x1e42["message",2]');
    frames.send("5");
    frames.send('42["message",3]');
    const got = [];
    while (got.length < 3) got.push(await frames.readUntil("42"));
    assert.deepEqual(got, ['42["message-back",1]', '42["message-back",2]', '42["message-back",3]']);
  });

  test("a WebSocket that goes before it is upgraded leaves the session on polling", async (t) => {
    const { session, frames } = await probed(t);
    frames.socket.close();
    await frames.end();
    await session.post('420["whoami"]');
    assert.match(await session.pollUntil("430"), /"transport":"polling"/);
  });

  test("a WebSocket without a probe is closed, and the session stays", async (t) => {
    const session = await PollingSession.start(server.url);
    await session.join();
    const frames = await Frames.connect(t, server.url, { sid: session.sid });
    frames.send('42["message","too early"]');
    await frames.end();
    await session.post('420["message-with-ack","here"]');
    assert.equal(await session.pollUntil("430"), '430["here"]');
  });

  test("a second WebSocket for an upgraded session is closed, and the first goes on", async (t) => {
    const { session, frames } = await probed(t);
    frames.send("5");
    frames.send('420["message-with-ack"]');
    await frames.readUntil("430");
    const second = await Frames.connect(t, server.url, { sid: session.sid }).catch(() => undefined);
    await second?.end();
    frames.send('421["message-with-ack","first"]');
    assert.equal(await frames.readUntil("431"), '431["first"]');
  });

  test("bytes that follow the upgrade packet at once are not lost", async (t) => {
    const { frames } = await probed(t);
    frames.socket._socket.cork();
    frames.send("5");
    for (let i = 0; i < 200; i++) frames.send(`42["message",${i}]`);
    frames.socket._socket.uncork();
    for (let i = 0; i < 200; i++) assert.equal(await frames.readUntil("42"), `42["message-back",${i}]`);
  });
});

for (const client of Object.keys(CLIENTS)) {
  describe(`client ${client}`, () => {
    test("nothing is lost, doubled or turned around while it upgrades", async (t) => {
      const socket = create(t, server.url, { client, transport: "upgrade" });
      const upgraded = next(socket.io.engine ?? socket.io, socket.io.engine ? "upgrade" : "open");
      let sent = 0;
      const burst = () => {
        for (let i = 0; i < 20; i++) socket.emit("message", sent++, i % 4 ? "text" : Buffer.from([i]));
      };
      await next(socket, "connect");
      // Keeps the traffic up from before the probe until after the upgrade: every answer causes the next burst.
      while (socket.io.engine.transport.name === "polling") {
        burst();
        await ask(socket, "message-with-ack");
      }
      await upgraded;
      burst();
      await ask(socket, "message-with-ack");
      const got = socket.log.filter(([event]) => event === "message-back").map(([, number]) => number);
      assert.deepEqual(got, Array.from({ length: sent }, (_, i) => i));
      assert.equal((await ask(socket, "whoami"))[0].transport, "websocket");
    });

    test("twenty clients upgrade at once", async (t) => {
      const sockets = await Promise.all(
        Array.from({ length: 20 }, () => open(t, server.url, { client, transport: "upgrade" })),
      );
      for (const socket of sockets) assert.equal((await ask(socket, "whoami"))[0].transport, "websocket");
    });
  });
}
