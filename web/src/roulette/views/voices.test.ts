import { expect, test } from "vitest";
import { loudness } from "./voices";

test.each([
  [[0, 0, 0, 0], 0],
  [[0.1, -0.1, 0.1, -0.1], 0.4],
  [[1, -1, 1, -1], 1],
])("samples %j are as loud as %d", (samples, expected) => {
  expect(loudness(new Float32Array(samples))).toBeCloseTo(expected);
});
