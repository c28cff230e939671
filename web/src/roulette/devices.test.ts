import { afterEach, expect, test, vi } from "vitest";
import { openDevices, whyNot } from "./devices";

afterEach(() => vi.unstubAllGlobals());

function browser(getUserMedia: () => Promise<unknown>): void {
  vi.stubGlobal("navigator", { mediaDevices: { getUserMedia } });
}

test.each([
  ["NotAllowedError", "denied"],
  ["SecurityError", "denied"],
  ["NotFoundError", "missing"],
  ["OverconstrainedError", "missing"],
  ["NotReadableError", "busy"],
  ["AbortError", "busy"],
  ["TypeError", "failed"],
])("%s means %s", async (name, why) => {
  expect(whyNot(name)).toBe(why);
  browser(() => Promise.reject(new DOMException("", name)));
  expect(await openDevices("video")).toEqual({ ok: false, why });
});

test("page that may not even ask is insecure", async () => {
  vi.stubGlobal("navigator", {});
  expect(await openDevices("video")).toEqual({ ok: false, why: "insecure" });
});

test("tracks are what the browser gave", async () => {
  browser(async () => ({ getTracks: () => ["track"] }));
  expect(await openDevices("audio")).toEqual({ ok: true, tracks: ["track"] });
});
