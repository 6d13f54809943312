import { test } from "uvu";
import { TENSOR_TYPES, type TensorType } from "../../src/format/dtypes.js";
import {
  assertAtMost,
  engineLogits,
  loadEngine,
  meanKl,
  rowsError,
  rowsOf,
} from "./support/engine.js";
import { readReference } from "./support/reference-files.js";
import { referenceLogits } from "./support/reference-forward.js";
import {
  K_DIMS,
  ODD_DIMS,
  SMALL_DIMS,
  type TinyOptions,
  tinyModel,
  tinyTokens,
} from "./support/tiny.js";

const TOKENS = tinyTokens(12);

/** Relative error of the logits: with products of floats, and with activations of 14 bits. */
const FLOAT_ERROR = 3e-6;
const QUANTISED_ERROR = 3e-4;

/** Fails unless both forms of attention, over an exact cache, give the definition's logits. */
async function assertAgrees(options: TinyOptions, what: string): Promise<void> {
  const file = tinyModel(options);
  const expected = await referenceLogits(file, TOKENS);
  const limit = options.type?.startsWith("Q") ? QUANTISED_ERROR : FLOAT_ERROR;
  for (const attention of ["absorbed", "expanded"] as const) {
    const model = await loadEngine(file, { cacheType: "f32", attention, precision: "exact" });
    const actual = await engineLogits(model, TOKENS);
    assertAtMost(rowsError(actual, expected), limit, `${what}, ${attention}`);
  }
}

for (const type of Object.keys(TENSOR_TYPES) as TensorType[]) {
  const dims = type.endsWith("_K") ? K_DIMS : ODD_DIMS;
  test(`logits of ${type} weights are those of the definition`, async () => {
    await assertAgrees({ dims: { ...dims, numHiddenLayers: 1 }, type }, type);
  });

  test(`output.weight of ${type} is used instead of the embedding`, async () => {
    const small = type.endsWith("_K") ? { ...K_DIMS, intermediateSize: 256 } : SMALL_DIMS;
    const options = { dims: { ...small, numHiddenLayers: 1 }, type, tied: false };
    await assertAgrees(options, `${type} untied`);
  });
}

for (const type of ["F32", "F16", "BF16", "Q8_0", "Q4_1", "Q5_0"] as const) {
  test(`a kv_b of ${type} may come as k_b and v_b`, async () => {
    const dims = { ...SMALL_DIMS, kvLoraRank: 96, qkNopeHeadDim: 64, numAttentionHeads: 3 };
    dims.hiddenSize = dims.numAttentionHeads * 32;
    dims.vHeadDim = 32;
    await assertAgrees({ dims, type, splitKvB: true }, `${type} split`);
  });
}

test("several layers of odd dims", async () => {
  await assertAgrees({ dims: ODD_DIMS }, "F32");
  await assertAgrees({ dims: ODD_DIMS, type: "Q8_0" }, "Q8_0");
});

test("matrices that are read in several pieces", async () => {
  const small = { ...SMALL_DIMS, numHiddenLayers: 1, hiddenSize: 1024 };
  await assertAgrees({ dims: { ...small, intermediateSize: 1600 } }, "F32");
  await assertAgrees({ dims: { ...small, intermediateSize: 4608 }, type: "Q8_0" }, "Q8_0");
});

test("one head, one layer, the smallest dims", async () => {
  const dims = { ...SMALL_DIMS, numHiddenLayers: 1, numAttentionHeads: 1, vHeadDim: 32 };
  for (const type of ["F32", "Q8_0"] as const) {
    const tiny = { ...dims, hiddenSize: 32, intermediateSize: 32, qkNopeHeadDim: 8 };
    await assertAgrees({ dims: tiny, type, tied: false }, `${type}, one head`);
  }
});

test("more heads than a tile has positions", async () => {
  const dims = { ...SMALL_DIMS, numAttentionHeads: 72, vHeadDim: 8, qkNopeHeadDim: 8 };
  for (const type of ["F32", "Q8_0"] as const) await assertAgrees({ dims, type }, `${type}, 72`);
});

test("the definition agrees with the reference logits of mini-f32", async () => {
  const reference = readReference("mini-f32");
  if (reference === undefined) return;
  const { file, tokens, vocab, logits } = reference;
  const count = 16; // of 48: the rest costs seconds and shows nothing new
  const actual = await referenceLogits(file, tokens.slice(0, count));
  assertAtMost(meanKl(rowsOf(logits, vocab).slice(0, count), actual), 1e-12, "KL");
});

test.run();
