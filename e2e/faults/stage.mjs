// One run of a scenario: a fleet with recovery on a Redis, a crowd that talks, the fault, and what came of it.

import { met } from "../fleet/fleet.mjs";
import { startServer } from "../server.mjs";
import { gather } from "./crowd.mjs";
import { startNetwork } from "./network.mjs";
import { watch } from "./probes.mjs";
import { until } from "./redis.mjs";
import { judge } from "./verdict.mjs";

const NODES = 3;

/** Milliseconds without anything that is not as it should be, after which all is normal. */
const CALM = 2_000;

/** Milliseconds until all has to be normal again. */
const NORMAL_MAX = 120_000;

/** How large and how long a run is: for figures, and for a test of every change. Times in milliseconds. */
export const SCALES = {
  full: {
    crowd: { clients: 1500, roomSize: 50, speakers: 5, processes: 4 },
    client: { timeout: 5_000 },
    heartbeat: { PING_INTERVAL: "5000", PING_TIMEOUT: "4000" },
    speakEvery: 1_000,
    roamPerSecond: 5,
    before: 5_000,
    after: 10_000,
    missedMs: 5_000,
    outage: 30_000,
    pause: 10_000,
    zombie: 20_000,
    blink: 2_000,
  },
  small: {
    crowd: { clients: 150, roomSize: 50, speakers: 5, processes: 2 },
    client: { timeout: 2_000, reconnectionDelay: 100, reconnectionDelayMax: 400 },
    heartbeat: { PING_INTERVAL: "1000", PING_TIMEOUT: "1000" },
    speakEvery: 400,
    roamPerSecond: 10,
    before: 1_000,
    after: 1_500,
    missedMs: 1_000,
    outage: 3_000,
    pause: 3_000,
    zombie: 4_000,
    blink: 300,
  },
};

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Starts what a scenario plays on. */
async function build(scenario, scale) {
  const redis = await scenario.redis({ missedMs: scale.missedMs });
  const networks = [];
  const nodes = await Promise.all(
    Array.from({ length: NODES }, async (_, at) => {
      if (scenario.isBetween) networks[at] = await startNetwork(redis.server.port);
      const env = scenario.isBetween ? { REDIS_URL: networks[at].url } : redis.env;
      return startServer({ ...env, ...scale.heartbeat, RECOVERY: "120000" });
    }),
  );
  const urls = nodes.map(({ url }) => url);
  await met(urls, NODES);
  const probes = await Promise.all(nodes.map(watch));
  const ended = new Set();
  return {
    redis,
    networks,
    urls,
    probes,
    nodes: nodes.map((node, at) => ({
      signal: node.signal,
      /** Nothing is expected of it from now on. */
      excuse: () => probes[at].excuse(),
      /** Ends it by a signal. */
      async end(signal) {
        probes[at].excuse();
        ended.add(node);
        await node.close(signal);
      },
    })),
    async close() {
      await Promise.all(nodes.filter((node) => !ended.has(node)).map((node) => node.close()));
      await Promise.all(networks.map((network) => network.close()));
      await redis.close();
    },
  };
}

/** Plays a scenario; gives its figures. */
export async function play(scenario, scale) {
  const world = await build(scenario, scale);
  const crowd = await gather(world.urls, { ...scale.crowd, client: scale.client });
  await crowd.speak(scale.speakEvery);
  await crowd.roam(scale.roamPerSecond);
  await wait(scale.before);
  const calm = await crowd.state();
  const struckAt = Date.now();
  const overAt = await scenario.strike(world, scale);
  let lastAt = 0;
  await until("a return to normal", async () => {
    const { amiss, lateAt } = await crowd.state();
    lastAt = amiss > 0 ? Date.now() : Math.max(lastAt, lateAt);
    return Date.now() - Math.max(lastAt, overAt) > CALM;
  }, NORMAL_MAX);
  const normalAt = Math.max(lastAt, overAt);
  await wait(scale.after);
  await crowd.stay();
  await crowd.everybodyHome();
  await crowd.hush();
  await wait(CALM);
  const reports = await crowd.report();
  const late = await crowd.state();
  await crowd.leave();
  const probed = await Promise.all(world.probes.map((probe) => probe.stop()));
  await world.close();
  const times = [["before", 0, struckAt], ["during", struckAt, normalAt], ["afterwards", normalAt, Infinity]];
  return {
    clients: crowd.size,
    ...judge(reports, times),
    faultMs: overAt - struckAt,
    normalMs: normalAt - overAt,
    lateBefore: calm.lateAt > 0,
    lateAfterwards: late.lateAt > normalAt,
    local: {
      worstMs: Math.max(...probed.map(({ worstMs }) => worstMs)),
      silent: probed.reduce((sum, { silent }) => sum + silent, 0),
      deaf: probed.reduce((sum, { deaf }) => sum + deaf, 0),
    },
  };
}
