// Who hears what: rooms, exceptions, broadcasts, and the operations on the sockets of a room.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { NAMESPACES, ask, freshRoom, next, open, openAll, settled } from "../client.mjs";
import { startServer } from "../server.mjs";

let server;
before(async () => (server = await startServer()));
after(() => server.close());

const binary = Buffer.from([0, 1, 2, 255]);

for (const transport of ["polling", "websocket", "upgrade"]) {
  for (const [nsp, auth] of Object.entries(NAMESPACES)) {
    describe(`${transport}, namespace ${nsp}`, () => {
      const three = (t) => openAll(t, server.url, 3, { transport, nsp, auth });

      test("to-room reaches the room without the sender", async (t) => {
        const [a, b, c] = await three(t);
        const room = freshRoom();
        await ask(a, "join", room);
        await ask(b, "join", room);
        a.emit("to-room", room, "said", 1, { binary });
        assert.deepEqual(await settled(a, [a, b, c]), [[], [["said", 1, { binary }]], []]);
      });

      test("in-room reaches the room with the sender", async (t) => {
        const [a, b, c] = await three(t);
        const room = freshRoom();
        await ask(a, "join", room);
        await ask(b, "join", room);
        a.emit("in-room", room, "said", binary);
        assert.deepEqual(await settled(a, [a, b, c]), [[["said", binary]], [["said", binary]], []]);
      });

      test("except-room reaches everyone but the room", async (t) => {
        const [a, b, c] = await three(t);
        const room = freshRoom();
        await ask(b, "join", room);
        a.emit("except-room", room, "said", "x");
        assert.deepEqual(await settled(a, [a, b, c]), [[["said", "x"]], [], [["said", "x"]]]);
      });

      test("broadcast reaches everyone but the sender", async (t) => {
        const [a, b, c] = await three(t);
        a.emit("broadcast", "said", 1, 2);
        assert.deepEqual(await settled(a, [a, b, c]), [[], [["said", 1, 2]], [["said", 1, 2]]]);
      });

      test("whoever left a room hears it no more", async (t) => {
        const [a, b, c] = await three(t);
        const room = freshRoom();
        assert.deepEqual(await ask(b, "join", room), ["joined"]);
        assert.deepEqual(await ask(c, "join", room), ["joined"]);
        assert.deepEqual(await ask(b, "leave", room), ["left"]);
        a.emit("to-room", room, "said");
        assert.deepEqual(await settled(a, [a, b, c]), [[], [], [["said"]]]);
      });

      test("joining twice hears once, and leaving a room never joined is harmless", async (t) => {
        const [a, b] = await three(t);
        const room = freshRoom();
        await ask(b, "join", room);
        await ask(b, "join", room);
        assert.deepEqual(await ask(b, "leave", freshRoom()), ["left"]);
        a.emit("to-room", room, "said");
        assert.deepEqual(await settled(a, [b]), [[["said"]]]);
      });

      test("a socket's own id is a room", async (t) => {
        const [a, b, c] = await three(t);
        a.emit("to-room", b.id, "whisper", "psst");
        assert.deepEqual(await settled(a, [a, b, c]), [[], [["whisper", "psst"]], []]);
      });

      test("fetch-sockets answers the sorted ids", async (t) => {
        const [a, b, c] = await three(t);
        const room = freshRoom();
        assert.deepEqual(await ask(a, "fetch-sockets", room), [[]]);
        for (const socket of [c, a, b]) await ask(socket, "join", room);
        assert.deepEqual(await ask(a, "fetch-sockets", room), [[a.id, b.id, c.id].sort()]);
      });

      test("sockets-join and sockets-leave move a room's sockets", async (t) => {
        const [a, b, c] = await three(t);
        const [room, target] = [freshRoom(), freshRoom()];
        await ask(b, "join", room);
        await ask(c, "join", room);
        a.emit("sockets-join", room, target);
        assert.deepEqual(await ask(a, "fetch-sockets", target), [[b.id, c.id].sort()]);
        await ask(c, "leave", room);
        a.emit("sockets-leave", room, target);
        assert.deepEqual(await ask(a, "fetch-sockets", target), [[c.id]]);
        assert.deepEqual(await ask(a, "fetch-sockets", room), [[b.id]]);
      });

      test("disconnect-sockets ends a room's sockets and no other", async (t) => {
        const [a, b, c] = await three(t);
        const room = freshRoom();
        for (const [socket, ...close] of [[b, true], [c]]) {
          await ask(socket, "join", room);
          const ended = next(socket, "disconnect");
          a.emit("disconnect-sockets", room, ...close);
          assert.equal((await ended)[0], "io server disconnect");
          assert.deepEqual(await ask(a, "fetch-sockets", room), [[]]);
        }
        assert.deepEqual(await ask(a, "message-with-ack", "here"), ["here"]);
      });

      test("broadcast-ack gathers every answer", async (t) => {
        const [a, b, c] = await three(t);
        const room = freshRoom();
        for (const [socket, name] of [[b, "b"], [c, "c"]]) {
          await ask(socket, "join", room);
          socket.on("vote", (arg, ack) => ack({ name, arg }));
        }
        const [late, answers] = await ask(a, "broadcast-ack", room, 5_000, "vote", binary);
        assert.equal(late, false);
        assert.deepEqual(
          answers.sort((x, y) => (x.name < y.name ? -1 : 1)),
          [{ name: "b", arg: binary }, { name: "c", arg: binary }],
        );
      });

      test("broadcast-ack gives what it has when the time is over", async (t) => {
        const [a, b, c] = await three(t);
        const room = freshRoom();
        await ask(b, "join", room);
        await ask(c, "join", room);
        b.on("vote", (_, ack) => ack("yes"));
        assert.deepEqual(await ask(a, "broadcast-ack", room, 300, "vote", 1), [true, ["yes"]]);
      });
    });
  }
}

