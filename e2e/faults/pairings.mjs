// One run of people who keep meeting, on three nodes of the shipped binary and a Redis, through a fault.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { until as holds } from "../deadline.mjs";
import { keeperOf } from "../fleet/fleet.mjs";
import { request } from "../polling.mjs";
import { SECRET } from "../product/token.mjs";
import { PRODUCT } from "../server.mjs";
import { Debater } from "./debaters.mjs";
import { judge, meetings, metOnAll } from "./meetings.mjs";
import { closingAfter, startNodes } from "./mortal.mjs";
import { startSentinels, startSingle } from "./redis.mjs";
import { SCENARIOS } from "./scenarios.mjs";

/** Everybody comes from one address. What is said while Redis is away is only kept with recovery. */
const configuration = ({ pingInterval, pingTimeout }) => `
  limits = { handshakes_per_second = 0, api_per_second = 0 }
  socket = { recovery = "2m", ping_interval = "${pingInterval}", ping_timeout = "${pingTimeout}" }
`;

/** Milliseconds until people have to meet on every node, at first and after a fault. */
const NORMAL_MAX = 120_000;

/** Asks until it is so, not so often that many people who are looked at are held up. */
const until = (what, isSo, ms = NORMAL_MAX) => holds(what, isSo, ms, 250);

/** What the debates are called in Redis, and the lease of their keeper. */
const [DEBATES, LEASE] = ["*:tickets:*:hall/debate", "*:lease::hall/debate/*"];

/** Milliseconds that everybody has to leave. */
const OUT_MAX = 60_000;

/** Milliseconds that the last rooms have to be gone once everybody has left them. */
const EMPTY_MAX = 10_000;

/**
 * How large and how long a run is; times in milliseconds. `after` is how long it goes on at least when all is normal again,
 * `meetings` how often everybody has to have met somebody by then; it ends after `lostMs` in any case. `lag` is for how long a
 * replica has heard nothing.
 */
export const SCALES = {
  full: {
    people: 1_500,
    topics: 4,
    client: { timeout: 5_000 },
    socket: { pingInterval: "5s", pingTimeout: "4s" },
    env: {},
    talkMs: [3_000, 9_000],
    before: 10_000,
    after: 35_000,
    meetings: 2,
    lostMs: 30_000,
    missedMs: 5_000,
    outage: 30_000,
    pause: 10_000,
    zombie: 20_000,
    blink: 2_000,
    lag: 3_000,
  },
  small: {
    people: 60,
    topics: 2,
    client: { timeout: 2_000, reconnectionDelay: 100, reconnectionDelayMax: 400 },
    socket: { pingInterval: "1500ms", pingTimeout: "2s" },
    env: { HEARTBEAT_INTERVAL: "500", FAILURE_DETECTION_TIMEOUT: "3000" },
    talkMs: [300, 900],
    before: 1_500,
    after: 0,
    meetings: 2,
    lostMs: 30_000,
    missedMs: 1_000,
    outage: 1_000,
    pause: 1_000,
    zombie: 8_000,
    blink: 300,
    lag: 1_000,
  },
};

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** For a while the replica gets nothing of what its primary takes. */
async function fallBehind({ redis }, { lag }) {
  await redis.replica.part();
  await wait(lag);
}

/**
 * What happens to the node that keeps the debates, which is the first, or to Redis: in a cluster to the primary that has something
 * `of` that name. `title` is for people.
 */
export const PAIRINGS = {
  "keeper-killed": { ...SCENARIOS["node-killed"], title: "`kill -9` of the keeper" },
  "keeper-drained": {
    title: "SIGTERM to the keeper: it drains",
    redis: startSingle,
    async strike({ nodes }) {
      await nodes[0].end("SIGTERM");
      return Date.now();
    },
  },
  "keeper-paused": { ...SCENARIOS["node-paused"], title: "the keeper is paused and returns" },
  "debates-redis-restarted": SCENARIOS["redis-restarted"],
  "debates-redis-rewound": SCENARIOS["redis-rewound"],
  "debates-redis-emptied": SCENARIOS["redis-emptied"],
  "debates-lost": {
    title: "`kill -9` of Redis and of the keeper, Redis restarted empty",
    redis: startSingle,
    async strike(world, scale) {
      await world.nodes[0].end("SIGKILL");
      return SCENARIOS["redis-emptied"].strike(world, scale);
    },
  },
  "debates-redis-full": SCENARIOS["redis-full"],
  "debates-redis-paused": SCENARIOS["redis-paused"],
  "debates-sentinel-failover": SCENARIOS["sentinel-failover"],
  "debates-sentinel-rewound": {
    title: "`kill -9` of the primary behind Sentinel, and its replica lacks the last writes",
    redis: startSentinels,
    async strike(world, scale) {
      await fallBehind(world, scale);
      return SCENARIOS["sentinel-failover"].strike(world, scale);
    },
  },
  "debates-sentinel-lost": {
    title: "`kill -9` of the primary behind Sentinel and of the keeper, and the replica lacks the last writes",
    redis: startSentinels,
    async strike(world, scale) {
      await fallBehind(world, scale);
      await world.nodes[0].end("SIGKILL");
      return SCENARIOS["sentinel-failover"].strike(world, scale);
    },
  },
  "debates-cluster-failover": {
    ...SCENARIOS["cluster-failover"],
    of: DEBATES,
    title: "`kill -9` of the primary of a Cluster of 3 + 3 that has the debates",
  },
  "lease-cluster-failover": {
    ...SCENARIOS["cluster-failover"],
    of: LEASE,
    title: "`kill -9` of the primary of a Cluster of 3 + 3 that has the keeper's lease",
  },
  "debates-slots-moved": {
    ...SCENARIOS["slots-moved"],
    of: DEBATES,
    title: "live move of all used slots of the primary that has the debates to another, and back",
  },
  "debates-network-slow": SCENARIOS["network-slow"],
  "debates-network-cut": SCENARIOS["network-cut"],
  "keeper-parted": {
    ...SCENARIOS["network-parted"],
    title: "the keeper hears nothing of Redis, and Redis nothing of it",
  },
};

