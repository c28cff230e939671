import { expect, test } from "vitest";
import { company, pictureWords, refusalOfDevices } from "./words";

test("company agrees with its number", () => {
  expect([0, 1, 2].map(company)).toEqual(["You are the first one here.", "1 other person waits.", "2 other people wait."]);
});

test("picture that is there needs no words", () => {
  expect(pictureWords("connected", { camera: true, microphone: true }, "video")).toBeNull();
  expect(pictureWords("connected", null, "video")).toBeNull();
  expect(pictureWords("connected", { camera: false, microphone: true }, "audio")).toBeNull();
});

test("picture that is not there says why", () => {
  const partner = { camera: false, microphone: true };
  const phases = ["connecting", "connected", "lost", "failed"] as const;
  const words = phases.map((phase) => pictureWords(phase, partner, "video"));
  expect(new Set(words).size).toBe(4);
  expect(words).not.toContain(null);
});

test("every refusal names what was asked for, and is told apart", () => {
  const all = (["denied", "missing", "busy", "failed"] as const).map((why) => refusalOfDevices(why, "camera").title);
  expect(new Set(all).size).toBe(4);
  for (const title of all) expect(title).toContain("camera");
  expect(refusalOfDevices("insecure", "audio").text).toContain("microphone");
});