test("broadcast-ack to an empty room answers at once with nothing", async (t) => {
  const a = await open(t, server.url);
  assert.deepEqual(await ask(a, "broadcast-ack", freshRoom(), 60_000, "vote", 1), [false, []]);
});

test("broadcast-ack asks the sender too when it is in the room", async (t) => {
  const a = await open(t, server.url);
  const room = freshRoom();
  await ask(a, "join", room);
  a.on("vote", (arg, ack) => ack(arg + 1));
  assert.deepEqual(await ask(a, "broadcast-ack", room, 5_000, "vote", 1), [false, [2]]);
});

test("a socket that leaves does not hold up the answers for longer than the timeout", async (t) => {
  const [a, b, c] = await openAll(t, server.url, 3);
  const room = freshRoom();
  await ask(b, "join", room);
  await ask(c, "join", room);
  b.on("vote", () => b.disconnect());
  c.on("vote", (_, ack) => ack("stayed"));
  assert.deepEqual(await ask(a, "broadcast-ack", room, 500, "vote", 1), [true, ["stayed"]]);
});

test("one namespace's rooms are not another's", async (t) => {
  const [here] = await openAll(t, server.url, 1);
  const [there] = await openAll(t, server.url, 1, { nsp: "/custom" });
  const [sibling] = await openAll(t, server.url, 1, { nsp: "/dyn-1" });
  const room = freshRoom();
  for (const socket of [here, there, sibling]) await ask(socket, "join", room);
  here.emit("in-room", room, "said", "in /");
  there.emit("in-room", room, "said", "in /custom");
  assert.deepEqual(await settled(here, [here]), [[["said", "in /"]]]);
  assert.deepEqual(await settled(there, [there]), [[["said", "in /custom"]]]);
  assert.deepEqual(await settled(sibling, [sibling]), [[]]);
});

test("messages of one sender reach a room in order, over mixed transports", async (t) => {
  const receivers = await Promise.all(
    ["polling", "websocket", "upgrade"].flatMap((transport) => [
      open(t, server.url, { transport }),
      open(t, server.url, { transport, client: "3.x" }),
    ]),
  );
  const [sender] = await openAll(t, server.url, 1);
  const room = freshRoom();
  for (const socket of receivers) await Promise.all([ask(socket, "join", room), ask(socket, "join", "everyone")]);
  for (let i = 0; i < 500; i++) sender.emit("to-room", room, "tick", i, i % 5 ? "text" : binary);
  const expected = Array.from({ length: 500 }, (_, i) => ["tick", i, i % 5 ? "text" : binary]);
  for (const log of await settled(sender, receivers)) assert.deepEqual(log, expected);
});

test("a room survives its members' coming and going", async (t) => {
  const [a, b] = await openAll(t, server.url, 2);
  const room = freshRoom();
  for (let round = 0; round < 20; round++) {
    await ask(b, "join", room);
    a.emit("to-room", room, "round", round);
    assert.deepEqual(await next(b, "round"), [round]);
    await ask(b, "leave", room);
  }
  assert.deepEqual(await ask(a, "fetch-sockets", room), [[]]);
});
