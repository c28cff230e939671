// What a run of debaters has shown: from what each was told and asked to how many pairings were doubled or lost. Pure.
//
// A room begins when somebody is first told of it. It is still there when a request about it is sent that is answered with ok.
// Whoever is in two rooms that are there at the same moment is in one too many. A room that is told to somebody for whom it was over
// has come back: from then on it is another.

/** All rooms by name: members and where in what they read it first was, when it was first told and last there, when somebody left, and when it was first over. */
function rooms(people) {
  const all = new Map();
  const of = (name) => {
    if (!all.has(name)) {
      const [members, known] = [new Map(), new Set()];
      const never = Infinity;
      all.set(name, { name, members, known, active: false, toldAt: never, thereAt: 0, leftAt: never, overAt: never });
    }
    return all.get(name);
  };
  for (const { name, log } of people) {
    for (const [place, { at, what, room: named, event, sentAt, code, reason }] of log.entries()) {
      if (!named) continue;
      const room = of(named);
      if (what === "joined") {
        if (!room.members.has(name)) room.members.set(name, place);
        room.toldAt = Math.min(room.toldAt, at);
      }
      if (what === "joined" || what === "ended") room.known.add(name);
      if (what === "active") room.active = true;
      if (what === "ended" || what === "over") room.overAt = Math.min(room.overAt, at);
      if (what === "asked" && event.startsWith("room:") && code === "ok") room.thereAt = Math.max(room.thereAt, sentAt);
      // No answer, and nobody knows whether it was done.
      const mayHaveLeft = what === "asked" && event === "room:leave" && (code === "ok" || code === "none");
      if (mayHaveLeft || (what === "ended" && reason === "left")) room.leftAt = Math.min(room.leftAt, sentAt ?? at);
    }
  }
  return all;
}

/** When rooms came back, by name. */
function comebacks(people) {
  const backAt = new Map();
  for (const { log } of people) {
    const over = new Set();
    for (const { at, what, room, event, code } of log) {
      if (what === "joined" && over.has(room)) backAt.set(room, Math.min(at, backAt.get(room) ?? at));
      const hasLeft = what === "asked" && event === "room:leave" && code === "ok";
      if (what === "ended" || what === "over" || hasLeft) over.add(room);
    }
  }
  return backAt;
}

/** The same people, but that each room which came back is named anew. */
function renamed(people, backAt) {
  const rename = (entry) => ((entry.sentAt ?? entry.at) >= backAt.get(entry.room) ? { ...entry, room: `${entry.room} again` } : entry);
  return people.map(({ name, log }) => ({ name, log: log.map(rename) }));
}

/** Rooms that somebody was told of while the last one had not ended for them. */
function toldTwice({ name, log }) {
  const twice = [];
  let current = null;
  for (const { at, what, room, event, code } of log) {
    if (what === "joined") {
      if (current && current !== room) twice.push({ kind: "told of another", name, rooms: [current, room], at });
      current = room;
    }
    const isOver = what === "ended" || what === "over" || what === "waiting";
    if ((isOver || (what === "asked" && event === "room:leave" && code === "ok")) && room === current) current = null;
  }
  return twice;
}

/** Rooms of one person, in the order in which it read of them, of which one was still there when the next was told. */
function atOnce(name, own) {
  const doubled = [];
  let last = null;
  for (const room of own.sort((one, other) => one.members.get(name) - other.members.get(name))) {
    if (last && last.thereAt > room.toldAt) {
      doubled.push({ kind: "in both", name, rooms: [last.name, room.name], at: last.thereAt });
    }
    if (!last || room.thereAt > last.thereAt) last = room;
  }
  return doubled;
}

/** When, and on which node, somebody first heard of each room, where `from` is the first moment that counts. */
export function meetings({ log }, from) {
  const known = new Set();
  const told = [];
  for (const { at, what, room, node } of log) {
    if (what !== "joined" || known.has(room)) continue;
    known.add(room);
    if (at > from) told.push({ at, node });
  }
  return told;
}

/** When somebody had met somebody new on each of these nodes, where `from` is the first moment that counts; else never. */
export function metOnAll(nodes, people, from) {
  const told = people.flatMap((person) => meetings(person, from));
  const firstOn = (wanted) => Math.min(...told.filter(({ node }) => node === wanted).map(({ at }) => at));
  return Math.max(...nodes.map(firstOn));
}

/**
 * Figures of a run, with when the fault struck and was over, when all was normal again, when people were told to finish, and after
 * how long one is lost.
 */
export function judge(people, { struckAt, overAt, normalAt, finishedAt, lostMs }) {
  const backAt = comebacks(people);
  const all = rooms(renamed(people, backAt));
  const told = [...all.values()].filter(({ members }) => members.size > 0);
  const doubled = people.flatMap(toldTwice);
  for (const { name } of people) doubled.push(...atOnce(name, told.filter(({ members }) => members.has(name))));
  for (const { name, members, toldAt } of told) {
    if (members.size > 2) doubled.push({ kind: "a third", name: [...members.keys()].join(), rooms: [name], at: toldAt });
  }
  const lost = [];
  for (const { name, members, known, active, toldAt } of told) {
    if (!active || known.size >= 2) continue;
    // What everybody knows of it, to see why.
    const logs = people.flatMap(({ name: who, log }) => log.filter(({ room }) => room === name).map((entry) => ({ who, ...entry })));
    lost.push({ kind: "one never told", name: [...members.keys()].join(), room: name, at: toldAt, logs });
  }
  for (const person of people) {
    const moments = [normalAt, ...meetings(person, normalAt).map(({ at }) => at), finishedAt];
    const at = moments.findIndex((moment, at) => at > 0 && moment - moments[at - 1] > lostMs);
    if (at > 0) lost.push({ kind: "met nobody", name: person.name, at: moments[at - 1] });
  }
  const pairedAt = told.map(({ toldAt }) => toldAt).sort((one, other) => one - other);
  const since = [struckAt, ...pairedAt.filter((at) => at > struckAt && at < finishedAt), finishedAt];
  const isOn = ({ toldAt, leftAt, overAt }) => toldAt <= struckAt && Math.min(leftAt, overAt) > struckAt;
  const byFault = told.filter(({ leftAt, overAt }) => overAt > struckAt && overAt < finishedAt && leftAt === Infinity);
  const isAgain = ({ at, event, code, room }) => at > struckAt && event === "room:leave" && code === "ok" && !room;
  return {
    people: people.length,
    /** How often somebody had to leave a room that had ended for them, or that they were never told of. */
    leftAgain: people.flatMap(({ log }) => log.filter(isAgain)).length,
    pairings: told.length - backAt.size,
    /** How many rooms came back. */
    cameBack: backAt.size,
    doubled,
    lost,
    roomsOn: told.filter(isOn).length,
    endedByFault: byFault.map(({ name }) => name),
    normalMs: normalAt - overAt,
    longestMs: Math.max(...since.slice(1).map((at, i) => at - since[i])),
  };
}
