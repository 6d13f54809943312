// The package in a test of Vitest.
import { loadModel } from "plm-wasm";
import { expect, test } from "vitest";
import { report } from "./report.mjs";

const { VITE_MODEL, VITE_EXPECTED } = import.meta.env;

test("threads start", async () => {
  const found = await report((options) => loadModel(VITE_MODEL, options));
  expect(JSON.parse(found)).toEqual(JSON.parse(VITE_EXPECTED));
});
