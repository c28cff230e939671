// What can go wrong with a fleet, one function each: it breaks something, waits, and gives back when that was over. `scale` says
// for how long; `world` is what there is to break, and of a cluster which primary.

import { met } from "../fleet/fleet.mjs";
import { request } from "../polling.mjs";
import { startCluster, startSentinels, startSingle, until } from "./redis.mjs";

/** What a Redis loses that forgets its last writes: some dozens of messages. */
const REWOUND_BYTES = 20_000;

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Each with a `title` for people, the Redis that it needs, whether there is a network to break between that and the nodes, and
 * `mayForget` where clients whose connection breaks meanwhile may have to start afresh, and some of those who came meanwhile
 * once more; `forgets` where all have to afterwards.
 */
export const SCENARIOS = {
  "node-killed": {
    title: "`kill -9` of a node",
    redis: startSingle,
    async strike({ nodes }) {
      await nodes[0].end("SIGKILL");
      return Date.now();
    },
  },
  "node-drained": {
    title: "SIGTERM to a node: it drains",
    redis: startSingle,
    async strike({ nodes }) {
      // The server of the suite drains at SIGINT, as the product does at both.
      await nodes[0].end("SIGINT");
      return Date.now();
    },
  },
  "node-paused": {
    title: "a node is paused and returns",
    redis: startSingle,
    async strike({ nodes }, { zombie }) {
      const [paused, ...others] = nodes;
      paused.excuse();
      paused.signal("SIGSTOP");
      await Promise.all([wait(zombie), until("a node taken for dead", () => haveSwept(others))]);
      paused.signal("SIGCONT");
      const overAt = Date.now();
      await met(nodes.map(({ url }) => url), nodes.length);
      return overAt;
    },
  },
  "redis-restarted": {
    title: "`kill -9` of Redis, restarted with its data",
    redis: () => startSingle({ keeps: true }),
    mayForget: true,
    async strike({ redis }, { outage }) {
      await redis.server.crash();
      await wait(outage);
      await redis.server.restart();
      return Date.now();
    },
  },
  "redis-rewound": {
    title: "`kill -9` of Redis, restarted without its last writes",
    redis: () => startSingle({ keeps: true }),
    mayForget: true,
    forgets: true,
    async strike({ redis }, { outage }) {
      await redis.server.crash();
      await redis.server.loseEnd(REWOUND_BYTES);
      await wait(outage);
      await redis.server.restart();
      return Date.now();
    },
  },
  "redis-emptied": {
    title: "`kill -9` of Redis, restarted empty",
    redis: startSingle,
    mayForget: true,
    forgets: true,
    async strike({ redis }, { outage }) {
      await redis.server.crash();
      await wait(outage);
      await redis.server.restart();
      return Date.now();
    },
  },
  "redis-full": {
    title: "Redis is full and takes no writes",
    redis: startSingle,
    mayForget: true,
    async strike({ redis }, { outage }) {
      await redis.server.ask("CONFIG SET maxmemory 1");
      await wait(outage);
      await redis.server.ask("CONFIG SET maxmemory 0");
      return Date.now();
    },
  },
  "redis-paused": {
    title: "Redis is paused",
    redis: startSingle,
    mayForget: true,
    async strike({ redis }, { pause }) {
      redis.server.pause();
      await wait(pause);
      redis.server.resume();
      return Date.now();
    },
  },
  "sentinel-failover": {
    title: "`kill -9` of the primary behind Sentinel",
    redis: startSentinels,
    mayForget: true,
    async strike({ redis }) {
      await redis.primary.crash();
      await redis.failedOver();
      return Date.now();
    },
  },
  "cluster-failover": {
    title: "`kill -9` of a primary of a Cluster of 3 + 3",
    redis: startCluster,
    mayForget: true,
    async strike({ redis, primary = 0 }) {
      await redis.primaries[primary].crash();
      await redis.failedOver(primary);
      return Date.now();
    },
  },
  "slots-moved": {
    title: "live move of all used slots of a primary to another, and back",
    redis: startCluster,
    async strike({ redis, primary = 0 }) {
      const [slots, other] = [await redis.usedSlots(primary), (primary + 1) % redis.primaries.length];
      for (const slot of slots) await redis.moveSlot(slot, primary, other);
      for (const slot of slots) await redis.moveSlot(slot, other, primary);
      return Date.now();
    },
  },
  "network-slow": {
    title: "50 ms of delay each way between the nodes and Redis",
    redis: startSingle,
    isBetween: true,
    async strike({ networks }, { outage }) {
      await Promise.all(networks.map((network) => network.delay(50)));
      await wait(outage);
      await Promise.all(networks.map((network) => network.delay(0)));
      return Date.now();
    },
  },
  "network-cut": {
    title: "the connections between the nodes and Redis are cut, five times",
    redis: startSingle,
    isBetween: true,
    mayForget: true,
    async strike({ networks }, { blink }) {
      for (let time = 0; time < 5; time++) {
        await Promise.all(networks.map((network) => network.cut()));
        await wait(blink);
        await Promise.all(networks.map((network) => network.delay(0)));
        await wait(blink);
      }
      return Date.now();
    },
  },
  "network-parted": {
    title: "one node hears nothing of Redis, and Redis nothing of it",
    redis: startSingle,
    isBetween: true,
    mayForget: true,
    async strike({ networks }, { zombie }) {
      await networks[0].silence();
      await wait(zombie);
      await networks[0].delay(0);
      return Date.now();
    },
  },
};

/** Whether one of these nodes has cleared away another. */
async function haveSwept(nodes) {
  const pages = await Promise.all(nodes.map(({ url }) => request(url, "/metrics")));
  return pages.some(({ body }) => /^throng_members_swept_total [1-9]/m.test(body));
}
