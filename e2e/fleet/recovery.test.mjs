// Clients that lose their connection, with the published client and a real Redis: they come back to the same node, to another
// one, or after their node was killed, with everything or with nothing.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ask, create, freshRoom, next, open, settled } from "../client.mjs";
import { until, within } from "../deadline.mjs";
import { ask as say } from "../faults/resp.mjs";
import { startServer } from "../server.mjs";
import { met } from "./fleet.mjs";
import { startRedis } from "./parts.mjs";

/** Milliseconds that clients may be away. */
const WINDOW = 60_000;

/** Milliseconds in which what clients may recover is kept. */
const KEPT_MAX = 60_000;

/** Messages of a room that are kept, by default. */
const KEPT = 1_000;

let redis, nodes;
const start = () => startServer({ REDIS_URL: redis.url, RECOVERY: `${WINDOW}` });
before(async () => {
  redis = await startRedis();
  nodes = await Promise.all([start(), start(), start()]);
  await met(nodes.map(({ url }) => url), 3);
});
after(async () => {
  await Promise.all(nodes.map((node) => node.close()));
  await redis.close();
});

/** Breaks a client's connection as a network does, without a word to the server. */
async function cut(socket) {
  const lost = next(socket, "disconnect");
  socket.io.engine.transport.ws.terminate();
  assert.equal((await lost)[0], "transport close");
}

/** Has a client come back to a node. */
async function comeBack(socket, { url }) {
  const connected = next(socket, "connect");
  socket.io.uri = url;
  socket.connect();
  await connected;
}

/** The numbers of the ticks that a client has heard, without the position that comes with each. */
const ticks = (socket) => socket.log.filter(([event]) => event === "tick").map(([, number]) => number);

/** Waits until a client has heard so many ticks. */
function heard(socket, count) {
  const all = new Promise((resolve) => {
    const look = () => ticks(socket).length >= count && resolve();
    socket.onAny(look);
    look();
  });
  return within(all, `${count} ticks`);
}

const range = (from, to) => Array.from({ length: to - from }, (_, i) => from + i);

/** A client in two rooms with data, which has heard three ticks of a sender; and a witness in the same rooms. */
async function settle(t, node, sender, options) {
  const [socket, witness] = [await open(t, node.url, options), await open(t, nodes[0].url)];
  const rooms = [freshRoom(), freshRoom()];
  for (const room of rooms) for (const member of [witness, socket]) await ask(member, "join", room);
  await ask(socket, "remember", { name: "Ada", at: [1, 2] });
  for (const number of range(0, 3)) sender.emit("to-room", rooms[0], "tick", number);
  await Promise.all([socket, witness].map((member) => heard(member, 3)));
  return { socket, witness, rooms, id: socket.id };
}

/** Asserts that a client is who it was, has heard all ticks in order and once, and hears what comes. */
async function isWhole({ socket, rooms, id }, sender, count) {
  assert.equal(socket.recovered, true);
  assert.equal(socket.id, id);
  const [who] = await ask(socket, "whoami");
  assert.deepEqual([who.id, who.recovered, who.rooms], [id, true, [id, ...rooms].sort()]);
  assert.deepEqual(await ask(socket, "recall"), [{ name: "Ada", at: [1, 2] }]);
  sender.emit("to-room", rooms[1], "tick", count);
  await heard(socket, count + 1);
  assert.deepEqual(ticks(socket), range(0, count + 1));
}

/** Has a sender speak to a client that is away, over both of its rooms in turn and to nobody in particular. */
async function speak(sender, { rooms, witness }, from, to) {
  for (const number of range(from, to)) {
    sender.emit("to-room", rooms[number % 2], "tick", number);
    sender.emit("to-room", freshRoom(), "tick", "not for this one");
    // Events of different rooms are told in the order of sending, by the clock, once the store has them: one at a time.
    await heard(witness, number + 1);
  }
}

for (const [where, at] of [["the same node", 0], ["another node", 1]]) {
  for (const transport of ["websocket", "upgrade"]) {
    test(`whoever comes back to ${where} has missed nothing, ${transport}`, async (t) => {
      const sender = await open(t, nodes[2].url);
      const client = await settle(t, nodes[0], sender, { transport });
      await cut(client.socket);
      await speak(sender, client, 3, 40);
      await comeBack(client.socket, nodes[at]);
      await isWhole(client, sender, 40);
    });
  }
}

test("whoever comes back again and again has missed nothing", async (t) => {
  const sender = await open(t, nodes[2].url);
  const client = await settle(t, nodes[0], sender);
  for (const round of range(0, 6)) {
    await cut(client.socket);
    await speak(sender, client, 3 + 10 * round, 12 + 10 * round);
    await comeBack(client.socket, nodes[(round + 1) % 3]);
    await isWhole(client, sender, 12 + 10 * round);
  }
});

