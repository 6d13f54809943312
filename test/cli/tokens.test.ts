import { test } from "uvu";
import * as assert from "uvu/assert";
import { inspectModel } from "../../src/index.js";
import { assertFails, json, model, output, plmWith } from "./support/plm.js";

const { tokenizer } = await inspectModel(model);
const TEXT = "  the girl — é 你好\n\n🚀<|im_end|>\t ";

test("text to ids, from an option and from standard input", async () => {
  const [{ ids }, { ids: special }, plain, input] = await Promise.all([
    json<{ ids: number[] }>("tokenize", "-m", model, "--text", TEXT),
    json<{ ids: number[] }>("tokenize", "-m", model, "--text", TEXT, "--special"),
    output("tokenize", "-m", model, "--text", TEXT),
    plmWith(TEXT, "tokenize", "-m", model, "--json"),
  ]);
  assert.equal(ids, tokenizer.encode(TEXT));
  assert.equal(special, tokenizer.encode(TEXT, { special: true }));
  assert.is(special.length < ids.length, true);
  assert.is(plain, `${ids.join(",")}\n`);
  assert.equal(JSON.parse(input.stdout), { ids });
});

test("normalisation can be left out", async () => {
  const decomposed = "e\u0301";
  const [nfc, none] = await Promise.all([
    json<{ ids: number[] }>("tokenize", "-m", model, "--text", decomposed),
    json<{ ids: number[] }>("tokenize", "-m", model, "--text", decomposed, "--no-nfc"),
  ]);
  assert.equal(nfc.ids, tokenizer.encode("\u00e9"));
  assert.equal(none.ids, tokenizer.encode(decomposed, { normalize: "none" }));
});

test("ids to text, to the byte", async () => {
  const ids = tokenizer.encode(TEXT, { special: true });
  const [text, object, empty] = await Promise.all([
    output("detokenize", "-m", model, "--ids", ids.join(" , ")),
    json<{ text: string }>("detokenize", "-m", model, "--ids", ids.join(",")),
    json<{ ids: number[] }>("tokenize", "-m", model, "--text", ""),
  ]);
  assert.is(text, TEXT);
  assert.is(object.text, TEXT);
  assert.equal(empty.ids, []);
});

test("bad ids are reported", async () => {
  await Promise.all([
    assertFails(/--ids: expected token ids such as 1,2,3, got "1,x"/, "detokenize", "--ids", "1,x"),
    assertFails(/--ids: expected token ids/, "detokenize", "--ids", ""),
    assertFails(
      /--ids: expected ids from 0 to 639, got 640/,
      "detokenize",
      "-m",
      model,
      "--ids",
      "640",
    ),
  ]);
});

test.run();
