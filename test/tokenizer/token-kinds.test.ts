/** Special tokens, whatever their type in the file. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { inspectModel } from "../../src/index.js";
import { applyChatTemplate } from "../../src/tokenizer/chat.js";
import { Tokenizer, type TokenizerSource } from "../../src/tokenizer/tokenizer.js";
import { smallSource } from "./support/small.js";

const [NORMAL, CONTROL, USER_DEFINED, UNUSED] = [1, 3, 4, 5];

/** The small vocabulary without its ends, and these tokens from 256 up. */
function withTokens(
  added: [text: string, type: number][],
  changes: Partial<TokenizerSource> = {},
): Tokenizer {
  const { tokens, tokenTypes } = smallSource();
  return new Tokenizer({
    tokens: [...tokens.slice(0, 256), ...added.map(([text]) => text)],
    tokenTypes: [...Array.from(tokenTypes).slice(0, 256), ...added.map(([, type]) => type)],
    merges: [],
    ...changes,
  });
}

const special = { special: true };

// A separate list, so that a typing error in the source shows.
const ENDS = [
  ...["<|endoftext|>", "<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<|end|>", "<|end_of_text|>"],
  ...["<end_of_turn>", "<EOT>", "_<EOT>", "[EOT]", "[EOS]", "<eos>", "</s>", "<|return|>"],
  ...["<|call|>", "<end_of_utterance>", "<｜end▁of▁sentence｜>"],
];

test("well-known texts end an answer, whatever their type", () => {
  for (const text of ENDS) {
    for (const type of [NORMAL, CONTROL, USER_DEFINED, UNUSED, 0]) {
      const tokenizer = withTokens([[text, type]]);
      assert.equal([...tokenizer.eosTokenIds], [256], `${text} of type ${type}`);
      assert.equal(tokenizer.encode(`a${text}`, special), [97, 256], `${text} of type ${type}`);
      assert.is(tokenizer.encode(`a${text}`).includes(256), false, `${text} of type ${type}`);
      assert.is(tokenizer.decode([97, 256], { special: false }), "a");
    }
    assert.is(withTokens([[text, NORMAL]]).decode([97, 256]), `a${text}`);
  }
});

test("tokens of fill-in-the-middle and others do not end an answer", () => {
  for (const text of ["<|fim_pad|>", "<|file_sep|>", "<|im_start|>", "<|end_of_turn_x|>", "</t>"]) {
    assert.equal([...withTokens([[text, CONTROL]]).eosTokenIds], [], text);
  }
});

test("a special text that merges make is text", () => {
  // As in Qwen2's vocabulary, where </s> comes from HTML.
  const pieces: [string, number][] = [
    ["</", NORMAL],
    ["s>", NORMAL],
    ["</s>", NORMAL],
  ];
  const tokenizer = withTokens(pieces, { merges: ["< /", "s >", "</ s>"] });
  assert.equal([...tokenizer.eosTokenIds], []);
  assert.equal(tokenizer.encode("</s>", special), tokenizer.encode("</s>"));
  assert.is(tokenizer.decode([258], { special: false }), "</s>");
});

test("a token that the file names ends an answer, and is special if text cannot become it", () => {
  const tokens: [string, number][] = [
    ["###", NORMAL],
    ["@@", NORMAL],
    ["ab", NORMAL],
  ];
  const merges = ["a b"];
  const ids = { eosTokenId: 258, eotTokenId: 256, eomTokenId: 257, eosTokenIds: [258, 65] };
  const tokenizer = withTokens(tokens, { merges, ...ids });
  assert.equal([...tokenizer.eosTokenIds], [258, 65, 256, 257]);
  assert.equal(tokenizer.encode("###@@abA", special), [256, 257, 258, 65]);
  assert.equal(tokenizer.encode("ab"), [258]);
  assert.is(tokenizer.decode([256, 257, 258, 65], { special: false }), "abA");
});

test("an end token that the file names is one token with its own text, whatever its type", () => {
  for (const text of ["<|im_end|>", "###", "<fín>", "</s>"]) {
    for (const type of [0, NORMAL, 2, CONTROL, USER_DEFINED, UNUSED, 6, 7]) {
      const chatTemplate = "{{ messages[0].content + eos_token }}";
      const tokenizer = withTokens([[text, type]], { eosTokenId: 256, chatTemplate });
      const place = `${text} of type ${type}`;
      assert.is(tokenizer.specialTokensMap.eos_token, text, place);
      const chat = applyChatTemplate(tokenizer, [{ role: "user", content: "a" }]);
      assert.equal(tokenizer.encode(chat, special), [97, 256], place);
      assert.is(tokenizer.encode(text).includes(256), false, place);
      assert.is(tokenizer.decode([97, 256]), `a${text}`, place);
      assert.is(tokenizer.decode([97, 256], { special: false }), "a", place);
      assert.equal([...tokenizer.eosTokenIds], [256], place);
    }
  }
  const newline = withTokens([["<0x0A>", 6]], { eosTokenId: 256 });
  assert.is(newline.decode([256]), "\n");
  assert.equal([...newline.eosTokenIds], [256]);
});