for (const [where, at] of [["the same node", 0], ["another node", 1]]) {
  test(`whoever has heard nothing yet recovers on ${where}`, async (t) => {
    const socket = create(t, nodes[0].url);
    const connected = new Promise((resolve) => {
      socket.once("connect", () => {
        resolve(socket.id);
        socket.io.engine.close();
      });
    });
    const id = await within(connected, "connect");
    // A greeting that came right behind would be handed on at the next connect: here it is one that never came.
    socket.receiveBuffer = [];
    assert.deepEqual([socket.connected, socket.log], [false, []]);
    await comeBack(socket, nodes[at]);
    assert.deepEqual([socket.recovered, socket.id], [true, id]);
    // The greeting that it missed, and the one of now.
    await ask(socket, "whoami");
    assert.deepEqual(socket.log.map(([event]) => event), ["auth", "auth"]);
  });
}

test("whoever has missed too much starts afresh, with nothing of what was", async (t) => {
  const [sender, other] = [await open(t, nodes[2].url), await open(t, nodes[1].url)];
  const { socket, rooms, id } = await settle(t, nodes[0], sender);
  await ask(other, "join", rooms[0]);
  await cut(socket);
  for (const number of range(0, KEPT + 1)) sender.emit("to-room", rooms[0], "tick", number);
  await heard(other, KEPT + 1);
  await comeBack(socket, nodes[1]);
  assert.equal(socket.recovered, false);
  assert.notEqual(socket.id, id);
  const [who] = await ask(socket, "whoami");
  assert.deepEqual([who.recovered, who.rooms], [false, [socket.id]]);
  assert.deepEqual(await ask(socket, "recall"), [null]);
  await ask(socket, "join", rooms[0]);
  sender.emit("to-room", rooms[0], "tick", "now");
  await heard(socket, 4);
  assert.deepEqual(ticks(socket), [0, 1, 2, "now"]);
});

test("whoever was disconnected by the server, or left, starts afresh", async (t) => {
  const sender = await open(t, nodes[2].url);
  for (const leave of [(socket) => socket.emit("kick"), (socket) => socket.disconnect()]) {
    const { socket, rooms, id } = await settle(t, nodes[0], sender);
    const ended = next(socket, "disconnect");
    leave(socket);
    await ended;
    // A client that leaves knows of it before its node does.
    const members = async () => (await ask(sender, "fetch-sockets", rooms[0]))[0];
    await until("the nodes know of it", async () => !(await members()).includes(id));
    await comeBack(socket, nodes[1]);
    assert.equal(socket.recovered, false);
    assert.notEqual(socket.id, id);
    assert.deepEqual((await ask(socket, "whoami"))[0].rooms, [socket.id]);
  }
});

/** Has clients talk on some nodes of a fleet; gives a function that says what is kept of them in its Redis, by kinds of keys. */
async function talk(t, { url }, nodes) {
  const sockets = await Promise.all(nodes.map((node) => open(t, node.url)));
  const room = freshRoom();
  for (const socket of sockets) for (const name of [room, "everyone"]) await ask(socket, "join", name);
  sockets[0].emit("in-room", room, "tick", 1);
  for (const log of await settled(sockets[0], sockets)) assert.equal(log[0][0], "tick");
  return async () => {
    const keys = await say(new URL(url).port, "KEYS *");
    const kinds = new Set(keys.map((key) => key.split(":")[2]));
    assert.ok(kinds.has("members"), "the nodes say that they are there");
    return ["session", "stream", "top"].filter((kind) => kinds.has(kind));
  };
}

test("where clients may not recover, nothing of them is kept", async (t) => {
  const kept = await talk(t, redis, nodes);
  await until("all of it, where they may", async () => (await kept()).length === 3, KEPT_MAX, 50);
  const another = await startRedis();
  const others = await Promise.all([1, 2].map(() => startServer({ REDIS_URL: another.url })));
  t.after(async () => {
    await Promise.all(others.map((node) => node.close()));
    await another.close();
  });
  await met(others.map((node) => node.url), others.length);
  const keptOfOthers = await talk(t, another, others);
  assert.deepEqual(await keptOfOthers(), []);
});

// The last: who asks all nodes waits for one that was killed, until it counts as dead.
test("whoever was on a node that is killed goes on at another", async (t) => {
  const doomed = await start();
  await met([...nodes, doomed].map(({ url }) => url), 4);
  const sender = await open(t, nodes[2].url);
  const clients = await Promise.all(range(0, 20).map(() => settle(t, doomed, sender)));
  const lost = clients.map(({ socket }) => next(socket, "disconnect"));
  assert.equal(await doomed.close("SIGKILL"), "SIGKILL");
  await Promise.all(lost);
  for (const client of clients) await speak(sender, client, 3, 8);
  await Promise.all(clients.map(({ socket }, at) => comeBack(socket, nodes[at % 3])));
  for (const client of clients) await isWhole(client, sender, 8);
});
