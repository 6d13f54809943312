import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  createRandomModel,
  DEFAULT_RANDOM_MODEL,
  type RandomModelOptions,
} from "../../src/cli/random-model.js";
import { createRandomVocabulary, MIN_VOCAB_SIZE } from "../../src/cli/random-vocabulary.js";
import { loadModel, type Model, renderChat } from "../../src/index.js";
import { Tokenizer } from "../../src/tokenizer/tokenizer.js";

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

test("a tensor that would not fit in memory is refused before anything is made", () => {
  const wide = { hidden: 65536, intermediate: 32, heads: 1, nope: 8, rope: 8, vHead: 32 };
  const kvA = 65536 * (16384 + 8);
  assert.throws(
    () => createRandomModel({ ...DEFAULT_RANDOM_MODEL, ...wide, kvLoraRank: 16384 }),
    `model: expected tensors of at most ${2 ** 28} values, got one of ${kvA}`,
  );
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

test.run();
