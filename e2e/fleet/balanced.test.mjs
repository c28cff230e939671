// Clients behind a balancer that hands each request to the next node: none can tell the fleet from one server.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { CLIENTS, ask, next, open } from "../client.mjs";
import { PollingSession, request } from "../polling.mjs";
import { startFleet } from "./fleet.mjs";

const REQUESTS_MIN = 4_000;

let fleet;
before(async () => (fleet = await startFleet()));
after(() => fleet.close());

/** Asserts that nginx saw no error since `from`, and gives what it saw. */
async function clean(from = 0) {
  const seen = (await fleet.proxy.requests()).slice(from);
  const errors = seen.filter(({ status }) => status !== 200 && status !== 101);
  assert.deepEqual(errors, []);
  return seen;
}

test("thousands of polling requests go to any node, and none of them fails", { timeout: 60_000 }, async (t) => {
  const clients = await Promise.all(Array.from({ length: 40 }, () => open(t, fleet.url, { transport: "polling" })));
  const binary = Buffer.from([0, 1, 255]);
  for (let round = 0; round < 60; round++) {
    const answers = await Promise.all(clients.map((client, at) => ask(client, "message-with-ack", round, at, binary)));
    answers.forEach((answer, at) => assert.deepEqual(answer, [round, at, binary]));
  }
  const seen = await clean();
  t.diagnostic(`${seen.length} requests`);
  assert.ok(seen.length >= REQUESTS_MIN, `${seen.length} requests`);
  for (const node of fleet.nodes.keys()) {
    const share = seen.filter((request) => request.node === node).length / seen.length;
    assert.ok(share > 0.3 && share < 0.37, `node ${node} took ${share} of them`);
  }
  // A session's own node took a third of its requests, the others were forwarded.
  const nodes = new Map();
  for (const { query, node } of seen) {
    const [, sid] = /sid=([^&]+)/.exec(query) ?? [];
    if (sid) nodes.set(sid, (nodes.get(sid) ?? new Set()).add(node));
  }
  assert.deepEqual([...nodes.values()].map(({ size }) => size), clients.map(() => 3));
});

for (const client of Object.keys(CLIENTS)) {
  test(`client ${client} is upgraded while it talks`, async (t) => {
    const from = (await fleet.proxy.requests()).length;
    const sockets = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const socket = await open(t, fleet.url, { client, transport: "upgrade" });
        assert.equal(socket.io.engine.transport.name, "websocket");
        return socket;
      }),
    );
    for (const [at, socket] of sockets.entries()) {
      for (let i = 0; i < 50; i++) socket.emit("message", at, i);
      assert.deepEqual(await ask(socket, "message-with-ack", "last"), ["last"]);
      const back = socket.log.filter(([event]) => event === "message-back").map(([, , i]) => i);
      assert.deepEqual(back, Array.from({ length: 50 }, (_, i) => i));
    }
    await clean(from);
  });

  test(`client ${client} needs nothing but WebSocket`, async (t) => {
    const sockets = await Promise.all(Array.from({ length: 20 }, () => open(t, fleet.url, { client })));
    for (const [at, socket] of sockets.entries()) {
      assert.deepEqual(await ask(socket, "message-with-ack", at, Buffer.alloc(100_000, at)), [at, Buffer.alloc(100_000, at)]);
    }
  });
}

test("messages posted one by one keep their order, whichever node each goes to", async () => {
  const session = await PollingSession.start(fleet.url);
  await session.join();
  const got = [];
  for (let i = 0; i < 200; i++) await session.post(`42["message",${i}]`);
  while (got.length < 200) {
    const { status, body } = await session.poll();
    assert.equal(status, 200);
    got.push(...body.split("\x1e").filter((packet) => packet.startsWith("42")));
  }
  assert.deepEqual(got, Array.from({ length: 200 }, (_, i) => `42["message-back",${i}]`));
});

test("a session that nobody has is unknown to every node", async () => {
  for (const sid of ["AAAAAAAAAAAAAAAAAAAA", "nonsense"]) {
    for (const { url } of fleet.nodes) {
      const { status, body } = await request(url, `/socket.io/?EIO=4&transport=polling&sid=${sid}`);
      assert.deepEqual([status, JSON.parse(body).message], [400, "Session ID unknown"]);
    }
  }
});

describe("when a session ends", () => {
  for (const transport of ["polling", "websocket", "upgrade"]) {
    test(`the client hears of it over ${transport}`, async (t) => {
      const socket = await open(t, fleet.url, { transport });
      const ended = next(socket, "disconnect");
      socket.emit("kick", true);
      assert.equal((await ended)[0], "io server disconnect");
    });

    test(`others hear that the client left over ${transport}`, async (t) => {
      const [leaving, watching] = [await open(t, fleet.url, { transport }), await open(t, fleet.url)];
      await ask(watching, "join", "watchers");
      const [{ id }, heard] = [leaving, next(watching, "peer-disconnect")];
      leaving.disconnect();
      assert.deepEqual(await heard, [id, "client namespace disconnect"]);
    });
  }
});
