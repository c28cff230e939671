// The apps on three nodes of the shipped binary: people are paired whatever node they are on, and what the node that keeps
// the rooms had decided outlives it.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ask, create, next } from "../client.mjs";
import { until as holds, within } from "../deadline.mjs";
import { request } from "../polling.mjs";
import { SECRET, token } from "../product/token.mjs";
import { PRODUCT, startServer } from "../server.mjs";
import { keeperOf, met } from "./fleet.mjs";
import { startRedis } from "./parts.mjs";

const PEOPLE = 200;
/** Milliseconds that a keeper may take to be replaced, with time for a busy machine. */
const TAKEOVER_MAX = 15_000;

let redis, nodes;
before(async () => {
  redis = await startRedis();
  const env = { JWT_SECRET: SECRET, REDIS_URL: redis.url, HEARTBEAT_INTERVAL: "500", FAILURE_DETECTION_TIMEOUT: "3000" };
  nodes = await Promise.all([0, 1, 2].map(() => startServer(env, PRODUCT)));
  await met(nodes.map(({ url }) => url), 3);
});
after(async () => {
  for (const node of nodes ?? []) await node.close();
  await redis?.close();
});

/** Somebody in the debates, with every room that they were told of. */
function debater(t, { url }, name) {
  const socket = create(t, url, { nsp: "/debate", auth: { token: token(name, "user") } });
  socket.rooms = new Set();
  socket.on("room:joined", ({ room }, ack) => {
    socket.rooms.add(room);
    ack?.();
  });
  return socket;
}

const until = (what, isSo) => holds(what, isSo, TAKEOVER_MAX, 250);

const stats = async ({ url }) => JSON.parse((await request(url, "/api/stats")).body).apps.debate;

test("everyone meets once and talks, and goes on when the keeper is killed", { timeout: 60_000 }, async (t) => {
  const people = Array.from({ length: PEOPLE }, (_, at) => {
    const node = nodes[at % 3];
    // Those of the first node meet nobody of their own.
    const side = (at % 3 === 2 ? at % 2 : at % 3) === 0 ? "for" : "against";
    return { node, name: `person ${at}`, side, socket: debater(t, node, `person ${at}`) };
  });
  await Promise.all(people.map(({ socket }) => next(socket, "connect")));
  const begun = people.map(({ socket }) => next(socket, "room:active"));
  const answers = await Promise.all(people.map(({ socket, side }) => ask(socket, "queue:join", { topic: "tea", side })));
  assert.ok(answers.every(([{ ok }]) => ok), JSON.stringify(answers.find(([{ ok }]) => !ok)));
  await Promise.all(begun);
  const rooms = new Map();
  for (const person of people) {
    const name = [...person.socket.rooms].join();
    rooms.set(name, [...(rooms.get(name) ?? []), person]);
  }
  assert.equal(rooms.size, PEOPLE / 2);
  for (const members of rooms.values()) assert.equal(members.length, 2);
  assert.ok([...rooms.values()].some(([one, other]) => one.node !== other.node));
  for (const node of nodes) await until("the same numbers everywhere", async () => (await stats(node)).activeRooms === PEOPLE / 2);

  const said = async (among) => {
    const heard = among.map(({ socket }) => new Promise((resolve) => {
      const of = (message) => message.from === "partner" && (socket.off("room:message", of), resolve(message.text));
      socket.on("room:message", of);
    }));
    const sent = await Promise.all(among.map(({ socket, name }) => ask(socket, "room:message", { text: name })));
    assert.ok(sent.every(([{ ok }]) => ok), JSON.stringify(sent.find(([{ ok }]) => !ok)));
    return within(Promise.all(heard), "what partners say");
  };
  const partners = new Map();
  for (const [one, other] of rooms.values()) partners.set(one, other).set(other, one);
  assert.deepEqual(await said(people), people.map((person) => partners.get(person).name));

  const waiting = debater(t, nodes[0], "who waits");
  await next(waiting, "connect");
  const killed = await keeperOf(nodes);
  const staying = people.filter(({ node }) => node !== killed);
  const lonely = killed === nodes[0] ? debater(t, nodes[1], "who waits") : waiting;
  if (lonely !== waiting) await next(lonely, "connect");
  assert.equal((await ask(lonely, "queue:join", { topic: "art", side: "for" }))[0].ok, true);
  await killed.close("SIGKILL");
  nodes = nodes.filter((node) => node !== killed);
  await until("another keeper", async () => {
    const [answer] = await ask(staying[0].socket, "room:typing", { typing: false });
    assert.ok(answer.ok || answer.error.code === "unavailable", JSON.stringify(answer));
    return answer.ok;
  });

  // Whoever was on that node comes back on another, to the same room.
  const moved = people.filter(({ node }) => node === killed);
  for (const [at, person] of moved.entries()) {
    person.before = [...person.socket.rooms];
    person.node = nodes[at % 2];
    person.socket = debater(t, person.node, person.name);
  }
  await Promise.all(moved.map(({ socket }) => next(socket, "room:joined", TAKEOVER_MAX)));
  for (const { socket, before } of moved) assert.deepEqual([...socket.rooms], before);
  for (const { socket } of staying) {
    assert.equal(socket.rooms.size, 1);
    assert.ok(!socket.log.some(([event]) => event === "room:ended"));
  }
  assert.deepEqual(await said(people), people.map((person) => partners.get(person).name));
  for (const node of nodes) await until("no room lost", async () => (await stats(node)).activeRooms === PEOPLE / 2);

  // Whoever waited still does.
  const late = debater(t, nodes[0], "who comes late");
  await next(late, "connect");
  const meet = [lonely, late].map((socket) => next(socket, "room:active"));
  assert.equal((await ask(late, "queue:join", { topic: "art", side: "against" }))[0].ok, true);
  await Promise.all(meet);
  assert.deepEqual([...lonely.rooms], [...late.rooms]);
});
