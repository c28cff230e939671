// Sockets on different nodes, with the published client: everything that can be done to many sockets is done to all.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { NAMESPACES, ask, freshRoom, next, open, settled } from "../client.mjs";
import { startFleet } from "./fleet.mjs";

let fleet;
before(async () => (fleet = await startFleet()));
after(() => fleet.close());

const binary = Buffer.from([0, 1, 2, 255]);

/** A socket on each node, in the room `everyone`. */
async function each(t, options) {
  const sockets = await Promise.all(fleet.nodes.map((node) => open(t, node.url, options)));
  await Promise.all(sockets.map((socket) => ask(socket, "join", "everyone")));
  return sockets;
}

for (const [nsp, auth] of Object.entries({ ...NAMESPACES, "/dyn-7": {} })) {
  const three = (t) => each(t, { nsp, auth });

  test(`rooms and exceptions, namespace ${nsp}`, async (t) => {
    const [a, b, c] = await three(t);
    const room = freshRoom();
    for (const socket of [a, b]) await ask(socket, "join", room);
    a.emit("to-room", room, "to", 1, { binary });
    a.emit("in-room", room, "in");
    c.emit("except-room", room, "except");
    assert.deepEqual(await settled(a, [a, b]), [[["in"]], [["to", 1, { binary }], ["in"]]]);
    assert.deepEqual(await settled(c, [a, b, c]), [[["in"]], [["to", 1, { binary }], ["in"]], [["except"]]]);
    await ask(b, "leave", room);
    a.emit("broadcast", "others");
    a.emit("in-room", room, "left");
    const [, atB, atC] = await settled(a, [a, b, c]);
    assert.deepEqual([atB.slice(2), atC.slice(1)], [[["others"]], [["others"]]]);
  });

  test(`one socket by its id, namespace ${nsp}`, async (t) => {
    const [a, b, c] = await three(t);
    a.emit("to-room", b.id, "whisper", binary);
    assert.deepEqual(await settled(a, [a, b, c]), [[], [["whisper", binary]], []]);
  });

  test(`sockets are found, moved and ended, namespace ${nsp}`, async (t) => {
    const [a, b, c] = await three(t);
    const [room, target] = [freshRoom(), freshRoom()];
    for (const socket of [b, c]) await ask(socket, "join", room);
    assert.deepEqual(await ask(a, "fetch-sockets", room), [[b.id, c.id].sort()]);
    a.emit("sockets-join", room, target);
    assert.deepEqual(await ask(a, "fetch-sockets", target), [[b.id, c.id].sort()]);
    await ask(c, "leave", room);
    a.emit("sockets-leave", room, target);
    assert.deepEqual(await ask(a, "fetch-sockets", target), [[c.id]]);
    const ended = next(c, "disconnect");
    a.emit("disconnect-sockets", target, true);
    assert.equal((await ended)[0], "io server disconnect");
    assert.deepEqual(await ask(a, "fetch-sockets", target), [[]]);
    assert.deepEqual(await ask(b, "message-with-ack", "here"), ["here"]);
  });

  test(`broadcasts are acknowledged, namespace ${nsp}`, async (t) => {
    const sockets = await three(t);
    const [a, b, c] = sockets;
    const room = freshRoom();
    for (const [at, socket] of sockets.entries()) {
      await ask(socket, "join", room);
      if (socket !== c) socket.on("vote", (arg, ack) => ack({ at, arg }));
    }
    const sorted = (answers) => answers.sort((one, other) => one.at - other.at);
    const two = [{ at: 0, arg: binary }, { at: 1, arg: binary }];
    const [late, some] = await ask(b, "broadcast-ack", room, 300, "vote", binary);
    assert.deepEqual([late, sorted(some)], [true, two]);
    c.on("vote", (arg, ack) => ack({ at: 2, arg }));
    const [never, all] = await ask(a, "broadcast-ack", room, 8_000, "vote", binary);
    assert.deepEqual([never, sorted(all)], [false, [...two, { at: 2, arg: binary }]]);
  });

  test(`server-side events are heard and answered, namespace ${nsp}`, async (t) => {
    const [a, b, c] = await three(t);
    const heard = [b, c].map((socket) => next(socket, "sse-received"));
    a.emit("server-side-emit", "sse", "hello", 1);
    assert.deepEqual(await Promise.all(heard), [["hello", 1], ["hello", 1]]);
    const [error, answers] = await ask(a, "server-side-emit-ack", "sse-ack", { x: 1 });
    const ports = fleet.nodes.slice(1).map((node) => node.port).sort();
    assert.equal(error, null);
    assert.deepEqual(answers.map(({ port }) => port).sort(), ports);
    assert.ok(answers.every(({ arg }) => arg.x === 1));
    const [unheard, none] = await ask(a, "server-side-emit-ack", "nobody listens", 1);
    assert.deepEqual([unheard, none], ["2 servers did not answer", []]);
    assert.deepEqual(await settled(a, [a]), [[]]);
  });
}

test("a room's messages arrive in the order of their sender, on every node and over every transport", async (t) => {
  const receivers = await Promise.all(
    fleet.nodes.flatMap((node) => ["polling", "websocket", "upgrade"].map((transport) => open(t, node.url, { transport }))),
  );
  const [sender] = await each(t);
  const room = freshRoom();
  for (const socket of receivers) await Promise.all([ask(socket, "join", room), ask(socket, "join", "everyone")]);
  for (let i = 0; i < 500; i++) sender.emit("to-room", room, "tick", i);
  const expected = Array.from({ length: 500 }, (_, i) => ["tick", i]);
  for (const log of await settled(sender, receivers)) assert.deepEqual(log, expected);
});

test("whoever has heard that it joined misses nothing", async (t) => {
  const [a, b, c] = await each(t);
  for (let round = 0; round < 50; round++) {
    const room = freshRoom();
    await Promise.all([ask(b, "join", room), ask(c, "join", room)]);
    const heard = [b, c].map((socket) => next(socket, "round"));
    a.emit("to-room", room, "round", round);
    assert.deepEqual(await Promise.all(heard), [[round], [round]]);
    await ask(b, "leave", room);
  }
});
