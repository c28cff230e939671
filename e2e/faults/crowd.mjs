// A crowd of people over all nodes of a fleet: who is where, who speaks, and the processes in which they live.

import path from "node:path";
import { fileURLToPath } from "node:url";
import { ended, spawn } from "../children.mjs";
import { within } from "../deadline.mjs";
import { until } from "./redis.mjs";

const PROGRAM = path.join(path.dirname(fileURLToPath(import.meta.url)), "people.mjs");

/** Milliseconds for an answer of a process of the crowd, busy as it may be. */
const ANSWER_MAX = 30_000;

class Process {
  constructor() {
    this.child = spawn(process.execPath, [PROGRAM], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    this.waiting = new Map();
    this.id = 0;
    this.child.on("message", ({ id, answer }) => {
      this.waiting.get(id)?.(answer);
      this.waiting.delete(id);
    });
  }

  order(order, details = {}) {
    const id = ++this.id;
    const answered = new Promise((resolve) => this.waiting.set(id, resolve));
    this.child.send({ ...details, order, id });
    return within(answered, `${order}, by a process of the crowd`, ANSWER_MAX);
  }

  /** It ends when it is left alone. */
  async leave() {
    if (this.child.connected) this.child.disconnect();
    await ended(this.child);
  }
}

/**
 * Brings `clients` people to the nodes, in rooms of `roomSize`, `speakers` of whom speak in each.
 *
 * The members of a room are spread over all nodes and all processes.
 */
export async function gather(urls, { clients, roomSize, speakers, processes, client }) {
  const rooms = Math.ceil(clients / roomSize);
  const person = (number) => {
    const [member, room] = [Math.floor(number / rooms), number % rooms];
    const speaking = Array.from({ length: speakers }, (_, member) => member * rooms + room);
    const speaks = member < speakers;
    return { number, room: `room-${room}`, at: member % urls.length, speaks, speakers: speaking };
  };
  const all = Array.from({ length: processes }, () => new Process());
  const shares = all.map((_, at) =>
    Array.from({ length: clients }, (_, number) => person(number)).filter(({ number }) => number % processes === at),
  );
  const tell = (order, details) => Promise.all(all.map((one) => one.order(order, details)));
  await Promise.all(all.map((one, at) => one.order("come", { people: shares[at], urls, client })));
  const sum = (states, name) => states.reduce((sum, state) => sum + state[name], 0);
  const state = async () => {
    const states = await tell("state");
    return {
      home: sum(states, "home"),
      /** Those who are away, or hear nothing of somebody who speaks. */
      amiss: sum(states, "missing") + sum(states, "behind"),
      lateAt: Math.max(...states.map(({ lateAt }) => lateAt)),
    };
  };
  const everybodyHome = () => until("everybody in their room", async () => (await state()).home === clients);
  const leave = () => Promise.all(all.map((one) => one.leave()));
  try {
    await everybodyHome();
  } catch (error) {
    await leave();
    throw error;
  }
  return {
    size: clients,
    state,
    everybodyHome,
    /** Each speaker says something each so many milliseconds. */
    speak: (everyMs) => tell("speak", { everyMs }),
    /** So many connections break each second. */
    roam: (perSecond) => tell("roam", { everyMs: (1000 * processes) / perSecond }),
    stay: () => tell("stay"),
    hush: () => tell("hush"),
    /** How each of them fared. */
    report: async () => (await tell("report")).flat(),
    leave,
  };
}
