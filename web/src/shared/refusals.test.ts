import { expect, test } from "vitest";
import { refusalWords } from "./refusals";

test("refusal that one can do something about says what", () => {
  expect(refusalWords({ code: "queue_full", message: "The queue is full." })).toContain("try again in a minute");
});

test("any other refusal is told in the server's words", () => {
  expect(refusalWords({ code: "brand_new", message: "Something new." })).toBe("Something new.");
});
