import { describe, expect, test } from "vitest";
import type { Message, RoomJoined } from "./contract";
import { recall } from "./memory";
import { reduce } from "./reducer";
import type { Happening, State } from "./state";

const WISH = { topic: "Zoos should close", side: "for" } as const;
const ROOM: RoomJoined = { room: "r1", topic: WISH.topic, side: "for", endsAt: 301_000 };
const CONNECTED: Happening[] = [{ type: "link:up" }];
const WAITING: Happening[] = [...CONNECTED, { type: "wish:made", wish: WISH, now: 500 }];
const TALKING: Happening[] = [...WAITING, { type: "room:joined", room: ROOM, now: 1_000 }];

function after(happenings: Happening[], from: State = recall(null)): State {
  return happenings.reduce(reduce, from);
}

function said(text: string, at: number, from: Message["from"] = "you"): Message {
  return { text, from, at };
}

function message(text: string, at: number): Happening {
  return { type: "room:message", message: said(text, at) };
}

function texts({ stage }: State): string[] {
  return stage.name === "talking" ? stage.messages.map(({ text }) => text) : [];
}

describe("link", () => {
  function check(happenings: Happening[], expected: State["link"]): void {
    expect(after(happenings).link).toEqual(expected);
  }

  test("first connection shows nothing special", () => check(CONNECTED, { name: "online" }));
  test("lost connection counts its attempts", () =>
    check([...CONNECTED, { type: "link:down" }, { type: "link:attempt", attempt: 2 }], {
      name: "reconnecting",
      attempt: 2,
    }));
  test("outside a debate a new connection is a restored one", () =>
    check([...CONNECTED, { type: "link:down" }, { type: "link:up" }], { name: "restored" }));
  test("restored settles", () =>
    check([...CONNECTED, { type: "link:down" }, { type: "link:up" }, { type: "link:settled" }], { name: "online" }));
  test("late settling does not hide a new loss", () =>
    check([...CONNECTED, { type: "link:down" }, { type: "link:settled" }], { name: "reconnecting", attempt: 0 }));
  test("in a debate it is restored only with the room", () => {
    check([...TALKING, { type: "link:down" }, { type: "link:up" }], { name: "restoring" });
    check([...TALKING, { type: "link:down" }, { type: "link:up" }, { type: "room:joined", room: ROOM, now: 9 }], {
      name: "restored",
    });
  });
});

describe("waiting", () => {
  test("accepted wish shows the others", () => {
    const { stage } = after([...WAITING, { type: "wish:accepted", waiting: 2 }]);
    expect(stage).toEqual({ name: "waiting", since: 500, others: 2 });
  });

  test("lobby counts this person too", () => {
    const { stage } = after([
      ...WAITING,
      { type: "wish:accepted", waiting: 0 },
      { type: "lobby:state", topics: [{ topic: WISH.topic, waiting: 4, debating: 0 }] },
    ]);
    expect(stage).toMatchObject({ others: 3 });
  });

  test("refused wish says why", () => {
    const { stage } = after([...WAITING, { type: "wish:refused", message: "No." }]);
    expect(stage).toEqual({ name: "choosing", refusal: "No." });
  });

  test("answers that come after the pairing change nothing", () => {
    const paired = after(TALKING);
    expect(after([{ type: "wish:accepted", waiting: 1 }], paired)).toEqual(paired);
    expect(after([{ type: "wish:refused", message: "No." }], paired)).toEqual(paired);
    expect(after([{ type: "wish:withdrawn" }], paired)).toEqual(paired);
  });
});

describe("talking", () => {
  test("messages keep their order", () => {
    expect(texts(after([...TALKING, message("a", 1), message("b", 1)]))).toEqual(["a", "b"]);
  });

  test("resumed room replaces what its history covers and keeps what is older", () => {
    const resumed: RoomJoined = { ...ROOM, resumed: true, history: [said("b", 2), said("c", 3, "partner")] };
    const state = after([...TALKING, message("a", 1), message("b", 2), { type: "room:joined", room: resumed, now: 9 }]);
    expect(texts(state)).toEqual(["a", "b", "c"]);
    expect(state.stage).toMatchObject({ startedAt: 1_000 });
  });

  test("another room starts empty", () => {
    const other = { ...ROOM, room: "r2" };
    expect(texts(after([...TALKING, message("a", 1), { type: "room:joined", room: other, now: 9 }]))).toEqual([]);
  });

  test("partner goes away and comes back", () => {
    expect(after([...TALKING, { type: "partner:away" }]).stage).toMatchObject({ partnerAway: true });
    expect(after([...TALKING, { type: "partner:away" }, { type: "partner:back" }]).stage).toMatchObject({
      partnerAway: false,
    });
  });

  test("messages of no room are dropped", () => {
    const idle = after(CONNECTED);
    expect(after([message("a", 1)], idle)).toEqual(idle);
  });
});

describe("ending", () => {
  function check(happenings: Happening[], ending: string): void {
    expect(after([...TALKING, ...happenings]).stage).toMatchObject({ name: "ended", ending });
  }

  test("partner left", () => check([{ type: "room:ended", ending: "left", now: 5 }], "left"));
  test("the one who leaves is told so", () =>
    check([{ type: "room:leaving" }, { type: "room:ended", ending: "left", now: 5 }], "you_left"));
  test("time that runs out while leaving is still time", () =>
    check([{ type: "room:leaving" }, { type: "room:ended", ending: "time", now: 5 }], "time"));
  test("first reason stays", () =>
    check(
      [
        { type: "room:ended", ending: "time", now: 5 },
        { type: "room:ended", ending: "you_left", now: 6 },
      ],
      "time",
    ));

  test("conversation can still be read", () => {
    const { stage } = after([...TALKING, message("a", 1), { type: "room:ended", ending: "time", now: 5 }]);
    expect(stage).toMatchObject({ talk: { messages: [said("a", 1)], side: "for" }, endedAt: 5 });
  });

  test("room lost over a reload ends without one", () => {
    const reloaded = recall('{"wish":{"topic":"x","side":"any"},"stage":"talking","since":7}');
    const { stage } = after([{ type: "room:ended", ending: "lost", now: 9 }], reloaded);
    expect(stage).toEqual({ name: "ended", ending: "lost", talk: null, endedAt: 9 });
  });

  test("choosing again keeps the wish", () => {
    const state = after([...TALKING, { type: "room:ended", ending: "time", now: 5 }, { type: "choose:again" }]);
    expect(state).toMatchObject({ stage: { name: "choosing" }, wish: WISH });
  });
});
