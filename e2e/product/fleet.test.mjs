// The shipped binary as a fleet: two nodes on one Redis with a password, what an operator sees of them, and what other
// programs publish.

import assert from "node:assert/strict";
import path from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { ended, spawn } from "../children.mjs";
import { create, next } from "../client.mjs";
import { until as holds, within } from "../deadline.mjs";
import { met } from "../fleet/fleet.mjs";
import { startRedis } from "../fleet/parts.mjs";
import { request } from "../polling.mjs";
import { PRODUCT, startServer } from "../server.mjs";
import { SECRET, token } from "./token.mjs";

const PASSWORD = "hunter2-of-this-test";
const KEY = "a key of a server of thirty-two bytes";
/** Milliseconds for what is looked at every second. */
const SEEN_MAX = 15_000;

let redis, nodes;
before(async () => {
  redis = await startRedis(PASSWORD);
  const env = { JWT_SECRET: SECRET, THRONG_PUBLISH_KEYS: KEY, REDIS_URL: redis.url, HEARTBEAT_INTERVAL: "500" };
  nodes = [await startServer(env, PRODUCT), await startServer(env, PRODUCT)];
  await met(nodes.map((node) => node.url), 2);
});
after(async () => {
  for (const node of nodes ?? []) assert.equal(await node.close(), 0);
  await redis?.close();
});

async function asked(url, path, bearer = token("olga", "operator")) {
  const { status, body } = await request(url, path, { headers: { authorization: `Bearer ${bearer}` } });
  return [status, JSON.parse(body)];
}

async function publish(url, message, headers = {}) {
  const answer = await fetch(`${url}/api/publish`, {
    method: "POST",
    headers: { authorization: `Bearer ${KEY}`, "content-type": "application/json", ...headers },
    body: JSON.stringify(message),
  });
  return [answer.status, await answer.json(), answer.headers.get("idempotency-replayed")];
}

/** The state of the backbone, and the whole answer's status. */
async function backbone(url) {
  const { status, body } = await request(url, "/api/health/comprehensive");
  return [status, JSON.parse(body).parts.find(({ name }) => name === "backbone")];
}

const until = (what, isSo) => holds(what, isSo, SEEN_MAX, 250);

test("the log says where the fleet meets and how many there are, and no secret", async () => {
  const listening = nodes.map((node) => node.log().split("\n").find((line) => line.includes('"listening"')));
  const said = listening.map(JSON.parse).map(({ backbone, members }) => [backbone, members]);
  const place = redis.url.replace(`:${PASSWORD}@`, "");
  assert.deepEqual(said, [[place, 1], [place, 2]]);
  for (const node of nodes) {
    for (const secret of [PASSWORD, SECRET, KEY]) assert.ok(!node.log().includes(secret), node.log());
  }
});

test("each node lists both with their load", async (t) => {
  const socket = create(t, nodes[1].url, { nsp: "/debate" });
  await next(socket, "connect");
  const list = async (url) => (await asked(url, "/api/admin/members"))[1].members;
  await until("the load of the other node", async () => {
    const other = (await list(nodes[0].url)).find((member) => !member.this);
    return other?.load.connections > 0 && other.load.memoryBytes > 1e6;
  });
  for (const { url } of nodes) {
    const members = await list(url);
    assert.equal(members.length, 2);
    assert.equal(members.filter((member) => member.this).length, 1);
    assert.equal(new Set(members.map(({ address }) => address)).size, 2);
    for (const member of members) {
      assert.match(member.version, /^\d+\.\d+\.\d+/);
      assert.equal(member.draining, false);
      assert.ok(member.load.capacity > 0 && member.load.cpu >= 0 && member.load.cpu <= 1, JSON.stringify(member));
    }
  }
  assert.equal((await asked(nodes[0].url, "/api/admin/members", token("ada", "moderator")))[0], 403);
});

test("what is published at one node is heard on both, and once", async (t) => {
  const sockets = nodes.map(({ url }) => create(t, url, { nsp: "/debate" }));
  await Promise.all(sockets.map((socket) => next(socket, "connect")));
  const heard = sockets.map((socket) => next(socket, "end"));
  const news = { namespace: "/debate", event: "news", arguments: [{ at: "noon" }] };
  const key = { "idempotency-key": "a retried request" };
  assert.deepEqual(await publish(nodes[0].url, news, key), [202, { ok: true, messages: 1 }, null]);
  assert.deepEqual(await publish(nodes[1].url, news, key), [202, { ok: true, messages: 1 }, "true"]);
  assert.deepEqual(await publish(nodes[0].url, [{ namespace: "/debate", event: "end" }]), [202, { ok: true, messages: 1 }, null]);
  await Promise.all(heard);
  for (const { log } of sockets) assert.deepEqual(log.filter(([event]) => event === "news"), [["news", { at: "noon" }]]);
  const user = { authorization: `Bearer ${token("ada", "user")}` };
  assert.equal((await publish(nodes[0].url, news, user))[0], 403);
});

test("without Redis a node is degraded and alive, and its own sockets are served", { timeout: 60_000 }, async (t) => {
  const [status, well] = await backbone(nodes[0].url);
  assert.deepEqual([status, well.status], [200, "ok"]);
  assert.ok(well.latencyMillis > 0 && well.latencyMillis < 1000, JSON.stringify(well));
  const socket = create(t, nodes[0].url, { nsp: "/debate" });
  await next(socket, "connect");
  await redis.crash();
  await until("the loss of Redis", async () => (await backbone(nodes[0].url))[1].status === "degraded");
  assert.equal((await backbone(nodes[0].url))[0], 200);
  for (const path of ["/health", "/ready"]) assert.equal((await request(nodes[0].url, path)).status, 200);
  const heard = next(socket, "still here");
  const message = { namespace: "/debate", event: "still here" };
  assert.equal((await publish(nodes[0].url, message))[0], 202);
  await heard;
  const [refused, { error }] = await publish(nodes[0].url, message, { "idempotency-key": "unknown" });
  assert.deepEqual([refused, error.code], [503, "unavailable"]);
  await redis.restart();
  for (const { url } of nodes) {
    await until("the return of Redis", async () => (await backbone(url))[1].status === "ok");
  }
  await met(nodes.map((node) => node.url), 2);
});

test("a node that leaves is known to be gone", async () => {
  const { url } = nodes[0];
  assert.equal(await nodes.pop().close(), 0);
  await met([url], 1);
  assert.equal((await asked(url, "/api/admin/members"))[1].members.length, 1);
});

test("a login that Redis refuses ends the start at once, with a code of its own", async () => {
  const wrong = "wrong-password";
  const env = { ...process.env, PORT: "0", REDIS_URL: redis.url.replace(PASSWORD, wrong) };
  const program = path.resolve(fileURLToPath(import.meta.url), "../..", PRODUCT.program);
  const child = spawn(program, PRODUCT.args, { env, stdio: ["ignore", "pipe", "pipe"] });
  const code = await ended(child);
  assert.equal(code, 77, child.output);
  assert.match(child.output, /throng: cannot join the other nodes: the store at 127\.0\.0\.1:\d+ refuses the login/);
  assert.ok(!child.output.includes(wrong), child.output);
});
