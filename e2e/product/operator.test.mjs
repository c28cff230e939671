// What an operator runs against the shipped binary: a real Prometheus, promtool, and the routes' own description tried by
// schemathesis.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { end, ended, spawn } from "../children.mjs";
import { create, next } from "../client.mjs";
import { within } from "../deadline.mjs";
import { startRedis } from "../fleet/parts.mjs";
import { request } from "../polling.mjs";
import { PRODUCT, startServer } from "../server.mjs";
import { SECRET, token } from "./token.mjs";

const PROMETHEUS = ".prometheus/usr/bin";
const SCHEMATHESIS = ".venv/bin/schemathesis";

/** Milliseconds for a program of an operator to do its work. */
const PROGRAM_MAX = 100_000;

// With a Redis, so that what there is of a fleet is looked at too.
let redis, server;
before(async () => {
  for (const program of [`${PROMETHEUS}/prometheus`, `${PROMETHEUS}/promtool`, SCHEMATHESIS]) {
    if (!existsSync(program)) throw new Error(`There is no ${program}: scripts/setup fetches it.`);
  }
  redis = await startRedis();
  server = await startServer({ JWT_SECRET: SECRET, REDIS_URL: redis.url }, PRODUCT);
});
after(async () => {
  assert.equal(await server?.close(), 0);
  await redis?.close();
});

/** Runs a program to its end, with text for it to read; gives its exit code and what it said. */
async function run(program, args, input = "") {
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] });
  child.stdin.end(input);
  return { code: await ended(child, PROGRAM_MAX), output: child.output };
}

for (const page of ["/metrics", "/tenant-metrics"]) {
  test(`promtool finds nothing wrong with ${page}`, async () => {
    const { body } = await request(server.url, page);
    const { code, output } = await run(`${PROMETHEUS}/promtool`, ["check", "metrics"], body);
    assert.deepEqual([code, output], [0, ""]);
  });
}

test("a real Prometheus scrapes both pages and knows the numbers", async (t) => {
  const socket = create(t, server.url, { transport: "websocket", nsp: "/debate" });
  await next(socket, "connect");
  const folder = await mkdtemp(path.join(os.tmpdir(), "throng-prometheus-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const job = (name, page) => ({
    job_name: name,
    metrics_path: page,
    static_configs: [{ targets: [new URL(server.url).host] }],
  });
  const config = path.join(folder, "prometheus.yml");
  const jobs = [job("node", "/metrics"), job("tenants", "/tenant-metrics")];
  // JSON is YAML.
  await writeFile(config, JSON.stringify({ global: { scrape_interval: "200ms" }, scrape_configs: jobs }));
  const args = [`--config.file=${config}`, `--storage.tsdb.path=${folder}/data`, "--web.listen-address=127.0.0.1:0"];
  const prometheus = spawn(`${PROMETHEUS}/prometheus`, args, { stdio: ["ignore", "ignore", "pipe"] });
  t.after(() => end(prometheus, "SIGTERM"));
  const listening = new Promise((resolve) => {
    prometheus.stderr.on("data", () => {
      const found = /msg="Listening on" address=(127\.0\.0\.1:\d+)/.exec(prometheus.output);
      if (found) resolve(`http://${found[1]}`);
    });
  });
  const gone = prometheus.gone.then(() => Promise.reject(new Error(`Prometheus ended:\n${prometheus.output}`)));
  const api = await within(Promise.race([listening, gone]), "Prometheus's address", 20_000);
  gone.catch(() => {});

  const pause = () => new Promise((resolve) => setTimeout(resolve, 100));
  const ready = async () => {
    while ((await request(api, "/-/ready")).status !== 200) await pause();
  };
  await within(ready(), "Prometheus's readiness", 20_000);
  const ask = async (path) => JSON.parse((await request(api, `/api/v1/${path}`)).body).data;
  const value = async (query) => (await ask(`query?query=${encodeURIComponent(query)}`)).result[0]?.value[1];
  const until = async (query, expected) => {
    while ((await value(query)) !== expected) await pause();
  };
  for (const [query, expected] of [
    ['sum(up{job=~"node|tenants"})', "2"],
    ['throng_sessions{transport="websocket"}', "1"],
    ["waiter_connected_clients", "1"],
    ["waiter_total_sockets", "1"],
    ["waiter_total_rooms", "0"],
    ["throng_handshake_duration_seconds_count", "1"],
    ['throng_tenant_sockets{tenant="default"}', "1"],
    ["process_open_fds > bool 0", "1"],
  ]) {
    await within(until(query, expected), `${query} = ${expected}`, 15_000);
  }
  for (const target of (await ask("targets")).activeTargets) assert.equal(target.lastError, "");
});

test("an operator changes what is logged", async () => {
  const headers = { authorization: `Bearer ${token("olga", "admin")}`, "content-type": "application/json" };
  const log = async (filter) => {
    const change = filter && { method: "PUT", body: JSON.stringify({ filter }) };
    const answer = await fetch(`${server.url}/api/admin/log`, { headers, ...change });
    return [answer.status, await answer.json()];
  };
  assert.deepEqual(await log("warn,throng_node=debug"), [200, { ok: true }]);
  const [status, { filter }] = await log();
  assert.equal(status, 200);
  assert.match(filter, /throng_node=debug/);
  assert.equal((await log("loud"))[0], 422);
});

test("the routes do what their description says, whatever is sent to them", { timeout: 120_000 }, async () => {
  const authorization = `Bearer ${token("olga", "admin")}`;
  // Else most of what is tried would be refused for coming too fast.
  const unlimited = await fetch(`${server.url}/api/admin/limits`, {
    method: "PUT",
    headers: { authorization, "content-type": "application/json" },
    body: JSON.stringify({ class: "api", rate: null }),
  });
  assert.equal(unlimited.status, 200, await unlimited.text());
  const checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";
  const args = ["run", `${server.url}/api/openapi.json`, "--no-color", "--header", `Authorization: ${authorization}`];
  // A drain would end the server, and a limit would refuse what comes after.
  args.push("--exclude-operation-id", "start_drain", "--exclude-operation-id", "change_limit");
  args.push("--phases", "examples,coverage,fuzzing", "--checks", checks, "--max-examples", "15", "--seed", "1");
  args.push("--generation-database", "none", "--max-time", "55");
  const { code, output } = await run(SCHEMATHESIS, args);
  assert.equal(code, 0, output);
});
