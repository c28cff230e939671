// People in the debates who keep meeting: each waits, is paired, says something, leaves, and waits again, with the published
// client, and comes back on another node when a connection breaks. Each keeps what it was told and what it asked, and when; what
// to make of that is for others.

import { io } from "socket.io-client";
import { token } from "../product/token.mjs";

/** Milliseconds after which an answer is not waited for any more. */
const ANSWER_MAX = 15_000;

/** Milliseconds until somebody asks again who was refused. */
const AGAIN_AFTER = 500;

/** Milliseconds that somebody who has come back waits to be told where they are. */
const TOLD_MAX = 1_000;

/** Answers by which a room is over for whoever asked. */
const OVER = new Set(["ok", "no_room", "room_ended", "not_your_room"]);

export class Debater {
  /** `talkMs` is for how long they stay, at least and at most. */
  constructor({ name, topic, side, at }, { urls, client, talkMs }) {
    Object.assign(this, { name, wish: { topic, side }, node: at, talkMs });
    /**
     * What happened, in order: `{at, what, room, ...}`. `what` is "connected", "lost" (with `why`), "joined" (with `resumed` and `node`),
     * "active", "ended" (with `reason` and `next`), "waiting", or "asked" (with `event`, `sentAt`, and as `code` "ok", that of
     * the error, or "none" when no answer came); "over" is what was found out by asking.
     */
    this.log = [];
    /** The room that one knows to be in: `{name, isActive, hasSpoken, leaveAt}`. */
    this.room = null;
    this.isWaiting = false;
    /** Somebody who has just come back does not know whether the room is still there. */
    this.inDoubt = this.isAsking = false;
    this.isLeaving = this.isOut = this.isClosed = false;
    this.wake = () => {};
    const socket = (this.socket = io(`${urls[at]}/debate`, {
      forceNew: true,
      transports: ["websocket"],
      auth: { token: token(name, "user") },
      ...client,
    }));
    socket.io.on("reconnect_attempt", () => {
      this.node = (this.node + 1) % urls.length;
      socket.io.uri = urls[this.node];
    });
    const hear = (event, listen) =>
      socket.on(event, (...args) => {
        listen(...args);
        this.wake();
      });
    hear("connect", () => {
      this.note("connected", this.room?.name, { node: this.node });
      [this.isWaiting, this.inDoubt] = [false, this.room !== null];
    });
    hear("disconnect", (why) => {
      this.note("lost", this.room?.name, { why });
      // Nobody but oneself does that otherwise.
      if (why === "io server disconnect") setTimeout(() => this.isClosed || socket.connect(), AGAIN_AFTER);
    });
    hear("room:joined", (told, ack) => {
      // Who was paired by asking anew is out of the room before; the answer may come later than this.
      if (this.inDoubt && this.isAsking && this.room.name !== told.room) this.note("over", this.room.name);
      this.note("joined", told.room, { resumed: told.resumed, node: this.node });
      this.isWaiting = this.inDoubt = this.isOut = false;
      if (this.room?.name !== told.room) this.room = { name: told.room };
      if (told.state === "active") this.begin();
      ack?.();
    });
    hear("room:active", ({ room }) => {
      this.note("active", room);
      if (this.room?.name === room) this.begin();
    });
    hear("room:ended", ({ room, reason, next }) => {
      this.note("ended", room, { reason, next });
      if (this.room && this.room.name !== room) return;
      [this.room, this.inDoubt] = [null, false];
      if (next === "waiting") this.waits();
    });
    hear("queue:waiting", () => {
      this.note("waiting", this.room?.name);
      [this.room, this.inDoubt] = [null, false];
      this.waits();
    });
  }

  note(what, room, rest) {
    this.log.push({ at: Date.now(), what, room, ...rest });
  }

  waits() {
    [this.isWaiting, this.isOut] = [true, false];
  }

  begin() {
    const [least, most] = this.talkMs;
    this.room.leaveAt ??= Date.now() + least + Math.random() * (most - least);
    this.room.isActive = true;
  }

  /** Until something happens, or so many milliseconds are over. */
  async change(ms) {
    let timer;
    await new Promise((resolve) => {
      this.wake = resolve;
      if (ms !== undefined) timer = setTimeout(resolve, Math.max(ms, 0));
    });
    clearTimeout(timer);
  }

  /** What a request is answered with: "ok", the code of an error, or "none". */
  async ask(event, details, room) {
    const sentAt = Date.now();
    const answer = await new Promise((resolve) => {
      this.socket.timeout(ANSWER_MAX).emit(event, ...details, (error, answer) => resolve(error ? null : answer));
    });
    const code = !answer ? "none" : answer.ok ? "ok" : answer.error.code;
    this.note("asked", room, { event, sentAt, code });
    return code;
  }

  /** Asks; what is told meanwhile may be newer than the answer. */
  async askForNews(...request) {
    const before = this.log.length;
    const code = await this.ask(...request);
    return [code, this.log.slice(before).some(({ what }) => what !== "asked")];
  }

  /** Meets others until told to leave, then leaves whatever there is. */
  async live() {
    while (!this.isClosed) {
      if (!this.socket.connected) await this.change();
      else if (this.isLeaving) await this.goAway();
      else if (this.inDoubt) await this.findOut();
      else if (this.room) await this.debate(this.room);
      else if (this.isWaiting) await this.change();
      else await this.join();
    }
  }

  async join() {
    const [code, isNews] = await this.askForNews("queue:join", [this.wish], this.room?.name);
    if (code === "ok") this.isWaiting ||= !isNews;
    else if (!isNews && code === "in_room" && !this.room) await this.leaveUnknown();
    else if (!isNews) await this.change(AGAIN_AFTER);
    return isNews ? "news" : code;
  }

  async findOut() {
    await this.change(TOLD_MAX);
    if (!this.inDoubt || !this.socket.connected) return;
    const room = this.room;
    this.isAsking = true;
    const code = await this.join();
    this.isAsking = false;
    if (code === "ok") {
      this.note("over", room.name);
      [this.room, this.inDoubt] = [null, false];
    } else if (code === "in_room" && room.isActive) this.inDoubt = false;
  }

  async debate(room) {
    if (!room.isActive) return this.change();
    if (!room.hasSpoken) {
      room.hasSpoken = (await this.ask("room:message", [{ text: this.name, room: room.name }], room.name)) !== "unavailable";
    }
    if (Date.now() < room.leaveAt) return this.change(room.hasSpoken ? room.leaveAt - Date.now() : AGAIN_AFTER);
    return this.leave(room);
  }

  async leave(room) {
    const code = await this.ask("room:leave", [{ room: room.name }], room.name);
    if (!OVER.has(code)) return this.change(AGAIN_AFTER);
    if (this.room === room) {
      if (code !== "ok") this.note("over", room.name);
      [this.room, this.inDoubt] = [null, false];
    }
  }

  /** Leaves a room that the nodes know of, and oneself does not, unless one is told of it. */
  async leaveUnknown() {
    await this.change(TOLD_MAX);
    if (!this.room) await this.ask("room:leave", [{}]);
  }

  async goAway() {
    if (this.room) return this.leave(this.room);
    if (this.isOut) return this.change();
    const [code, isNews] = await this.askForNews("queue:leave", []);
    if (isNews) return;
    if (code === "ok" || code === "not_waiting") [this.isOut, this.isWaiting] = [true, false];
    else await this.change(AGAIN_AFTER);
  }

  /** Meets nobody any more. */
  finish() {
    this.isLeaving = true;
    this.wake();
  }

  close() {
    this.isClosed = true;
    this.socket.disconnect();
    this.wake();
  }
}
