/** Files that ask for a begin token: prompts get it first, and once. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { loadModel } from "../../src/generation/load-model.js";
import { EOS_TOKEN, type TinyParts, tinyModel } from "../model/support/tiny.js";

const BOS_TOKEN = 257;
const MESSAGES = [{ role: "user", content: "Hi" }];
const TEMPLATE = "{% for message in messages %}{{ message.content }}{% endfor %}";
const TEN = { maxTokens: 10, ignoreEos: true, temperature: 0 };

function addBos({ metadata }: TinyParts): void {
  const id = "tokenizer.ggml.bos_token_id";
  const flag = "tokenizer.ggml.add_bos_token";
  metadata.set(id, { key: id, type: "uint32", value: BOS_TOKEN });
  metadata.set(flag, { key: flag, type: "bool", value: true });
}

test("a text begins with the begin token, ids are taken as they are", async () => {
  const model = await loadModel(tinyModel({ type: "Q8_0" }, addBos));
  const begun = await model.generate("Once", TEN).result();
  const ids = [...new TextEncoder().encode("Once")];
  const expected = await model.generate([BOS_TOKEN, ...ids], TEN).result();
  assert.is(begun.promptTokens, 5);
  assert.equal(begun.tokens, expected.tokens);
  assert.is((await model.generate(ids, TEN).result()).promptTokens, 4);
  assert.is((await model.generate("", TEN).result()).promptTokens, 1);
  assert.not.equal((await model.generate(ids, TEN).result()).tokens, expected.tokens);

  const plain = await loadModel(tinyModel({ type: "Q8_0" }));
  assert.is((await plain.generate("Once", TEN).result()).promptTokens, 4);
});

test("a chat has the begin token once, whether or not the template writes it", async () => {
  for (const begin of ["", "<|im_start|>"]) {
    const chatTemplate = begin + TEMPLATE;
    const model = await loadModel(tinyModel({ type: "Q8_0", chatTemplate }, addBos));
    const expected = await model.generate([BOS_TOKEN, 72, 105], TEN).result();
    const { tokens, promptTokens } = await model.chat(MESSAGES, TEN).result();
    assert.is(promptTokens, 3, chatTemplate);
    assert.equal(tokens, expected.tokens);

    const conversation = model.createConversation();
    let answer = "";
    for await (const piece of conversation.ask("Hi", TEN)) answer += piece;
    assert.is(answer, expected.text);
    conversation.dispose();
  }
});

test("ids out of range that nothing needs do not keep a model from loading", async () => {
  const file = tinyModel({ type: "Q8_0" }, ({ metadata }) => {
    for (const name of ["bos", "padding", "eos"]) {
      const key = `tokenizer.ggml.${name}_token_id`;
      metadata.set(key, { key, type: "uint32", value: 0xffffffff });
    }
  });
  const model = await loadModel(file);
  assert.is(model.tokenizer.warnings.length, 3);
  assert.ok(model.tokenizer.eosTokenIds.has(EOS_TOKEN));
  assert.is((await model.generate("Once", TEN).result()).tokens.length, 10);
});

test.run();
