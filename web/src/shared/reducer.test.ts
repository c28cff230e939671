import { describe, expect, test } from "vitest";
import type { App, Message, RoomJoined } from "./contract";
import { recall } from "./memory";
import { visitReducer } from "./reducer";
import type { Happening, Visit } from "./visit";

interface Page extends App {
  lobby: { waiting: number };
}

const WISHES = { stored: "test", first: {}, isWish: (_: unknown): _ is object => true };
const ROOM: RoomJoined = {
  room: "r1",
  queue: "default",
  state: "waiting",
  startedAt: 5_000,
  endsAt: 305_000,
  resumed: false,
  history: [],
  tags: [],
};
const CONNECTED: Happening<Page>[] = [{ type: "link:up" }];
const WAITING: Happening<Page>[] = [...CONNECTED, { type: "wish:made", wish: {}, now: 500 }];
const TALKING: Happening<Page>[] = [...WAITING, { type: "room:joined", room: ROOM, now: 1_000 }];

const reduce = visitReducer<Page>(({ waiting }) => waiting - 1);

function fresh(): Visit<Page> {
  return recall<Page>(null, WISHES);
}

function after(happenings: Happening<Page>[], from = fresh()): Visit<Page> {
  return happenings.reduce(reduce, from);
}

function said(seq: number, from: Message["from"] = "you"): Message {
  return { seq, text: `text ${seq}`, from, at: seq };
}

function message(seq: number, from?: Message["from"]): Happening<Page> {
  return { type: "room:message", message: said(seq, from) };
}

function ended(change: Partial<Extract<Happening<Page>, { type: "room:ended" }>> = {}): Happening<Page> {
  return { type: "room:ended", room: "r1", reason: "left", next: "offered", now: 5, ...change };
}

function seqs({ stage }: Visit<Page>): number[] {
  return stage.name === "talking" ? stage.messages.map(({ seq }) => seq) : [];
}

describe("link", () => {
  function check(happenings: Happening<Page>[], expected: Visit<Page>["link"]): void {
    expect(after(happenings).link).toEqual(expected);
  }

  test("first connection shows nothing special", () => check(CONNECTED, { name: "online" }));
  test("lost connection counts its attempts", () =>
    check([...CONNECTED, { type: "link:down" }, { type: "link:attempt", attempt: 2 }], {
      name: "reconnecting",
      attempt: 2,
    }));
  test("outside a conversation a new connection is a restored one", () =>
    check([...CONNECTED, { type: "link:down" }, { type: "link:up" }], { name: "restored" }));
  test("restored settles", () =>
    check([...CONNECTED, { type: "link:down" }, { type: "link:up" }, { type: "link:settled" }], { name: "online" }));
  test("late settling does not hide a new loss", () =>
    check([...CONNECTED, { type: "link:down" }, { type: "link:settled" }], { name: "reconnecting", attempt: 0 }));
  test("in a conversation it is restored only with the room", () => {
    check([...TALKING, { type: "link:down" }, { type: "link:up" }], { name: "restoring" });
    check([...TALKING, { type: "link:down" }, { type: "link:up" }, { type: "room:joined", room: ROOM, now: 9 }], {
      name: "restored",
    });
  });
  test("in a conversation that is over by then it is restored with the end", () =>
    check([...TALKING, { type: "link:down" }, { type: "link:up" }, { type: "room:lost", now: 9 }], {
      name: "restored",
    }));
});

