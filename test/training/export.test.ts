import { test } from "uvu";
import * as assert from "uvu/assert";
import { PLM_TENSORS } from "../../src/model/plm-tensors.js";
import { exportGguf } from "../../src/training/export.js";
import { layoutParameters } from "../../src/training/network/parameters.js";
import { trainingConfig } from "./support/config.js";

/** Fails unless each of the weights is refused by its name. */
function assertRefused(
  type: "F32" | "Q8_0",
  bad: number[],
  parameter: "upProj" | "inputLayernorm",
) {
  const { model: config } = trainingConfig();
  const parameters = layoutParameters(config, PLM_TENSORS);
  for (const value of bad) {
    const values = new Float32Array(parameters.length);
    const { offset, name } = parameters.layers[1][parameter];
    values[offset + 3] = value;
    try {
      for (const _ of exportGguf(values, parameters, {
        config,
        name: "test",
        tokenizer: [],
        type,
      }));
      assert.unreachable(`${value} was written`);
    } catch (error) {
      assert.is((error as { code?: string }).code, "TRAINING_DIVERGED");
      assert.match((error as Error).message, name);
    }
  }
}

test("a weight that could not be loaded is refused by its name", () => {
  const notFinite = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  // A block scale of 128 is one too large.
  assertRefused("Q8_0", [...notFinite, 1e9, 128 * 127], "upProj");
  assertRefused("F32", notFinite, "upProj");
  for (const type of ["F32", "Q8_0"] as const) assertRefused(type, notFinite, "inputLayernorm");
});

test("large weights that could be loaded are written", () => {
  const { model: config } = trainingConfig();
  const parameters = layoutParameters(config, PLM_TENSORS);
  const values = new Float32Array(parameters.length).fill(127 * 127);
  for (const type of ["F32", "Q8_0"] as const) {
    const options = { config, name: "test", tokenizer: [], type };
    assert.ok([...exportGguf(values, parameters, options)].length > 0);
  }
});

test.run();
