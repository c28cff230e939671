// Redis as fleets meet it, real servers on free ports: alone, behind sentinels, as a cluster. What happens to them is up to the
// scenarios; `env` is how a node is told where they are, the fixture or the shipped binary.

import { mkdtemp, readdir, rm, stat, truncate, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { until as holds } from "../deadline.mjs";
import { REDIS, freePort, onFreePort, start } from "../fleet/parts.mjs";
import { ask, askRaw } from "./resp.mjs";

/** Milliseconds that servers have to agree with each other. */
const AGREE_MAX = 60_000;

const SLOTS = 16_384;

/** Asks until it is so. */
export const until = (what, isSo, ms = AGREE_MAX) => holds(what, isSo, ms, 50);

/** One server with a folder of its own. */
class Server {
  static async start(...options) {
    const folder = await mkdtemp(path.join(os.tmpdir(), "throng-redis-"));
    const server = new Server();
    server.folder = folder;
    await onFreePort(async (port) => {
      server.port = port;
      server.args = ["--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", folder, ...options].map(String);
      server.process = await start(REDIS, server.args, port);
    });
    return server;
  }

  ask(command) {
    return ask(this.port, command);
  }

  crash() {
    return this.process.kill("SIGKILL");
  }

  async restart() {
    this.process = await start(REDIS, this.args, this.port);
    // It takes connections before it has read what it had.
    await until("a server that has read its data", () => this.ask("PING").then((pong) => pong === "PONG", () => false));
  }

  /** Loses the last bytes that a server which has ended had written, as a slow disk does. */
  async loseEnd(bytes) {
    const folder = path.join(this.folder, "appendonlydir");
    const file = (await readdir(folder)).find((name) => name.endsWith(".incr.aof"));
    const written = path.join(folder, file);
    await truncate(written, Math.max(0, (await stat(written)).size - bytes));
  }

  pause() {
    this.process.signal("SIGSTOP");
  }

  resume() {
    this.process.signal("SIGCONT");
  }

  /** Takes nothing from its primary any more: it knocks with a login that nobody has. */
  async part() {
    await this.ask("CONFIG SET masterauth unknown");
    await this.ask("CLIENT KILL TYPE master");
  }

  async close() {
    await this.process.kill("SIGKILL");
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** One server, which finds what it had after a crash where `keeps` says so. */
export async function startSingle({ keeps = false } = {}) {
  const server = await Server.start("--appendonly", keeps ? "yes" : "no");
  return { server, env: { REDIS_URL: `redis://127.0.0.1:${server.port}` }, close: () => server.close() };
}

/** A primary with a replica, and three sentinels that miss it after `missedMs`. */
export async function startSentinels({ missedMs }) {
  const primary = await Server.start();
  const replica = await Server.start("--replicaof", `127.0.0.1 ${primary.port}`, "--repl-diskless-sync-delay", "0");
  const sentinels = await Promise.all([0, 1, 2].map(() => startSentinel(primary.port, missedMs)));
  await until("sentinels that know each other", async () => {
    const known = await Promise.all(sentinels.map(({ port }) => ask(port, "SENTINEL SENTINELS service")));
    const replicas = await Promise.all(sentinels.map(({ port }) => ask(port, "SENTINEL REPLICAS service")));
    return known.every(({ length }) => length === 2) && replicas.every(({ length }) => length === 1);
  });
  await until("a replica", async () => (await replica.ask("INFO replication")).includes("master_link_status:up"));
  return {
    primary,
    replica,
    env: { REDIS_SENTINELS: addresses(sentinels), REDIS_SENTINEL_SERVICE: "service" },
    /** Waits until the sentinels have made the replica the primary. */
    failedOver: () => until("a new primary", () => isPrimary(replica)),
    close: () => Promise.all([...sentinels, primary, replica].map((server) => server.close())),
  };
}

const addresses = (servers) => servers.map(({ port }) => `127.0.0.1:${port}`).join(",");

async function startSentinel(primary, missedMs) {
  const folder = await mkdtemp(path.join(os.tmpdir(), "throng-sentinel-"));
  const sentinel = await onFreePort(async (port) => {
    const file = path.join(folder, "sentinel.conf");
    const lines = [
      `port ${port}`,
      "bind 127.0.0.1",
      `sentinel monitor service 127.0.0.1 ${primary} 2`,
      `sentinel down-after-milliseconds service ${missedMs}`,
      `sentinel failover-timeout service ${5 * missedMs}`,
    ];
    await writeFile(file, lines.join("\n"));
    return { port, process: await start(REDIS, [file, "--sentinel", "--dir", folder], port) };
  });
  return {
    port: sentinel.port,
    async close() {
      await sentinel.process.kill("SIGKILL");
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A cluster of three primaries with a replica each, which is taken for dead after `missedMs`. */
export async function startCluster({ missedMs }) {
  const one = async () =>
    Server.start(
      ...["--cluster-enabled", "yes", "--cluster-node-timeout", missedMs, "--cluster-port", await freePort()],
      ...["--repl-diskless-sync-delay", "0"],
    );
  const servers = await Promise.all(Array.from({ length: 6 }, one));
  const [primaries, replicas] = [servers.slice(0, 3), servers.slice(3)];
  for (const [at, primary] of primaries.entries()) {
    const [from, to] = [at, at + 1].map((third) => Math.floor((third * SLOTS) / 3));
    await primary.ask(`CLUSTER ADDSLOTSRANGE ${from} ${to - 1}`);
  }
  for (const [at, server] of servers.entries()) await server.ask(`CLUSTER SET-CONFIG-EPOCH ${at + 1}`);
  for (const server of servers.slice(1)) {
    const [, bus] = await server.ask("CONFIG GET cluster-port");
    await primaries[0].ask(`CLUSTER MEET 127.0.0.1 ${server.port} ${bus}`);
  }
  const all = (command) => Promise.all(servers.map((server) => server.ask(command)));
  await until("servers that know each other", async () =>
    (await all("CLUSTER NODES")).every((nodes) => nodes.trimEnd().split("\n").length === 6),
  );
  for (const [at, replica] of replicas.entries()) {
    await replica.ask(`CLUSTER REPLICATE ${await primaries[at].ask("CLUSTER MYID")}`);
  }
  await until("a whole cluster", async () => {
    const whole = (await all("CLUSTER INFO")).every((info) => info.includes("cluster_state:ok"));
    const known = (await all("CLUSTER NODES")).every((nodes) => nodes.match(/slave /g)?.length === 3);
    const linked = await Promise.all(replicas.map((replica) => replica.ask("INFO replication")));
    return whole && known && linked.every((info) => info.includes("master_link_status:up"));
  });
  return {
    primaries,
    env: { REDIS_CLUSTER: addresses(primaries), REDIS_CLUSTER_ENABLED: "true", REDIS_CLUSTER_NODES: addresses(primaries) },
    /** Waits until a replica has taken the place of its primary. */
    failedOver: (at) => until("a new primary", () => isPrimary(replicas[at])),
    /** Which primary has something of such a name. */
    async primaryOf(pattern) {
      const keys = await Promise.all(primaries.map(({ port }) => askRaw(port, "KEYS", pattern)));
      return keys.findIndex(({ length }) => length > 0);
    },
    /** The slots of a primary in which there is something. */
    usedSlots: (at) => usedSlots(primaries[at]),
    /** Moves a slot from a primary to another with all that is in it, as an operator does. */
    moveSlot: (slot, from, to) => moveSlot(slot, primaries[from], primaries[to]),
    close: () => Promise.all(servers.map((server) => server.close())),
  };
}

/** Whether a server is a primary; one that changes its role closes connections. */
function isPrimary(server) {
  const says = server.ask("INFO replication");
  return says.then((text) => text.includes("role:master"), () => false);
}

async function usedSlots(server) {
  const keys = await askRaw(server.port, "KEYS", "*");
  const slots = await Promise.all(keys.map((key) => askRaw(server.port, "CLUSTER", "KEYSLOT", key)));
  return [...new Set(slots)];
}

async function moveSlot(slot, from, to) {
  const [source, target] = [await from.ask("CLUSTER MYID"), await to.ask("CLUSTER MYID")];
  await to.ask(`CLUSTER SETSLOT ${slot} IMPORTING ${source}`);
  await from.ask(`CLUSTER SETSLOT ${slot} MIGRATING ${target}`);
  for (;;) {
    const keys = await askRaw(from.port, "CLUSTER", "GETKEYSINSLOT", slot, 100);
    if (keys.length === 0) break;
    await askRaw(from.port, "MIGRATE", "127.0.0.1", to.port, "", 0, 5000, "KEYS", ...keys);
  }
  for (const server of [to, from]) await server.ask(`CLUSTER SETSLOT ${slot} NODE ${target}`);
}
