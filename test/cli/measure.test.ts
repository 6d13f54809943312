import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { median } from "../../src/cli/bench.js";
import { inspectModel } from "../../src/index.js";
import { referenceLogits } from "../model/support/reference-forward.js";
import { assertFails, folder, json, model, output, plm, plmWith } from "./support/plm.js";

const TEXT = "One day the little girl went to the forest. ".repeat(12);

/** Perplexity of the second halves of whole chunks in f64, as llama.cpp's tool counts it. */
async function referencePerplexity(
  file: string,
  ctx: number,
): Promise<{ perplexity: number; tokens: number }> {
  const { tokenizer } = await inspectModel(file);
  const tokens = tokenizer.encode(TEXT, { normalize: "none", addBos: true });
  let [sum, count] = [0, 0];
  for (let start = 0; start + ctx <= tokens.length; start += ctx) {
    const chunk = tokens.slice(start, start + ctx);
    if (tokenizer.addBosToken) chunk[0] = tokenizer.bosTokenId!;
    const logits = await referenceLogits(file, chunk);
    for (let i = Math.floor(ctx / 2); i < ctx - 1; i++) {
      sum += Math.log(logits[i].reduce((total, value) => total + Math.exp(value), 0));
      sum -= logits[i][tokens[start + i + 1]];
      count++;
    }
  }
  return { perplexity: Math.exp(sum / count), tokens: count };
}

/** Half a unit of the fourth digit, at least. */
const FOUR_DIGITS = 5e-5;

async function checkPerplexity(file: string, ctx: number): Promise<void> {
  const [actual, expected] = await Promise.all([
    json<{ perplexity: number; tokens: number }>(
      ...["perplexity", "-m", file, "--file", "text.txt", "--ctx", String(ctx)],
      ...["--precision", "exact"],
    ),
    referencePerplexity(file, ctx),
  ]);
  assert.is(actual.tokens, expected.tokens);
  const difference = Math.abs(actual.perplexity / expected.perplexity - 1);
  assert.ok(difference < FOUR_DIGITS, `${actual.perplexity}, expected ${expected.perplexity}`);
}

test("perplexity is that of the second half of each chunk, to four digits of f64", async () => {
  writeFileSync(join(folder, "text.txt"), TEXT);
  for (const ctx of [32, 33]) await checkPerplexity(model, ctx);
});

test("perplexity with a begin token has it first in each chunk, as llama.cpp's", async () => {
  writeFileSync(join(folder, "text.txt"), TEXT);
  const file = join(folder, "perplexity-bos.gguf");
  const bytes = readFileSync(model);
  const key = "tokenizer.ggml.add_bos_token";
  // The key, four bytes of type, and the value.
  bytes[bytes.indexOf(key) + key.length + 4] = 1;
  writeFileSync(file, bytes);
  assert.is((await inspectModel(file)).tokenizer.addBosToken, true);
  await checkPerplexity(file, 32);
});

test("perplexity of the reference models is that of f64 to four digits", async () => {
  writeFileSync(join(folder, "text.txt"), TEXT);
  for (const name of ["mini-f16", "mini-q8_0", "mini-q4_k_m"]) {
    const file = resolve(`../shared/reference/${name}.gguf`);
    if (existsSync(file)) await checkPerplexity(file, 128);
    else console.log(`skipped: no ${file}`);
  }
});

test("perplexity runs over standard input, shows progress, and stops after --chunks", async () => {
  const flags = ["perplexity", "-m", model, "--ctx", "16", "--chunks", "3"];
  const { code, stdout } = await plmWith(TEXT, ...flags);
  assert.is(code, 0);
  assert.match(stdout, /^\[1\][\d.]+ \[2\][\d.]+ \[3\][\d.]+\nperplexity [\d.]+ over 21 tokens\n$/);
  const { code: failed, stderr } = await plmWith("too short", ...flags);
  assert.is(failed, 1);
  assert.match(
    stderr,
    /^plm: standard input: expected at least one chunk of 16 tokens.*got \d+ tokens\n$/,
  );
});