describe("waiting", () => {
  test("accepted wish shows the others and the usual wait", () => {
    const { stage } = after([...WAITING, { type: "wish:accepted", waiting: 2, estimatedWaitMs: 7_000 }]);
    expect(stage).toEqual({ name: "waiting", since: 500, again: false, others: 2, estimatedWaitMs: 7_000 });
  });

  test("lobby changes the count of the others, once there is one", () => {
    const lobby: Happening<Page> = { type: "lobby:state", lobby: { waiting: 4 } };
    const accepted: Happening<Page> = { type: "wish:accepted", waiting: 0, estimatedWaitMs: null };
    expect(after([...WAITING, accepted, lobby]).stage).toMatchObject({ others: 3 });
    expect(after([...WAITING, lobby]).stage).toMatchObject({ others: null });
  });

  test("lost connection leaves the others and the usual wait unknown, until the wish is accepted again", () => {
    const accepted: Happening<Page> = { type: "wish:accepted", waiting: 2, estimatedWaitMs: 7_000 };
    const lost: Happening<Page>[] = [{ type: "link:down" }, { type: "link:closed", why: null }];
    for (const happening of lost) {
      const alone = after([...WAITING, accepted, happening]);
      expect(alone.stage).toMatchObject({ since: 500, others: null, estimatedWaitMs: null });
      expect(after([{ type: "link:up" }, accepted], alone).stage).toMatchObject({ others: 2 });
    }
  });

  test("refused wish says why", () => {
    const refusal = { code: "queue_full", message: "No." };
    const { stage } = after([...WAITING, { type: "wish:refused", refusal }]);
    expect(stage).toEqual({ name: "choosing", refusal });
  });

  test("answers that come after the pairing change nothing", () => {
    const paired = after(TALKING);
    const late: Happening<Page>[] = [
      { type: "wish:accepted", waiting: 1, estimatedWaitMs: null },
      { type: "wish:refused", refusal: { code: "in_room", message: "No." } },
      { type: "wish:withdrawn" },
      { type: "queue:waiting", since: 1, estimatedWaitMs: null },
    ];
    for (const happening of late) expect(after([happening], paired)).toEqual(paired);
  });

  test("server that still has the ticket says since when", () => {
    const { stage } = after([...WAITING, { type: "queue:waiting", since: 300, estimatedWaitMs: 2_000 }]);
    expect(stage).toMatchObject({ name: "waiting", since: 300, estimatedWaitMs: 2_000 });
  });

  test("ticket of one who has cancelled meanwhile does not bring the waiting back", () => {
    const { stage } = after([...CONNECTED, { type: "queue:waiting", since: 300, estimatedWaitMs: null }]);
    expect(stage).toEqual({ name: "choosing", refusal: null });
  });
});

describe("talking", () => {
  test("end is as far away as the server's room is long, by the clock of this machine", () => {
    expect(after(TALKING).stage).toMatchObject({ startedAt: 1_000, endsAt: 301_000, active: false });
  });

  test("warning sets the clock right", () => {
    const { stage } = after([...TALKING, { type: "room:warning", room: "r1", remainingMs: 60_000, now: 200_000 }]);
    expect(stage).toMatchObject({ warned: 60_000, endsAt: 260_000 });
  });

  test("words about another room are dropped", () => {
    const before = after(TALKING);
    const other: Happening<Page>[] = [
      { type: "room:warning", room: "r0", remainingMs: 1, now: 2 },
      { type: "room:active", room: "r0" },
      ended({ room: "r0" }),
    ];
    for (const happening of other) expect(after([happening], before)).toEqual(before);
  });

  test("both are there", () => {
    expect(after([...TALKING, { type: "room:active", room: "r1" }]).stage).toMatchObject({ active: true });
  });

  test("messages keep their order, and none is shown twice", () => {
    expect(seqs(after([...TALKING, message(2), message(1), message(3), message(2), message(1)]))).toEqual([1, 2, 3]);
  });

  test("resumed room replaces what its history covers and keeps what is older", () => {
    const resumed = { ...ROOM, resumed: true, history: [said(2), said(3, "partner")] };
    const state = after([...TALKING, message(1), message(2), { type: "room:joined", room: resumed, now: 9 }]);
    expect(seqs(state)).toEqual([1, 2, 3]);
    expect(state.stage).toMatchObject({ startedAt: 1_000, endsAt: 301_000 });
  });

  test("another room starts empty", () => {
    const other = { ...ROOM, room: "r2" };
    expect(seqs(after([...TALKING, message(1), { type: "room:joined", room: other, now: 9 }]))).toEqual([]);
  });

  test("partner goes away and comes back", () => {
    expect(after([...TALKING, { type: "partner:away" }]).stage).toMatchObject({ partner: "away" });
    expect(after([...TALKING, { type: "partner:away" }, { type: "partner:back" }]).stage).toMatchObject({
      partner: "back",
    });
  });

  test("partner writes until the message is there, or until they are away", () => {
    const writing: Happening<Page>[] = [...TALKING, { type: "room:typing", typing: true }];
    expect(after(writing).stage).toMatchObject({ typing: true });
    expect(after([...writing, message(1)]).stage).toMatchObject({ typing: true });
    expect(after([...writing, message(1, "partner")]).stage).toMatchObject({ typing: false });
    expect(after([...writing, { type: "partner:away" }]).stage).toMatchObject({ typing: false });
  });

  test("messages of no room are dropped", () => {
    const idle = after(CONNECTED);
    expect(after([message(1)], idle)).toEqual(idle);
  });
});

