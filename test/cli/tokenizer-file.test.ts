/** How the commands treat a file's token settings and its oddities. */
import { copyFileSync, existsSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { tinyModel } from "../model/support/tiny.js";
import { folder, json, output, plm } from "./support/plm.js";

interface TokenizerReport {
  tokenizer: { bosTokenId: number | null; addBosToken: boolean; warnings: string[]; pre: string };
}

writeFileSync(
  join(folder, "begin.gguf"),
  tinyModel({ type: "Q8_0" }, ({ metadata }) => {
    const id = "tokenizer.ggml.bos_token_id";
    const flag = "tokenizer.ggml.add_bos_token";
    metadata.set(id, { key: id, type: "uint32", value: 257 });
    metadata.set(flag, { key: flag, type: "bool", value: true });
  }),
);
writeFileSync(
  join(folder, "odd-entries.gguf"),
  tinyModel({ type: "Q8_0" }, ({ metadata }) => {
    const key = "tokenizer.ggml.padding_token_id";
    metadata.set(key, { key, type: "uint32", value: 0xffffffff });
    metadata.delete("tokenizer.ggml.pre");
  }),
);

test("tokenize begins as generate does, unless asked not to", async () => {
  const tokenize = (...args: string[]): Promise<{ ids: number[] }> =>
    json("tokenize", "-m", "begin.gguf", ...args);
  const [ids, without, special, { promptTokens }, { tokenizer }] = await Promise.all([
    tokenize("--text", "Hi"),
    tokenize("--text", "Hi", "--no-bos"),
    tokenize("--text", "<|im_start|>Hi", "--special"),
    json<{ promptTokens: number }>(
      ...["generate", "-m", "begin.gguf", "--prompt", "Hi", "--max-tokens", "2"],
    ),
    json<TokenizerReport>("inspect", "-m", "begin.gguf"),
  ]);
  assert.equal(ids.ids, [257, 72, 105]);
  assert.equal(without.ids, [72, 105]);
  assert.equal(special.ids, [257, 72, 105]);
  assert.is(promptTokens, 3);
  assert.is(tokenizer.bosTokenId, 257);
  assert.is(tokenizer.addBosToken, true);
});

test("oddities are reported on standard error, and by inspect", async () => {
  const warnings = [
    `tokenizer.ggml.pre: missing; taken for "qwen2"`,
    "tokenizer.ggml.padding_token_id: expected 0 to 260, got 4294967295; ignored",
  ];
  const generate = ["generate", "-m", "odd-entries.gguf", "--prompt", "Hi", "--max-tokens", "2"];
  const [run, tokenized, quantized, report, text] = await Promise.all([
    plm(...generate),
    plm("tokenize", "-m", "odd-entries.gguf", "--text", "Hi"),
    plm("quantize", "--type", "q8_0", "odd-entries.gguf", "odd-entries-q8.gguf"),
    json<TokenizerReport>("inspect", "-m", "odd-entries.gguf"),
    output("inspect", "-m", "odd-entries.gguf"),
  ]);
  for (const { code, stderr } of [run, tokenized, quantized]) {
    assert.is(code, 0);
    assert.is(stderr, warnings.map((warning) => `plm: ${warning}\n`).join(""));
  }
  assert.equal(report.tokenizer.warnings, warnings);
  assert.is(report.tokenizer.pre, null);
  assert.match(text, /warning +tokenizer\.ggml\.pre: missing/);
});

test("the reports of a begin token and of an id out of range", async () => {
  const reports = resolve("..", "shared", "reports");
  if (!existsSync(reports)) {
    console.log("skipped: ../shared/reports is absent");
    return;
  }
  for (const name of ["add-bos", "padding-id-ffffffff"]) {
    copyFileSync(join(reports, `${name}.gguf`), join(folder, `${name}.gguf`));
  }
  const { ids } = await json<{ ids: number[] }>("tokenize", "-m", "add-bos.gguf", "--text", "Hi");
  assert.is(ids[0], 1023);
  assert.is(ids.lastIndexOf(1023), 0);
  const run = await plm("generate", "-m", "padding-id-ffffffff.gguf", "--prompt", "Hi");
  assert.is(run.code, 0);
  assert.match(run.stderr, /padding_token_id: expected 0 to 1023, got 4294967295; ignored/);
});

test.run();
