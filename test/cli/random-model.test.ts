import { test } from "uvu";
import * as assert from "uvu/assert";
import { encodeQ8_0 } from "../../src/cli/q8_0.js";
import {
  createRandomModel,
  DEFAULT_RANDOM_MODEL,
  type RandomModelOptions,
} from "../../src/cli/random-model.js";
import { createRandomVocabulary, MIN_VOCAB_SIZE } from "../../src/cli/random-vocabulary.js";
import { loadModel, type Model, renderChat } from "../../src/index.js";
import { Tokenizer } from "../../src/tokenizer/tokenizer.js";
import { gaussian, seededRandom } from "../random.js";
import { referenceQ8_0, referenceQ8_0Values } from "../reference.js";

function load(options: Partial<RandomModelOptions> = {}): Promise<Model> {
  const pieces = createRandomModel({ ...DEFAULT_RANDOM_MODEL, ...options });
  return loadModel(new Blob([...pieces].map((piece) => piece.slice())));
}

test("the dims are those asked for", async () => {
  const options = { layers: 1, hidden: 96, intermediate: 160, heads: 3, kvLoraRank: 32 };
  const others = { nope: 16, rope: 8, vHead: 32, vocab: 300, context: 77 };
  const { config } = await load({ ...options, ...others });
  assert.is(config.numHiddenLayers, 1);
  assert.is(config.hiddenSize, 96);
  assert.is(config.intermediateSize, 160);
  assert.is(config.numAttentionHeads, 3);
  assert.is(config.kvLoraRank, 32);
  assert.is(config.qkNopeHeadDim, 16);
  assert.is(config.qkRopeHeadDim, 8);
  assert.is(config.vHeadDim, 32);
  assert.is(config.vocabSize, 300);
  assert.is(config.maxPositionEmbeddings, 77);
});

test("logits are of moderate size, half of the activations zero, texts mostly words", async () => {
  for (const type of ["f32", "q8_0"] as const) {
    const model = await load({ type, seed: 9 });
    const { text } = await model.generate("Once", { maxTokens: 200, seed: 1 }).result();
    assert.ok(model.zeroShare > 0.4 && model.zeroShare < 0.7, `zeros: ${model.zeroShare}`);
    const readable = text.replace(/[^a-z .,]/g, "").length / text.length;
    assert.ok(readable > 0.95, `${readable} of ${text}`);
    const logits = await model.createSession().evaluate([1, 2, 3]);
    assert.ok(logits.every((logit) => Math.abs(logit) < 100));
  }
});

test("the chat template is PLM's", async () => {
  const { chatTemplate = "" } = (await load()).tokenizer;
  assert.is(
    renderChat(chatTemplate, [{ role: "user", content: "Hi" }], { addGenerationPrompt: true }),
    "<|im_start|>system\nYou are a helpful assistant<|im_end|>\n" +
      "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n",
  );
  const messages = [
    { role: "system", content: "S" },
    { role: "user", content: "U" },
  ];
  assert.is(
    renderChat(chatTemplate, messages),
    "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nU<|im_end|>\n",
  );
});

test("a vocabulary of any size is one, and its words are single tokens", () => {
  for (const size of [MIN_VOCAB_SIZE, MIN_VOCAB_SIZE + 1, 300, 640, 1000]) {
    const vocabulary = createRandomVocabulary(size);
    assert.is(vocabulary.tokens.length, size);
    assert.is(new Set(vocabulary.tokens).size, size);
    assert.is(vocabulary.isReadable.length, size);
    const tokenizer = new Tokenizer({ ...vocabulary, eosTokenId: vocabulary.endOfTextId });
    assert.is(tokenizer.eosTokenIds.size, 2);
    const text = " the little girl saw 3 birds";
    assert.is(tokenizer.decode(tokenizer.encode(text)), text);
    if (size >= 640) assert.is(tokenizer.encode(" the little girl saw").length, 4);
  }
});

test("Q8_0 is next to the values, as near as ggml's", () => {
  const random = seededRandom(8);
  for (const scale of [1e-7, 1e-4, 1, 1000]) {
    const values = gaussian(32 * 50, random, scale);
    const errors = [encodeQ8_0(values), referenceQ8_0(values)].map((bytes) =>
      referenceQ8_0Values(bytes).reduce((sum, value, i) => sum + (value - values[i]) ** 2, 0),
    );
    assert.ok(errors[0] <= errors[1] * 1.02, `${errors}`);
  }
  assert.equal(encodeQ8_0(new Float32Array(32)), new Uint8Array(34));
});

test.run();