interface BenchJson {
  prefill: { tokensPerSecond: number };
  decode: { tokensPerSecond: number };
  depth: number;
  threads: number;
  variant: string;
  loadMs: number;
  peakMemoryBytes: number;
  cacheBytesPerToken: number;
  zeroShare: number;
  bytesPerToken: number;
  denseBytesPerToken: number;
  readGBs: number;
  decodeGBs: number;
  shareOfRead: number;
}

test("bench reports rates, bytes and zeros", async () => {
  const flags = ["bench", "-m", model, "-d", "5", "-t", "2", "--cache", "f32", "--repeat", "1"];
  const report = await json<BenchJson>(...flags, "-p", "16", "-n", "4", "--variant", "simd");
  assert.ok(report.prefill.tokensPerSecond > 0);
  assert.ok(report.decode.tokensPerSecond > 0);
  assert.is(report.depth, 5);
  assert.is(report.threads, 2);
  assert.is(report.variant, "simd");
  assert.ok(report.loadMs > 0);
  assert.ok(report.peakMemoryBytes > 1e6);
  assert.is(report.cacheBytesPerToken, 2 * (64 + 32) * 4);
  assert.ok(report.zeroShare > 0.3 && report.zeroShare < 0.7, `zeros: ${report.zeroShare}`);
  const downBytes = 2 * 512 * 128; // int8, without scales
  const { bytesPerToken, denseBytesPerToken, decode, decodeGBs, readGBs } = report;
  assert.is(bytesPerToken, Math.round(denseBytesPerToken - downBytes * report.zeroShare));
  const expectedGBs = (bytesPerToken * decode.tokensPerSecond) / 1e9;
  assert.ok(Math.abs(decodeGBs / expectedGBs - 1) < 1e-9, `${decodeGBs}, expected ${expectedGBs}`);
  assert.is(report.shareOfRead, decodeGBs / readGBs);
});

test("bench for people names the machine; no tokens are no rate", async () => {
  const { code, stdout } = await plm("bench", "-m", model, "-p", "0", "-n", "2", "--repeat", "1");
  assert.is(code, 0);
  assert.match(stdout, /^machine .*Node v\d+.*AVX-VNNI (yes|no|unknown), (simd|relaxed)\n/);
  assert.match(
    stdout,
    /\nprefill 0 +0\.00 tokens\/s, 0\.0 GMAC\/s \(balanced\)\nkernels +.+\ndecode 2 +[\d.]+ tokens/,
  );
});

test("bench refuses impossible options", async () => {
  await Promise.all([
    assertFails(
      /--variant .*argument 'avx' is invalid.*simd, relaxed/,
      "bench",
      "--variant",
      "avx",
    ),
    assertFails(/--depth: expected an integer >= 0, got "-1"/, "bench", "-d", "-1"),
    assertFails(
      /--depth and the larger of .*: expected .* 1024, got 2128/,
      "bench",
      "-m",
      model,
      "-d",
      "2000",
    ),
  ]);
});

test("median", () => {
  assert.is(median([3, 1, 2]), 2);
  assert.is(median([4, 1, 3, 2]), 2.5);
  assert.is(median([7]), 7);
});

test("tokens beyond the context are reported by option", async () => {
  const bench = ["bench", "-m", model];
  await Promise.all([
    assertFails(
      /--context: expected at least 100 \(.*\), got 10/,
      ...bench,
      "-c",
      "10",
      "-p",
      "100",
    ),
    assertFails(
      /--ids: expected ids from 0 to 639, got 640/,
      "detokenize",
      "-m",
      model,
      "--ids=640",
    ),
  ]);
  // More at once than --batch may be, of fewer tokens.
  await output("logits", "-m", model, "--tokens", "1,2", "--chunk", "100000", "-o", "chunk.f32");
});

test.run();
