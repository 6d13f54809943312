import { test } from "uvu";
import * as assert from "uvu/assert";
import { exportGguf } from "../../src/training/export.js";
import { layoutParameters } from "../../src/training/parameters.js";
import { trainingConfig } from "./config.js";

test("a weight that Q8_0 cannot hold is refused by its name", () => {
  const { model: config } = trainingConfig();
  const parameters = layoutParameters(config);
  const options = { config, name: "test", tokenizer: [] };
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, 1e9]) {
    const values = new Float32Array(parameters.length);
    const { offset, name } = parameters.layers[1].upProj;
    values[offset + 3] = value;
    try {
      for (const _ of exportGguf(values, parameters, { ...options, type: "Q8_0" }));
      assert.unreachable(`${value} was written`);
    } catch (error) {
      assert.is((error as { code?: string }).code, "TRAINING_DIVERGED");
      assert.match((error as Error).message, name);
    }
    assert.ok([...exportGguf(values, parameters, { ...options, type: "F32" })].length > 0);
  }
});

test.run();
