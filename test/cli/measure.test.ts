import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { median } from "../../src/cli/bench.js";
import { loadModel } from "../../src/index.js";
import { assertFails, folder, json, model, plm, plmWith } from "./plm.js";

const TEXT = "One day the little girl went to the forest. ".repeat(12);

/** Perplexity of the second halves of whole chunks, as llama.cpp's tool counts it. */
async function referencePerplexity(ctx: number): Promise<{ perplexity: number; tokens: number }> {
  const library = await loadModel(model);
  const session = library.createSession();
  const tokens = library.tokenizer.encode(TEXT, { normalize: "none" });
  let [sum, count] = [0, 0];
  for (let start = 0; start + ctx <= tokens.length; start += ctx) {
    session.truncate(0);
    const logits = await session.evaluate(tokens.slice(start, start + ctx), { logits: "all" });
    for (let i = Math.floor(ctx / 2); i < ctx - 1; i++) {
      const row = [...logits.subarray(i * 640, i * 640 + 640)];
      sum += Math.log(row.reduce((total, value) => total + Math.exp(value), 0));
      sum -= row[tokens[start + i + 1]];
      count++;
    }
  }
  return { perplexity: Math.exp(sum / count), tokens: count };
}

test("perplexity is that of the second half of each chunk", async () => {
  writeFileSync(join(folder, "text.txt"), TEXT);
  for (const ctx of [32, 33]) {
    const [actual, expected] = await Promise.all([
      json<{ perplexity: number; tokens: number }>(
        ...["perplexity", "-m", model, "--file", "text.txt", "--ctx", String(ctx)],
      ),
      referencePerplexity(ctx),
    ]);
    assert.is(actual.tokens, expected.tokens);
    // Chunks go through prefill in pieces of another length: sums are rounded otherwise.
    const difference = Math.abs(actual.perplexity / expected.perplexity - 1);
    assert.ok(difference < 1e-5, `${actual.perplexity}, expected ${expected.perplexity}`);
  }
});

test("perplexity runs over standard input, tells progress, and stops after --chunks", async () => {
  const flags = ["perplexity", "-m", model, "--ctx", "16", "--chunks", "3"];
  const { code, stdout } = await plmWith(TEXT, ...flags);
  assert.is(code, 0);
  assert.match(stdout, /^\[1\][\d.]+ \[2\][\d.]+ \[3\][\d.]+\nperplexity [\d.]+ over 21 tokens\n$/);
  const { code: failed, stderr } = await plmWith("too short", ...flags);
  assert.is(failed, 1);
  assert.match(stderr, /^plm: text: expected at least one chunk of 16 tokens.*got \d+ tokens\n$/);
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

test("bench tells rates, bytes and zeros", async () => {
  const flags = ["bench", "-m", model, "-d", "5", "-t", "1", "--cache", "f32", "--repeat", "2"];
  const report = await json<BenchJson>(...flags, "-p", "16", "-n", "4", "--variant", "simd");
  assert.ok(report.prefill.tokensPerSecond > 0);
  assert.ok(report.decode.tokensPerSecond > 0);
  assert.is(report.depth, 5);
  assert.is(report.threads, 1);
  assert.is(report.variant, "simd");
  assert.ok(report.loadMs > 0);
  assert.ok(report.peakMemoryBytes > 1e6);
  assert.is(report.cacheBytesPerToken, 2 * (64 + 32) * 4);
  assert.ok(report.zeroShare > 0.3 && report.zeroShare < 0.7, `zeros: ${report.zeroShare}`);
  const downBytes = 2 * 512 * 128 * (34 / 32);
  const { bytesPerToken, denseBytesPerToken, decode, decodeGBs, readGBs } = report;
  assert.is(bytesPerToken, Math.round(denseBytesPerToken - downBytes * report.zeroShare));
  assert.is(decodeGBs, (bytesPerToken * decode.tokensPerSecond) / 1e9);
  assert.is(report.shareOfRead, decodeGBs / readGBs);
});

test("bench for people names the machine; no tokens are no rate", async () => {
  const { code, stdout } = await plm("bench", "-m", model, "-p", "0", "-n", "2", "--repeat", "1");
  assert.is(code, 0);
  assert.match(stdout, /^machine .*Node v\d+.*AVX-VNNI (yes|no|unknown), simd\n/);
  assert.match(stdout, /\nprefill 0 +0\.00 tokens\/s\ndecode 2 +[\d.]+ tokens\/s\n/);
});

test("bench refuses what it has not", async () => {
  await Promise.all([
    assertFails(/--variant: expected simd, got relaxed/, "bench", "--variant", "relaxed"),
    assertFails(/--depth: expected an integer >= 0, got "-1"/, "bench", "-d", "-1"),
    assertFails(/--context: expected .*, got 2128/, "bench", "-m", model, "-d", "2000"),
  ]);
});

test("median", () => {
  assert.is(median([3, 1, 2]), 2);
  assert.is(median([4, 1, 3, 2]), 2.5);
  assert.is(median([7]), 7);
});

test.run();
