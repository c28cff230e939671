import { expect, test } from "vitest";
import { createStore, focus } from "./store";

function counters() {
  return createStore<{ a: number; b: number }, "a" | "b">(
    (state, which) => ({ ...state, [which]: state[which] + 1 }),
    { a: 0, b: 0 },
  );
}

test("what a listener brings about is told after the change before it, to everybody in the same order", () => {
  const store = counters();
  const seen: string[] = [];
  store.subscribe(({ a }, before) => {
    if (a !== before.a) store.dispatch("b");
  });
  store.subscribe(({ a, b }, before) => seen.push(`${before.a}${before.b}>${a}${b}`));
  store.dispatch("a");
  expect(seen).toEqual(["00>10", "10>11"]);
});

test("listener of a part hears of that part alone", () => {
  const store = counters();
  const part = focus<{ a: number; b: number }, "a" | "b", number, "a">(store, ({ a }) => a);
  const seen: number[] = [];
  part.subscribe((a) => seen.push(a));
  store.dispatch("b");
  part.dispatch("a");
  expect([part.state, seen]).toEqual([1, [1]]);
});
