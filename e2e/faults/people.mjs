// One process of the crowd: people with the published client, each in a room, some of whom speak. It keeps what each has heard
// and how they fared; what to make of that is for others. Orders come from the process that started it.

import { io } from "socket.io-client";

/** Milliseconds after which a message is late. */
const LATE = 1_000;

/** Milliseconds that somebody who has been away is not asked to be on time. */
const CATCHING_UP = 3_000;

/** @type {Person[]} */
let people = [];

/** When somebody last heard something late whose connection was not cut on purpose. */
let lateAt = 0;

/** When they began to speak, and after how many milliseconds each has something to say. */
let [spokenSince, spokenEvery] = [Infinity, 0];

class Person {
  constructor({ number, room, at, speaks, speakers }, { urls, client }) {
    Object.assign(this, { number, room, speaks, speakers, urls, at });
    /** What was heard from each speaker, in order, and when the last of it. */
    this.heard = {};
    this.heardAt = {};
    /** When each message was said. */
    this.said = [];
    /** When the connection broke. */
    this.losses = [];
    /** Ways back, as `[lostAt, backAt, recovered, onPurpose]`. */
    this.returns = [];
    this.isHome = false;
    this.lostAt = 0;
    this.isCut = false;
    this.onPurpose = false;
    this.socket = io(urls[at], { forceNew: true, transports: ["websocket"], ...client });
    this.socket.io.on("reconnect_attempt", () => {
      // What a balancer does: whoever comes back may come to any node.
      this.at = (this.at + 1) % urls.length;
      this.socket.io.uri = urls[this.at];
    });
    this.socket.on("connect", () => this.connected());
    this.socket.on("disconnect", () => this.lost());
    this.socket.on("said", (speaker, number, at) => this.hears(speaker, number, at));
  }

  connected() {
    const { socket } = this;
    if (this.lostAt) this.returns.push([this.lostAt, Date.now(), socket.recovered, this.onPurpose]);
    if (socket.recovered) return this.comesHome();
    socket.emit("join", this.room, () => this.comesHome());
  }

  comesHome() {
    this.isHome = true;
    if (this.lostAt && !this.onPurpose) lateAt = Date.now();
    this.backAt = Date.now();
  }

  lost() {
    this.isHome = false;
    this.lostAt = Date.now();
    this.onPurpose = this.isCut;
    this.isCut = false;
    this.losses.push(this.lostAt);
  }

  hears(speaker, number, at) {
    (this.heard[speaker] ??= []).push(number);
    const now = (this.heardAt[speaker] = Date.now());
    if (now - at > LATE && !this.catchesUp(now)) lateAt = now;
  }

  catchesUp(now) {
    return this.onPurpose && now < this.backAt + CATCHING_UP;
  }

  /** Whether somebody in the room speaks and is not heard. */
  isBehind(now) {
    if (!this.isHome || this.catchesUp(now)) return false;
    const since = (speaker) => Math.max(this.heardAt[speaker] ?? 0, spokenSince);
    return this.speakers.some((speaker) => now - since(speaker) > spokenEvery + LATE);
  }

  speak() {
    if (!this.socket.connected) return;
    const now = Date.now();
    this.socket.emit("in-room", this.room, "said", this.number, this.said.length, now);
    this.said.push(now);
  }

  /** Breaks the connection as a network does. */
  cut() {
    this.isCut = true;
    this.socket.io.engine.transport.ws.terminate();
  }
}

let speaking, roaming;

/** What is done, by order. */
const ORDERS = {
  come: ({ people: list, ...with_ }) => {
    people = list.map((person) => new Person(person, with_));
  },
  /** Every speaker says something each so many milliseconds, not all at once. */
  speak: ({ everyMs }) => {
    const speakers = people.filter(({ speaks }) => speaks);
    [spokenSince, spokenEvery] = [Date.now(), everyMs];
    let turn = 0;
    const step = 50;
    const share = (speakers.length * step) / everyMs;
    let due = 0;
    speaking = setInterval(() => {
      for (due += share; due >= 1; due--) speakers[turn++ % speakers.length].speak();
    }, step);
  },
  /** Somebody's connection breaks each so many milliseconds, but for those who speak. */
  roam: ({ everyMs }) => {
    roaming = setInterval(() => {
      const there = people.filter(({ isHome, speaks }) => isHome && !speaks);
      there[Math.floor(Math.random() * there.length)]?.cut();
    }, everyMs);
  },
  stay: () => clearInterval(roaming),
  hush: () => clearInterval(speaking),
  state: () => ({
    lateAt,
    home: people.filter(({ isHome }) => isHome).length,
    behind: people.filter((person) => person.isBehind(Date.now())).length,
    missing: people.filter(({ isHome, isCut, onPurpose }) => !isHome && !isCut && !onPurpose).length,
  }),
  report: () => people.map(({ number, room, heard, said, losses, returns }) => ({ number, room, heard, said, losses, returns })),
};

process.once("disconnect", () => process.exit());
process.on("message", ({ order, id, ...details }) => {
  process.send({ id, answer: ORDERS[order](details) });
});