test("a begin or padding token that the file names is special, and ends nothing", () => {
  for (const name of ["bosTokenId", "paddingTokenId"]) {
    for (const type of [NORMAL, CONTROL, UNUSED]) {
      const tokenizer = withTokens([["<début>", type]], { [name]: 256 });
      assert.equal(tokenizer.encode("a<début>", special), [97, 256], `${name}, type ${type}`);
      assert.is(tokenizer.encode("a<début>").includes(256), false);
      assert.is(tokenizer.decode([97, 256]), "a<début>");
      assert.is(tokenizer.decode([97, 256], { special: false }), "a");
      assert.is(tokenizer.eosTokenIds.size, 0);
    }
    const made = withTokens([["ab", NORMAL]], { merges: ["a b"], [name]: 256 });
    assert.is(made.decode(made.encode("ab", special), { special: false }), "ab");
  }
});

test("<|end|> does not end an answer if it ends a message", () => {
  const all = (...texts: string[]): number =>
    withTokens(texts.map((text) => [text, CONTROL])).eosTokenIds.size;
  assert.is(all("<|end|>", "<|return|>"), 2);
  assert.is(all("<|end|>", "<|return|>", "<|call|>"), 2);
  assert.is(all("<|end|>", "<|flush|>", "<|calls|>"), 2);
});

test("a token typed normal that looks like a control token is one", () => {
  const tokenizer = withTokens([
    ["<|im_start|>", NORMAL],
    ["<|user|>", NORMAL],
    ["<｜User｜>", NORMAL],
    ["<|audio_12|>", NORMAL],
    ["<|système|>", NORMAL],
  ]);
  const text = "<|im_start|><|user|><｜User｜>";
  assert.equal(tokenizer.encode(text, special), [256, 257, 258]);
  assert.equal(tokenizer.encode("<|système|>", special), [260]);
  assert.is(tokenizer.decode([260]), "<|système|>");
  assert.not.equal(tokenizer.encode(text), [256, 257, 258]);
  assert.is(tokenizer.decode([256, 257, 258, 97], { special: false }), "a");
  assert.is(tokenizer.decode([256, 257, 258, 97]), `${text}a`);
  assert.is(tokenizer.encode("<|audio_12|>", special).includes(259), false);
});

test("tokens that the chat template uses as markup are parsed, and shown", () => {
  const tokens: [string, number][] = [
    ["[INST]", NORMAL],
    ["<think>", NORMAL],
    ["<br>", NORMAL],
    ["user", NORMAL],
  ];
  const text = "[INST]<think><br>user";
  const chatTemplate = "[INST]{{ messages[0].content }}<think>{# user #}";
  const tokenizer = withTokens(tokens, { chatTemplate });
  const ids = tokenizer.encode(text, special);
  assert.equal(ids.slice(0, 2), [256, 257]);
  assert.equal(ids.slice(2), tokenizer.encode("<br>user"));
  assert.is(tokenizer.encode(text).length, text.length);
  assert.is(tokenizer.decode([256, 257], { special: false }), "[INST]<think>");
  const without = withTokens(tokens);
  assert.equal(without.encode(text, special), without.encode(text));
});

test("tokens of type unknown are hidden like control tokens", () => {
  const tokenizer = withTokens([["<unk>", 2]]);
  assert.equal(tokenizer.encode("<unk>", special), [256]);
  assert.not.equal(tokenizer.encode("<unk>"), [256]);
  assert.is(tokenizer.decode([97, 256], { special: false }), "a");
});

test("user-defined tokens stay visible and parsed", () => {
  const tokenizer = withTokens([["<|tool|>", USER_DEFINED]]);
  assert.equal(tokenizer.encode("<|tool|>"), [256]);
  assert.is(tokenizer.decode([256], { special: false }), "<|tool|>");
});

const REPORT = join(process.cwd(), "..", "shared", "reports", "chatml-specials-normal.gguf");
if (!existsSync(REPORT)) console.log(`skipped, no ${REPORT}: ChatML's tokens typed normal`);
else {
  test("a file with all ChatML tokens typed normal", async () => {
    const { tokenizer } = await inspectModel(REPORT);
    assert.equal([...tokenizer.eosTokenIds], [264, 266]);
    const ids = tokenizer.encode("<|im_start|>\n<|im_end|>", special);
    assert.equal([ids[0], ids.at(-1)], [265, 266]);
  });
}

test.run();
