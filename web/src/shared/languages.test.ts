import { expect, test } from "vitest";
import { languageName, languages } from "./languages";

test("language is called as its speakers call it", () => {
  expect(["en", "de", "fr"].map(languageName)).toEqual(["English", "Deutsch", "Français"]);
});

test("code that is none is its own name", () => {
  expect(languageName("not a code")).toBe("not a code");
});

test("one's own languages come first", () => {
  const codes = languages(["de-AT", "en-GB", "tlh"]).map(({ code }) => code);
  expect(codes.slice(0, 2)).toEqual(["de", "en"]);
  expect(new Set(codes).size).toBe(codes.length);
});
