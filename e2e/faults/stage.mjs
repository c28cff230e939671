// One run of a scenario: a fleet with recovery on a Redis, a crowd that talks, the fault, and what came of it.

import { until } from "../deadline.mjs";
import { gather } from "./crowd.mjs";
import { closingAfter, startNodes } from "./mortal.mjs";
import { watch } from "./probes.mjs";
import { judge } from "./verdict.mjs";

/** Milliseconds until all has to be normal again. */
const NORMAL_MAX = 120_000;

/** Milliseconds until the last that was said has to be heard. */
const HEARD_MAX = 20_000;

/**
 * How large and how long a run is: for figures, and for a test of every change. Times in milliseconds; `calm` is how long nothing
 * may be amiss for all to be normal, and `members` how nodes notice each other.
 */
export const SCALES = {
  full: {
    crowd: { clients: 1500, roomSize: 50, speakers: 5, processes: 4 },
    client: { timeout: 5_000 },
    heartbeat: { PING_INTERVAL: "5000", PING_TIMEOUT: "4000" },
    speakEvery: 1_000,
    roamPerSecond: 5,
    calm: 2_000,
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
    heartbeat: { PING_INTERVAL: "1500", PING_TIMEOUT: "2000" },
    members: { HEARTBEAT_INTERVAL: "500", FAILURE_DETECTION_TIMEOUT: "4000" },
    speakEvery: 400,
    roamPerSecond: 10,
    calm: 1_200,
    before: 1_000,
    after: 1_500,
    missedMs: 1_000,
    outage: 3_000,
    pause: 3_000,
    zombie: 5_000,
    blink: 300,
  },
};

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Starts what a scenario plays on; what has to be closed goes to `opened`. */
async function build(scenario, scale, opened) {
  const redis = await scenario.redis({ missedMs: scale.missedMs });
  opened.push(() => redis.close());
  const env = { ...scale.heartbeat, ...scale.members, RECOVERY: "120000" };
  const { nodes, networks } = await startNodes({ redis, isBetween: scenario.isBetween }, env, { opened });
  const probes = await Promise.all(nodes.map(watch));
  opened.push(() => Promise.all(probes.map((probe) => probe.stop())));
  /** Nothing is expected of a node from now on. */
  nodes.forEach((node, at) => (node.excuse = probes[at].excuse));
  return { redis, networks, nodes, probes };
}

/** Plays a scenario; gives its figures. */
export const play = (scenario, scale) => closingAfter((opened) => act(scenario, scale, opened));

async function act(scenario, scale, opened) {
  const world = await build(scenario, scale, opened);
  const crowd = await gather(world.nodes.map(({ url }) => url), { ...scale.crowd, client: scale.client });
  opened.push(() => crowd.leave());
  await crowd.speak(scale.speakEvery);
  await crowd.roam(scale.roamPerSecond);
  await wait(scale.before);
  const struckAt = Date.now();
  const overAt = await scenario.strike(world, scale);
  let lastAt = 0;
  await until("a return to normal", async () => {
    const { amiss, lateAt } = await crowd.state();
    lastAt = amiss > 0 ? Date.now() : Math.max(lastAt, lateAt);
    return Date.now() - Math.max(lastAt, overAt) > scale.calm;
  }, NORMAL_MAX, 50);
  const normalAt = Math.max(lastAt, overAt);
  // Who came while the store was away is recorded at a heartbeat.
  await wait(2 * Number(scale.heartbeat.PING_INTERVAL) - scale.calm);
  const recordedAt = Date.now();
  await wait(scale.after);
  await crowd.stay();
  await crowd.everybodyHome();
  await crowd.hush();
  await wait(scale.calm);
  let judged;
  // What is on its way is not lost.
  await until("everything to be heard", async () => {
    judged = judge(await crowd.report(), { struckAt, overAt: recordedAt });
    return judged.whole.lost + judged.swallowed === 0;
  }, HEARD_MAX, 500).catch(() => {});
  const probed = await Promise.all(world.probes.map((probe) => probe.stop()));
  const sum = (name) => probed.reduce((sum, figures) => sum + figures[name], 0);
  return {
    clients: crowd.size,
    ...judged,
    faultMs: overAt - struckAt,
    normalMs: normalAt - overAt,
    /** Within one node: the slowest message, those that took too long or never came, and questions without an answer. */
    local: { worstMs: Math.max(...probed.map(({ worstMs }) => worstMs)), silent: sum("silent"), deaf: sum("deaf") },
  };
}
