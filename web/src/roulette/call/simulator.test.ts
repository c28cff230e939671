// Two pages that set a call up over a line with delays, while either of them offers anew, reloads or asks for a renewal at
// any time. Whatever happens, once it is quiet both hold the same agreement. Seeded: a failure names its seed.
import { expect, test } from "vitest";
import type { Role, Signal } from "../contract";
import { FakePeer } from "./fake-peer";
import { type Negotiation, negotiate } from "./negotiation";
import { renewal } from "./renewal";

const SEEDS = 256;
const STEPS = 60;

type Random = (below: number) => number;

/** Mulberry32: a small generator, good enough to shuffle. */
function random(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

interface Line {
  out: Signal[];
  random: Random;
  failures: unknown[];
}

/** One page in one life; the next one after a reload is another. What is on the line outlives it. */
function openPage(name: string, role: Role, line: Line, life: "first" | "resumed") {
  let peer: FakePeer | null = null;
  let negotiation: Negotiation | null = null;
  let alive = true;
  let made = 0;
  const send = (signal: Signal) => {
    if (alive) line.out.push(signal);
  };
  // A browser takes its time, and never the same.
  const work = async () => {
    for (let turns = line.random(6); turns > 0; turns -= 1) await Promise.resolve();
  };
  const drop = () => {
    peer?.close();
    peer = null;
    negotiation = null;
  };
  const begin = () => {
    made += 1;
    peer = new FakePeer(`${name}-${made}`, work);
    negotiation = negotiate(peer, {
      manners: role === "offerer" ? "impolite" : "polite",
      send,
      beforeAnswer() {},
      beginAnew: () => renewing.ask(),
      onFailure: (error) => line.failures.push(error),
    });
    if (role === "offerer") void negotiation.offer();
  };
  const renewing = renewal({
    send,
    drop,
    begin,
    deliver: (signal) => void negotiation?.receive(signal),
    newName: () => `${name}-${line.random(1e9)}`,
  });
  if (life === "first") begin();
  else renewing.ask();
  return {
    ...renewing,
    agreement: () => (peer?.signalingState === "stable" ? peer.agreement : null),
    /** As when the network has changed. */
    offerAnew() {
      if (peer?.idle && peer.agreement !== null) void negotiation?.offer();
    },
    unload() {
      alive = false;
      drop();
    },
  };
}

type Page = ReturnType<typeof openPage>;

async function settle(): Promise<void> {
  for (let turns = 0; turns < 200; turns += 1) await Promise.resolve();
}

async function simulate(seed: number) {
  const next = random(seed);
  const failures: unknown[] = [];
  const roles = ["offerer", "answerer"] as const;
  const lines = roles.map((): Line => ({ out: [], random: next, failures }));
  const story: string[] = [];
  const open = (who: number, life: "first" | "resumed", name: string): Page =>
    openPage(name, roles[who]!, lines[who]!, life);
  const pages = roles.map((role, who) => open(who, "first", role));

  const deliver = async (to: number) => {
    const signal = lines[1 - to]!.out.shift();
    if (signal === undefined) return;
    story.push(`${roles[to]} receives ${JSON.stringify(signal)}`);
    pages[to]!.receive(signal);
    for (let turns = next(6); turns > 0; turns -= 1) await Promise.resolve();
  };

  for (let step = 0; step < STEPS; step += 1) {
    const who = next(2);
    const what = next(24);
    if (what === 0) {
      story.push(`${roles[who]} reloads`);
      pages[who]!.unload();
      pages[who] = open(who, "resumed", `${roles[who]}-${step}`);
    } else if (what === 1) {
      story.push(`${roles[who]} asks for a renewal`);
      pages[who]!.ask();
    } else if (what <= 4) {
      story.push(`${roles[who]} offers anew`);
      pages[who]!.offerAnew();
    } else {
      await deliver(who);
    }
  }
  do {
    await deliver(next(2));
    if (lines.every(({ out }) => out.length === 0)) await settle();
  } while (lines.some(({ out }) => out.length > 0));
  return { agreements: pages.map((page) => page.agreement()), failures, story };
}

const replayed = process.env["THRONG_SEED"];

test.each(replayed === undefined ? Array.from({ length: SEEDS }, (_, seed) => seed) : [Number(replayed)])(
  "both pages agree in the end: THRONG_SEED=%d",
  async (seed) => {
    const { agreements, failures, story } = await simulate(seed);
    if (replayed !== undefined) console.log(story.join("\n"));
    expect(failures).toEqual([]);
    expect(agreements[0]).not.toBeNull();
    expect(agreements[0]).toBe(agreements[1]);
  },
);
