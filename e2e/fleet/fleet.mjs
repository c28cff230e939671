// Three fixture servers on one Redis, and nginx in front of them.

import { until, within } from "../deadline.mjs";
import { request } from "../polling.mjs";
import { startServer } from "../server.mjs";
import { startNginx, startRedis } from "./parts.mjs";

/** The program of a node, where FIXTURE_BIN is a fleet of them. */
const NODE = process.env.NODE_BIN && { program: process.env.NODE_BIN, args: ["fixture"] };

/** Nodes of a fleet. */
const NODES = 3;

/** Milliseconds that nodes have to know each other. */
const MEET_MAX = 10_000;

/** Milliseconds that a node has to keep what has rooms. */
const KEEP_MAX = 60_000;

/** Waits until each of some servers knows of so many members. */
export async function met(urls, count) {
  const knows = async (url) => {
    for (;;) {
      const { body } = await request(url, "/metrics");
      if (new RegExp(`^throng_members ${count}$`, "m").test(body)) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  await within(Promise.all(urls.map(knows)), `a fleet of ${count}`, MEET_MAX);
}

/** The node of the shipped binary that keeps the debates: the one that counts their rooms. */
export async function keeperOf(nodes) {
  let keeper;
  const counts = async (node) => {
    const { body } = await request(node.url, "/metrics");
    return Number(/^throng_app_rooms\{app="debate"\} (\d+)$/m.exec(body)?.[1]) > 0;
  };
  const look = async () => {
    for (const node of nodes) if (await counts(node)) keeper = node;
    return keeper;
  };
  await until("a keeper", look, KEEP_MAX, 250);
  return keeper;
}

/** Starts a fleet behind a port that is wanted or free, until `close()`. */
export async function startFleet(port) {
  const redis = await startRedis();
  const nodes = await Promise.all(
    Array.from({ length: NODES }, () => startServer({ REDIS_URL: redis.url }, NODE)),
  );
  const proxy = await startNginx(nodes.map((node) => node.port), port);
  await met(nodes.map((node) => node.url), NODES);
  return {
    nodes,
    redis,
    proxy,
    /** Where clients go that do not care which node they reach. */
    url: proxy.url,
    async close() {
      await proxy.close();
      // Each of them says when it has panicked.
      await Promise.all(nodes.map((node) => node.close()));
      await redis.close();
    },
  };
}
