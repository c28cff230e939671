// One run of people who keep meeting, on three nodes of the shipped binary and a Redis, through a fault.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { keeperOf, met } from "../fleet/fleet.mjs";
import { request } from "../polling.mjs";
import { SECRET } from "../product/token.mjs";
import { PRODUCT } from "../server.mjs";
import { Debater } from "./debaters.mjs";
import { judge, meetings } from "./meetings.mjs";
import { startMortal } from "./mortal.mjs";
import { startSingle, until } from "./redis.mjs";

const NODES = 3;

/** Everybody comes from one address. What is said while Redis is away is only kept with recovery. */
const configuration = ({ pingInterval, pingTimeout }) => `
  limits = { handshakes_per_second = 0, api_per_second = 0 }
  socket = { recovery = "2m", ping_interval = "${pingInterval}", ping_timeout = "${pingTimeout}" }
`;

/** Milliseconds that the last rooms have to be gone once everybody has left them. */
const EMPTY_MAX = 10_000;

/**
 * How large and how long a run is; times in milliseconds. `after` is how long it goes on at least, `meetings` how often everybody
 * has to have met somebody by then; it ends after `lostMs` in any case.
 */
export const SCALES = {
  full: {
    people: 300,
    topics: 4,
    client: { timeout: 5_000 },
    socket: { pingInterval: "5s", pingTimeout: "4s" },
    env: {},
    talkMs: [1_000, 3_000],
    before: 10_000,
    after: 45_000,
    meetings: 2,
    lostMs: 30_000,
    zombie: 12_000,
    outage: 5_000,
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
    zombie: 8_000,
    outage: 1_000,
  },
};

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Ends Redis as a crash does, and starts it again. */
async function restart({ redis }, { outage }) {
  await redis.server.crash();
  await wait(outage);
  await redis.server.restart();
}

/** What happens to the node that keeps the debates, or to Redis; `title` is for people. */
export const PAIRINGS = {
  "keeper-killed": {
    title: "`kill -9` of the keeper",
    redis: startSingle,
    strike: ({ keeper }) => keeper.end("SIGKILL"),
  },
  "keeper-drained": {
    title: "SIGTERM to the keeper: it drains",
    redis: startSingle,
    strike: ({ keeper }) => keeper.end("SIGTERM"),
  },
  "keeper-paused": {
    title: "the keeper is paused and returns",
    redis: startSingle,
    async strike({ keeper }, { zombie }) {
      keeper.signal("SIGSTOP");
      await wait(zombie);
      keeper.signal("SIGCONT");
    },
  },
  "debates-redis-restarted": {
    title: "`kill -9` of Redis, restarted with its data",
    redis: () => startSingle({ keeps: true }),
    strike: restart,
  },
  "debates-redis-emptied": {
    title: "`kill -9` of Redis, restarted empty",
    redis: startSingle,
    strike: restart,
  },
  "debates-lost": {
    title: "`kill -9` of Redis and of the keeper, Redis restarted empty",
    redis: startSingle,
    async strike({ keeper, redis }, scale) {
      await keeper.end("SIGKILL");
      await restart({ redis }, scale);
    },
  },
  "debates-redis-paused": {
    title: "Redis is paused",
    redis: startSingle,
    async strike({ redis }, { outage }) {
      redis.server.pause();
      await wait(outage);
      redis.server.resume();
    },
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
export async function meet(scenario, scale, trace) {
  const opened = [];
  try {
    return await act(scenario, scale, opened, trace);
  } finally {
    for (const close of opened.reverse()) await close();
  }
}

async function act(scenario, scale, opened, trace) {
  const folder = await mkdtemp(path.join(os.tmpdir(), "throng-pairings-"));
  opened.push(() => rm(folder, { recursive: true, force: true }));
  await writeFile(path.join(folder, "throng.toml"), configuration(scale.socket));
  const redis = await scenario.redis();
  opened.push(() => redis.close());
  const env = { ...redis.env, ...scale.env };
  const program = { ...PRODUCT, args: [...PRODUCT.args, "--config", path.join(folder, "throng.toml")] };
  const start = () => startMortal({ ...env, JWT_SECRET: SECRET }, { program, opened });
  const nodes = await Promise.all(Array.from({ length: NODES }, start));
  const urls = nodes.map(({ url }) => url);
  await met(urls, NODES);

  const people = Array.from({ length: scale.people }, (_, number) => {
    const [topic, side] = [`topic ${Math.floor(number / 2) % scale.topics}`, number % 2 ? "for" : "against"];
    return new Debater({ name: `person ${number}`, topic, side, at: number % NODES }, { urls, ...scale });
  });
  const lives = people.map((person) => person.live());
  opened.push(async () => {
    for (const person of people) person.close();
    await Promise.all(lives);
  });
  const haveMet = (from, times) => people.filter((person) => meetings(person, from).length >= times).length;
  await until("everybody to have met somebody", () => haveMet(0, 1) === people.length);
  const keeper = await keeperOf(nodes);
  await wait(scale.before);

  const struckAt = Date.now();
  await scenario.strike({ keeper, redis }, scale);
  const overAt = Date.now();
  const isEnough = () => haveMet(overAt, scale.meetings) === people.length || Date.now() - overAt > scale.lostMs;
  await Promise.all([wait(scale.after), until("meetings", isEnough, 2 * scale.lostMs)]);

  const finishedAt = Date.now();
  for (const person of people) person.finish();
  await until("everybody to be out", () => people.every(({ isOut }) => isOut)).catch(() => {});
  const left = await leftover(nodes.filter(({ isGone }) => !isGone));
  trace?.({ struckAt, overAt, finishedAt, people, nodes, keeper });
  const judged = judge(people, { struckAt, overAt, finishedAt, lostMs: scale.lostMs });
  const notOut = people.filter(({ isOut }) => !isOut).map(({ name }) => name);
  return { ...judged, leftover: left, notOut, faultMs: overAt - struckAt };
}