describe("ending", () => {
  function check(happenings: Happening<Page>[], expected: object): void {
    expect(after([...TALKING, ...happenings]).stage).toMatchObject({ name: "ended", ...expected });
  }

  test("reason and what follows are the server's", () => {
    check([ended({ reason: "partner_gone" })], { ending: "partner_gone", next: "offered", endedAt: 5 });
    check([ended({ reason: "drain", next: "none" })], { ending: "drain", next: "none" });
    check([ended({ reason: "operator" })], { ending: "operator" });
  });
  test("partner left", () => check([ended()], { ending: "left" }));
  test("the one who parts is told what they did", () => {
    check([{ type: "room:parting", parting: "leave" }, ended()], { ending: "you_left" });
    check([{ type: "room:parting", parting: "block" }, ended()], { ending: "you_blocked", after: { blocked: true } });
    check([{ type: "room:parting", parting: "report" }, ended({ reason: "reported" })], {
      ending: "you_reported",
      after: { blocked: true },
    });
  });
  test("the one who was reported is told of a report", () => check([ended({ reason: "reported" })], { ending: "reported" }));
  test("time that runs out while leaving is still time", () =>
    check([{ type: "room:parting", parting: "leave" }, ended({ reason: "time" })], { ending: "time" }));
  test("partner who left before one could", () =>
    check([{ type: "room:parting", parting: "leave" }, { type: "room:staying" }, ended()], { ending: "left" }));
  test("first reason stays", () => check([ended({ reason: "time" }), ended({ now: 6 })], { ending: "time" }));

  test("the next partner is waited for at once", () => {
    const { stage } = after([...TALKING, { type: "room:parting", parting: "next" }, ended()]);
    expect(stage).toMatchObject({ name: "waiting", since: 5, again: false, others: null });
  });

  test("time that runs out while asking for the next one is an end", () =>
    check([{ type: "room:parting", parting: "next" }, ended({ reason: "time" })], { ending: "time" }));

  test("partner who never arrived is waited for anew", () => {
    const { stage } = after([...TALKING, ended({ reason: "partner_gone", next: "waiting" })]);
    expect(stage).toMatchObject({ name: "waiting", again: true });
  });

  test("conversation can still be read", () =>
    check([message(1), ended()], { talk: { id: "r1", messages: [said(1)] } }));

  test("room lost over a reload ends without one", () => {
    const reloaded = recall<Page>(
      '{"wish":{},"progress":{"stage":"talking","since":7,"room":"r1"}}',
      WISHES,
    );
    const { stage } = after([{ type: "room:lost", now: 9 }], reloaded);
    const untold = { rating: null, blocked: false, forgotten: false };
    expect(stage).toEqual({ name: "ended", ending: "lost", next: "none", talk: null, endedAt: 9, after: untold });
  });

  test("rating and block are remembered", () =>
    check([ended(), { type: "rated", rating: 4 }, { type: "blocked" }], { after: { rating: 4, blocked: true } }));

  test("what the server has forgotten stays readable, and counts as forgotten", () =>
    check([message(1), ended(), { type: "room:forgotten" }], { after: { forgotten: true }, talk: { messages: [said(1)] } }));

  test("choosing again keeps the wish", () => {
    const state = after([...TALKING, ended(), { type: "choose:again" }]);
    expect(state).toMatchObject({ stage: { name: "choosing", refusal: null }, wish: {} });
  });
});