/** Rooms and waiting people that the nodes still know of when all have left; the highest that any of them says. */
async function leftover(nodes) {
  const look = async () => {
    const answers = await Promise.all(nodes.map(({ url }) => request(url, "/api/stats")));
    const stats = answers.map(({ body }) => JSON.parse(body).apps.debate);
    return {
      rooms: Math.max(...stats.map(({ activeRooms }) => activeRooms)),
      waiting: Math.max(...stats.map(({ waitingUsers }) => waitingUsers)),
    };
  };
  const endsAt = Date.now() + EMPTY_MAX;
  for (;;) {
    const left = await look();
    if (left.rooms + left.waiting === 0 || Date.now() > endsAt) return left;
    await wait(100);
  }
}

/** Plays a scenario; gives its figures. `trace` is shown all that they come from. */
export const meet = (scenario, scale, trace) => closingAfter((opened) => act(scenario, scale, opened, trace));

async function act(scenario, scale, opened, trace) {
  const folder = await mkdtemp(path.join(os.tmpdir(), "throng-pairings-"));
  opened.push(() => rm(folder, { recursive: true, force: true }));
  await writeFile(path.join(folder, "throng.toml"), configuration(scale.socket));
  const redis = await scenario.redis({ missedMs: scale.missedMs });
  opened.push(() => redis.close());
  const program = { ...PRODUCT, args: [...PRODUCT.args, "--config", path.join(folder, "throng.toml")] };
  const env = { ...scale.env, JWT_SECRET: SECRET };
  const { nodes, networks } = await startNodes({ redis, isBetween: scenario.isBetween }, env, { program, opened });
  const urls = nodes.map(({ url }) => url);

  const people = Array.from({ length: scale.people }, (_, number) => {
    const [topic, side] = [`topic ${Math.floor(number / 2) % scale.topics}`, number % 2 ? "for" : "against"];
    return new Debater({ name: `person ${number}`, topic, side, at: number % nodes.length }, { urls, ...scale });
  });
  const lives = people.map((person) => person.live());
  opened.push(async () => {
    for (const person of people) person.close();
    await Promise.all(lives);
  });
  const haveMet = (from, times) => people.filter((person) => meetings(person, from).length >= times).length;
  await until("everybody to have met somebody", () => haveMet(0, 1) === people.length);
  const keeper = await keeperOf(nodes);
  const at = nodes.indexOf(keeper);
  const first = (all) => [...all.slice(at), ...all.slice(0, at)];
  const primary = await redis.primaryOf?.(scenario.of);
  await wait(scale.before);

  const struckAt = Date.now();
  const overAt = await scenario.strike({ redis, nodes: first(nodes), networks: first(networks), primary }, scale);
  const inhabited = () => [...new Set(people.map(({ node }) => node))];
  const isNormal = () => people.every(({ socket }) => socket.connected) && metOnAll(inhabited(), people, overAt) < Infinity;
  await until("people who meet on every node", isNormal);
  const normalAt = metOnAll(inhabited(), people, overAt);
  const isEnough = () => haveMet(normalAt, scale.meetings) === people.length || Date.now() - normalAt > scale.lostMs;
  await Promise.all([wait(scale.after), until("meetings", isEnough, 2 * scale.lostMs)]);

  const finishedAt = Date.now();
  for (const person of people) person.finish();
  await until("everybody to be out", () => people.every(({ isOut }) => isOut), OUT_MAX).catch(() => {});
  const left = await leftover(nodes.filter(({ isGone }) => !isGone));
  trace?.({ struckAt, overAt, normalAt, finishedAt, people, nodes, keeper });
  const judged = judge(people, { struckAt, overAt, normalAt, finishedAt, lostMs: scale.lostMs });
  const notOut = people.filter(({ isOut }) => !isOut).map(({ name }) => name);
  return { ...judged, leftover: left, notOut, faultMs: overAt - struckAt };
}
